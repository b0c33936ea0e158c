/**
 * The fake AWS as a separate process:
 *
 *   node test/fake-aws/main.ts --seed seed.yaml [--port 0] [--host 127.0.0.1] [--tls-key FILE --tls-cert FILE]
 *
 * When it listens it prints one line of JSON, `{"url", "agentUrl", "pid"}`. It ends on SIGTERM and SIGINT, and with
 * `--stop-with-stdin` also when its stdin ends, so that it never outlives the process that started it.
 */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseSeed } from './seed.ts';
import { startFakeAws } from './server.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    host: { type: 'string' },
    port: { type: 'string', default: '0' },
    'tls-key': { type: 'string' },
    'tls-cert': { type: 'string' },
    'stop-with-stdin': { type: 'boolean', default: false },
  },
});
const { seed, host, 'tls-key': key, 'tls-cert': cert } = values;
const text = (file: string) => readFileSync(file, 'utf8');

const fakeAws = await startFakeAws({
  port: Number(values.port),
  ...(seed === undefined ? {} : { seed: parseSeed(text(seed)) }),
  ...(host === undefined ? {} : { host }),
  ...(key === undefined || cert === undefined ? {} : { tls: { key: text(key), cert: text(cert) } }),
});
const { url, agentUrl } = fakeAws;
process.stdout.write(`${JSON.stringify({ url, agentUrl, pid: process.pid })}\n`);

process.once('SIGTERM', stop);
process.once('SIGINT', stop);
if (values['stop-with-stdin']) process.stdin.once('end', stop).resume();

function stop(): void {
  process.stdin.destroy();
  void fakeAws.close();
}
