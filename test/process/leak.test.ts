/** Canary values in every secret, every failure the fake AWS can produce: a canary appears only in the files. */

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import type { Misbehaviour } from '../fake-aws/faults.ts';
import type { ServiceName } from '../fake-aws/service.ts';
import { canary, canaryIn, filesWithCanary } from '../support/canary.ts';
import { type Ended, start } from '../support/program.ts';
import { irsaEnv, makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';

const region = 'eu-west-1';
const role = 'arn:aws:iam::111122223333:role/app';
const tokens = { pod: canary('pod-token'), web: canary('web-token') };
const seed = {
  identities: { app: { role, podIdentityTokens: [tokens.pod], webIdentityTokens: [tokens.web] } },
  regions: {
    [region]: {
      secrets: {
        json: { json: { key: canary('json'), [canary('key')]: 1, nothing: null } },
        text: canary('text'),
        binary: { binary: Buffer.from(canary('binary')).toString('base64') },
      },
      parameters: { '/text': canary('parameter') },
    },
    'us-east-1': { secrets: { json: { json: { key: canary('failover') } }, text: canary('failover') } },
  },
};

const everything = [
  { objectName: 'json', objectType: 'secretsmanager', jmesPath: [{ path: 'key', objectAlias: 'key' }] },
  { objectName: 'text', objectType: 'secretsmanager' },
  { objectName: 'binary', objectType: 'secretsmanager' },
  { objectName: '/text', objectType: 'ssmparameter' },
];

const garbage = ['not-json', 'truncated', 'no-value', 'numbers', 'null', 'list', 'empty', 'huge'] as const;
const misbehaviours: readonly Misbehaviour[] = [
  { kind: 'throttle' },
  { kind: 'error', code: 'AccessDeniedException' },
  { kind: 'error', code: 'ExpiredTokenException' },
  { kind: 'error', code: 'InvalidSignatureException' },
  { kind: 'server-error', body: 'error' },
  { kind: 'server-error', body: 'html' },
  { kind: 'server-error', body: 'empty' },
  { kind: 'hang' },
  { kind: 'cut', at: 'before-headers' },
  { kind: 'cut', at: 'mid-body' },
  { kind: 'expired' },
  { kind: 'absent' },
  ...garbage.map((shape) => ({ kind: 'garbage', shape, bytes: 200_000 }) as const),
];

const leak = suite<{ aws: FakeAwsProcess; box: Sandbox }>('leak');
leak.before(async (context) => {
  context.aws = await startFakeAwsProcess(seed);
});
leak.after(({ aws }) => aws.stop());
leak.before.each((context) => {
  context.box = makeSandbox();
});
leak.after.each(async ({ aws, box }) => {
  await aws.clearFaults();
  box.remove();
});

/** Runs init with the most verbose settings, and searches all of its output. */
async function hunt(
  { box }: { box: Sandbox },
  env: Record<string, string>,
  flags: readonly string[] = [],
): Promise<Pick<Ended, 'code' | 'stderr'>> {
  const home = join(box.root, 'home');
  mkdirSync(home, { recursive: true });
  const termination = box.write('termination', '');
  const running = start(
    [
      'init',
      '--config',
      box.config,
      '--dir',
      box.dir,
      '--start-timeout',
      '0s',
      '--log-level',
      'debug',
      '--termination-log',
      termination,
      // Long enough for a slow machine; ends only what would never come.
      ...(flags.includes('--aws-timeout') ? [] : ['--aws-timeout', '1m']),
      ...flags,
    ],
    { ...env, HOME: home, TMPDIR: home },
  );
  const seen = procOf(running.pid);
  const { code, stdout, stderr } = await running.ended();
  const places = { stdout, stderr, termination: readFileSync(termination, 'utf8'), ...seen };
  for (const [place, text] of Object.entries(places))
    assert.is(canaryIn(text), undefined, `canary in ${place}`);
  const own = (path: string) => path.endsWith('-token');
  assert.equal(
    filesWithCanary(box.root, box.dir).filter((path) => !own(path)),
    [],
  );
  return { code, stderr };
}

/** Command line and environment, as others in a shared PID namespace see them. */
function procOf(pid: number): Record<string, string> {
  const read = (name: string) => {
    try {
      return readFileSync(`/proc/${pid}/${name}`, 'latin1');
    } catch {
      return '';
    }
  };
  return { cmdline: read('cmdline'), environ: read('environ') };
}

const services: readonly ServiceName[] = ['secretsmanager', 'ssm', 'agent', 'sts'];

/** In parallel, each with its own fake AWS, because a failing program mostly waits. */
leak('nothing leaks through any failure of any service', async () => {
  await Promise.all(
    services.map(async (service) => {
      const [aws, box] = [await startFakeAwsProcess(seed), makeSandbox()];
      try {
        const irsa = service === 'sts';
        box.writeConfig({ usePodIdentity: String(!irsa), objects: everything });
        for (const does of misbehaviours) {
          await aws.clearFaults();
          await aws.addFault({ on: { service }, does });
          const { code } = await hunt(
            { box },
            irsa ? irsaEnv(box, aws, role, tokens.web) : podIdentityEnv(box, aws, tokens.pod),
            does.kind === 'hang' ? ['--aws-timeout', '150ms'] : [],
          );
          const what = `${service}: ${JSON.stringify(does)}`;
          assert.ok(code !== null && [0, 4, 5].includes(code), `${what}: exit code ${code}`);
          // The short timeout can end a call before AWS has it.
          if (does.kind === 'hang') continue;
          const calls = await aws.calls({ service });
          assert.ok(
            calls.some(({ fault }) => fault === does.kind),
            what,
          );
        }
      } finally {
        await aws.stop();
        box.remove();
      }
    }),
  );
});

leak('nothing leaks through batches with partial errors', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ objects: everything });
  await aws.addFault({ does: { kind: 'batch-error', code: 'InternalServiceError' } });
  assert.is((await hunt(fixture, podIdentityEnv(box, aws, tokens.pod), ['--fetch', 'batch'])).code, 5);
});

