/**
 * The fault matrix: every fault at the start and in a refresh of the built program, each cell a process. Writes the table
 * examples/reference/fault-matrix.md. A cell that cannot run here is written as not run.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { table } from '../docs/markdown.ts';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { isNotTested } from '../support/allowed.ts';
import { start } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { startSidecar } from '../support/sidecar.ts';
import { until } from '../support/wait.ts';
import { type FaultRow, faultRows, type Scene } from './fault-rows.ts';

const seed = {
  identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
  regions: { 'eu-west-1': { secrets: { db: 'one' } }, 'eu-central-1': { secrets: { db: 'one' } } },
};
const cells = new Map<string, string>();

const matrix = suite<{ aws: FakeAwsProcess }>('fault matrix');
matrix.before(async (context) => {
  context.aws = await startFakeAwsProcess(seed);
});
matrix.after(async ({ aws }) => {
  await aws.stop();
  const rows = faultRows.map((row) => [row.area, row.fault, cell(row, 'start'), cell(row, 'refresh')]);
  const text = `# Fault matrix

Written by \`npm run test:long\`: what the built program did, each cell a process. The files are complete in every cell, or absent.

The third column is the start of \`init\`, with \`--start-timeout 2s\`. Two kinds of rows start another command: a sidecar whose port is in use ends,
because the kubelet could not probe it; \`inject\` reads hostile manifests. A hook that fails is repeated, by \`init\` for 30 s. \`fresh\` means that the
refresh succeeded, with the new value where the row has one. A cell that cannot run on the machine says so.

${table(['area', 'fault', 'start', 'refresh of a sidecar'], rows)}
`;
  const file = join(import.meta.dirname, '../../examples/reference/fault-matrix.md');
  if (readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
});
matrix.before.each(({ aws }) => aws.reset());

const key = (row: FaultRow, phase: 'start' | 'refresh'): string => `${row.area} ${row.fault} ${phase}`;
const cell = (row: FaultRow, phase: 'start' | 'refresh'): string =>
  cells.get(key(row, phase)) ?? (row[phase] === 'not applicable' ? '' : '**not run**');

interface OpenScene extends Scene {
  close(): Promise<void>;
}

function openScene(aws: FakeAwsProcess, row: FaultRow): OpenScene {
  const box = makeSandbox();
  if (row.volume !== undefined) {
    spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${row.volume}`, 'tmpfs', box.root], { stdio: 'inherit' });
    mkdirSync(box.dir);
  }
  const objects = [{ objectName: 'db', objectType: 'secretsmanager' }];
  box.writeConfig({ usePodIdentity: 'true', region: 'eu-west-1', ...row.parameters, objects }, row.spec);
  const after: (() => unknown)[] = [];
  return {
    aws,
    box,
    env: podIdentityEnv(box, aws, 'pod-token'),
    args: [],
    sidecar: undefined,
    command: undefined,
    group: undefined,
    after,
    async close() {
      for (const end of after.reverse()) await end();
      if (row.volume !== undefined) spawnSync('umount', [box.root], { stdio: 'inherit' });
      box.remove();
    },
  };
}

/** Whether the cell can run here; the table shows if not. */
function canRun({ needs, area, fault }: FaultRow): boolean {
  return needs === undefined || needs.isThere() || isNotTested(`${area}, ${fault}: it needs ${needs.what}`);
}

/** Waits for as many of the usual limits as the row needs. */
async function untilIn({ waits = 1 }: FaultRow, what: () => string, isSo: () => boolean): Promise<void> {
  for (let left = waits; left > 1 && !isSo(); left--) await until(what, isSo).catch(() => {});
  await until(what, isSo);
}

/** The words of the command that starts. */
function startWords({ starts }: FaultRow, { box, args }: Scene): readonly string[] {
  if (starts === 'inject') return [starts, ...args];
  const config = args.includes('--config') ? [] : ['--config', `${box.config}=${box.dir}`];
  return [starts ?? 'init', ...config, '--start-timeout', '2s', '--aws-timeout', '500ms', ...args];
}

