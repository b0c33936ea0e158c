/**
 * What a start with few secrets costs, by the number of connections that its single calls share, and with a batch:
 *
 *   chrt -r 1 npx node test/bench/few-secrets.ts [--rounds 15] [--limited-rounds 5]
 *
 * Builds the program with each limit. In each round all of them start once, over TLS, in another order. The limit of
 * src/aws/transport.ts and the threshold of src/aws/batches.ts are chosen by these figures.
 */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Plugin } from 'esbuild';
import { buildVariant, type Variant } from './build-variant.ts';
import { limitedStart } from './limited.ts';
import { atDistance, openPlace, openTlsAws, type TlsAws } from './place.ts';
import { time } from './starts.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    'limited-rounds': { type: 'string', default: '5' },
  },
});
const SECRETS = [2, 5, 10, 20, 50];
const CONNECTIONS = [1, 2, 4, 8, 16];

/** Milliseconds that a call takes in AWS. */
const SERVICE_TIME = 10;

interface Form {
  readonly name: string;
  readonly program: string;
  readonly flags: readonly string[];
}

const aws = await openTlsAws();
const variants: Variant[] = [];
for (const limit of CONNECTIONS) variants.push(await buildVariant(limitOf(limit)));
const forms: readonly Form[] = [
  ...variants.map(({ program }, index) => ({
    name: String(CONNECTIONS[index]),
    program,
    flags: ['--fetch', 'single'],
  })),
  { name: 'batch', program: variants.at(-1)?.program ?? '', flags: ['--fetch', 'batch'] },
];
try {
  for (const rtt of [1, 20]) {
    const near = await atDistance(aws, rtt);
    await compare(`round trip of ${rtt} ms`, near, Number(values.rounds), full);
    await near.disconnect();
  }
  const near = await atDistance(aws, 1);
  await compare('round trip of 1 ms, 100m of CPU', near, Number(values['limited-rounds']), limited);
  await aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'latency', ms: SERVICE_TIME } });
  await compare(`round trip of 1 ms, ${SERVICE_TIME} ms in AWS`, near, Number(values.rounds), full);
  await compare(
    `round trip of 1 ms, ${SERVICE_TIME} ms in AWS, 100m of CPU`,
    near,
    Number(values['limited-rounds']),
    limited,
  );
  await near.disconnect();
} finally {
  for (const variant of variants) variant.remove();
  await aws.stop();
}

type Measure = (
  command: readonly string[],
  env: Readonly<Record<string, string>>,
) => { readonly wall: number; readonly cpu: number };

function full(command: readonly string[], env: Readonly<Record<string, string>>): ReturnType<Measure> {
  return time(command, env);
}

function limited(command: readonly string[], env: Readonly<Record<string, string>>): ReturnType<Measure> {
  const seconds = limitedStart(100, command, env);
  return { wall: (seconds ?? Number.NaN) * 1000, cpu: Number.NaN };
}

async function compare(network: string, near: TlsAws, rounds: number, measure: Measure): Promise<void> {
  process.stdout.write(`\n${network}: ms (CPU) by connections, and with a batch\n`);
  process.stdout.write(`${'secrets'.padEnd(10)}${forms.map(({ name }) => name.padStart(14)).join('')}\n`);
  for (const secrets of SECRETS) {
    const place = openPlace(near, secrets, 0);
    const found = new Map(forms.map(({ name }) => [name, [] as ReturnType<Measure>[]]));
    for (let round = 0; round <= rounds; round++) {
      for (const { name, program, flags } of forms.toSorted(() => Math.random() - 0.5)) {
        place.empty();
        const command = [program, ...place.args('init', '--log-level', 'error', ...flags)];
        const timed = measure(command, place.env);
        // The first round warms up.
        if (round > 0) found.get(name)?.push(timed);
      }
    }
    const cells = [...found.values()].map((times) => {
      const [wall, cpu] = [median(times.map(({ wall }) => wall)), median(times.map(({ cpu }) => cpu))];
      return `${wall.toFixed(0)}${Number.isNaN(cpu) ? '' : ` (${cpu.toFixed(0)})`}`.padStart(14);
    });
    process.stdout.write(`${String(secrets).padEnd(10)}${cells.join('')}\n`);
    place.box.remove();
  }
}

/** The transport with another limit of requests in flight, which are as many connections. */
function limitOf(connections: number): Plugin {
  const limit = /^const MAX_CONCURRENT = \d+;$/m;
  return {
    name: `connections-${connections}`,
    setup(build) {
      build.onLoad({ filter: /\/src\/aws\/transport\.ts$/ }, ({ path }) => {
        const source = readFileSync(path, 'utf8');
        if (!limit.test(source)) throw new Error(`expected ${limit} in ${path}`);
        return {
          contents: source.replace(limit, `const MAX_CONCURRENT = ${connections};`),
          loader: 'ts' as const,
        };
      });
    },
  };
}
