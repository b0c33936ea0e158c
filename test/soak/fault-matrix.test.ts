/**
 * The fault matrix: every fault at the start and in a refresh of the built program, each cell a process. Writes the table
 * examples/reference/fault-matrix.md. A cell that cannot run here is written as not run.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { table } from '../docs/markdown.ts';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { isNotTested } from '../support/allowed.ts';
import { start } from '../support/program.ts';
import { makeSandbox, podIdentityEnv } from '../support/sandbox.ts';
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
  const text = `# Fault matrix\n\nWritten by \`npm run test:long\`: what the built program did. The files are complete in every cell, or absent. A sidecar starts with the listener's port in use; a hook that may succeed later is repeated by \`init\` for 30 s, and has no cell there. A cell that needs root and has none is marked.\n\n${table(['area', 'fault', 'init', 'refresh of a sidecar'], rows)}\n`;
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
  if (needs === undefined || needs()) return true;
  isNotTested(`${area}, ${fault}: it needs root`);
  return false;
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
          await row.make(scene);
          const config = scene.args.includes('--config')
            ? []
            : ['--config', `${scene.box.config}=${scene.box.dir}`];
          const limits = ['--start-timeout', '2s', '--aws-timeout', '500ms'];
          const args = [row.starts ?? 'init', ...config, ...limits, ...scene.args];
          const { code, lastLine } = await start(args, scene.env, scene.command).ended();
          const problem = code === 0 ? undefined : codeIn(lastLine);
          if (row.start === undefined) assert.is(code, 0, lastLine);
          else assert.ok(problem?.startsWith(row.start), lastLine);
          cells.set(key(row, 'start'), problem === undefined ? 'ready' : `${problem}, exit ${code}`);
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
        const config = [
          '--config',
          `${box.config}=${box.dir}`,
          '--aws-timeout',
          '500ms',
          ...(row.sidecarArgs ?? []),
        ];
        const sidecar = await startSidecar(config, scene.env);
        try {
          await sidecar.event('sidecar.ready');
          const before = box.files();
          await row.make({ ...scene, sidecar });
          if (row.rotates) await aws.putSecret({ region: 'eu-west-1', name: 'db', string: 'two' });
          process.kill(sidecar.pid, 'SIGHUP');
          const done = (): boolean =>
            sidecar.events('sync.failed').length > 0 ||
            sidecar.events('publish.verified').length + sidecar.events('publish.unchanged').length > 0 ||
            sidecar.events('publish.changed').length > 1;
          await until(() => `the end of a sync in\n${sidecar.stderr()}`, done);
          const failed = sidecar.events('sync.failed')[0];
          const problem = failed === undefined ? undefined : String(failed.code ?? codeIn(failed.message));
          if (row.refresh === undefined) assert.is(problem, undefined, sidecar.stderr());
          else assert.ok(problem?.startsWith(row.refresh), `${problem}\n${sidecar.stderr()}`);
          if (row.rotates && row.refresh === undefined) assert.equal(box.files(), { db: 'two' });
          else if (row.area !== 'directory' || row.refresh === undefined) assert.equal(box.files(), before);
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
