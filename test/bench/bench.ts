/**
 * `npm run bench`: what podsecrets costs, measured against the fake AWS in another process, as production runs it: TLS with a
 * private authority and a host name, the Pod Identity agent over plain HTTP, AWS 0 to 80 ms away.
 *
 * Writes test/bench/results.json, and from it the table of examples/reference/cost-and-speed.md and test/bench/starts.svg. Ends
 * with 1 when a figure exceeds test/bench/budget.json by more than the noise of this run. Takes about seven minutes; needs a quiet
 * machine with Linux, bash, and two cores (on a busy one run it as root by `chrt -r 1 npm run bench`). `npm run bench sidecars`
 * measures the sidecars only.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { dirname, join } from 'node:path';
import { plural } from '../../src/core/text.ts';
import { binary } from '../support/program.ts';
import { type Figure, type Point, type Results, shown } from './figures.ts';
import { buildGoPeer } from './go-peer.ts';
import { limitedStart } from './limited.ts';
import { buildOneByOne } from './one-by-one.ts';
import { openPlace, openTlsAws, type Place, pinned, type TlsAws, twoCores, withRoundTrip } from './place.ts';
import { dropPages, peakOf } from './processes.ts';
import { measureSidecars } from './sidecars.ts';
import { measureCommand, measureStarts, median, noiseOf, type Starts } from './starts.ts';

const root = join(import.meta.dirname, '../..');
const figures: Figure[] = [];
const points: Point[] = [];

const onlySidecars = process.argv[2] === 'sidecars';
if (!onlySidecars) await measureStartsAndCalls();
await measureIdleSidecars();
measureSizes();
end();

async function measureStartsAndCalls(): Promise<void> {
  const aws = await openTlsAws();
  const oneByOne = await buildOneByOne();
  try {
    await measureGrid(aws, oneByOne);
    await measureCalls(aws);
    await measureRoundTrips(aws);
    measureColdCache(aws);
    measureGoPeer(aws);
    await measurePeak(aws);
    measureLimited(aws);
  } finally {
    rmSync(oneByOne, { recursive: true });
    await aws.stop();
  }
}

/** Every count of secrets at every round trip time, also with the program that fetches one by one. */
async function measureGrid(near: TlsAws, baseline: string): Promise<void> {
  for (const latency of [0, 5, 20, 80]) {
    const fakeAws = await withRoundTrip(near, latency);
    for (const secrets of [1, 10, 50, 200]) {
      const place = openPlace(fakeAws, secrets, 0);
      // The start with a budget gets more rounds.
      const batched = measureStarts(binary, place, secrets === 1 && latency === 0 ? 41 : 15);
      point('podsecrets', secrets, latency, batched);
      // One by one, 200 secrets at 80 ms take 16 s for each start, and add nothing to the figure for 50.
      const oneByOneStarts =
        secrets * latency > 4000
          ? undefined
          : measureStarts(join(baseline, 'podsecrets'), place, latency === 0 ? 9 : 3, ['--fetch', 'single']);
      if (oneByOneStarts !== undefined) point('one by one', secrets, latency, oneByOneStarts);
      if (secrets === 1 && latency === 0) {
        record('cold init, 1 secret, 0 ms', '×', batched.ratio, batched.noise);
        record('CPU of it', '×', batched.cpuRatio, batched.noise);
      }
      if (secrets === 50 && latency === 20 && oneByOneStarts !== undefined) {
        record(
          'cold init, 50 secrets, 20 ms, against one by one',
          '×',
          batched.ms / oneByOneStarts.ms,
          batched.noise + oneByOneStarts.noise,
        );
      }
      place.box.remove();
    }
    const mixed = openPlace(fakeAws, 20, 20);
    const { ratio, noise } = measureStarts(binary, mixed, 15);
    record(`cold init, 20 secrets and 20 parameters, ${latency} ms`, '×', ratio, noise);
    mixed.box.remove();
    if (latency === 20) {
      const irsa = openPlace(fakeAws, 1, 0, 'irsa');
      const starts = measureStarts(binary, irsa, 15);
      record('cold init, 1 secret, IRSA with STS on another host, 20 ms', 'ms', starts.ms, starts.noise);
      irsa.box.remove();
    }
    await fakeAws.stop();
  }
}

