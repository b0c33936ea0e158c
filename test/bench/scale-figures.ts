/**
 * CPU and peak memory of `init` by the number and the size of its secrets. test/budget/growth.test.ts holds the growth of calls,
 * connections, bytes and memory to a straight line.
 */

import { plural } from '../../src/core/text.ts';
import { binary } from '../support/program.ts';
import { openPlace, openTlsAws, type TlsAws } from './place.ts';
import { dropPages, peakOf } from './processes.ts';
import type { Recorder } from './recorder.ts';
import { measureStarts } from './starts.ts';
import { measured } from './statistics.ts';

const COUNTS = [1, 10, 100, 1000, 5000];
const LARGE = 200;
const LARGEST_VALUE = 64 * 1024;

export async function measureScale(recorder: Recorder): Promise<void> {
  const many = await openTlsAws(Math.max(...COUNTS));
  for (const count of COUNTS) await measureCount(many, count, plural(count, 'secret'), recorder);
  await many.stop();
  const large = await openTlsAws(LARGE, () => 'x'.repeat(LARGEST_VALUE));
  await measureCount(large, LARGE, `${LARGE} secrets of 64 KiB`, recorder);
  await large.stop();
}

async function measureCount(aws: TlsAws, count: number, name: string, recorder: Recorder): Promise<void> {
  const place = openPlace(aws, count, 0);
  const { cpuMs } = measureStarts(binary, place, 7);
  recorder.measured(`CPU of init, ${name}`, 'ms', cpuMs);
  // A process that has mapped the program since it was written has it in larger pieces.
  dropPages(binary);
  const command = [binary, ...place.args('init', '--log-level', 'error')];
  const peaks: number[] = [];
  for (let times = 0; times < 7; times++) {
    place.empty();
    peaks.push(await peakOf(command, place.env));
  }
  recorder.measured(`peak RSS of init, ${name}`, 'MiB', measured(peaks));
  place.box.remove();
}
