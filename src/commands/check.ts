/**
 * `podsecrets check`: every problem of the configs, or their plan. Offline, without credentials.
 *
 * FILE arguments are checked on their own: every SecretProviderClass for AWS in files, directories, globs and standard input.
 * Without any, the configs of `--config` are checked together with the directories that they publish to.
 */

import { type Dirent, existsSync, globSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { options } from '../cli/options.ts';
import { classNames, kindsIn } from '../config/document.ts';
import { readConfigFile } from '../config/file.ts';
import { parsePlan } from '../config/parse.ts';
import { checkReport, checkText } from '../config/report.ts';
import { exitCodes, Problem, problemsOrThrow } from '../core/problem.ts';
import { escapedJson } from '../core/text.ts';
import type { Context } from './context.ts';
import { type PlannedConfigs, readPlans } from './plans.ts';
import { writeReport } from './terminal.ts';

/**
 * Prints the report. Returns the exit code of stage `config` if there is a problem. Throws the Problem of files without any
 * class.
 */
export async function check(context: Context): Promise<number> {
  const { settings, stdout, args: files } = context;
  // EKS sets the region in the pod: without one here the config may still be complete.
  const planned =
    files.length > 0
      ? await readClassFiles(context, files)
      : await readPlans(context, { missingRegion: 'warning' });
  const warnings = [...context.warnings, ...planned.warnings];
  const configs = planned.configs.map(({ plan, directory = options.dir.default }) => ({ plan, directory }));
  const checked = settings.strict
    ? { configs, problems: [...planned.problems, ...warnings], warnings: [] }
    : { configs, problems: planned.problems, warnings };
  const isOk = checked.problems.length === 0;
  if (settings.output === 'json') {
    stdout.write(`${escapedJson(checkReport(checked))}\n`);
  } else {
    writeReport(context, `${checkText(checked, stdout.columns)}${isOk ? '\nok\n' : ''}`);
  }
  return isOk ? exitCodes.done : exitCodes.config;
}

/**
 * Every class for AWS in the files. Documents of other kinds are skipped. Files without a class are skipped too, but it is a
 * problem if no file has one.
 */
async function readClassFiles(context: Context, arguments_: readonly string[]): Promise<PlannedConfigs> {
  const configs: PlannedConfigs['configs'][number][] = [];
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const kinds = new Set<string>();
  for (const file of arguments_.flatMap(expand)) {
    try {
      const text = file === '-' ? await context.stdin() : readConfigFile(file);
      // A file without a class has no names here, unless it is unreadable or its class has no provider: then the parser reports why.
      const names = classNames(text);
      if (names.length === 0) for (const kind of kindsIn(text)) kinds.add(kind);
      for (const className of names) {
        const parsed = await parsePlan(text, {
          file: file === '-' ? 'standard input' : file,
          defaultMode: context.settings.mode,
          environmentRegion: context.env.AWS_REGION,
          missingRegion: 'warning',
          syncSecrets: context.settings.syncSecrets,
          className,
        });
        problems.push(...parsed.problems);
        warnings.push(...parsed.warnings);
        if (parsed.plan !== undefined) configs.push({ plan: parsed.plan, directory: context.settings.dir });
      }
    } catch (error) {
      problems.push(...problemsOrThrow(error));
    }
  }
  if (configs.length === 0 && problems.length === 0) problems.push(noClass(arguments_, [...kinds]));
  return { configs, problems, warnings };
}

/** The files that an argument names. One that does not exist, or cannot be followed, is kept, so that reading it reports the error. */
function expand(argument: string): readonly string[] {
  if (argument === '-') return [argument];
  if (isDirectory(argument)) return filesBelow(argument).sort();
  if (existsSync(argument) || !/[*?[{]/.test(argument)) return [argument];
  const found = globSync(argument).sort();
  return found.length === 0 ? [argument] : found;
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The YAML files in a directory, and each directory that cannot be listed. */
function filesBelow(directory: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    return [directory];
  }
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return /\.ya?ml$/.test(entry.name) ? [path] : [];
  });
}

/** Kinds of a message about files without a class: a directory may have many. */
const MAX_KINDS = 5;

function noClass(arguments_: readonly string[], kinds: readonly string[]): Problem {
  const more = kinds.length > MAX_KINDS ? [`${kinds.length - MAX_KINDS} more kinds`] : [];
  const found = kinds.length === 0 ? 'nothing' : [...kinds.slice(0, MAX_KINDS), ...more].join(', ');
  return new Problem({
    code: 'config.document',
    subject: arguments_.map((argument) => (argument === '-' ? 'standard input' : argument)).join(', '),
    message: `expected a SecretProviderClass for AWS, got ${found}`,
    remedy: 'Name files or directories that contain one.',
  });
}
