/** Changes an input at random: ranges, characters, tokens and lines, and parts of other inputs. */

import { seededRandom } from '../fake-aws/random.ts';

/** Draws numbers; the same seed draws the same. */
export interface Draw {
  below(count: number): number;
  from<T>(list: readonly T[]): T;
}

export function drawFrom(seed: number): Draw {
  const random = seededRandom(seed);
  const below = (count: number): number => Math.floor(random() * count);
  return { below, from: (list) => list[below(list.length)] as (typeof list)[number] };
}

/** Bytes. Longer inputs are cut: most faults have short inputs, and an execution takes time for each byte. */
const LONGEST = 8192;

/** One to four changes; `others` are inputs to take parts from. */
export function mutate(
  input: string,
  draw: Draw,
  dictionary: readonly string[],
  others: readonly string[],
): string {
  let text = input;
  for (let left = 1 + draw.below(4); left > 0; left--) text = changed(text, draw, dictionary, others);
  return text.slice(0, LONGEST);
}

function changed(text: string, draw: Draw, dictionary: readonly string[], others: readonly string[]): string {
  const at = draw.below(text.length + 1);
  const short = at + draw.below(8);
  const long = at + draw.below(text.length - at + 1);
  const byte = String.fromCharCode(draw.below(256));
  switch (draw.below(11)) {
    case 0:
      return text.slice(0, at) + text.slice(short);
    case 1:
      return text.slice(0, at) + text.slice(long);
    case 2:
      return text.slice(0, long) + text.slice(at);
    case 3:
      return text.slice(0, at) + byte + text.slice(at + 1);
    case 4:
      return text.slice(0, at) + byte.repeat(1 + draw.below(64)) + text.slice(at);
    case 5:
      return text.slice(0, at) + draw.from(dictionary) + text.slice(at);
    case 6: {
      const other = draw.from(others);
      return text.slice(0, at) + other.slice(draw.below(other.length + 1));
    }
    case 7:
      return withLine(text, draw);
    default:
      return withToken(text, draw, dictionary);
  }
}

/** A string, a word or a sign of JSON, YAML, XML and HTTP. */
const TOKEN = /"(?:[^"\\\n]|\\.)*"|[\w./-]+|[^\s\w]/g;

/** One token becomes another one of the text, a word of the dictionary, or nothing. */
function withToken(text: string, draw: Draw, dictionary: readonly string[]): string {
  const tokens = [...text.matchAll(TOKEN)];
  if (tokens.length === 0) return draw.from(dictionary);
  const { index, 0: old } = draw.from(tokens);
  const replacement = draw.from([draw.from(tokens)[0], draw.from(dictionary), draw.from(dictionary), '']);
  return text.slice(0, index) + replacement + text.slice(index + old.length);
}

/** One line is removed, doubled, moved or indented. */
function withLine(text: string, draw: Draw): string {
  const lines = text.split('\n');
  const at = draw.below(lines.length);
  const line = lines[at] ?? '';
  const kind = draw.below(4);
  if (kind === 0) lines.splice(at, 1);
  else if (kind === 1) lines.splice(at, 0, line);
  else if (kind === 2) lines.splice(draw.below(lines.length), 0, ...lines.splice(at, 1));
  else lines[at] = `${' '.repeat(draw.below(5))}${line.trimStart()}`;
  return lines.join('\n');
}
