/** What a start sends to AWS: calls, TLS handshakes, bytes and round trips. */

import { spawnSync } from 'node:child_process';
import { binary } from '../support/program.ts';
import { atDistance, openPlace, type Place, type TlsAws } from './place.ts';
import type { Recorder } from './recorder.ts';
import { measureStarts } from './starts.ts';

/** test/budget/calls.test.ts holds starts and refreshes to their number of calls. */
export async function measureCalls(near: TlsAws, recorder: Recorder): Promise<void> {
  for (const fetch of ['batch', 'single']) {
    const aws = await atDistance(near, 1);
    const place = openPlace(aws, 20, 20);
    await aws.clearCalls();
    runInit(place, ['--fetch', fetch]);
    const calls = (await aws.calls()).filter(({ service }) => service !== 'agent');
    const { connections, sent, received } = await aws.disconnect();
    const of = `of a start, 20 secrets and 20 parameters, ${fetch}`;
    recorder.counted(`API calls ${of}`, 'calls', calls.length);
    // None is resumed: a session ticket comes after the handshake that the next connection has begun by then.
    recorder.counted(`TLS handshakes ${of}`, 'handshakes', connections);
    recorder.counted(`bytes on the network ${of}`, 'bytes', sent + received);
    place.box.remove();
  }
}

const NEAR = 20;
const FAR = 80;

/** How often a start waits for AWS: by how much longer it takes when AWS is 60 ms further away. */
export async function measureRoundTrips(near: TlsAws, recorder: Recorder): Promise<void> {
  for (const [identity, name] of [
    ['pod', 'Pod Identity'],
    ['irsa', 'IRSA with STS on another host'],
  ] as const) {
    const [nearer, further] = [await startsAt(near, NEAR, identity), await startsAt(near, FAR, identity)];
    const difference = further.value - nearer.value;
    recorder.measured(`round trips to AWS of a start, 1 secret, ${name}`, 'round trips', {
      value: difference / (FAR - NEAR),
      noise: (further.value * further.noise + nearer.value * nearer.noise) / difference,
    });
  }
}

async function startsAt(near: TlsAws, latency: number, identity: 'pod' | 'irsa') {
  const aws = await atDistance(near, latency);
  const place = openPlace(aws, 1, 0, identity);
  const { ms } = measureStarts(binary, place, 9);
  place.box.remove();
  await aws.disconnect();
  return ms;
}

function runInit(place: Place, flags: readonly string[]): void {
  const { status } = spawnSync(binary, place.args('init', '--log-level', 'error', ...flags), {
    env: place.env,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`init ended with ${status}`);
}
