/**
 * Runs Helm on the chart, alone or as a dependency of the chart in test/fixtures/helm/shop.
 *
 * The binary is the one that npm brought (Linux on x64), or what HELM names.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WAIT_LIMIT } from './wait.ts';

const root = join(import.meta.dirname, '../..');
export const chart = join(root, 'helm', 'podsecrets');

export interface HelmRun {
  readonly ok: boolean;
  readonly out: string;
  readonly err: string;
}

export const helmBinary = process.env.HELM || join(root, 'node_modules', '.bin', 'helm');

export function helm(...words: readonly string[]): HelmRun {
  const home = mkdtempSync(join(tmpdir(), 'helm-'));
  try {
    const env = {
      PATH: process.env.PATH,
      HOME: home,
      HELM_CACHE_HOME: home,
      HELM_CONFIG_HOME: home,
      HELM_DATA_HOME: home,
    };
    const run = spawnSync(helmBinary, words, { encoding: 'utf8', env, timeout: WAIT_LIMIT });
    if (run.error !== undefined) throw new Error(`helm does not run: ${run.error.message}`);
    return { ok: run.status === 0, out: run.stdout, err: run.stderr };
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** The chart as a cluster of a release would get it. */
export function render(release: string, settings: readonly string[] = []): string {
  return rendered(chart, release, settings);
}

/** The chart with podsecrets as a dependency; `settings` are those of podsecrets. */
export function renderShop(release: string, settings: readonly string[] = []): string {
  return withShop((shop) =>
    rendered(
      shop,
      release,
      settings.map((setting) => `podsecrets.${setting}`),
    ),
  );
}

export function withShop<T>(use: (shop: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'shop-'));
  try {
    const shop = join(directory, 'shop');
    cpSync(join(root, 'test', 'fixtures', 'helm', 'shop'), shop, { recursive: true });
    cpSync(chart, join(shop, 'charts', 'podsecrets'), { recursive: true });
    return use(shop);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The notes, which Helm shows only after an installation: here a template includes them. */
export function renderNotes(release: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'notes-'));
  try {
    const copy = join(directory, 'podsecrets');
    cpSync(chart, copy, { recursive: true });
    cpSync(join(chart, 'templates', 'NOTES.txt'), join(copy, 'notes.txt'));
    const template = 'notes: |\n  {{- tpl (.Files.Get "notes.txt") . | nindent 2 }}\n';
    writeFileSync(join(copy, 'templates', 'notes.yaml'), template);
    return rendered(copy, release, []);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function rendered(path: string, release: string, settings: readonly string[]): string {
  const sets = settings.flatMap((setting) => ['--set', setting]);
  const { ok, out, err } = helm(
    'template',
    'shop',
    path,
    '--namespace',
    'shop',
    '--kube-version',
    `${release}.0`,
    ...sets,
  );
  if (!ok) throw new Error(err);
  return out;
}