async function measureCalls(fakeAws: TlsAws): Promise<void> {
  for (const fetch of ['batch', 'single']) {
    const place = openPlace(fakeAws, 20, 20);
    await fakeAws.clearCalls();
    runInit(place, ['--fetch', fetch]);
    const calls = await fakeAws.calls();
    const ofAws = calls.filter(({ service }) => service !== 'agent');
    const bytes = calls.reduce((sum, { received, sent }) => sum + received + sent, 0);
    // A refresh is a start without the credentials; test/budget/calls.test.ts checks both counts.
    record(
      `API calls of a start or refresh, 20 secrets and 20 parameters, ${fetch}`,
      'calls',
      ofAws.length,
      0,
    );
    record(`TLS connections of them, ${fetch}`, 'connections', connectionsOf(ofAws), 0);
    record(`bytes of their bodies, ${fetch}`, 'bytes', bytes, 0);
    place.box.remove();
  }
}

function connectionsOf(calls: readonly { readonly connection: number }[]): number {
  return new Set(calls.map(({ connection }) => connection)).size;
}

/** The number of round trips of a start: how much longer it takes with 60 ms more latency. */
async function measureRoundTrips(near: TlsAws): Promise<void> {
  for (const [identity, name] of [
    ['pod', 'Pod Identity'],
    ['irsa', 'IRSA with STS on another host'],
  ] as const) {
    const starts: Starts[] = [];
    for (const latency of [20, 80]) {
      const fakeAws = await withRoundTrip(near, latency);
      const place = openPlace(fakeAws, 1, 0, identity);
      starts.push(measureStarts(binary, place, 9));
      place.box.remove();
      await fakeAws.stop();
    }
    const [nearer, further] = starts.map(({ ms }) => ms);
    record(
      `round trips to AWS of a start, 1 secret, ${name}`,
      'round trips',
      ((further ?? 0) - (nearer ?? 0)) / 60,
      0.1,
    );
  }
}

/** The first start on a node: the program is read from the disk. */
function measureColdCache(fakeAws: TlsAws): void {
  const place = openPlace(fakeAws, 1, 0);
  const command = [binary, ...place.args('init', '--log-level', 'error')];
  const { ms, noise } = measureCommand(command, place, 9, () => dropPages(binary));
  record('init with a cold page cache, 1 secret', 'ms', ms, noise);
  place.box.remove();
}

/** Without Go the figures are left out. */
function measureGoPeer(fakeAws: TlsAws): void {
  const peer = buildGoPeer();
  if (peer === undefined) return;
  for (const [secrets, parameters, name] of [
    [1, 0, '1 secret'],
    [20, 20, '20 secrets and 20 parameters'],
  ] as const) {
    const place = openPlace(fakeAws, secrets, parameters);
    const { ratio, noise } = measureCommand([peer, place.box.config, place.box.dir], place, 15);
    record(`Go with AWS's SDK, cold start, ${name}, 0 ms`, '×', ratio, noise);
    place.box.remove();
  }
  rmSync(dirname(peer), { recursive: true });
}

async function measurePeak(fakeAws: TlsAws): Promise<void> {
  dropPages(binary);
  for (const secrets of [1, 50]) {
    const place = openPlace(fakeAws, secrets, 0);
    const command = [binary, ...place.args('init', '--log-level', 'error')];
    const peaks: number[] = [];
    for (let times = 0; times < 9; times++) peaks.push(await peakOf(command, place.env));
    record(`peak RSS of init, ${plural(secrets, 'secret')}`, 'MiB', median(peaks), noiseOf(peaks));
    place.box.remove();
  }
}

