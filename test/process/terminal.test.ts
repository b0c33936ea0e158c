/** What a person sees: the commands on a pseudo-terminal of 80 columns, which script(1) makes. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { commands } from '../../src/cli/parse.ts';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { freePort } from '../support/free-port.ts';
import { binary, type Ended, run, start } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { within } from '../support/wait.ts';

const seed = {
  identities: {
    app: {
      role: 'arn:aws:iam::111122223333:role/eksctl-production-addon-iamserviceaccount',
      podIdentityTokens: ['pod-token'],
      deny: [{ action: 'ssm:GetParameters' }],
    },
  },
  regions: {
    'eu-west-1': {
      secrets: { 'production/payments/database': 'a', 'production/payments/stripe-api-key': 'b' },
      parameters: { '/production/payments/feature-flags/checkout': 'c' },
    },
  },
};
const secrets = [
  { objectName: 'production/payments/database', objectType: 'secretsmanager' },
  { objectName: 'production/payments/stripe-api-key', objectType: 'secretsmanager', objectAlias: 'stripe' },
];
const denied = {
  objectName: '/production/payments/feature-flags/checkout',
  objectType: 'ssmparameter',
  objectAlias: 'c',
};

const COLOUR = /\x1b\[[0-9;]*m/g;

/** On a terminal of 80 columns: both streams in `stdout`, its line ends as in a file. */
async function onTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const line = [binary, ...args].map((word) => `'${word}'`).join(' ');
  const script = [
    'script',
    '--quiet',
    '--return',
    '--command',
    `stty cols 80; exec ${line}`,
    '/dev/null',
  ] as const;
  const ended = await run([], { TERM: 'xterm-256color', ...env }, [...script]);
  return { ...ended, stdout: ended.stdout.replaceAll('\r\n', '\n') };
}

/** Lines that the terminal would break somewhere in their middle: a single long word, such as an ARN, is broken anyway. */
function tooWide(text: string): readonly string[] {
  return text
    .replace(COLOUR, '')
    .split('\n')
    .filter((line) => line.length > 80 && line.trim().includes(' '));
}

const terminal = suite<{ aws: FakeAwsProcess; box: Sandbox }>('terminal');
terminal.before(async (context) => {
  context.aws = await startFakeAwsProcess(seed);
});
terminal.after(({ aws }) => aws.stop());
terminal.before.each((context) => {
  context.box = makeSandbox();
});
terminal.after.each(({ box }) => box.remove());

terminal('doctor fits 80 columns and has colours', async ({ aws, box }) => {
  box.writeConfig({ usePodIdentity: 'true', objects: [...secrets, denied] });
  const args = ['doctor', '--config', box.config, '--dir', box.dir];
  const { code, stdout } = await onTerminal(args, podIdentityEnv(box, aws, 'pod-token'));
  assert.is(code, 5, stdout);
  assert.equal(tooWide(stdout), []);
  assert.match(stdout, '  \x1b[32mok\x1b[39m    region     eu-west-1');
  assert.match(stdout, '  \x1b[31mFAIL\x1b[39m  /production/payments/feature-flags/checkout');
  assert.match(stdout, '\x1b[31m1 problem; exit code 5.\x1b[39m');
  const { stdout: piped } = await run(args, podIdentityEnv(box, aws, 'pod-token'));
  assert.not.match(piped, COLOUR);
  assert.is(tooWide(piped).length > 0, true);
});

terminal('the policy of doctor is whole, and its notes fit 80 columns', async ({ box }) => {
  box.writeConfig({ region: 'eu-west-1', objects: secrets });
  const { code, stdout } = await onTerminal(['doctor', '--policy', '--config', box.config]);
  assert.is(code, 0, stdout);
  assert.equal(tooWide(stdout), []);
  assert.match(stdout, 'remove it if all are');
});

