import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createCredentialCache } from '../../src/aws/credential-cache.ts';
import { readAwsEnvironment } from '../../src/aws/environment.ts';
import { createSecretsManager } from '../../src/aws/secrets-manager.ts';
import { createTransport, type Transport } from '../../src/aws/transport.ts';
import { WAIT_LIMIT } from '../support/wait.ts';
import { REGION, realClock, recordingLog, secret } from './world.ts';

const test = suite('responses of Secrets Manager');

/** The result of a response with these fields: the bytes, or the code of the problem. */
async function readBack(
  fields: object,
  ref = secret('a'),
  onBody: (body: Uint8Array) => void = () => {},
): Promise<number[] | string> {
  const server = createServer((_, response) => response.end(JSON.stringify(fields)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const environment = readAwsEnvironment({ AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
  const real = createTransport({ environment, awsTimeout: WAIT_LIMIT, clock: realClock });
  const transport: Transport = {
    ...real,
    async handle(request, options) {
      const result = await real.handle(request, options);
      onBody(result.response.body);
      return result;
    },
  };
  const fetch = async () => ({ accessKeyId: 'key', secretAccessKey: 'secret' });
  const secrets = createSecretsManager(
    { region: REGION, environment, transport, clock: realClock, meter: { apiCall() {} } },
    createCredentialCache({ name: 'static', fetch }, realClock, recordingLog([])),
  );
  const outcome = await secrets.single(ref, new AbortController().signal);
  server.close();
  server.closeAllConnections();
  return outcome.kind === 'found' ? [...outcome.value.reveal()] : outcome.problem.code;
}

const identified = { Name: 'a', ARN: 'arn', VersionId: 'v1' };

test('SecretString takes precedence over SecretBinary', async () => {
  assert.equal(await readBack({ ...identified, SecretString: 'A', SecretBinary: 'Qg==' }), [65]);
});

test('an empty string is a value', async () => {
  assert.equal(await readBack({ ...identified, SecretString: '', SecretBinary: 'Qg==' }), []);
});

test('returns bytes unchanged', async () => {
  const bytes = Array.from({ length: 256 }, (_, at) => at);
  assert.equal(await readBack({ ...identified, SecretBinary: Buffer.from(bytes).toString('base64') }), bytes);
});

test('accepts any version name without white space', async () => {
  const VersionId = 'release:2026/11/25,(blue)~1;"#{x}"';
  assert.equal(await readBack({ ...identified, SecretString: 'A', VersionId }), [65]);
});

test('rejects a response without a value or a version', async () => {
  assert.is(await readBack(identified), 'fetch.response');
  assert.is(await readBack({ ...identified, SecretString: 'A', VersionId: undefined }), 'fetch.response');
  assert.is(
    await readBack({ ...identified, SecretString: 'A', VersionId: 'no version\n' }),
    'fetch.response',
  );
});

test('frees the body of a response, so that it does not wait for a collection of garbage', async () => {
  const bodies: Uint8Array[] = [];
  const value = await readBack({ ...identified, SecretString: 'A' }, secret('a'), (body) =>
    bodies.push(body),
  );
  assert.equal(value, [65]);
  assert.equal(
    bodies.map(({ length }) => length),
    [0],
  );
});

test('rejects the value of another secret', async () => {
  const other = { Name: 'b', ARN: 'arn:b', VersionId: 'v1', SecretString: 'B' };
  assert.is(await readBack(other), 'fetch.response');
});

test('rejects another version than the requested one', async () => {
  const version = '11111111-1111-4111-8111-11111111111a';
  const response = { ...identified, SecretString: 'A' };
  const pinned = secret('a', { version });
  assert.is(
    await readBack({ ...response, VersionId: version.replaceAll('1', '2') }, pinned),
    'fetch.response',
  );
  assert.equal(await readBack({ ...response, VersionId: version.toUpperCase() }, pinned), [65]);
  const previous = secret('a', { stage: 'AWSPREVIOUS' });
  assert.is(await readBack({ ...response, VersionStages: ['AWSCURRENT'] }, previous), 'fetch.response');
  assert.equal(await readBack({ ...response, VersionStages: ['AWSPREVIOUS', 'x'] }, previous), [65]);
  // An emulator without stages.
  assert.equal(await readBack(response, previous), [65]);
});

test('rejects a string that is not well-formed Unicode', async () => {
  assert.is(await readBack({ ...identified, SecretString: '\ud800' }), 'fetch.response');
});

test.run();
