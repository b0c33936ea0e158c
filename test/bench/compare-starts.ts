/**
 * Starts of one or more builds in one run: how long they take, as in `npm run bench`. In each round every build starts once.
 *
 *   npx node test/bench/compare-starts.ts [--rounds 25] BINARY [BINARY...]
 */

import { parseArgs } from 'node:util';
import { limitedStart } from './limited.ts';
import { atDistance, openPlace, openTlsAws, type TlsAws } from './place.ts';
import { dropPages } from './processes.ts';
import { EMPTY, time } from './starts.ts';
import { median, noiseOf } from './statistics.ts';

const MILLI_CORES = 100;

interface Kind {
  readonly name: string;
  readonly unit: '×' | 'ms' | 's';
  readonly secrets: number;
  readonly parameters: number;
  readonly identity?: 'irsa';
  readonly flags?: readonly string[];
}

/** Multiples of `node -e 0` with AWS near. */
const NEAR: readonly Kind[] = [
  { name: '1 secret', unit: '×', secrets: 1, parameters: 0 },
  { name: '20 secrets and 20 parameters', unit: '×', secrets: 20, parameters: 20 },
  {
    name: '20 secrets and 20 parameters, --fetch batch',
    unit: '×',
    secrets: 20,
    parameters: 20,
    flags: ['--fetch', 'batch'],
  },
  { name: `1 secret, ${MILLI_CORES}m of CPU`, unit: 's', secrets: 1, parameters: 0 },
];

/** With AWS 20 ms away. */
const DISTANT: readonly Kind[] = [
  { name: '1 secret, IRSA, 20 ms', unit: 'ms', secrets: 1, parameters: 0, identity: 'irsa' },
  { name: '50 secrets, 20 ms', unit: 'ms', secrets: 50, parameters: 0 },
];

const { values, positionals: binaries } = parseArgs({
  options: { rounds: { type: 'string', default: '25' } },
  allowPositionals: true,
});
const rounds = Number(values.rounds);
const aws = await openTlsAws();
try {
  for (const binary of binaries) dropPages(binary);
  for (const kind of NEAR) compare(aws, kind);
  const distant = await atDistance(aws, 20);
  for (const kind of DISTANT) compare(distant, kind);
  await distant.disconnect();
} finally {
  await aws.stop();
}

function compare(from: TlsAws, { name, unit, secrets, parameters, identity, flags = [] }: Kind): void {
  const place = openPlace(from, secrets, parameters, identity);
  const found = new Map(binaries.map((binary) => [binary, [] as number[]]));
  for (let round = 0; round <= rounds; round++) {
    const empty = time(EMPTY, place.env).wall;
    // In another order each round: what runs right after another program may find its pages.
    for (const [binary, figures] of [...found].toSorted(() => Math.random() - 0.5)) {
      place.empty();
      const command = [binary, ...place.args('init', '--log-level', 'error', ...flags)];
      const figure =
        unit === 's'
          ? (limitedStart(MILLI_CORES, command, place.env) ?? Number.NaN)
          : time(command, place.env).wall / (unit === '×' ? empty : 1);
      // The first round warms up.
      if (round > 0) figures.push(figure);
    }
  }
  process.stdout.write(`${name}, ${unit}\n`);
  for (const [binary, figures] of found) {
    const middle = median(figures);
    const noise = Math.abs(noiseOf(figures) * middle);
    process.stdout.write(`  ${binary.padEnd(40)} ${middle.toFixed(2)} ± ${noise.toFixed(2)}\n`);
  }
  place.box.remove();
}
