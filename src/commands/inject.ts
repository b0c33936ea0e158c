/**
 * `podsecrets inject`: adds podsecrets to pod specs.
 *
 * Reads files or standard input and prints; it writes no file and contacts no cluster. Warnings go to stderr, so
 * that the output can be piped to kubectl.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { classChoice } from '../cli/values.ts';
import { configVariable, readConfig } from '../config/file.ts';
import { exitCodes, Problem } from '../core/problem.ts';
import { escapeControl, escapedJson, escapeLines } from '../core/text.ts';
import { type Injected, type Input, inject as injectManifests } from '../inject/inject.ts';
import { readInjectOptions } from '../inject/options.ts';
import type { Context } from './context.ts';
import { writeWarnings } from './terminal.ts';

/** Prints the manifests with podsecrets added, or the diff. */
export async function inject(context: Context): Promise<number> {
  const input = await readInput(context);
  const injected = await injectManifests(input, readInjectOptions(context));
  writeWarnings(context, [...context.warnings, ...injected.warnings]);
  const text = await printed(input, injected, context);
  // What a manifest already contains keeps its bytes, also those that reorder or hide text on a terminal.
  context.stdout.write(context.stdout.isTerminal ? escapeLines(text) : text);
  return exitCodes.done;
}

async function readInput({ settings, stdin, env }: Context): Promise<Input> {
  const configs = settings.config.map(async ({ file, dir }) => ({
    file,
    dir,
    text:
      configVariable(file) === undefined
        ? await readText(classChoice(file).path, '--config')
        : readConfig(classChoice(file).path, env),
  }));
  const files = (await Promise.all(settings.file.map(expand))).flat();
  const manifests = files.map(async (file) =>
    file === '-'
      ? { file: 'standard input', text: await stdin() }
      : { file, text: await readText(file, '--file') },
  );
  return { manifests: await Promise.all(manifests), configs: await Promise.all(configs) };
}

/** The manifests in a directory, like `kubectl apply -f DIR`: sorted by name, without subdirectories. */
async function expand(file: string): Promise<readonly string[]> {
  const names = file === '-' ? undefined : await readdir(file).catch(() => undefined);
  if (names === undefined) return [file];
  const found = names.filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  if (found.length > 0) return found.map((name) => join(file, name));
  throw new Problem({
    code: 'usage.value',
    subject: '--file',
    message: `expected files *.yaml, *.yml or *.json in ${escapeControl(file)}, got none`,
    remedy: 'Name the directory that contains them: subdirectories are not read.',
  });
}

async function readText(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an error';
    throw new Problem({
      code: 'usage.value',
      subject: flag,
      message: `expected a file that can be read, got ${reasons.get(code) ?? code}: ${escapeControl(file)}`,
      remedy: 'Correct the path.',
      cause,
    });
  }
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file'],
  ['ENOTDIR', 'no such file'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'a directory'],
]);

async function printed(input: Input, injected: Injected, { settings }: Context): Promise<string> {
  if (settings.diff) {
    const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import('diff');
    const patches = injected.files.map(({ file, text }, index) => {
      const before = input.manifests[index]?.text ?? '';
      const name = escapeControl(file);
      return before === text
        ? ''
        : createTwoFilesPatch(name, name, before, text, 'before', 'after', {
            headerOptions: FILE_HEADERS_ONLY,
          });
    });
    return patches.join('');
  }
  if (settings.output !== 'json') return injected.text;
  const [only, ...others] = injected.objects;
  const whole = others.length === 0 ? only : { apiVersion: 'v1', kind: 'List', items: injected.objects };
  return `${escapedJson(whole, 2)}\n`;
}
