/**
 * Values and the texts in which programs of other languages print them, by those programs themselves.
 *
 *   node test/fuzz/encoders/encode.ts      writes test/fixtures/redaction/vectors.json
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { Secret } from '../../../src/core/secret.ts';
import { redact } from '../../../src/notify/redact.ts';

/** A value, and each text in which a program printed it, with the names of the encoders that give it. */
export interface Vector {
  readonly value: string;
  readonly texts: Readonly<Record<string, readonly string[]>>;
}

/** The file with the vectors, and the seed of its values. */
export const VECTORS = join(import.meta.dirname, '../../fixtures/redaction/vectors.json');
export const SEED = 20261130;

/** What is missing on this machine, each with the encoders that need it. */
export type OnMissing = (program: string) => void;

/** Letters that a text can hold without an escape, somewhere; then those that are escaped, in some language. */
const PLAIN = [...'abcXYZ019-_.~'];
const ESCAPED = [
  ...'!"#$%&\'()*+,/:;<=>?@[\\]^`{|} ',
  '\n',
  '\t',
  '\r',
  '\u001b',
  '\u007f',
  '€',
  'ä',
  'ß',
  '日',
  '🔑',
  '\u2028',
  '\u00a0',
];

const textOf = (letters: readonly string[], minLength: number, maxLength: number) =>
  fc
    .array(fc.constantFrom(...letters), { minLength, maxLength })
    .map((list) => list.join(''))
    // A piece is redacted from its first to its last printing character.
    .filter((text) => text.trim() === text && text.trim().length >= minLength);

const values = fc.oneof(
  { arbitrary: textOf([...PLAIN, ...ESCAPED], 12, 40), weight: 5 },
  { arbitrary: textOf(ESCAPED, 8, 24), weight: 3 },
  { arbitrary: textOf([...PLAIN, ...ESCAPED], 80, 140), weight: 1 },
  { arbitrary: textOf([...PLAIN, ...ESCAPED], 300, 500), weight: 1 },
  { arbitrary: fc.string({ unit: 'grapheme', minLength: 12, maxLength: 24 }).filter(isPrintable), weight: 1 },
);

function isPrintable(text: string): boolean {
  return text.isWellFormed() && text.trim() === text && text.length >= 8 && !text.includes('\0');
}

/** So many values, always the same for a seed. */
export function valuesOf(seed: number, count: number): readonly string[] {
  return fc.sample(values, { seed, numRuns: count });
}

/** The values in every form that the programs of this machine print. */
export function encode(list: readonly string[], onMissing: OnMissing): readonly Vector[] {
  const forms = [
    list.map(inNode),
    run('python3', [join(import.meta.dirname, 'encoders.py')], list, onMissing),
    inGo(list, onMissing),
    inLines('java', [join(import.meta.dirname, 'Encoders.java')], list, onMissing),
    inShell(list, onMissing),
  ];
  return list.map((value, index) => {
    // Without a prototype: a text may be the name of one of its methods.
    const texts: Record<string, string[]> = Object.create(null);
    for (const [name = '', text = ''] of forms.flatMap((form) => form[index] ?? []))
      texts[text] = [...(texts[text] ?? []), name];
    return { value, texts };
  });
}

type Form = readonly (readonly string[])[];

function inNode(value: string): Form {
  return [
    ['node inspect', inspect(value, { breakLength: Number.POSITIVE_INFINITY })],
    [
      'node inspect of an object',
      inspect({ v: value }, { breakLength: Number.POSITIVE_INFINITY }).slice(5, -2),
    ],
    ['node JSON', JSON.stringify(value)],
    ['node JSON twice', JSON.stringify(JSON.stringify(value))],
    ['node encodeURIComponent', encodeURIComponent(value)],
    ['node encodeURI', encodeURI(value)],
    ['node URLSearchParams', new URLSearchParams({ v: value }).toString().slice(2)],
    ['node password of a URL', passwordInUrl(value)],
    ['node hex', Buffer.from(value).toString('hex')],
    ['node basic auth', Buffer.from(`app:${value}`).toString('base64')],
    ['node base64url', Buffer.from(value).toString('base64url')],
    ['node JSON of a Buffer', JSON.stringify([...Buffer.from(value)])],
  ];
}

