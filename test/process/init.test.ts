import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { kubernetesDouble } from '../support/kubernetes-api.ts';
import { run, start } from '../support/program.ts';
import { irsaEnv, makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { until } from '../support/wait.ts';

const region = 'eu-west-1';
const role = 'arn:aws:iam::111122223333:role/app';
const seed = {
  identities: {
    app: {
      role,
      podIdentityTokens: ['pod-token'],
      webIdentityTokens: ['web-token'],
      expiredTokens: ['old-token'],
      deny: [{ action: 'secretsmanager:GetSecretValue', resource: 'forbidden' }],
    },
  },
  regions: {
    [region]: {
      secrets: {
        'db/login': { json: { username: 'app', password: 'hunter2', port: 5432 } },
        keystore: { binary: Buffer.from([0, 1, 2, 255]).toString('base64') },
        encoded: { string: Buffer.from('plain').toString('base64') },
        forbidden: 'x',
      },
      parameters: { '/app/token': 's3cret' },
    },
    'us-east-1': { secrets: { 'db/login': { json: { username: 'failover' } } } },
  },
};

const login = { objectName: 'db/login', objectType: 'secretsmanager', objectAlias: 'login.json' };
const token = {
  objectName: '/app/token',
  objectType: 'ssmparameter',
  objectAlias: 'token',
  filePermission: '0400',
};

const init = suite<{ aws: FakeAwsProcess; box: Sandbox }>('init');
init.before(async (context) => {
  context.aws = await startFakeAwsProcess(seed);
});
init.after(({ aws }) => aws.stop());
init.before.each(async (context) => {
  await context.aws.reset();
  context.box = makeSandbox();
});
init.after.each(({ box }) => box.remove());

/** `podsecrets init` with a pod's identity. */
function initWith(
  { aws, box }: { aws: FakeAwsProcess; box: Sandbox },
  flags: readonly string[] = [],
  env = {},
) {
  const own = [
    ['--dir', box.dir],
    ['--start-timeout', '0s'],
    // No limit for a machine that is only slow.
    ['--aws-timeout', '1m'],
  ].filter(([flag = '']) => !flags.includes(flag));
  const args = ['init', '--config', box.config, ...own.flat(), ...flags];
  return run(args, { ...podIdentityEnv(box, aws, 'pod-token'), ...env });
}

init(
  'without --sync-secrets a config with Kubernetes Secrets sends nothing to the Kubernetes API',
  async (fixture) => {
    const { box } = fixture;
    const double = await kubernetesDouble();
    try {
      const data = [{ objectName: 'login.json', key: 'login' }];
      box.writeConfig(
        { usePodIdentity: 'true', objects: [login] },
        { secretObjects: [{ secretName: 'app', type: 'Opaque', data }] },
      );
      const { code, stderr } = await initWith(fixture, [], double.env);
      assert.is(code, 0, stderr);
      assert.equal(double.requests, []);
    } finally {
      await double.close();
    }
  },
);

init('a retry of the start reads only what the attempt before it did not', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ usePodIdentity: 'true', objects: [login, token] });
  // The SDK's three attempts of one call.
  await aws.addFault({ on: { operation: 'GetParameters' }, times: 3, does: { kind: 'server-error' } });
  const { code, stderr } = await initWith(fixture, ['--start-timeout', '1m']);
  assert.is(code, 0, stderr);
  assert.match(stderr, 'start.retrying');
  assert.equal(Object.keys(box.files()), ['login.json', 'token']);
  assert.is(await aws.count({ operation: 'GetParameters' }), 4);
  assert.is(await aws.count({ operation: 'GetSecretValue' }), 1);
});

init('usePodIdentity: "true" publishes what the agent\'s credentials can read', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({
    usePodIdentity: 'true',
    objects: [
      {
        ...login,
        jmesPath: [
          { path: 'username', objectAlias: 'user' },
          { path: 'port', objectAlias: 'port' },
        ],
      },
      token,
    ],
  });
  const { code, stdout } = await initWith(fixture);
  assert.is(code, 0);
  assert.is(stdout, '');
  assert.equal(box.files(), {
    'login.json': '{"username":"app","password":"hunter2","port":5432}',
    user: 'app',
    port: '5432',
    token: 's3cret',
  });
  assert.equal(box.modes(), { 'login.json': '0644', user: '0644', port: '0644', token: '0400' });
  assert.is(await aws.count({ service: 'sts' }), 0);
  assert.is(await aws.count({ operation: 'GetSecretValue' }), 1);
});

init(
  'usePodIdentity: "false" publishes what the role of the service account can read',
  async ({ aws, box }) => {
    box.writeConfig({ usePodIdentity: 'false', objects: [login] });
    const args = ['init', '--config', box.config, '--dir', box.dir];
    const { code } = await run(args, irsaEnv(box, aws, role, 'web-token'));
    assert.is(code, 0);
    assert.ok(box.files()['login.json']?.includes('hunter2'));
    assert.is(await aws.count({ operation: 'AssumeRoleWithWebIdentity' }), 1);
  },
);

