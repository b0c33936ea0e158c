/** Every example does what its README says: its commands are run, and what they print is valid in every release. */

import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { parsePlan } from '../../src/config/parse.ts';
import { containersIn, injectWith, objectsIn } from '../support/inject.ts';
import { manifestFaults, objectFaults, releases } from '../support/kubernetes-schemas.ts';
import { binary, run } from '../support/program.ts';

const root = join(import.meta.dirname, '../../examples');
/** The nine of the documentation; a folder with a README of another kind is not held to one screen. */
const examples = [
  'docker-compose',
  'envfrom-secret',
  'fargate',
  'init-only',
  'irsa',
  'migrate-from-csi',
  'native-sidecar',
  'pod-identity',
  'signal-nginx',
];
const read = (example: string, file: string) => readFileSync(join(root, example, file), 'utf8');

/** The arguments of every `podsecrets inject` that a README tells to run. */
function injections(example: string): readonly (readonly string[])[] {
  return [...read(example, 'README.md').matchAll(/^ {4}(?:.*\| )?podsecrets inject(.*?)(?: \| .*)?$/gm)].map(
    ([, words = '']) => words.split(' ').filter((word) => word !== ''),
  );
}

/** What such a command prints; without -f the folder's manifests come from the cluster, as one list. */
async function inject(example: string, words: readonly string[]): Promise<string> {
  const value = (flag: string) => (words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined);
  const file = value('-f');
  const [config, dir] = (value('--config') ?? '').split('=');
  const flags = words.filter((word) => word !== '-f' && word !== file);
  const list = () => {
    const items = ['secret-provider-class.yaml', 'deployment.yaml'].flatMap((name) =>
      objectsIn(read(example, name)),
    );
    return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  };
  const input = {
    file: file ?? 'standard input',
    text: file === undefined ? list() : read(example, file),
    configs: config ? [{ file: config, text: read(example, config), dir }] : [],
  };
  const result = await injectWith(input, flags.join(' '));
  assert.equal(result.warnings, []);
  const again = await injectWith({ ...input, text: result.text }, flags.join(' '));
  assert.is(again.text, result.text);
  for (const release of releases) {
    assert.equal(manifestFaults(result.text, release), []);
    assert.equal(
      result.objects.flatMap((object) => objectFaults(object, release)),
      [],
    );
  }
  return result.text;
}

for (const file of globSync('*/*.yaml', { cwd: root }).sort()) {
  if (file.endsWith('docker-compose.yaml')) continue;
  test(`${file}: manifests that every release accepts`, () => {
    const text = readFileSync(join(root, file), 'utf8');
    for (const release of releases) assert.equal(manifestFaults(text, release), []);
  });
}

for (const example of examples) {
  test(`${example}: a README of one screen`, () => {
    const lines = read(example, 'README.md').split('\n');
    assert.ok(lines.length <= 40, `${lines.length} lines`);
    assert.match(read(example, 'README.md'), 'What you should see');
  });

  test(`${example}: a config without a mistake or a warning`, async () => {
    const { plan, problems, warnings } = await parsePlan(read(example, 'secret-provider-class.yaml'), {
      file: 'secret-provider-class.yaml',
      defaultMode: 0o644,
      environmentRegion: example === 'migrate-from-csi' ? 'eu-central-1' : undefined,
      syncSecrets: true,
    });
    assert.equal([...problems, ...warnings], []);
    const listed = /exec .* -- ls \//.test(read(example, 'README.md'));
    for (const output of plan?.objects.flatMap((object) => object.outputs) ?? []) {
      if (listed && output.kind !== 'expand') assert.match(read(example, 'README.md'), `\`${output.path}\``);
    }
  });

  if (example === 'docker-compose') continue;
  test(`${example}: the commands of the README work`, async () => {
    const commands = injections(example);
    assert.ok(commands.length > 0);
    for (const words of commands) {
      const text = await inject(example, words);
      const containers = [
        ...containersIn(objectsIn(text), 'initContainers'),
        ...containersIn(objectsIn(text), 'containers'),
      ];
      assert.ok(containers.some(({ name }) => name.startsWith('podsecrets')));
      const printed = globSync('injected.yaml', { cwd: join(root, example) })[0];
      if (printed !== undefined) assert.is(read(example, printed), text);
    }
  });
}

test('the built program prints what the tests above saw, from a file and from standard input', async () => {
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

test('fargate: what its README says is refused, is refused', async () => {
  const config = read('fargate', 'secret-provider-class.yaml');
  const manifest = { file: 'deployment.yaml', text: read('fargate', 'deployment.yaml') };
  const refusal = async (text: string, flags: string) => {
    try {
      await injectWith({ ...manifest, configs: [{ file: 'config.yaml', text, dir: undefined }] }, flags);
      return 'nothing';
    } catch (error) {
      return String(error);
    }
  };
  assert.match(await refusal(config, '--auth pod-identity'), 'EKS Pod Identity does not exist there');
  const asking = config.replace('    region:', '    usePodIdentity: "true"\n    region:');
  assert.match(await refusal(asking, ''), 'EKS Pod Identity does not exist there');
});

interface Service {
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

test('docker-compose: the credentials come from the one address that the SDK trusts, on a network of its own', () => {
  const { services, networks } = parse(read('docker-compose', 'docker-compose.yaml'), {
    merge: true,
  }) as Compose;
  const uri = services.podsecrets?.environment?.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  assert.is(uri, 'http://169.254.170.23/v1/credentials');
  assert.equal(services.agent?.networks, { agent: { ipv4_address: '169.254.170.23' } });
  assert.is(networks.agent?.ipam?.config[0]?.subnet, '169.254.170.0/24');
  const answer = /return 200 '(.*)';/.exec(read('docker-compose', 'agent/default.conf'))?.[1] ?? '';
  assert.equal(Object.keys(JSON.parse(answer)), [
    'AccessKeyId',
    'SecretAccessKey',
    'Token',
    'AccountId',
    'Expiration',
  ]);
});

test('docker-compose: the application waits for the files, and the sidecar holds the tmpfs that they are on', () => {
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

test('docker-compose: every image has a version', () => {
  const { services } = compose();
  for (const { image } of Object.values(services)) assert.match(image, /:\d+\.\d+/);
});

test.run();
