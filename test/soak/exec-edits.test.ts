/** Edits of the config, and the HTTP pages, while `podsecrets exec --on-change` runs a command. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { canary, canaryIn } from '../support/canary.ts';
import { freePort } from '../support/free-port.ts';
import {
  change,
  type OnChange,
  onChangeSuite,
  password,
  region,
  running,
  textOf,
  waits,
} from '../support/on-change.ts';
import type { Running } from '../support/program.ts';
import { until } from '../support/wait.ts';

const exec = onChangeSuite('edits and pages of exec --on-change');
const other = { objectName: 'other', objectType: 'secretsmanager', env: 'OTHER' };
const script = `trap 'echo HUP >> got' HUP; echo "$DB_PASSWORD,$OTHER" >> values; touch ready; ${waits}`;

async function started(fixture: OnChange, onChange: string, flags: readonly string[] = []): Promise<Running> {
  const one = running(fixture, onChange, script, flags);
  await until('the start', () => {
    if (one.hasEnded()) throw new Error(one.stderr());
    return existsSync(join(fixture.box.root, 'ready'));
  });
  return one;
}

/** A signal at each change of the files: without the 10 seconds between restarts. */
const withFiles = (fixture: OnChange) => started(fixture, 'SIGHUP', ['--dir', fixture.box.dir]);

/** The values that each start of the command had. */
const values = ({ box }: OnChange) => textOf(box.root, 'values').trimEnd().split('\n');

exec('an edit that is invalid leaves the config in use, whose changes still take effect', async (fixture) => {
  const { aws, box } = fixture;
  const one = await withFiles(fixture);
  box.writeConfig({ objects: 'no list' });
  await one.prints(/"event":"config\.invalid"/);
  await change(aws);
  await until('the signal', () => textOf(box.root, 'got') === 'HUP\n');
  assert.equal(box.files(), { password: canary('two') });
  assert.not.match(one.stderr(), 'sync.failed');
  box.writeConfig({ objects: [password] });
  await one.prints(/"event":"config\.recovered"/);
});

exec('an edit that drops a file by accident leaves the config in use', async (fixture) => {
  const { box } = fixture;
  box.writeConfig({ objects: [password, other] });
  const one = await withFiles(fixture);
  const { objectAlias, ...misspelt } = password;
  box.writeConfig({ objects: [{ ...misspelt, objectAlais: objectAlias }, other] });
  await one.prints(/would remove password, but a part of it is ignored/);
  box.writeConfig({ objects: [password] });
  await one.prints(/"event":"exec\.signalled"/);
  assert.equal(box.files(), { password: canary('one') });
});

exec('an edit after which no object exists changes nothing', async (fixture) => {
  const { box } = fixture;
  const one = await withFiles(fixture);
  box.writeConfig({ objects: [{ ...password, objectName: 'missing', optional: true }] });
  await one.prints(/would remove everything/);
  assert.equal([box.files(), textOf(box.root, 'got')], [{ password: canary('one') }, '']);
  box.writeConfig({ objects: [{ ...password, objectName: 'other' }] });
  await until('a later edit', () => textOf(box.root, 'got') === 'HUP\n');
  assert.equal(box.files(), { password: 'x' });
});

exec('an optional object that is missing is logged once, and when it exists again', async (fixture) => {
  const { aws, box } = fixture;
  const late = { objectName: 'late', objectType: 'secretsmanager', optional: true };
  box.writeConfig({ objects: [password, late] });
  const one = await withFiles(fixture);
  const calls = async () => await aws.count({ service: 'secretsmanager' });
  const before = await calls();
  await until('three more syncs', async () => (await calls()) >= before + 6);
  assert.is(one.stderr().split('"event":"object.missing"').length, 2);
  await aws.putSecret({ region, name: 'late', string: 'y' });
  await until('the signal', () => textOf(box.root, 'got') === 'HUP\n');
  assert.equal(box.files(), { late: 'y', password: canary('one') });
  assert.match(one.stderr(), '"event":"object.found"');
});

exec(
  'an edit that drops a variable by accident does not restart the command, and an intended one does',
  async (fixture) => {
    const { box } = fixture;
    box.writeConfig({ objects: [password, other] });
    const one = await started(fixture, 'restart');
    const { env, ...misspelt } = other;
    box.writeConfig({ objects: [password, { ...misspelt, evn: env }] });
    await one.prints(/would remove variable OTHER, but a part of it is ignored/);
    box.writeConfig({ objects: [other] });
    await until('the restart', () => values(fixture).length === 2);
    assert.equal(values(fixture), [`${canary('one')},x`, ',x']);
    assert.match(one.stderr(), '"event":"config.reloaded"');
  },
);

exec(
  '--listen serves the pages: ready once the command runs, its variables, and restarts as a metric',
  async (fixture) => {
    const { aws } = fixture;
    const address = `127.0.0.1:${await freePort()}`;
    const page = async (path: string, method = 'GET') => {
      const response = await fetch(`http://${address}${path}`, { method });
      return { code: response.status, text: await response.text() };
    };
    const one = await started(fixture, 'restart', ['--listen', address]);
    await until('ready', async () => (await page('/readyz')).code === 200);
    const status = JSON.parse((await page('/status')).text);
    assert.equal(
      [status.phase, status.ready, status.configs[0].variables.map(({ name }: { name: string }) => name)],
      ['steady', true, ['DB_PASSWORD']],
    );
    assert.match((await page('/metrics')).text, 'podsecrets_restarts_total{result="success"} 0\n');
    await change(aws);
    assert.is((await page('/refresh', 'POST')).code, 202);
    await until('the restart', () => values(fixture).length === 2);
    const counted = async () =>
      (await page('/metrics')).text.includes('podsecrets_restarts_total{result="success"} 1\n');
    await until('the count', counted);
    const pages = [(await page('/metrics')).text, (await page('/status')).text];
    assert.is(canaryIn(pages.join('') + one.stderr()), undefined);
    assert.match(pages[1] ?? '', `"directory": ""`);
  },
);

exec.run();
