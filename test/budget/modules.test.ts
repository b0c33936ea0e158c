/** The modules that each command loads: each costs start time, and memory of a sidecar. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { type Recording, recordRun } from './recording.ts';

const seed = {
  identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
  regions: { 'eu-west-1': { secrets: { one: '{"user":"app"}' }, parameters: { '/one': 'value' } } },
};
const secret = { objectName: 'one', objectType: 'secretsmanager' };
const parameter = { objectName: '/one', objectType: 'ssmparameter', objectAlias: 'parameter' };

/** The packages of any run that calls AWS, each with its reason. */
const foundation: Readonly<Record<string, string>> = {
  '@aws-sdk/credential-provider-node':
    "the SDK's default search for credentials, which a client never starts when it is given some",
  '@aws-sdk/credential-provider-env': 'its first step',
  'yargs-parser': 'reads the command line',
  yaml: 'reads the config',
  '@aws-sdk/core': "the SDK's signing, endpoints, protocol",
  '@smithy/core': 'the same',
  '@smithy/signature-v4': 'the same',
  '@smithy/types': 'its enums',
  '@aws-sdk/xml-builder': '3 KB that esbuild does not part from the protocols',
  '@aws/lambda-invoke-store': 'the SDK looks for a trace id of Lambda',
  '@smithy/node-http-handler': "the SDK's own HTTP, which a client makes before it gets that of podsecrets",
  '@aws-sdk/credential-provider-http': 'credentials of the Pod Identity agent',
};

const secretsOnly = { ...foundation, '@aws-sdk/client-secrets-manager': 'one secret' };
const watching = { chokidar: 'watches the configs', readdirp: 'reads their directories for it' };
const parametersOnly = { ...foundation, '@aws-sdk/client-ssm': 'one parameter' };

const modules = suite<{ aws: FakeAwsProcess; box: Sandbox }>('modules');
modules.before(async (context) => {
  context.aws = await startFakeAwsProcess(seed);
});
modules.after(({ aws }) => aws.stop());
modules.before.each((context) => {
  context.box = makeSandbox();
});
modules.after.each(({ box }) => box.remove());

function packagesOf({ evaluated }: Pick<Recording, 'evaluated'>): readonly string[] {
  return evaluated.filter((owner) => !owner.startsWith('src/') && !owner.startsWith('lazy-builtin:'));
}

async function initOf(
  { aws, box }: { aws: FakeAwsProcess; box: Sandbox },
  objects: readonly object[],
): Promise<Recording> {
  box.writeConfig({ usePodIdentity: 'true', objects });
  const recording = await recordRun(
    ['init', '--config', box.config, '--dir', box.dir],
    podIdentityEnv(box, aws, 'pod-token'),
  );
  assert.is(recording.code, 0, recording.stderr);
  return recording;
}

modules('init of a secret evaluates the packages that a secret needs, and no others', async (context) => {
  assert.equal(packagesOf(await initOf(context, [secret])), Object.keys(secretsOnly).sort());
});

modules(
  'init of a parameter evaluates the packages that a parameter needs, and no others',
  async (context) => {
    assert.equal(packagesOf(await initOf(context, [parameter])), Object.keys(parametersOnly).sort());
  },
);

modules('init loads no folder that only other commands need', async (context) => {
  const { evaluated } = await initOf(context, [secret, parameter]);
  const others =
    /^src\/(http\/(?!request|authorities|ca-file|early-connections|response-shape|tls-code)|kubernetes|inject|doctor|cli\/help|config\/(watcher|report)|formats\/jmespath|notify\/(signal|exec|url|touch|reap|processes|process-matching)|sidecar\/(metrics|counters|triggers|refresh-limit|reload|status-tracker|status-text|keep-fresh)|v8\/rest|worker\/(process|credentials-file)|commands\/(?!init|extra-certificates|open|plans|secrets|sync\.ts|worker-host|context|logging|uses-colour))/;
  assert.equal(
    evaluated.filter((owner) => others.test(owner)),
    [],
  );
});

