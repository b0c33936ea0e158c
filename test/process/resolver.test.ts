/**
 * A name server that never responds: the C library waits for it on a thread, which nothing can cancel. The program exits
 * nevertheless, even as process 1 of its container, where it cannot end itself by a signal.
 */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { isAllowed } from '../support/allowed.ts';
import { childrenOf } from '../support/processes.ts';
import { binary, type Running, run, start } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { until, within } from '../support/wait.ts';

/** An address of loopback that no other process uses; port 53 is the only one that resolv.conf can name. */
const ADDRESS = `127.53.${(process.pid >> 8) & 255}.${process.pid & 255}`;

const NAMESPACES = ['unshare', '--mount', '--propagation', 'private'] as const;
const AS_PROCESS_1 = [...NAMESPACES, '--pid', '--fork', '--kill-child'] as const;

const resolver = suite<{ box: Sandbox; server: Socket; queries: () => number }>(
  'a name server that never responds',
);
const possible = isAllowed('a name server that never responds', [
  ...AS_PROCESS_1,
  ...(['sh', '-c', 'mount --bind /etc/hosts /etc/resolv.conf'] as const),
]);

resolver.before.each(async (context) => {
  context.box = makeSandbox();
  // A lookup takes ten minutes: longer than any test waits.
  context.box.write('resolv.conf', `nameserver ${ADDRESS}\noptions timeout:30 attempts:5\n`);
  context.box.write('nsswitch.conf', 'hosts: dns\n');
  context.server = createSocket('udp4');
  let count = 0;
  context.server.on('message', () => count++);
  context.queries = () => count;
  context.server.bind(53, ADDRESS);
  await once(context.server, 'listening');
  context.box.writeConfig({
    region: 'eu-west-1',
    usePodIdentity: 'false',
    objects: [{ objectName: 'db', objectType: 'secretsmanager' }],
  });
});
resolver.after.each(async ({ box, server }) => {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  box.remove();
});

/** Starts the program over the config, where every lookup is a request to the name server. `command`: the last arguments. */
function startIn(
  { box }: { box: Sandbox },
  namespaces: readonly string[],
  args: readonly string[],
  { env = KEYS, command = [] as readonly string[] } = {},
): Running {
  const mounts = `mount --bind ${box.root}/resolv.conf /etc/resolv.conf && mount --bind ${box.root}/nsswitch.conf /etc/nsswitch.conf`;
  const [unshare = '', ...words] = namespaces;
  return start([...args, '--config', box.config, '--dir', box.dir, ...command], env, [
    unshare,
    ...words,
    'sh',
    '-c',
    `${mounts} && exec "$0" "$@"`,
    binary,
  ]);
}

const KEYS: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'key',
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** The program itself: what unshare started with --fork; without it unshare has become the program. */
function programOf(running: Running, namespaces: readonly string[]): number {
  if (!namespaces.includes('--fork')) return running.pid;
  return childrenOf(running.pid)[0] ?? running.pid;
}

for (const [place, namespaces] of [
  ['as process 1', AS_PROCESS_1],
  ['next to other processes', NAMESPACES],
] as const) {
  for (const [args, code] of [
    [['init', '--auth', 'default'], 143],
    [['doctor', '--auth', 'default', '--aws-timeout', '1h'], 143],
    [['sidecar', '--auth', 'default', '--listen', 'off', '--aws-timeout', '1h'], 143],
    [['exec', '--auth', 'default', '--aws-timeout', '1h'], 143],
    [['exec', '--auth', 'default', '--aws-timeout', '1h', '--on-change', 'restart'], 143],
  ] as const) {
    const [command] = args;
    resolver(
      `${args.filter((_, at) => at === 0 || at > 4).join(' ')} ${place} ends on SIGTERM`,
      async (context) => {
        if (!possible) return;
        const options = command === 'exec' ? { command: ['--', '/bin/true'] } : {};
        const running = startIn(context, namespaces, args, options);
        await until(
          () => `a lookup, got:\n${running.stderr()}`,
          () => context.queries() > 0 || running.hasEnded(),
        );
        process.kill(programOf(running, namespaces), 'SIGTERM');
        assert.is((await within(`the end of ${command}`, running.ended())).code, code);
      },
    );
  }

  for (const phase of ['a refresh', 'the wait for a retry', 'a notification'] as const) {
    resolver(`a sidecar ${place} ends on SIGTERM in ${phase}`, async (context) => {
      if (!possible) return;
      const { box, queries } = context;
      const aws = await startFakeAwsProcess({
        identities: { app: { podIdentityTokens: ['pod-token'] } },
        regions: { 'eu-west-1': { secrets: { db: 'one' } } },
      });
      try {
        box.writeConfig({ objects: [{ objectName: 'db', objectType: 'secretsmanager' }] });
        const env = podIdentityEnv(box, aws, 'pod-token');
        const isNotification = phase === 'a notification';
        if (!isNotification) {
          // With the files of an earlier process there is no first phase.
          assert.is((await run(['init', '--config', box.config, '--dir', box.dir], env)).code, 0);
          env.AWS_ENDPOINT_URL = 'http://secrets.example:1';
        }
        const args = ['sidecar', '--listen', 'off', '--interval', '1s', '--aws-timeout', '300ms'];
        const notify = ['--notify-on-start', '--notify-url', 'http://app.example/'];
        const running = startIn(context, namespaces, [...args, ...(isNotification ? notify : [])], { env });
        await running.prints(/sidecar\.ready/);
        if (!isNotification) await running.prints(/sync\.failed/);
        const before = isNotification ? 0 : queries();
        if (phase !== 'the wait for a retry') await until('a lookup', () => queries() > before);
        process.kill(programOf(running, namespaces), 'SIGTERM');
        assert.is((await within('the end of the sidecar', running.ended())).code, 0);
      } finally {
        await aws.stop();
      }
    });
  }

  resolver(`init ${place} ends at --start-timeout, with its last line`, async (context) => {
    if (!possible) return;
    const args = ['init', '--auth', 'default', '--aws-timeout', '200ms', '--start-timeout', '300ms'];
    const { code, lastLine } = await startIn(context, namespaces, args).ended();
    assert.is(code, 5);
    assert.match(lastLine, /podsecrets init failed.*\[fetch\.network\]/);
    assert.ok(context.queries() > 0);
  });
}

resolver.run();