leak('nothing leaks when both regions fail in different ways', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ region, failoverRegion: 'us-east-1', objects: everything.slice(0, 2) });
  await aws.addFault({ on: { region }, does: { kind: 'garbage', shape: 'not-json' } });
  await aws.addFault({ on: { region: 'us-east-1' }, does: { kind: 'garbage', shape: 'truncated' } });
  assert.is((await hunt(fixture, podIdentityEnv(box, aws, tokens.pod))).code, 5);
});

leak('nothing leaks when a value is not what the config expects', async (fixture) => {
  const { aws, box } = fixture;
  const text = { objectName: 'text', objectType: 'secretsmanager' };
  const json = { objectName: 'json', objectType: 'secretsmanager' };
  const wrong = [
    { ...text, jmesPath: [{ path: 'key', objectAlias: 'k' }] },
    { ...text, expand: true },
    { ...text, decode: 'base64' },
    { ...json, jmesPath: [{ path: 'nothing', objectAlias: 'k' }] },
    { ...json, jmesPath: [{ path: 'abs(key)', objectAlias: 'k' }] },
    { ...json, jmesPath: [{ path: 'to_number(key)', objectAlias: 'k' }] },
    { ...json, decode: 'base64' },
  ];
  for (const object of wrong) {
    box.writeConfig({ objects: [object] });
    const { code } = await hunt(fixture, podIdentityEnv(box, aws, tokens.pod));
    assert.is(code, 5, JSON.stringify(object));
  }
});

leak('nothing leaks through hooks that print what they read', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ objects: everything });
  const env = podIdentityEnv(box, aws, tokens.pod);
  assert.is((await hunt(fixture, env)).code, 0);
  await aws.putSecret({ region, name: 'text', string: canary('rotated') });
  // Fails once, so that what it printed is reported, and lets the second try end the run.
  const once = join(box.root, 'once');
  const noisy = JSON.stringify([
    '/bin/sh',
    '-c',
    `env; cat ${box.dir}/*; cat ${box.dir}/* >&2; mkdir ${once} && exit 3; exit 0`,
  ]);
  const { code, stderr } = await hunt(fixture, env, ['--notify-exec', noisy]);
  assert.is(code, 0);
  assert.match(stderr, /exit code 3; last output: .*\[secret\]/);
});

leak('nothing leaks through a hook that prints replaced values', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ objects: [{ objectName: 'text', objectType: 'secretsmanager' }] });
  const env = podIdentityEnv(box, aws, tokens.pod);
  assert.is((await hunt(fixture, env)).code, 0);
  await aws.putSecret({ region, name: 'text', string: canary('newer') });
  const once = join(box.root, 'before');
  // A replaced generation stays for a second.
  const hook = JSON.stringify(['/bin/sh', '-c', `cat ${box.dir}/..2*/text; mkdir ${once} && exit 3; exit 0`]);
  const { code, stderr } = await hunt(fixture, env, ['--notify-exec', hook]);
  assert.is(code, 0);
  assert.match(stderr, /exit code 3; last output: .*\[secret\]/);
});

leak('nothing leaks when the directory cannot be written', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ objects: everything });
  box.write('secrets/text', 'a foreign file');
  assert.is((await hunt(fixture, podIdentityEnv(box, aws, tokens.pod))).code, 6);
});

leak.run();
