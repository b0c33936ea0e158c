/**
 * Ten weeks of a sidecar in a few minutes: ten thousand refreshes, a thousand of them changes, a tenth of the calls failing.
 * The clock is simulated; the agent, the requests to AWS, the directory and the notified application are real.
 */

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { urlNotifier } from '../../src/notify/url.ts';
import { startFakeAws } from '../fake-aws/server.ts';
import { awsSource } from '../support/aws-source.ts';
import { config } from '../support/config.ts';
import { shown } from '../support/directory.ts';
import { type Footprint, footprint, type ProcessFootprint } from '../support/footprint.ts';
import { refreshes } from '../support/refreshes.ts';
import { scratch } from '../support/scratch.ts';
import { objectOf, openWorld } from '../support/world.ts';

const REFRESHES = 10_000;
/** Every tenth refresh finds a change. */
const CHANGE_EVERY = 10;
const WARM_UP = 1000;
const names = ['a', 'b', 'c', 'd'];
const region = 'eu-west-1';

const test = suite('soak');
/** Cleanup after a failed test too. */
const ends: (() => unknown)[] = [];
test.after(async () => {
  for (const end of ends.reverse()) await end();
});

test(`${REFRESHES} refreshes leak nothing, and every change is notified once`, async () => {
  const aws = await startFakeAws({
    seed: {
      identities: {
        // AWS uses the real clock because of the signatures: credentials must outlive the simulated ten weeks.
        app: {
          role: 'arn:aws:iam::111122223333:role/app',
          podIdentityTokens: ['pod-token'],
          lifetime: 10_000_000,
        },
      },
      regions: { [region]: { secrets: Object.fromEntries(names.map((name) => [name, '0'])) } },
    },
  });
  ends.push(() => aws.close());
  const application = await flakyApplication(0.1);
  ends.push(() => application.close());
  const token = join(scratch(), 'token');
  writeFileSync(token, 'pod-token');
  const calls = { success: 0, failed: 0 };
  const world = await openWorld({
    secrets: {},
    config: config(names.map(objectOf).join('\n')),
    now: Date.now(),
    notifier: urlNotifier(application.url, { redact: (text) => text }),
    source({ clock, log }) {
      const env = {
        AWS_ENDPOINT_URL: aws.url,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.agentUrl,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token,
      };
      return awsSource(env, clock, log, {
        apiCall: (_service, _operation, _region, result) => calls[result === 'success' ? result : 'failed']++,
      });
    },
  });
  await world.start();
  await world.idle();
  aws.addFault({ chance: 0.06, does: { kind: 'server-error' } });
  aws.addFault({ chance: 0.03, does: { kind: 'cut', at: 'mid-body' } });
  aws.addFault({ chance: 0.01, does: { kind: 'expired' } });

  const values = Object.fromEntries(names.map((name) => [name, '0']));
  const figures: Record<string, Footprint> = {};
  let changes = 0;
  let failures = 0;
  for (let refresh = 1; refresh <= REFRESHES; refresh++) {
    if (refresh % CHANGE_EVERY === 0) {
      const name = names[changes++ % names.length] ?? '';
      values[name] = String(changes);
      aws.putSecret({ region, name, string: String(changes) });
    }
    await world.clock.advance(600_000);
    await world.idle();
    // A failed sync is retried before the next interval, and so is a failed notification.
    while (world.status().consecutiveFailures > 0 || world.status().notifiers[0]?.pending !== 0) {
      failures++;
      await world.clock.next();
      await world.idle();
    }
    if (refresh % CHANGE_EVERY === 0) assert.equal(shown(world.dir), values);
    world.news();
    aws.clearCalls();
    if (refresh === WARM_UP || refresh === REFRESHES / 2 || refresh === REFRESHES) {
      figures[refresh] = await footprint(world.stop);
    }
  }

  assert.is(changes, REFRESHES / CHANGE_EVERY);
  assert.is(application.received(), changes, 'each change was notified once');
  process.stdout.write(
    `\n${JSON.stringify({ changes, calls, secondTries: failures, ...application.counts() })}\n`,
  );
  for (const [refresh, figure] of Object.entries(figures)) {
    process.stdout.write(`after ${refresh} refreshes: ${JSON.stringify(figure)}\n`);
  }
  const [warm, end] = [figures[WARM_UP], figures[REFRESHES]] as [Footprint, Footprint];
  assert.ok(calls.failed > (calls.failed + calls.success) * 0.08, 'a tenth of the calls fail');
  assert.ok(end.heap < warm.heap + 2, `the heap grew from ${warm.heap} to ${end.heap} MiB`);
  assert.ok(end.external < warm.external + 1, `buffers grew from ${warm.external} to ${end.external} MiB`);
  for (const what of ['descriptors', 'timers', 'sockets'] as const) {
    // Kept-alive connections come and go.
    assert.ok(end[what] <= warm[what] + 8, `${what} grew from ${warm[what]} to ${end[what]}`);
  }
  assert.ok(end.listeners <= warm.listeners + 8, `listeners grew from ${warm.listeners} to ${end.listeners}`);

  world.terminate();
  await world.clock.advance(5000);
});

test('a thousand refreshes of the built program, a tenth of them failed, leak nothing', async () => {
  const marks = [200, 400, 600, 800, 1000];
  const figures: ProcessFootprint[] = [];
  process.stdout.write('\n');
  for await (const { refreshes: count, failed, footprint: figuresOf } of refreshes()) {
    if (count < (marks[figures.length] ?? 0)) continue;
    const figure = figuresOf();
    figures.push(figure);
    process.stdout.write(`after ${count} refreshes, ${failed} failed: ${JSON.stringify(figure)}\n`);
    if (figures.length < marks.length) continue;
    assert.ok(failed > count / 20, `${failed} of ${count} failed`);
    break;
  }
  const [warm, end] = [figures[0], figures.at(-1)] as [ProcessFootprint, ProcessFootprint];
  // Between two collections the heap grows by 1 to 2 MiB: the least of two figures is of soon after one.
  const [before, after] = [figures.slice(0, 2), figures.slice(-2)].map((few) =>
    Math.min(...few.map(({ privateMemory }) => privateMemory)),
  ) as [number, number];
  assert.ok(after < before + 1.5, `from ${before} to ${after} MiB`);
  assert.ok(
    end.descriptors <= warm.descriptors + 4,
    `from ${warm.descriptors} to ${end.descriptors} descriptors`,
  );
  assert.ok(end.threads <= warm.threads, `from ${warm.threads} to ${end.threads} threads`);
});

/** An application that responds with 503 to a part of the requests. */
async function flakyApplication(part: number) {
  let received = 0;
  let failed = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const fails = Math.random() < part;
      if (fails) failed++;
      else received++;
      response.writeHead(fails ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/reload`,
    received: () => received,
    counts: () => ({ received, failed }),
    close: () => server.close(),
  };
}

test.run();
