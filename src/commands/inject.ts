/**
 * `podsecrets inject`: pod specs in, pod specs with podsecrets out.
 *
 * Reads a file or standard input and prints; nothing is written anywhere and no cluster is asked. Warnings go to stderr, so
 * that the output can be piped to kubectl.
 */

import { readFile } from 'node:fs/promises';
import { exitCodes, Problem } from '../core/problem.ts';
import { escapeControl, escapedJson } from '../core/text.ts';
import { type Injected, type Input, inject as injectManifests } from '../inject/inject.ts';
import { readInjectOptions } from '../inject/options.ts';
import type { Context } from './context.ts';
import { writeWarnings } from './warnings.ts';

/** Prints the manifests with podsecrets added, or what that changes. */
export async function inject(context: Context): Promise<number> {
  const input = await readInput(context);
  const injected = await injectManifests(input, readInjectOptions(context));
  writeWarnings(context, [...context.warnings, ...injected.warnings]);
  context.stdout.write(await printed(input, injected, context));
  return exitCodes.done;
}

async function readInput({ settings, origins, stdin }: Context): Promise<Input> {
  // The default of --config is a path in a pod: here it is read only when it was given.
  const targets = origins.config === 'default' ? [] : settings.config;
  const configs = targets.map(async ({ file, dir }) => ({
    file,
    dir,
    text: await readText(file, '--config'),
  }));
  return settings.file === '-'
    ? { file: 'standard input', text: await stdin(), configs: await Promise.all(configs) }
    : {
        file: settings.file,
        text: await readText(settings.file, '--file'),
        configs: await Promise.all(configs),
      };
}

async function readText(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an error';
    throw new Problem({
      code: 'usage.value',
      subject: flag,
      message: `expected a file that can be read, got ${reason} for ${escapeControl(file)}`,
      remedy: 'Correct the path.',
      cause,
    });
  }
}

async function printed(input: Input, injected: Injected, { settings }: Context): Promise<string> {
  if (settings.diff) {
    const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import('diff');
    const name = escapeControl(input.file);
    return input.text === injected.text
      ? ''
      : createTwoFilesPatch(name, name, input.text, injected.text, 'before', 'after', {
          headerOptions: FILE_HEADERS_ONLY,
        });
  }
  if (settings.output !== 'json') return injected.text;
  const [only, ...others] = injected.objects;
  const whole = others.length === 0 ? only : { apiVersion: 'v1', kind: 'List', items: injected.objects };
  return `${escapedJson(whole, 2)}\n`;
}
