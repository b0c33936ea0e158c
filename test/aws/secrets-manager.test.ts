import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createCredentialCache } from '../../src/aws/credential-cache.ts';
import { readAwsEnvironment } from '../../src/aws/environment.ts';
import { openSecretsManager } from '../../src/aws/secrets-manager.ts';
import { openTransport } from '../../src/aws/transport.ts';
import { WAIT_LIMIT } from '../support/wait.ts';
import { REGION, realClock, recordingLog, secret } from './world.ts';

const test = suite('answers of Secrets Manager');

/** The value that comes of an answer with these fields: bytes, or the code of the problem. */
async function readBack(fields: object): Promise<number[] | string> {
  const server = createServer((_, response) => response.end(JSON.stringify(fields)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const environment = readAwsEnvironment({ AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
  const transport = openTransport({ environment, awsTimeout: WAIT_LIMIT, clock: realClock });
  const ask = async () => ({ accessKeyId: 'key', secretAccessKey: 'secret' });
  const secrets = openSecretsManager(
    { region: REGION, environment, transport, clock: realClock, meter: { apiCall() {} } },
    createCredentialCache({ name: 'static', ask }, realClock, recordingLog([])),
  );
  const outcome = await secrets.single(secret('a'), new AbortController().signal);
  server.close();
  server.closeAllConnections();
  return outcome.kind === 'found' ? [...outcome.value.reveal()] : outcome.problem.code;
}

const identified = { Name: 'a', ARN: 'arn', VersionId: 'v1' };

test('SecretString wins over SecretBinary', async () => {
  assert.equal(await readBack({ ...identified, SecretString: 'A', SecretBinary: 'Qg==' }), [65]);
});

test('an empty string is a value', async () => {
  assert.equal(await readBack({ ...identified, SecretString: '', SecretBinary: 'Qg==' }), []);
});

test('bytes come through as they are', async () => {
  const bytes = Array.from({ length: 256 }, (_, at) => at);
  assert.equal(await readBack({ ...identified, SecretBinary: Buffer.from(bytes).toString('base64') }), bytes);
});

test('a version may be called what its author wants, in one word', async () => {
  const VersionId = 'release:2026/11/25,(blue)~1;"#{x}"';
  assert.equal(await readBack({ ...identified, SecretString: 'A', VersionId }), [65]);
});

test('a secret without a value, or without a version, is not an answer', async () => {
  assert.is(await readBack(identified), 'fetch.answer');
  assert.is(await readBack({ ...identified, SecretString: 'A', VersionId: undefined }), 'fetch.answer');
  assert.is(await readBack({ ...identified, SecretString: 'A', VersionId: 'no version\n' }), 'fetch.answer');
});

test('the value of another secret is not an answer', async () => {
  const other = { Name: 'b', ARN: 'arn:b', VersionId: 'v1', SecretString: 'B' };
  assert.is(await readBack(other), 'fetch.answer');
});

test('a string that is no Unicode is not an answer', async () => {
  assert.is(await readBack({ ...identified, SecretString: '\ud800' }), 'fetch.answer');
});

test.run();
