/** The pages of `--help`. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { helpText } from '../../src/cli/help.ts';
import type { CommandName } from '../../src/cli/option-kinds.ts';
import { flagOf, optionEntries } from '../../src/cli/options.ts';
import { commands, parseCommand } from '../../src/cli/parse.ts';
import { version } from '../../src/core/version.ts';

const names = Object.keys(commands) as CommandName[];

for (const name of [undefined, ...names]) {
  test(`the help of ${name ?? 'the program'} fits a terminal of 80 columns`, async () => {
    const wide = (await helpText(name, 80)).split('\n').filter((line) => line.length > 80);
    assert.equal(wide, []);
  });
}

for (const name of names) {
  test(`the help of ${name} has exactly its options, with the variable of each`, async () => {
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

test("prints the value's format before the meaning, and inject's own meaning instead of the common one", async () => {
  assert.match(await helpText('init', 200), /--config +FILE\[=DIR\]: SecretProviderClass file/);
  assert.match(await helpText('inject', 200), /--output +output format \(yaml, json\)/);
});

test('the help of the program describes every command', async () => {
  const page = await helpText(undefined, 200);
  for (const [name, does] of Object.entries(commands)) assert.match(page, `podsecrets ${name}`, does);
  assert.match(page, 'podsecrets help [COMMAND]');
});

test("every help ends with the version and the project's address, with examples before", async () => {
  for (const name of [undefined, ...names]) {
    const page = await helpText(name, 80);
    assert.match(page, `podsecrets ${version}, https://github.com/podsecrets/podsecrets`);
    assert.match(page, /Examples:\n {2}.*podsecrets /);
  }
});

test('every example in the help is a valid command line', async () => {
  const commandLine = /podsecrets ((?:init|sidecar|exec|check|doctor|inject|status|install)\b[^|\n]*)/g;
  for (const name of [undefined, ...names]) {
    const [, examples = ''] = (await helpText(name, 80)).split('Examples:\n');
    const lines = [...examples.matchAll(commandLine)].map(([, line = '']) => line.trim());
    assert.ok(lines.length > 0, name);
    for (const line of lines) assert.is(parseCommand(line.split(' '), {}).kind, 'run', line);
  }
});

test.run();
