/** The built `podsecrets init`, killed in five hundred runs or more, until enough kills came in the middle of a publish. */

import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { appParameters, appSeed, paths, rotateApp, token } from '../support/app-secret.ts';
import { leftovers } from '../support/directory.ts';
import { generationOf } from '../support/generations.ts';
import { showsInterruption } from '../support/kill-trial.ts';
import { run, start } from '../support/program.ts';
import { readTurn } from '../support/reader.ts';
import { startReader } from '../support/reading.ts';
import { makeSandbox, podIdentityEnv } from '../support/sandbox.ts';

const RUNS = 500;
/** At least so many runs are killed, and so many of these in the middle of a publish. */
const KILLED = 125;
const INTERRUPTED = 10;
/** Runs after which the test fails. */
const MOST = 5000;
/** inotify reports some eight changes for a publish of these files: the kill comes at one of them. */
const CHANGES = 8;

const test = suite('init under kill -9');
/** Cleanup after a failed test too. */
const ends: (() => unknown)[] = [];
test.after(async () => {
  for (const end of ends.reverse()) await end();
});

test(`${RUNS} runs killed: never a torn, mixed or missing file, and the next run converges`, async () => {
  const aws = await startFakeAwsProcess(appSeed);
  ends.push(() => aws.stop());
  const box = makeSandbox();
  ends.push(() => box.remove());
  box.writeConfig(appParameters);
  const args = ['init', '--config', box.config, '--dir', box.dir];
  const env = podIdentityEnv(box, aws, token);
  const expectation = { steady: paths, generationOf };

  const began = performance.now();
  assert.is((await run(args, env)).code, 0);
  /** Milliseconds that a run takes here today. */
  const span = (performance.now() - began) * 1.2;
  const reader = await startReader(box.dir, paths);
  ends.push(() => reader.kill());

  const seen = { killed: 0, ended: 0, interrupted: 0, published: 0 };
  const isEnough = () => seen.killed >= KILLED && seen.interrupted >= INTERRUPTED;
  let last = 0;
  let generation = 0;
  while (generation < RUNS || !isEnough()) {
    assert.ok(++generation <= MOST, `expected more of ${MOST} runs to be cut short: ${JSON.stringify(seen)}`);
    await rotateApp(aws, generation);
    const running = start(args, env);
    const kill = () => running.child.kill('SIGKILL');
    const timer = generation % 2 === 0 ? setTimeout(kill, Math.random() * span) : undefined;
    let left = Math.ceil(Math.random() * CHANGES);
    const watcher = timer === undefined ? watch(box.dir, () => --left <= 0 && kill()) : undefined;
    const { signal } = await running.ended();
    clearTimeout(timer);
    watcher?.close();
    seen[signal === 'SIGKILL' ? 'killed' : 'ended']++;
    if (showsInterruption(box.dir)) seen.interrupted++;
    const now = readTurn(box.dir, expectation);
    assert.ok(now === last || now === generation, `generation ${now} after ${last}, in run ${generation}`);
    if (now === generation) seen.published++;
    last = now;
    await reader.turn();
  }

  assert.is((await run(args, env)).code, 0);
  assert.is(readTurn(box.dir, expectation), generation);
  assert.equal(leftovers(box.dir), []);
  assert.not.ok(showsInterruption(box.dir));
  assert.ok(readFileSync(join(box.dir, paths[0] ?? ''), 'utf8') !== '');
  const report = await reader.end();
  assert.equal(report.faults, []);
  process.stdout.write(
    `\n${generation} runs: ${JSON.stringify(seen)}; the reader made ${report.turns} turns, read ${report.generations} generations\n`,
  );
});

test.run();