init('binary values, base64 and expanded keys become files', async (fixture) => {
  const { box } = fixture;
  box.writeConfig({
    objects: [
      { objectName: 'keystore', objectType: 'secretsmanager' },
      { objectName: 'encoded', objectType: 'secretsmanager', decode: 'base64' },
      { ...login, objectAlias: 'login', expand: true },
    ],
  });
  assert.is((await initWith(fixture)).code, 0);
  assert.equal([...readFileSync(join(box.dir, 'keystore'))], [0, 1, 2, 255]);
  assert.is(box.files().encoded, 'plain');
  assert.is(box.files()['login/port'], '5432');
});

init('the variables of envFile are a file, and the log has their number', async (fixture) => {
  const { box } = fixture;
  const objects = [{ ...login, expand: true, env: 'DB_*', envCase: 'upper' }];
  box.writeConfig({ envFile: 'app.env', objects });
  const { code, stderr } = await initWith(fixture);
  assert.is(code, 0);
  assert.match(box.files()['app.env'] ?? '', /^DB_PASSWORD='hunter2'$/m);
  assert.match(stderr, /"event":"publish.changed".*"variables":3,/);
  box.writeConfig({ objects });
  assert.not.match((await initWith(fixture)).stderr, '"variables"');
});

init('FILE#NAME reads one of several classes of a file', async (fixture) => {
  const { aws, box } = fixture;
  const one = readFileSync(box.writeConfig({ objects: [login] }), 'utf8');
  const other = readFileSync(box.writeConfig({ objects: [token] }), 'utf8').replace(
    'name: app',
    'name: other',
  );
  box.write('config.yaml', `${one}---\n${other}`);
  const env = podIdentityEnv(box, aws, 'pod-token');
  const rejected = await run(['init', '--config', box.config, '--dir', box.dir], env);
  assert.match(rejected.lastLine, 'Choose one: --config FILE#app.');
  const { code, stderr } = await run(['init', '--config', `${box.config}#other`, '--dir', box.dir], env);
  assert.is(code, 0, stderr);
  assert.not.ok('login.json' in box.files());
});

init('a second run that finds nothing changed writes nothing', async (fixture) => {
  const { box } = fixture;
  box.writeConfig({ objects: [login, token] });
  await initWith(fixture);
  const before = inodes(box.dir);
  const { code, stderr } = await initWith(fixture);
  assert.is(code, 0);
  assert.match(stderr, '"event":"publish.verified"');
  assert.equal(inodes(box.dir), before);
});

init(
  'a rotation replaces the whole generation, and removes the file of an object that was removed from the config',
  async (fixture) => {
    const { aws, box } = fixture;
    box.writeConfig({ objects: [login, token] });
    await initWith(fixture);
    await aws.putSecret({ region, name: 'db/login', string: '{"username":"new"}' });
    box.writeConfig({ objects: [login] });
    const { stderr } = await initWith(fixture);
    assert.match(stderr, '1 updated, 1 removed');
    assert.equal(box.files(), { 'login.json': '{"username":"new"}' });
  },
);

init(
  'nothing is published unless everything could be fetched, and every failure is in the last line',
  async (fixture) => {
    const { box } = fixture;
    box.writeConfig({ objects: [login] });
    await initWith(fixture);
    const before = box.files();
    box.writeConfig({
      objects: [
        token,
        { objectName: 'nowhere', objectType: 'secretsmanager' },
        { objectName: 'forbidden', objectType: 'secretsmanager' },
      ],
    });
    const { code, lastLine } = await initWith(fixture);
    assert.is(code, 5);
    assert.match(lastLine, 'nowhere');
    assert.match(lastLine, 'secretsmanager:GetSecretValue');
    assert.match(lastLine, 'forbidden');
    assert.equal(box.files(), before);
  },
);

init('an optional object that does not exist is left out with a warning', async (fixture) => {
  const { box } = fixture;
  box.writeConfig({
    objects: [login, { objectName: 'nowhere', objectType: 'secretsmanager', optional: true }],
  });
  const { code, stderr } = await initWith(fixture);
  assert.is(code, 0);
  assert.match(stderr, '"event":"object.missing"');
  assert.equal(Object.keys(box.files()), ['login.json']);
});

init('the values of the failover region are used while the primary is unavailable', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ region, failoverRegion: 'us-east-1', objects: [login] });
  await aws.addFault({ on: { region }, does: { kind: 'cut', at: 'before-headers' } });
  const { code, stderr } = await initWith(fixture);
  assert.is(code, 0);
  assert.match(stderr, '"event":"region.failing"');
  assert.equal(box.files(), { 'login.json': '{"username":"failover"}' });
});

init('retries and logs a transient failure', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ objects: [login] });
  await aws.addFault({
    on: { service: 'agent' },
    times: 2,
    does: { kind: 'error', code: 'InternalServerException', status: 500 },
  });
  const { code, stderr } = await initWith(fixture, ['--start-timeout', '10m']);
  assert.is(code, 0);
  assert.match(stderr, '"event":"start.retrying"');
});

