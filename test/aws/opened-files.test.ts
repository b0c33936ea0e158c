/** The files that authentication and fetching open: the token and nothing else, in particular not `~/.aws`. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WAIT_LIMIT } from '../support/wait.ts';
import { openedFiles } from './opened-files.ts';

const home = mkdtempSync(join(tmpdir(), 'podsecrets-home-'));
mkdirSync(join(home, '.aws'));
for (const file of ['config', 'credentials'])
  writeFileSync(join(home, '.aws', file), '[default]\nregion = nowhere\n');
const environment = { ...process.env };
for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
Object.assign(process.env, { HOME: home, AWS_EC2_METADATA_DISABLED: 'true' });

const { openSecretSource } = await import('../../src/aws/secret-source.ts');
const { createTransport } = await import('../../src/aws/transport.ts');
const { resolveAuthMethod: chooseAuthentication } = await import('../../src/aws/auth-method.ts');
const { readAwsEnvironment } = await import('../../src/aws/environment.ts');
const { openWorld, outcomeText, parameter, realClock, recordingLog, REGION, secret } = await import(
  './world.ts'
);

const test = suite('opened files');

test.after(() => {
  rmSync(home, { recursive: true });
  process.env = environment;
});

const seed = { regions: { [REGION]: { secrets: { a: 'x' }, parameters: { '/p': 'y' } } } };

for (const auth of ['pod-identity', 'irsa'] as const) {
  test(`${auth} opens only the token file`, async () => {
    const world = await openWorld({ seed, auth });
    openedFiles();
    const texts = await world.read(secret('a'), parameter('/p'));
    await world.close();
    assert.ok(texts.every((text) => text.startsWith('found ')));
    assert.equal(openedFiles(), [world.tokenFile]);
  });
}

async function readByChain(url: string): Promise<string> {
  const aws = readAwsEnvironment({ AWS_ENDPOINT_URL: url });
  const source = openSecretSource({
    authentication: chooseAuthentication({
      auth: 'default',
      usePodIdentity: undefined,
      preferredAddressType: 'auto',
      env: process.env,
    }),
    environment: aws,
    transport: createTransport({ environment: aws, awsTimeout: WAIT_LIMIT, clock: realClock }),
    fetch: 'auto',
    awsTimeout: WAIT_LIMIT,
    clock: realClock,
    log: recordingLog([]),
    meter: { apiCall() {} },
  });
  const outcomes = await source.read([secret('a')], new AbortController().signal);
  return outcomeText(outcomes.get(secret('a').key));
}

test("only the SDK's default chain reads ~/.aws; without credentials it names the remedy", async () => {
  const world = await openWorld({ seed });
  const text = await readByChain(world.aws.url);
  await world.close();
  assert.match(text, /AWS_PROFILE, or AWS_ACCESS_KEY_ID.*\[credentials\.chain\]$/);
  assert.ok(openedFiles().includes(join(home, '.aws', 'credentials')));
});

test.run();
