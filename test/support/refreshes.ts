/** A built sidecar that refreshes without a pause: every tenth refresh finds a change, and every tenth fails. */

import { join } from 'node:path';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { appParameters, appSeed, rotateApp, token } from './app-secret.ts';
import { type ProcessFootprint, processFootprint } from './footprint.ts';
import { makeSandbox, podIdentityEnv } from './sandbox.ts';
import { startSidecar } from './sidecar.ts';
import { until } from './wait.ts';

export interface Refreshed {
  /** Refreshes so far; of these failed; and changes that were notified. */
  readonly refreshes: number;
  readonly failed: number;
  readonly notified: number;
  /** Of the sidecar, between two refreshes. */
  readonly footprint: () => ProcessFootprint;
}

/** The results that end a sync, in the log. */
const END = /"event":"(?:publish\.(?:changed|unchanged|verified)|(sync\.failed))"/g;

/** Yields after each refresh, until the caller stops. */
export async function* refreshes(): AsyncGenerator<Refreshed> {
  const aws = await startFakeAwsProcess(appSeed);
  const box = makeSandbox();
  box.writeConfig(appParameters);
  const args = ['--config', box.config, '--dir', box.dir, '--notify-touch', join(box.root, 'touched')];
  const sidecar = await startSidecar(args, podIdentityEnv(box, aws, token));
  try {
    await sidecar.event('sidecar.ready');
    let [ended, failed, notified] = [0, 0, 0];
    let rest = '';
    sidecar.child.stderr?.on('data', (chunk: Buffer) => {
      const text = rest + chunk.toString();
      const complete = text.lastIndexOf('\n') + 1;
      rest = text.slice(complete);
      const lines = text.slice(0, complete);
      for (const [, isFailed] of lines.matchAll(END)) {
        ended++;
        if (isFailed) failed++;
      }
      notified += lines.split('"event":"notify.succeeded"').length - 1;
    });
    for (let refresh = 1; ; refresh++) {
      if (refresh % 10 === 0) await rotateApp(aws, refresh);
      const fails = refresh % 10 === 5;
      if (fails)
        await aws.addFault({
          on: { service: 'secretsmanager' },
          does: { kind: 'error', code: 'AccessDeniedException' },
        });
      const before = ended;
      process.kill(sidecar.pid, 'SIGHUP');
      await until('the end of a sync', () => sidecar.hasEnded() || ended > before);
      if (fails) await aws.clearFaults();
      yield { refreshes: ended, failed, notified, footprint: () => processFootprint(sidecar.pid) };
    }
  } finally {
    sidecar.child.kill('SIGKILL');
    await sidecar.ended();
    await aws.stop();
    box.remove();
  }
}