modules('init with a jmesPath evaluates the JMESPath packages and no other in addition', async (context) => {
  const plain = packagesOf(await initOf(context, [secret]));
  const withPath = packagesOf(
    await initOf(context, [{ ...secret, jmesPath: [{ path: 'user', objectAlias: 'user' }] }]),
  );
  assert.equal(
    withPath.filter(
      (name) => !plain.includes(name) && !name.includes('jmespath') && !name.includes('commons'),
    ),
    [],
  );
});

modules('init loads no compression, no fs/promises', async (context) => {
  const { builtins } = await initOf(context, [secret, parameter]);
  const costly = /^(zlib|http2|child_process|fs\/promises|dns|inspector|worker_threads)/;
  assert.equal(
    builtins.filter((name) => costly.test(name)),
    [],
  );
});

modules(
  'flags of V8 change only after all modules are loaded: with other flags V8 rejects the stored code',
  async ({ aws, box }) => {
    box.writeConfig({ usePodIdentity: 'true', objects: [secret] });
    const env = podIdentityEnv(box, aws, 'pod-token');
    const config = ['--config', box.config, '--dir', box.dir];
    const { worker, ...sidecar } = await recordRun(
      ['sidecar', ...config, '--listen', '127.0.0.1:0'],
      env,
      (stderr, kill) => {
        if (stderr.includes('sidecar.ready')) kill();
      },
    );
    const init = await recordRun(['init', ...config], env);
    for (const { early, modules } of [sidecar, init, worker ?? init]) assert.equal(early, modules);
  },
);

modules('check loads nothing that could reach AWS', async ({ box }) => {
  box.writeConfig({ region: 'eu-west-1', objects: [secret, parameter] });
  const recording = await recordRun(['check', '--config', box.config], {});
  assert.is(recording.code, 0, recording.stderr);
  assert.equal(packagesOf(recording), ['yaml', 'yargs-parser']);
  assert.equal(
    recording.builtins.filter((name) => /^(http|https|tls|dns|crypto)$/.test(name)),
    [],
  );
});

modules('--version and --help load no config, no SDK', async () => {
  assert.equal(packagesOf(await recordRun(['--version'], {})), ['yargs-parser']);
  const { evaluated, code } = await recordRun(['--help'], {});
  assert.is(code, 0);
  assert.equal(
    evaluated.filter((owner) =>
      /^(@aws|@smithy|yaml|src\/(aws|config|publish|notify|kubernetes|http)\/(?!ca-file\.ts))/.test(owner),
    ),
    [],
  );
});

modules(
  'an idle sidecar has loaded no SDK, no YAML, no TLS and nothing that decrypts; its worker no more than init',
  async ({ aws, box }) => {
    box.writeConfig({ usePodIdentity: 'true', objects: [secret] });
    const { worker, ...sidecar } = await recordRun(
      ['sidecar', '--config', box.config, '--dir', box.dir, '--listen', '127.0.0.1:0'],
      podIdentityEnv(box, aws, 'pod-token'),
      (stderr, kill) => {
        if (stderr.includes('sidecar.ready')) kill();
      },
    );
    assert.is(sidecar.code, 0, sidecar.stderr);
    assert.equal(packagesOf(sidecar), Object.keys({ ...watching, 'yargs-parser': 'as ever' }).sort());
    assert.equal(
      sidecar.evaluated.filter((owner) =>
        /^src\/(aws|render|formats|kubernetes|config\/parse|worker\/sync)/.test(owner),
      ),
      [],
    );
    assert.equal(
      sidecar.builtins.filter((name) =>
        /^(https|tls|crypto|http2|zlib|internal\/tls|internal\/crypto)/.test(name),
      ),
      [],
    );
    assert.ok(worker);
    assert.equal(packagesOf(worker), Object.keys(secretsOnly).sort());
  },
);

modules.run();
