/** The command: its input files, and its output on stdout and stderr. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCommand } from '../../src/cli/parse.ts';
import type { Context } from '../../src/commands/context.ts';
import { inject } from '../../src/commands/inject.ts';
import { objectsIn, secretProviderClass, valuesIn } from '../support/inject.ts';
import { rejects } from '../support/rejects.ts';

const test = suite<{ directory: string }>('inject', { directory: '' });
test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'inject-'));
  writeFileSync(join(context.directory, 'config.yaml'), secretProviderClass);
  writeFileSync(join(context.directory, 'pod.yaml'), pod);
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const pod =
  'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: app, image: nginx}\n';

async function run(
  flags: readonly string[],
  stdin = '',
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly out: string; readonly err: string }> {
  const command = parseCommand(['inject', ...flags], {});
  if (command.kind !== 'run') throw new Error('expected a command that runs');
  const printed = { out: '', err: '' };
  const context = {
    ...command.invocation,
    env,
    stdin: async () => stdin,
    stdout: {
      write: (text: string) => {
        printed.out += text;
      },
    },
    stderr: {
      write: (text: string) => {
        printed.err += text;
      },
    },
  };
  assert.is(await inject(context as unknown as Context), 0);
  return printed;
}

test('reads a file or standard input, and prints the same', async ({ directory }) => {
  const config = ['--config', join(directory, 'config.yaml')];
  const fromFile = await run([...config, '-f', join(directory, 'pod.yaml')]);
  assert.equal(await run(config, pod), fromFile);
  assert.match(fromFile.out, /^apiVersion: v1\nkind: ConfigMap\n/);
  assert.match(fromFile.out, '- name: podsecrets\n');
  assert.is(fromFile.err, '');
});

test('a diff is text: it is not printed as JSON', () => {
  assert.throws(
    () => parseCommand(['inject', '--diff', '--output', 'json'], {}),
    /json cannot be combined with --diff/,
  );
});

test('--config FILE=DIR and --dir choose where containers mount the files, not where they are published', async ({
  directory,
}) => {
  const config = join(directory, 'config.yaml');
  for (const flags of [
    ['--config', `${config}=/secrets`],
    ['--config', config, '--dir', '/secrets'],
  ]) {
    const { out } = await run(flags, pod);
    assert.match(out, '--config=/etc/podsecrets/config.yaml=/mnt/podsecrets/files\n');
    assert.match(out, 'mountPath: /secrets\n      subPath: files\n');
  }
  const { out } = await run(['--config', config], pod);
  assert.match(out, 'mountPath: /mnt/secrets-store\n      subPath: files\n');
});

test('-f accepts several files and directories, and prints their manifests in order', async ({
  directory,
}) => {
  const more = join(directory, 'more');
  mkdirSync(join(more, 'below'), { recursive: true });
  writeFileSync(join(more, 'b.yaml'), pod.replace('web', 'b'));
  writeFileSync(join(more, 'a.yml'), `---\n${pod.replace('web', 'a')}`);
  writeFileSync(join(more, 'notes.txt'), 'no: [manifest');
  writeFileSync(join(more, 'below', 'c.yaml'), 'no: [manifest');
  const config = ['--config', join(directory, 'config.yaml')];
  const words = ['-f', join(directory, 'pod.yaml'), '-f', more, '-f', '-'];
  const { out } = await run([...words, ...config], pod.replace('web', 'd'));
  const names = objectsIn(out).map((object) => valuesIn<string>(object, 'name')[0]);
  assert.equal(names, ['podsecrets-app', 'web', 'a', 'b', 'd']);
  const again = await run(config, out);
  assert.is(again.out, out);
  const { out: diff } = await run([...words, ...config, '--diff'], pod.replace('web', 'd'));
  assert.equal(
    [...diff.matchAll(/^--- (\S+?)(?: input)?\tbefore$/gm)].map(([, file]) => file),
    [join(directory, 'pod.yaml'), join(more, 'a.yml'), join(more, 'b.yaml'), 'standard'],
  );
});

test('a mistake in one of several files names that file, and an empty directory is rejected', async ({
  directory,
}) => {
  writeFileSync(join(directory, 'bad.yaml'), 'a: [');
  const flags = ['-f', join(directory, 'pod.yaml'), '-f', join(directory, 'bad.yaml')];
  assert.match(String(await rejects(run(flags))), /expected "]", got none/);
  assert.is(((await rejects(run(flags))) as { readonly file: string }).file, join(directory, 'bad.yaml'));
  mkdirSync(join(directory, 'empty'));
  assert.match(String(await rejects(run(['-f', join(directory, 'empty')]))), /expected files \*\.yaml/);
});

test('--config env:NAME reads the class from a variable', async ({ directory }) => {
  const config = ['--config', join(directory, 'config.yaml')];
  const { out } = await run(['--config', 'env:CLASS'], pod, { CLASS: secretProviderClass });
  assert.is(out, (await run(config, pod)).out);
  assert.match(String(await rejects(run(['--config', 'env:CLASS'], pod))), 'got no such variable');
});

test('--output json prints one list', async ({ directory }) => {
  const { out } = await run(['--config', join(directory, 'config.yaml'), '--output', 'json'], pod);
  const list = JSON.parse(out);
  assert.is(list.kind, 'List');
  assert.equal(
    list.items.map((item: { readonly kind: string }) => item.kind),
    ['ConfigMap', 'Pod'],
  );
});

test('--output has its own choices for inject', () => {
  const choices = (command: string, value: string) => () => parseCommand([command, '--output', value], {});
  assert.throws(choices('inject', 'text'), (error: Error) => error.message.includes('expected yaml or json'));
  assert.throws(choices('check', 'yaml'), (error: Error) => error.message.includes('expected text or json'));
  assert.is(choices('inject', 'yaml')().kind, 'run');
});

test('--diff prints the changes, and nothing without a change', async ({ directory }) => {
  const config = ['--config', join(directory, 'config.yaml')];
  const { out } = await run([...config, '--diff'], pod);
  assert.match(out, /^--- standard input\tbefore\n\+\+\+ standard input\tafter\n@@/);
  assert.match(out, '+  - name: podsecrets\n');
  const done = await run(config, pod);
  assert.is((await run([...config, '--diff'], done.out)).out, '');
});

test('warnings go to standard error', async ({ directory }) => {
  const { out, err } = await run(['--config', join(directory, 'config.yaml')], `${pod}  hostNetwork: true\n`);
  assert.match(err, /^warning: Pod\/web: the pod uses hostNetwork/);
  assert.not.match(out, 'warning');
});

test('a file that cannot be read is a mistake on the command line', async ({ directory }) => {
  const problem = await rejects(run(['-f', join(directory, 'nothing.yaml')]));
  assert.match(String(problem), /expected a file that can be read, got no such file: .*nothing.yaml/);
});

test.run();