terminal('check fits 80 columns; NO_COLOR turns its colours off', async ({ box }) => {
  box.writeConfig({ region: 'eu-west-1', objects: [...secrets, denied] });
  const args = ['check', '--config', box.config, '--dir', box.dir];
  const { code, stdout } = await onTerminal(args);
  assert.is(code, 0, stdout);
  assert.equal(tooWide(stdout), []);
  assert.match(stdout, '\x1b[1mFILE \x1b[22mstripe');
  const { stdout: plain } = await onTerminal(args, { NO_COLOR: '1' });
  assert.is(plain, stdout.replace(COLOUR, ''));
  box.writeConfig({ region: 'eu-west-1', objects: [{ objectName: 'a' }] });
  const { stdout: problems } = await onTerminal(args);
  assert.equal(tooWide(problems), []);
  assert.match(problems, /\x1b\[31m\[config\.[a-zA-Z]+\]\x1b\[39m/);
});

terminal('status fits 80 columns, and the log of its sidecar is text with colours', async ({ aws, box }) => {
  box.writeConfig({ usePodIdentity: 'true', objects: secrets });
  const listen = `127.0.0.1:${await freePort()}`;
  const sidecar = start(
    ['sidecar', '--config', box.config, '--dir', box.dir, '--listen', listen, '--log-format', 'text'],
    { ...podIdentityEnv(box, aws, 'pod-token'), FORCE_COLOR: '1' },
  );
  await sidecar.prints(/sidecar\.ready/);
  assert.match(sidecar.stderr(), '\x1b[32mINFO \x1b[0m');
  const { code, stdout } = await onTerminal(['status', '--listen', listen]);
  assert.is(code, 0, stdout);
  assert.equal(tooWide(stdout), []);
  assert.match(stdout, ': \x1b[32mready\x1b[39m');
  assert.match(stdout, '  \x1b[1mFILE \x1b[22mstripe\n    OBJECT production/payments/stripe-api-key');
  sidecar.child.kill();
  await sidecar.ended();
});

terminal(
  'init on a terminal logs text with colours, and ends with a line for each cause',
  async ({ aws, box }) => {
    box.writeConfig({ usePodIdentity: 'true', objects: secrets });
    const args = ['init', '--config', box.config, '--dir', box.dir];
    const { code, stdout } = await onTerminal(args, podIdentityEnv(box, aws, 'pod-token'));
    assert.is(code, 0, stdout);
    assert.match(stdout, /\x1b\[32mINFO \x1b\[0m published 2 files/);
    box.writeConfig({
      usePodIdentity: 'true',
      objects: [{ objectName: 'a' }, { objectType: 'ssmparameter' }],
    });
    const { code: failed, stdout: message } = await onTerminal(args, podIdentityEnv(box, aws, 'pod-token'));
    assert.is(failed, 3);
    assert.equal(tooWide(message), []);
    assert.match(message, /^podsecrets init failed \(2 problems\):\s/m);
  },
);

terminal('the help of every command fits 80 columns', async () => {
  for (const args of [[], ...Object.keys(commands).map((name) => [name])]) {
    const { code, stdout } = await onTerminal([...args, '--help']);
    assert.is(code, 0);
    assert.equal(tooWide(stdout), []);
    assert.match(stdout, /podsecrets [0-9.]+, https:\/\/github\.com\/podsecrets\/podsecrets\n$/);
  }
});

terminal('inject shows that it reads the terminal, and Ctrl-C ends it at once', async () => {
  const words = ['--quiet', '--return', '--command', `exec ${binary} inject`, '/dev/null'];
  const child = spawn('script', words, { env: { PATH: process.env.PATH, TERM: 'xterm' }, stdio: 'pipe' });
  const ended = once(child, 'close');
  let shown = '';
  const shows = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
      if (shown.includes('reading from the terminal; Ctrl-D ends the input')) resolve();
    });
  });
  await within('the hint of inject', shows);
  child.stdin.write('\x03');
  const [code] = await within('the end of inject', ended);
  assert.is(code, 130, shown);
});

terminal(
  'inject shows the characters of a manifest that reorder or hide text on a terminal, and keeps them in a file',
  async () => {
    const box = makeSandbox();
    const hidden = 'a\u202eb\u200b';
    const file = box.write(
      'pod.yaml',
      `# ${hidden}\nkind: Pod\nspec:\n  containers:\n  - name: app # ${hidden}\n`,
    );
    box.writeConfig({ region: 'eu-west-1', objects: secrets });
    const args = ['inject', '--file', file, '--config', box.config, '--image', 'x:1'];
    for (const more of [[], ['--diff']]) {
      const seen = await onTerminal([...args, ...more]);
      assert.match(seen.stdout, 'a\\u202eb\\u200b');
      assert.not.match(seen.stdout, /[\u202e\u200b]/);
    }
    assert.match((await run(args)).stdout, `# ${hidden}`);
    box.remove();
  },
);

terminal.run();