init('publishes each of several configs to its own directory, with shared calls', async (fixture) => {
  const { aws, box } = fixture;
  const other = box.write(
    'other.yaml',
    `apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: { name: other }\nspec:\n  provider: aws\n  parameters:\n    objects: '[{objectName: /app/token, objectType: ssmparameter, objectAlias: t}]'\n`,
  );
  const second = join(box.root, 'second');
  mkdirSync(second);
  box.writeConfig({ objects: [login, token] });
  const { code } = await initWith(fixture, ['--config', `${other}=${second}`]);
  assert.is(code, 0);
  assert.is(readFileSync(join(second, 't'), 'utf8'), 's3cret');
  assert.is(await aws.count({ operation: 'GetParameters' }), 1);
});

init('each kind of failure has its own exit code, and its cause in the last line', async (fixture) => {
  const { aws, box } = fixture;
  const failing = async (flags: string[], env = {}) => {
    const { code, lastLine } = await initWith(fixture, flags, env);
    return [code, lastLine] as const;
  };
  box.writeConfig({ objects: [login] });
  for (const [expected, pattern, ended] of [
    [2, /--nope/, await failing(['--nope'])],
    [
      4,
      /agent/i,
      await failing([], { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:1/v1/credentials' }),
    ],
    [4, /token/, await failing([], { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(box.root, 'nowhere') })],
    [
      5,
      /AWS_ENDPOINT_URL|ECONNREFUSED|127\.0\.0\.1/,
      await failing([], { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }),
    ],
    [6, /emptyDir|tmpfs/, await failing(['--dir', '/var/tmp/podsecrets-nowhere'])],
  ] as const) {
    assert.is(ended[0], expected, ended[1]);
    assert.match(ended[1], pattern);
  }
  box.writeConfig({ objects: [{ objectName: 'x', objectType: 'ssm' }] });
  const [code, line] = await failing([]);
  assert.is(code, 3);
  assert.match(line, /objects\[0\]/);
  assert.is(await aws.count({ service: 'sts' }), 0);
});

init('writes the exit message to the termination log if the runtime created the file', async (fixture) => {
  const { box } = fixture;
  box.writeConfig({ objects: [{ objectName: 'nowhere', objectType: 'secretsmanager' }] });
  const missing = join(box.root, 'missing');
  const file = box.write('termination', '');
  await initWith(fixture, ['--termination-log', missing]);
  assert.not.ok(existsSync(missing));
  await initWith(fixture, ['--termination-log', file]);
  assert.match(readFileSync(file, 'utf8'), /^podsecrets init failed: nowhere: .*\[fetch\.notFound\]$/);
});

init('notifies of a change only, and a failing hook has its own exit code', async (fixture) => {
  const { aws, box } = fixture;
  const notified = join(box.root, 'notified');
  const hook = JSON.stringify(['/bin/sh', '-c', `echo "$PODSECRETS_FILES" >> ${notified}`]);
  box.writeConfig({ objects: [login] });
  await initWith(fixture, ['--notify-exec', hook]);
  assert.not.ok(existsSync(notified), 'the first publish sends no notification');
  await aws.putSecret({ region, name: 'db/login', string: '{}' });
  assert.is((await initWith(fixture, ['--notify-exec', hook])).code, 0);
  assert.is((await initWith(fixture, ['--notify-exec', hook])).code, 0);
  assert.is(readFileSync(notified, 'utf8').trim(), '["login.json"]');
  await aws.putSecret({ region, name: 'db/login', string: '[]' });
  const failed = await initWith(fixture, ['--notify-exec', '["/bin/nowhere"]']);
  assert.is(failed.code, 7);
  assert.equal(box.files(), { 'login.json': '[]' });
  assert.is((await initWith(fixture, ['--notify-exec', hook])).code, 0);
  assert.is(
    readFileSync(notified, 'utf8').trim().split('\n').length,
    2,
    'the next run delivers what is pending',
  );
});

for (const [signal, expected] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const) {
  init(
    `${signal} before the publish is a failure, so that no application starts without its files`,
    async (fixture) => {
      const { aws, box } = fixture;
      box.writeConfig({ objects: [login] });
      await aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'hang' } });
      const running = start(
        ['init', '--config', box.config, '--dir', box.dir],
        podIdentityEnv(box, aws, 'pod-token'),
      );
      await until('a call', async () => (await aws.count({ service: 'secretsmanager' })) > 0);
      process.kill(running.pid, signal);
      assert.is((await running.ended()).code, expected);
      assert.equal(box.files(), {});
    },
  );
}

/** Inode and modification time of everything in a directory, except the lock and its holder. */
function inodes(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/^\.\.(lock|write-lock|holder)/.test(name))
    .sort()
    .map((name) => {
      const { ino, mtimeMs } = statSync(join(dir, name));
      return `${name} ${ino} ${mtimeMs}`;
    });
}

init.run();