function passwordInUrl(value: string): string {
  const url = new URL('http://user@host/');
  url.password = value;
  return url.password;
}

/** Go has to build the program first. */
function inGo(list: readonly string[], onMissing: OnMissing): readonly Form[] {
  const place = mkdtempSync(join(tmpdir(), 'podsecrets-encoders-'));
  try {
    const program = join(place, 'encoders');
    const source = join(import.meta.dirname, 'encoders.go');
    if (!isThere('go', ['version'], onMissing)) return [];
    spawnSync('go', ['build', '-o', program, source], { stdio: 'inherit' });
    return run(program, [], list, onMissing);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function inShell(list: readonly string[], onMissing: OnMissing): readonly Form[] {
  const hasJq = isThere('jq', ['--version'], onMissing);
  const env = { ...process.env, WITH_JQ: hasJq ? 'yes' : '' };
  return inLines('bash', [join(import.meta.dirname, 'encoders.bash')], list, onMissing, env);
}

function isThere(program: string, args: readonly string[], onMissing: OnMissing): boolean {
  if (spawnSync(program, args).status === 0) return true;
  onMissing(program);
  return false;
}

/** A program that reads and prints JSON. */
function run(
  program: string,
  args: readonly string[],
  list: readonly string[],
  onMissing: OnMissing,
): readonly Form[] {
  const { stdout, error } = spawnSync(program, args, {
    input: JSON.stringify(list),
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  if (error === undefined) return JSON.parse(stdout) as readonly Form[];
  onMissing(program);
  return [];
}

/** A program that reads and prints lines of base64. */
function inLines(
  program: string,
  args: readonly string[],
  list: readonly string[],
  onMissing: OnMissing,
  env: NodeJS.ProcessEnv = process.env,
): readonly Form[] {
  const input = list.map((value) => `${Buffer.from(value).toString('base64')}\n`).join('');
  const { stdout, error } = spawnSync(program, args, { input, encoding: 'utf8', maxBuffer: 1e9, env });
  if (error !== undefined) {
    onMissing(program);
    return [];
  }
  const forms: string[][][] = list.map(() => []);
  for (const line of stdout.trimEnd().split('\n')) {
    const [number, name = '', text = ''] = line.split(' ');
    forms[Number(number)]?.push([name, text].map((word) => Buffer.from(word, 'base64').toString()));
  }
  return forms;
}

/** The texts in which more of the value is left than quotes and brackets, as lines for a report. */
export function leaks(vectors: readonly Vector[]): readonly string[] {
  return vectors.flatMap(({ value, texts }) =>
    Object.entries(texts).flatMap(([text, names]) => {
      const rest = redact(text, [new Secret(value)]).replaceAll('[secret]', '');
      const isQuotes = /^[[\]\s"'`\\$b=]{0,6}$/.test(rest);
      return isQuotes ? [] : [`${names}: ${JSON.stringify(value)} is left as ${JSON.stringify(rest)}`];
    }),
  );
}

/** The vectors of the file. */
export function readVectors(): readonly Vector[] {
  return JSON.parse(readFileSync(VECTORS, 'utf8')) as readonly Vector[];
}

/** As they are in the file. */
export function vectorsText(vectors: readonly Vector[]): string {
  return `[\n${vectors.map((vector) => JSON.stringify(vector)).join(',\n')}\n]\n`;
}

/** How many values the file has. */
export const COUNT = 48;

if (import.meta.main) {
  const missing: string[] = [];
  const vectors = encode(valuesOf(SEED, COUNT), (program) => missing.push(program));
  if (missing.length > 0) throw new Error(`not installed here: ${missing.join(', ')}`);
  writeFileSync(VECTORS, vectorsText(vectors));
}
