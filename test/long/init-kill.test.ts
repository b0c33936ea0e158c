/** The built `podsecrets init`, killed in five hundred runs, half of them in the middle of the publish. */

import { readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchStandIn } from '../aws-stand-in/client.ts';
import { appParameters, appSeed, paths, rotateApp, token } from '../support/app-secret.ts';
import { companion } from '../support/companion.ts';
import { generationOf } from '../support/generations.ts';
import { showsInterruption } from '../support/kill-trial.ts';
import { run, start } from '../support/program.ts';
import { type Report, readTurn } from '../support/reader.ts';
import { makeSandbox, podIdentityEnv } from '../support/sandbox.ts';

const RUNS = 500;
/** A publish of these files is some eight changes in the directory that inotify tells: the kill comes at one of them. */
const CHANGES = 8;

const test = suite('init under kill -9');
/** What would outlive a test that fails. */
const ends: (() => unknown)[] = [];
test.after(async () => {
  for (const end of ends.reverse()) await end();
});

test(`${RUNS} runs killed: never a torn, mixed or missing file, and the next run converges`, async () => {
  const aws = await launchStandIn(appSeed);
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
  const reader = companion('reader.ts', [box.dir, ...paths]);
  ends.push(() => reader.kill('SIGKILL'));
  await reader.said('reading');

  const seen = { killed: 0, ended: 0, interrupted: 0, published: 0 };
  let last = 0;
  for (let generation = 1; generation <= RUNS; generation++) {
    await rotateApp(aws, generation);
    const running = start(args, env);
    const kill = () => running.child.kill('SIGKILL');
    const timer = generation % 2 === 0 ? setTimeout(kill, Math.random() * span) : undefined;
    let left = Math.ceil(Math.random() * CHANGES);
    const watcher = timer === undefined ? watch(box.dir, () => --left <= 0 && kill()) : undefined;
    const { signal } = await running.ended;
    clearTimeout(timer);
    watcher?.close();
    seen[signal === 'SIGKILL' ? 'killed' : 'ended']++;
    if (showsInterruption(box.dir)) seen.interrupted++;
    const now = readTurn(box.dir, expectation);
    assert.ok(now === last || now === generation, `generation ${now} after ${last}, in run ${generation}`);
    if (now === generation) seen.published++;
    last = now;
  }

  assert.is((await run(args, env)).code, 0);
  assert.is(readTurn(box.dir, expectation), RUNS);
  const sets = readdirSync(box.dir).filter((name) => /^\.\.\d/.test(name));
  assert.is(sets.length, 1);
  assert.not.ok(showsInterruption(box.dir));
  assert.ok(readFileSync(join(box.dir, paths[0] ?? ''), 'utf8') !== '');
  reader.kill('SIGTERM');
  const report = JSON.parse((await reader.ended).at(-1) ?? '') as Report;
  assert.equal(report.faults, []);
  assert.ok(seen.killed > RUNS / 4, `${seen.killed} runs were killed`);
  assert.ok(seen.interrupted > RUNS / 50, `${seen.interrupted} kills came in the middle of a publish`);
  process.stdout.write(
    `\n${RUNS} runs: ${JSON.stringify(seen)}; the reader made ${report.turns} turns, saw ${report.generations} sets\n`,
  );
});

test.run();
