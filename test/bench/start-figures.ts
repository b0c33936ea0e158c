/** How long starts take: by the number of secrets and the distance of AWS, with IRSA, from the disk, with little CPU, in Go. */

import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { binary } from '../support/program.ts';
import { buildGoPeer } from './go-peer.ts';
import { limitedStart } from './limited.ts';
import { buildOneByOne } from './one-by-one.ts';
import { atDistance, openPlace, type Place, type TlsAws } from './place.ts';
import { dropPages } from './processes.ts';
import type { Recorder } from './recorder.ts';
import { measureCommand, measureStarts } from './starts.ts';
import { measured } from './statistics.ts';

/** Thousandths of a core. */
const MILLI_CORES = 100;

/** Every count of secrets at every round trip time, and the same with the one-by-one program. */
export async function measureGrid(near: TlsAws, recorder: Recorder): Promise<void> {
  const oneByOne = await buildOneByOne();
  for (const latency of [0, 5, 20, 80]) {
    const aws = latency === 0 ? undefined : await atDistance(near, latency);
    for (const secrets of [1, 10, 50, 200]) {
      const place = openPlace(aws ?? near, secrets, 0);
      // The one that is budgeted is worth a closer look.
      const ours = measureStarts(binary, place, secrets === 1 && latency === 0 ? 41 : 15);
      recorder.point('podsecrets', secrets, latency, ours);
      if (secrets === 1 && latency === 0) {
        recorder.measured('cold init, 1 secret, 0 ms', '×', ours.ratio);
        recorder.measured('CPU of a cold init, 1 secret, 0 ms', '×', ours.cpuRatio);
        const exec = measureCommand([binary, ...place.args('exec', '--', 'true')], place, 41);
        recorder.measured('cold exec of true, 1 secret, 0 ms, against init', '×', {
          value: exec.ratio.value / ours.ratio.value,
          noise: exec.ratio.noise + ours.ratio.noise,
        });
      }
      // 200 secrets at 80 ms, one after another, are 16 s a start; what 50 take says it already.
      if (secrets * latency <= 4000) {
        const times = latency === 0 ? 9 : 3;
        const theirs = measureStarts(oneByOne.program, place, times, ['--fetch', 'single']);
        recorder.point('one by one', secrets, latency, theirs);
        if (secrets === 50 && latency === 20) {
          recorder.measured('cold init, 50 secrets, 20 ms', 'ms', ours.ms);
          recorder.measured('cold init, 50 secrets, 20 ms, against one by one', '×', {
            value: ours.ms.value / theirs.ms.value,
            noise: ours.ms.noise + theirs.ms.noise,
          });
        }
      }
      place.box.remove();
    }
    const mixed = openPlace(aws ?? near, 20, 20);
    const { ratio } = measureStarts(binary, mixed, 15);
    recorder.measured(`cold init, 20 secrets and 20 parameters, ${latency} ms`, '×', ratio);
    if (latency === 0) {
      const batched = measureStarts(binary, mixed, 15, ['--fetch', 'batch']);
      recorder.measured('cold init, 20 secrets and 20 parameters, --fetch batch, 0 ms', '×', batched.ratio);
    }
    mixed.box.remove();
    await aws?.disconnect();
  }
  oneByOne.remove();
}

export async function measureIrsa(near: TlsAws, recorder: Recorder): Promise<void> {
  const aws = await atDistance(near, 20);
  const place = openPlace(aws, 1, 0, 'irsa');
  const { ms } = measureStarts(binary, place, 15);
  recorder.measured('cold init, 1 secret, IRSA with STS on another host, 20 ms', 'ms', ms);
  place.box.remove();
  await aws.disconnect();
}

/** The first start on a node: the program is read from the disk. */
export function measureColdCache(aws: TlsAws, recorder: Recorder): void {
  const place = openPlace(aws, 1, 0);
  const { ms } = measureCommand(initOf(place), place, 9, () => dropPages(binary));
  recorder.measured('init with a cold page cache, 1 secret', 'ms', ms);
  place.box.remove();
}

/** Where cgroups cannot be made, the figure is left out. */
export function measureLimited(aws: TlsAws, recorder: Recorder): void {
  const place = openPlace(aws, 1, 0);
  const seconds = Array.from({ length: 9 }, () => {
    place.empty();
    return limitedStart(MILLI_CORES, initOf(place), place.env);
  });
  const known = seconds.filter((value) => value !== undefined);
  if (known.length > 0)
    recorder.measured(`cold init, 1 secret, with ${MILLI_CORES}m of CPU`, 's', measured(known));
  place.box.remove();
}

/** Where Go is not installed, the figures are left out. */
export function measureGoPeer(aws: TlsAws, recorder: Recorder): void {
  const peer = buildGoPeer();
  if (peer === undefined) return;
  for (const [secrets, parameters, name] of [
    [1, 0, '1 secret'],
    [20, 20, '20 secrets and 20 parameters'],
  ] as const) {
    const place = openPlace(aws, secrets, parameters);
    const { ratio } = measureCommand([peer, place.box.config, place.box.dir], place, 15);
    recorder.measured(`Go with AWS's SDK, cold start, ${name}, 0 ms`, '×', ratio);
    place.box.remove();
  }
  rmSync(dirname(peer), { recursive: true });
}

function initOf(place: Place): readonly string[] {
  return [binary, ...place.args('init', '--log-level', 'error')];
}
