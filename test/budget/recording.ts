/** The program's modules run by Node itself, with a record of what they used. */

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { programFlags } from '../../src/build/executable.ts';

export interface Recording {
  readonly code: number;
  readonly stderr: string;
  /** Packages and own sources (`src/…`) that were evaluated. */
  readonly evaluated: readonly string[];
  /** Modules of the bundle that were evaluated, and those of them before the first flag of V8 changed. */
  readonly modules: readonly string[];
  readonly early: readonly string[];
  /** Node's own modules that were loaded. */
  readonly builtins: readonly string[];
  /** Every call of `fs` with a path. */
  readonly opened: readonly (readonly [name: string, path: string])[];
  /** The most resident memory, in KiB. */
  readonly peak: number;
  /** What the last worker used that the program started, if there was one. */
  readonly worker?: Omit<Recording, 'code' | 'stderr' | 'worker'>;
}

type Stop = (stderr: string, kill: (signal?: NodeJS.Signals) => void) => void;

const bundleFile = join(import.meta.dirname, '../../dist/bundle.json');

/** How many bytes each file contributed to each module. */
export function bundleMeta(): Metafile {
  return (JSON.parse(readFileSync(bundleFile, 'utf8')) as { readonly meta: Metafile }).meta;
}

/** The name of the package that contains a file, or the file itself if it is a source of podsecrets. */
export function ownerOf(input: string): string {
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? [];
  return name ?? input;
}

/**
 * Runs the program and records it. `stop` is called with each output, and with what sends a signal, by default SIGTERM: for a
 * program that does not end by itself.
 */
export async function recordRun(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stop: Stop = () => {},
): Promise<Recording> {
  const place = mkdtempSync(join(tmpdir(), 'podsecrets-record-'));
  const record = join(place, 'record.json');
  try {
    const recorder = join(import.meta.dirname, 'recorder.cjs');
    const { code, stderr } = await ended(
      [...programFlags(), recorder, bundleFile, record, ...args],
      env,
      stop,
    );
    const worker = existsSync(`${record}.worker`) ? { worker: read(`${record}.worker`) } : {};
    return { code, stderr, ...read(record), ...worker };
  } finally {
    rmSync(place, { recursive: true });
  }
}

function read(record: string): Omit<Recording, 'code' | 'stderr' | 'worker'> {
  const recorded = JSON.parse(readFileSync(record, 'utf8')) as Omit<
    Recording,
    'code' | 'stderr' | 'evaluated'
  >;
  const { outputs } = bundleMeta();
  const inputs = recorded.modules.flatMap((module) =>
    Object.entries(outputs[`bundle/${module}`]?.inputs ?? {})
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([input]) => ownerOf(input)),
  );
  return { evaluated: [...new Set(inputs)].sort(), ...recorded };
}

function ended(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stop: Stop,
): Promise<{ readonly code: number; readonly stderr: string }> {
  return new Promise((resolve) => {
    let stderr = '';
    const child = execFile(process.execPath, args, { env }, () => {
      resolve({ code: child.exitCode ?? -1, stderr });
    });
    child.stderr?.on('data', (chunk: string) => {
      stderr += chunk;
      stop(stderr, (signal = 'SIGTERM') => child.kill(signal));
    });
  });
}
