/** Which files authentication and fetching open: the token, and nothing else, least of all `~/.aws`. */

import fs, { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const opened: string[] = [];
for (const [module, name] of [
  [fsPromises, 'readFile'],
  [fsPromises, 'open'],
  [fs, 'readFile'],
  [fs, 'readFileSync'],
  [fs, 'open'],
  [fs, 'openSync'],
  [fs, 'createReadStream'],
] as const) {
  const functions = module as unknown as Record<string, (...args: unknown[]) => unknown>;
  const real = functions[name] as (...args: unknown[]) => unknown;
  functions[name] = (...args) => {
    opened.push(String(args[0]));
    return real.apply(module, args);
  };
}
// What was imported by name sees the spies too.
syncBuiltinESMExports();

const home = mkdtempSync(join(tmpdir(), 'podsecrets-home-'));
mkdirSync(join(home, '.aws'));
for (const file of ['config', 'credentials'])
  writeFileSync(join(home, '.aws', file), '[default]\nregion = nowhere\n');
const environment = { ...process.env };
Object.assign(process.env, {
  HOME: home,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_PROFILE: undefined,
  AWS_REGION: undefined,
});
for (const name of Object.keys(process.env))
  if (/^AWS_(PROFILE|REGION)$/.test(name)) delete process.env[name];

const { openSecretSource } = await import('../../../src/edge/aws/source.ts');
const { openTransport } = await import('../../../src/edge/aws/transport.ts');
const { readAwsEnvironment } = await import('../../../src/core/aws-environment.ts');
const { openWorld, outcomeText, parameter, realClock, recordingLog, REGION, secret } = await import(
  './world.ts'
);

const test = suite('the files that are opened');

test.after(() => {
  rmSync(home, { recursive: true });
  process.env = environment;
});

const seed = { regions: { [REGION]: { secrets: { a: 'x' }, parameters: { '/p': 'y' } } } };

/** Files, without the modules that Node and the SDK load. */
const files = (): string[] =>
  [...new Set(opened.splice(0))].filter((file) => !/\.(js|cjs|mjs|ts|json)$/.test(file));

for (const auth of ['pod-identity', 'irsa'] as const) {
  test(`${auth} opens the token only`, async () => {
    const world = await openWorld({ seed, auth });
    files();
    const texts = await world.read(secret('a'), parameter('/p'));
    await world.close();
    assert.ok(texts.every((text) => text.startsWith('found ')));
    assert.equal(files(), [world.tokenFile]);
  });
}

async function readByChain(url: string): Promise<string> {
  const aws = readAwsEnvironment({ AWS_ENDPOINT_URL: url });
  const source = openSecretSource({
    authentication: { kind: 'default' },
    environment: aws,
    transport: openTransport({ environment: aws, awsTimeout: 5000, clock: realClock }),
    fetch: 'auto',
    awsTimeout: 5000,
    clock: realClock,
    log: recordingLog([]),
    meter: { apiCall() {} },
  });
  const outcomes = await source.read([secret('a')], new AbortController().signal);
  return outcomeText(outcomes.get(secret('a').key));
}

test("the SDK's default chain, and only it, looks into ~/.aws; without anything there it says what to do", async () => {
  const world = await openWorld({ seed });
  const text = await readByChain(world.aws.url);
  await world.close();
  assert.match(text, /AWS_PROFILE or AWS_ACCESS_KEY_ID.*\[credentials\.chain\]$/);
  assert.ok(files().includes(join(home, '.aws', 'credentials')));
});

test('the default chain takes static keys', async () => {
  const world = await openWorld({
    seed,
    identity: {
      user: 'arn:aws:iam::111122223333:user/operator',
      accessKeyId: 'AKIAEXAMPLE',
      secretAccessKey: 'key',
    },
  });
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'key' });
  const text = await readByChain(world.aws.url);
  await world.close();
  assert.match(text, /^found x/);
});

test.run();
