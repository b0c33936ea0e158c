/** The commands of every example's README run, and the manifests that they print are valid in every release. */

import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { parsePlan } from '../../src/config/parse.ts';
import { image } from '../../src/core/version.ts';
import { type ContainerView, containersIn, injectWith, objectsIn } from '../support/inject.ts';
import { manifestFaults, objectFaults, releasesOf } from '../support/kubernetes-schemas.ts';
import { binary, run } from '../support/program.ts';
import { makeSandbox } from '../support/sandbox.ts';
import { commandsOf, examples, examplesRoot, flagValue, readExample, wordsOf } from './readme.ts';

const root = examplesRoot;
const read = readExample;

/** Every `podsecrets inject` of a README: its arguments, and the file that is piped into it, if any. */
function injections(example: string): readonly Injection[] {
  return commandsOf(example).flatMap((command) => {
    const stages = command.replace(/ #.*$/, '').split(' | ');
    const at = stages.findIndex((stage) => stage.startsWith('podsecrets inject'));
    if (at === -1) return [];
    const before = wordsOf(stages[at - 1] ?? '');
    const piped = before[0] === 'kubectl' ? CLUSTER : before.at(-1);
    return [{ words: wordsOf(stages[at] ?? '').slice(2), piped }];
  });
}

interface Injection {
  readonly words: readonly string[];
  readonly piped: string | undefined;
}

/** What `kubectl get` prints: the folder's manifests, in one list. */
const CLUSTER = 'the cluster';

/** What such a command prints. */
async function inject(example: string, { words, piped }: Injection): Promise<string> {
  const named = flagValue(words, '-f') ?? piped;
  const file = named === CLUSTER ? undefined : named;
  const [config, dir] = (flagValue(words, '--config') ?? '').split('=');
  const flags = words.filter((word) => word !== '-f' && word !== named);
  const list = () => {
    const items = ['secret-provider-class.yaml', 'deployment.yaml'].flatMap((name) =>
      objectsIn(read(example, name)),
    );
    return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  };
  const input = {
    file: file ?? CLUSTER,
    text: file === undefined ? list() : read(example, file),
    configs: config ? [{ file: config, text: read(example, config), dir }] : [],
  };
  const result = await injectWith(input, flags.join(' '));
  assert.equal(result.warnings, []);
  const again = await injectWith({ ...input, text: result.text }, flags.join(' '));
  assert.is(again.text, result.text);
  for (const release of releasesOf(result.text)) {
    assert.equal(manifestFaults(result.text, release), []);
    assert.equal(
      result.objects.flatMap((object) => objectFaults(object, release)),
      [],
    );
  }
  return result.text;
}

for (const file of globSync('*/*.yaml', { cwd: root }).sort()) {
  if (file.startsWith('docker-compose/') && !file.endsWith('class.yaml')) continue;
  test(`${file}: every release accepts the manifests`, () => {
    const text = readFileSync(join(root, file), 'utf8');
    for (const release of releasesOf(text)) assert.equal(manifestFaults(text, release), []);
  });
}

for (const example of examples) {
  test(`${example}: the README says what you should see and how to clean up`, () => {
    assert.match(read(example, 'README.md'), 'What you should see');
    assert.match(read(example, 'README.md'), /^(## )?Clean up/m);
  });

  test(`${example}: the config is valid and has no warning`, async () => {
    const { plan, problems, warnings } = await parsePlan(read(example, 'secret-provider-class.yaml'), {
      file: 'secret-provider-class.yaml',
      defaultMode: 0o644,
      environmentRegion: example === 'migrate-from-csi' ? 'eu-central-1' : undefined,
      syncSecrets: true,
      variablesOnly: example === 'exec',
    });
    assert.equal([...problems, ...warnings], []);
    assert.ok((plan?.objects.length ?? 0) > 0);
  });

  if (example === 'docker-compose') continue;
  test(`${example}: the commands of the README work`, async () => {
    const commands = injections(example);
    assert.ok(commands.length > 0);
    for (const command of commands) {
      const text = await inject(example, command);
      const containers = [
        ...containersIn(objectsIn(text), 'initContainers'),
        ...containersIn(objectsIn(text), 'containers'),
      ];
      const own = ({ name, command = [] }: ContainerView) =>
        name.startsWith('podsecrets') || command[0] === '/podsecrets/podsecrets';
      assert.ok(containers.some(own));
      if (existsSync(join(root, example, 'injected.yaml'))) assert.is(read(example, 'injected.yaml'), text);
    }
  });
}

test('env: the file of variables has every name that the pod spec refers to, at its path', async () => {
  const [app] = containersIn(objectsIn(read('env', 'injected.yaml')), 'containers');
  const text = read('env', 'secret-provider-class.yaml');
  const options = { file: 'c', defaultMode: 0o644, environmentRegion: undefined };
  const { plan } = await parsePlan(text, options);
  const references = (app?.env ?? []).map(({ valueFrom }) => valueFrom) as readonly {
    readonly fileKeyRef: { readonly key: string; readonly path: string };
  }[];
  assert.equal(
    references.map(({ fileKeyRef }) => fileKeyRef.key),
    ['DB_USER', 'DB_PASSWORD', 'FEATURE_FLAGS'],
  );
  assert.equal(
    [...new Set(references.map(({ fileKeyRef }) => fileKeyRef.path))],
    [`files/${plan?.envFile?.path}`],
  );
});

test('the config page: its snippet is valid and writes the file of variables', async () => {
  const snippet = /```yaml\n(parameters:[\s\S]*?)```/.exec(read('reference', 'config.md'))?.[1] ?? '';
  const indented = snippet.replaceAll(/^(?=.)/gm, '  ');
  const text = `apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: {name: shop}\nspec:\n  provider: aws\n${indented}`;
  const { plan, problems, warnings } = await parsePlan(text, {
    file: 'config.yaml',
    defaultMode: 0o644,
    environmentRegion: 'eu-central-1',
    syncSecrets: true,
  });
  assert.equal([...problems, ...warnings], []);
  assert.is(plan?.envFile?.path, 'app.env');
});

test('the built program prints the same manifests, from a file and from standard input', async () => {
  const at = (file: string) => join(root, 'pod-identity', file);
  const config = ['--config', at('secret-provider-class.yaml')];
  const fromFile = await run(['inject', '-f', at('deployment.yaml'), ...config]);
  assert.equal([fromFile.code, fromFile.stderr], [0, '']);
  assert.is(fromFile.stdout, read('pod-identity', 'injected.yaml'));
  const fromInput = execFileSync(binary, ['inject', ...config, '--diff'], {
    input: fromFile.stdout,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  assert.is(fromInput, '');
});

test('fargate: EKS Pod Identity is rejected', async () => {
  const config = read('fargate', 'secret-provider-class.yaml');
  const manifest = { file: 'deployment.yaml', text: read('fargate', 'deployment.yaml') };
  const rejection = async (text: string, flags: string) => {
    try {
      await injectWith({ ...manifest, configs: [{ file: 'config.yaml', text, dir: undefined }] }, flags);
      return 'nothing';
    } catch (error) {
      return String(error);
    }
  };
  assert.match(await rejection(config, '--auth pod-identity'), 'it has no EKS Pod Identity agent');
  const asking = config.replace('    region:', '    usePodIdentity: "true"\n    region:');
  assert.match(await rejection(asking, ''), 'it has no EKS Pod Identity agent');
});

interface Service {
  readonly user?: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks: readonly string[] | Readonly<Record<string, { readonly ipv4_address: string }>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, { readonly driver_opts: Readonly<Record<string, string>> }>>;
  readonly networks: Readonly<
    Record<string, { readonly ipam?: { readonly config: readonly { readonly subnet: string }[] } }>
  >;
}

function compose(): Compose {
  return parse(read('docker-compose', 'docker-compose.yaml'), { merge: true }) as Compose;
}

test('docker-compose: the credentials come from the address that the SDK trusts, on a separate network', () => {
  const { services, networks } = parse(read('docker-compose', 'docker-compose.yaml'), {
    merge: true,
  }) as Compose;
  const uri = services.podsecrets?.environment?.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  assert.is(uri, 'http://169.254.170.23/v1/credentials');
  assert.equal(services.agent?.networks, { agent: { ipv4_address: '169.254.170.23' } });
  assert.is(networks.agent?.ipam?.config[0]?.subnet, '169.254.170.0/24');
  const response = /return 200 '(.*)';/.exec(read('docker-compose', 'agent/default.conf'))?.[1] ?? '';
  assert.equal(Object.keys(JSON.parse(response)), [
    'AccessKeyId',
    'SecretAccessKey',
    'Token',
    'AccountId',
    'Expiration',
  ]);
});

test('docker-compose: the application waits for the files, and the sidecar keeps their tmpfs', () => {
  const { services, volumes } = compose();
  assert.is(volumes.secrets?.driver_opts.type, 'tmpfs');
  const { podsecrets, web } = services;
  assert.ok(podsecrets?.volumes?.includes(`secrets:${podsecrets.environment?.PODSECRETS_DIR}`));
  for (const service of [podsecrets, web])
    assert.ok(service?.volumes?.some((one) => one.startsWith('secrets:')));
  assert.is(podsecrets?.command?.[0], 'sidecar');
  assert.equal(podsecrets?.healthcheck?.test, ['CMD', 'podsecrets', 'status']);
  assert.is(web?.depends_on?.podsecrets?.condition, 'service_healthy');
});

test('docker-compose: every image has a version, in both files', () => {
  for (const file of ['docker-compose.yaml', 'aws-profile.yaml']) {
    const { services } = parse(read('docker-compose', file), { merge: true }) as Compose;
    for (const service of Object.values(services)) assert.match(service.image, /:\d+\.\d+/);
    assert.is(services.podsecrets?.image, `\${PODSECRETS_IMAGE:-${image}}`);
  }
});

test('docker-compose: the seed creates the secret once, so that `docker compose up` can be repeated', () => {
  const script = compose().services.seed?.command?.[0] ?? '';
  const scratch = makeSandbox();
  try {
    // Finds the secret once it was created, and records every call.
    const aws = `case $2 in describe-secret) test -e made ;; *) touch made ;; esac; rc=$?; echo "$2" >> calls; return $rc`;
    const up = () =>
      execFileSync('sh', ['-c', `aws() { ${aws}; }\n${script}`], { cwd: scratch.root, encoding: 'utf8' });
    up();
    up();
    const calls = readFileSync(join(scratch.root, 'calls'), 'utf8');
    assert.is(calls, 'describe-secret\ncreate-secret\ndescribe-secret\n');
  } finally {
    scratch.remove();
  }
});

test('docker-compose: an AWS profile is read by its owner, from a read-only home, on a tmpfs that is not sticky', () => {
  const { services, volumes } = parse(read('docker-compose', 'aws-profile.yaml')) as Compose;
  const { podsecrets } = services;
  const home = podsecrets?.environment?.HOME;
  assert.ok(podsecrets?.volumes?.includes(`~/.aws:${home}/.aws:ro`));
  assert.match(podsecrets?.user ?? '', /^\$\{USER_ID\b.*\}:\$\{GROUP_ID\b.*\}$/);
  assert.match(volumes.secrets?.driver_opts.o ?? '', /,mode=0755,uid=\$\{USER_ID\},gid=\$\{GROUP_ID\}$/);
  assert.is(podsecrets?.command?.[0], 'sidecar');
});

test.run();