/** Without permission to create cgroups the figure is left out. */
function measureLimited(fakeAws: TlsAws): void {
  const place = openPlace(fakeAws, 1, 0);
  const command = [binary, ...place.args('init', '--log-level', 'error')];
  const seconds = Array.from({ length: 9 }, () => limitedStart(100, command, place.env)).filter(
    (value) => value !== undefined,
  );
  if (seconds.length > 0)
    record('cold init, 1 secret, with 100m of CPU', 's', median(seconds), noiseOf(seconds));
  place.box.remove();
}

async function measureIdleSidecars(): Promise<void> {
  const { alone, oneOfFive, refreshCpuMs, idleCpuMsPerHour, idleWakeUpsPerMinute } =
    await measureSidecars(binary);
  record('private memory of one more sidecar', 'MiB', oneOfFive.private, 0.02);
  record('PSS of one of five sidecars', 'MiB', oneOfFive.pss, 0.02);
  record('RSS of a sidecar', 'MiB', alone.rss, 0.05);
  record('PSS of a sidecar alone', 'MiB', alone.pss, 0.05);
  if (alone.workingSet !== undefined) record('working set of a sidecar alone', 'MiB', alone.workingSet, 0.05);
  record('CPU of a refresh of 20 secrets and 20 parameters', 'ms', refreshCpuMs, 0.2);
  // Six refreshes are in an hour of the default interval.
  record('CPU of a sidecar, an hour', 's', (idleCpuMsPerHour + 6 * refreshCpuMs) / 1000, 0.5);
  record('wake-ups of an idle sidecar', 'per minute', idleWakeUpsPerMinute, 0.5);
}

function measureSizes(): void {
  record('binary', 'MB', statSync(binary).size / 1e6, 0);
  const image = process.env.PODSECRETS_IMAGE;
  if (image === undefined) return;
  // A tar of the image as `docker save` writes it.
  const gzip = execFileSync('sh', ['-c', 'gzip -6 -c "$0" | wc -c', image], { encoding: 'utf8' });
  record('image, compressed', 'MB', Number(gzip) / 1e6, 0);
}

function runInit(place: Place, flags: readonly string[]): void {
  const [program = '', ...args] = pinned([binary, ...place.args('init', '--log-level', 'error', ...flags)]);
  const { status } = spawnSync(program, args, {
    env: { ...place.env, PATH: process.env.PATH },
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`init ended with ${status}`);
}

function point(program: Point['program'], secrets: number, latency: number, { ratio, ms }: Starts): void {
  points.push({ program, secrets, latency, ratio, ms });
  process.stdout.write(
    `${program}, ${secrets} secrets, ${latency} ms: ${ratio.toFixed(2)} × node -e 0, ${ms.toFixed(0)} ms\n`,
  );
}

function record(name: string, unit: Figure['unit'], value: number, noise: number): void {
  figures.push({ name, unit, value, noise });
  process.stdout.write(`${name}: ${shown(value, unit)} (± ${(noise * 100).toFixed(1)} %)\n`);
}

/** Writes the results, and compares them with the budget. */
function end(): void {
  const file = join(root, 'test/bench/results.json');
  const before = JSON.parse(readFileSync(file, 'utf8')) as Results;
  const measured = new Map(figures.map((figure) => [figure.name, figure]));
  const results: Results = {
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores${twoCores ? ', pinned' : ''}, Linux ${release()}`,
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    figures: onlySidecars ? before.figures.map((figure) => measured.get(figure.name) ?? figure) : figures,
    points: onlySidecars ? before.points : points,
  };
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
  execFileSync(process.execPath, ['--no-warnings', join(root, 'test/docs/write.ts')], { stdio: 'inherit' });

  const budget = JSON.parse(readFileSync(join(root, 'test/bench/budget.json'), 'utf8')) as Record<
    string,
    number
  >;
  const over = figures.filter(
    ({ name, value, noise }) => value > (budget[name] ?? Number.POSITIVE_INFINITY) * (1 + noise),
  );
  for (const { name, value, unit } of over) {
    process.stdout.write(
      `over budget: ${name}: ${shown(value, unit)}, budget ${shown(budget[name] ?? 0, unit)}\n`,
    );
  }
  process.exitCode = over.length === 0 ? 0 : 1;
}