/** No file is published, or all of them. */
function assertComplete({ dir, files }: Sandbox): void {
  const published = statSync(dir, { throwIfNoEntry: false })?.isDirectory() ? files() : {};
  assert.ok(['{}', '{"db":"one"}'].includes(JSON.stringify(published)), JSON.stringify(published));
}

/** The code of a problem is its last word in brackets. */
function codeIn(line: string): string | undefined {
  return /\[([a-z]+\.[A-Za-z]+)\]/.exec(line)?.[1];
}

for (const row of faultRows) {
  if (row.start !== 'not applicable')
    matrix(
      `${row.area}, ${row.fault}: ${row.starts ?? 'init'} ${row.start === undefined ? 'succeeds' : `fails with ${row.start}`}`,
      async ({ aws }) => {
        if (!canRun(row)) return;
        const scene = openScene(aws, row);
        try {
          await row.prepare?.(scene);
          await row.make(scene);
          const program = start(startWords(row, scene), scene.env, scene.command);
          await untilIn(row, program.stderr, program.hasEnded);
          const { code, signal, lastLine } = await program.ended();
          const problem = code === 0 ? undefined : (codeIn(lastLine) ?? signal ?? 'unknown');
          if (row.start === undefined) assert.is(code, 0, lastLine);
          else assert.ok(problem?.startsWith(row.start), `${problem}: ${lastLine}`);
          assertComplete(scene.box);
          cells.set(
            key(row, 'start'),
            problem === undefined ? 'ready' : code === null ? problem : `${problem}, exit ${code}`,
          );
        } finally {
          await scene.close();
        }
      },
    );
  if (row.refresh !== 'not applicable')
    matrix(
      `${row.area}, ${row.fault}: a refresh ${row.refresh === undefined ? 'succeeds' : `fails with ${row.refresh}, and keeps the files`}`,
      async ({ aws }) => {
        if (!canRun(row)) return;
        const scene = openScene(aws, row);
        const { box } = scene;
        await row.prepare?.(scene);
        const { sidecarArgs = [] } = row;
        const words = [
          '--config',
          `${box.config}=${box.dir}`,
          '--aws-timeout',
          '500ms',
          ...sidecarArgs,
          ...scene.args,
        ];
        const sidecar = await startSidecar(words, scene.env, scene.command);
        try {
          await sidecar.event('sidecar.ready');
          const before = box.files();
          await row.make({ ...scene, sidecar });
          if (row.rotates) await aws.putSecret({ region: 'eu-west-1', name: 'db', string: 'two' });
          if (row.refreshes === undefined) process.kill(sidecar.pid, 'SIGHUP');
          const done = (): boolean =>
            sidecar.events('sync.failed').length > 0 ||
            sidecar.events('publish.verified').length + sidecar.events('publish.unchanged').length > 0 ||
            sidecar.events('publish.changed').length > 1;
          await untilIn(row, () => `the end of a sync in\n${sidecar.stderr()}`, done);
          const failed = sidecar.events('sync.failed')[0];
          const problem = failed === undefined ? undefined : String(failed.code ?? codeIn(failed.message));
          if (row.refresh === undefined) assert.is(problem, undefined, sidecar.stderr());
          else assert.ok(problem?.startsWith(row.refresh), `${problem}\n${sidecar.stderr()}`);
          if (row.rotates && row.refresh === undefined) assert.equal(box.files(), { db: 'two' });
          else if (row.area !== 'directory' || row.refresh === undefined) assert.equal(box.files(), before);
          if (row.then !== undefined) await sidecar.event(row.then);
          assert.is((await sidecar.page('/livez')).status, 200);
          cells.set(key(row, 'refresh'), problem === undefined ? 'fresh' : `${problem}, files kept`);
        } finally {
          process.kill(sidecar.pid, 'SIGTERM');
          await sidecar.ended();
          await scene.close();
        }
      },
    );
}

matrix.run();
