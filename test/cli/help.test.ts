/** The pages of `--help`. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { helpText } from '../../src/cli/help.ts';
import { type CommandName, flagOf, optionEntries } from '../../src/cli/options.ts';
import { commands, parseCommand } from '../../src/cli/parse.ts';
import { version } from '../../src/core/version.ts';

const names = Object.keys(commands) as CommandName[];

for (const name of [undefined, ...names]) {
  test(`the page of ${name ?? 'the program'} fits a terminal of 80 columns`, async () => {
    const wide = (await helpText(name, 80)).split('\n').filter((line) => line.length > 80);
    assert.equal(wide, []);
  });
}

for (const name of names) {
  test(`the page of ${name} has its options, with the variable of each, and no others`, async () => {
    const page = await helpText(name, 80);
    for (const [option, { commands, env }] of optionEntries()) {
      const row = new RegExp(`^ .*${flagOf(option)} [^]*?\\[${env}[\\],]`, 'm');
      assert.is(
        row.test(page),
        commands.some((taker) => taker === name),
        flagOf(option),
      );
    }
  });
}

test('what a value looks like stands before the meaning, what inject has otherwise in its place', async () => {
  assert.match(await helpText('init', 200), /--config +FILE\[=DIR\]: SecretProviderClass file/);
  assert.match(await helpText('inject', 200), /--output +output format \(yaml, json\)/);
});

test('the page of the program says what every command does', async () => {
  const page = await helpText(undefined, 200);
  for (const [name, does] of Object.entries(commands)) assert.match(page, `podsecrets ${name}`, does);
  assert.match(page, 'podsecrets help [COMMAND]');
});

test('every page ends with the version and where the project is, that of a command with examples', async () => {
  for (const name of [undefined, ...names]) {
    const page = await helpText(name, 80);
    assert.match(page, `podsecrets ${version}, https://github.com/podsecrets/podsecrets`);
    if (name !== undefined) assert.match(page, /Examples:\n {2}.*podsecrets /);
  }
});

test('every example of a page is a command line that is accepted', async () => {
  const commandLine = /podsecrets ((?:init|sidecar|exec|check|doctor|inject|status)\b[^|\n]*)/g;
  for (const name of names) {
    const [, examples = ''] = (await helpText(name, 80)).split('Examples:\n');
    const lines = [...examples.matchAll(commandLine)].map(([, line = '']) => line.trim());
    assert.ok(lines.length > 0, name);
    for (const line of lines) assert.is(parseCommand(line.split(' '), {}).kind, 'run', line);
  }
});

test.run();
