/**
 * The environment of a hook, and the part of its output that is shown.
 *
 * A hook gets a short list of variables and nothing else from podsecrets: no credentials, no tokens, and no addresses of
 * credential endpoints. Its output is untrusted text.
 */

import type { Environment } from '../core/environment.ts';
import { escapeControl } from '../core/text.ts';

/** Variables that are passed if they are set; a hook that needs more gets them by `env NAME=VALUE` in its command. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'HOSTNAME'] as const;

/** For an image without PATH. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Bytes. One variable may have 128 KiB on Linux (MAX_ARG_STRLEN); with more, no program starts at all. */
const NAMES_LIMIT = 64 * 1024;

/**
 * The environment of a hook. PODSECRETS_FILES contains the names of the files that changed, as a JSON list; names that do not
 * fit into 64 KiB are left out.
 */
export function hookEnvironment(
  env: Environment,
  files: readonly string[],
): Readonly<Record<string, string>> {
  const passed = PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return { PATH: DEFAULT_PATH, ...Object.fromEntries(passed), PODSECRETS_FILES: nameList(files) };
}

function nameList(files: readonly string[]): string {
  let left = NAMES_LIMIT;
  const fitting = files.filter((file) => {
    left -= Buffer.byteLength(JSON.stringify(file)) + 1;
    return left > 0;
  });
  return JSON.stringify(fitting);
}

/** Enough for the last error of a program and the line before it. */
const LINES_SHOWN = 4;
const CHARACTERS_SHOWN = 600;

/** The last lines of an output, on one line, escaped and truncated at the front; '' if there are none. */
export function lastLines(output: string): string {
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== '');
  const end = lines.slice(-LINES_SHOWN).join('\n');
  const cut = end.length > CHARACTERS_SHOWN ? `…${end.slice(1 - CHARACTERS_SHOWN)}` : end;
  return escapeControl(cut, CHARACTERS_SHOWN);
}
