/**
 * The meaning of a YAML scalar, by the rules of the AWS provider's parser.
 *
 * That parser is Go's yaml.v2: YAML 1.1 with its own exceptions (base 60 numbers and dates stay text, `y` is true, floats
 * are written back with the precision of 32 bits). The rules are table-tested against the Go original.
 */

import { utf8Text } from './utf8.ts';

/** The value of a scalar. `text` is its conversion to text: `31` for `0x1F`, `true` for `yes`. */
export type ScalarMeaning =
  | { readonly type: 'null' }
  | { readonly type: 'text' | 'boolean'; readonly text: string }
  | { readonly type: 'number'; readonly kind: 'integer' | 'float' | 'infinite'; readonly text: string }
  | { readonly type: 'invalid'; readonly expected: string };

/** The meaning of a scalar without quotes and without a tag. */
export function plainScalar(written: string): ScalarMeaning {
  const word = words.get(written);
  if (word !== undefined) return word;
  const first = written[0] ?? '';
  if (first === '.') return dotNumber(written);
  if (/[-+0-9]/.test(first)) return signedNumber(written);
  return { type: 'text', text: written };
}

/** The meaning of a scalar with a tag, such as `!!int "3"`. Tags that are not YAML's own leave the text unchanged. */
export function taggedScalar(tag: string, written: string): ScalarMeaning {
  const kind = tag.startsWith(YAML_TAG) ? tag.slice(YAML_TAG.length) : undefined;
  switch (kind) {
    case 'binary':
      return binary(written);
    case 'timestamp':
      return TIMESTAMP.test(written)
        ? { type: 'text', text: written }
        : { type: 'invalid', expected: 'a timestamp' };
    case 'null':
    case 'bool':
    case 'int':
    case 'float': {
      const meaning = plainScalar(written);
      const type = kind === 'bool' ? 'boolean' : kind === 'null' ? 'null' : 'number';
      if (meaning.type !== type) return { type: 'invalid', expected: `a value of the tag !!${kind}` };
      if (meaning.type !== 'number') return meaning;
      if (kind === 'float') return meaning.kind === 'integer' ? float(Number(meaning.text)) : meaning;
      return meaning.kind === 'integer' ? meaning : { type: 'invalid', expected: 'an integer' };
    }
    default:
      return { type: 'text', text: written };
  }
}

const YAML_TAG = 'tag:yaml.org,2002:';
const TIMESTAMP =
  /^\d{4}-\d{1,2}-\d{1,2}([Tt]\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?(Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?)?$/;

const words = new Map<string, ScalarMeaning>();
for (const word of ['', '~', 'null', 'Null', 'NULL']) words.set(word, { type: 'null' });
for (const word of 'y Y yes Yes YES true True TRUE on On ON'.split(' '))
  words.set(word, { type: 'boolean', text: 'true' });
for (const word of 'n N no No NO false False FALSE off Off OFF'.split(' '))
  words.set(word, { type: 'boolean', text: 'false' });
for (const word of ['.nan', '.NaN', '.NAN']) words.set(word, float(Number.NaN));
for (const word of ['.inf', '.Inf', '.INF'])
  for (const sign of ['', '+', '-'])
    words.set(sign + word, float(sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY));

/** A number that begins with a dot may have underscores between digits; in others, underscores are dropped anywhere. */
function dotNumber(written: string): ScalarMeaning {
  const digits = /^\.\d+(_\d+)*([eE][-+]?\d+(_\d+)*)?$/.test(written) ? written.replaceAll('_', '') : '';
  const value = Number(digits);
  return digits !== '' && Number.isFinite(value) ? float(value) : { type: 'text', text: written };
}

function signedNumber(written: string): ScalarMeaning {
  const plain = written.replaceAll('_', '');
  const integer = readInteger(plain);
  if (integer !== undefined) return { type: 'number', kind: 'integer', text: integer.toString() };
  if (/^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(plain)) {
    const value = Number(plain);
    if (Number.isFinite(value)) return float(value);
  }
  return { type: 'text', text: written };
}

/** Prefixes as in Go source: `0x`, `0o`, `0b`, and a leading zero for octal. From -2^63 to 2^64 - 1. */
function readInteger(plain: string): bigint | undefined {
  const match =
    /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]([0-7]+)|0[bB]([01]+)|0([0-7]+)|(0|[1-9]\d*))$/.exec(plain) ??
    // Binary numbers may have their sign after the prefix: a bug of yaml.v2.
    /^0b([-+])()()([01]+)$/.exec(plain);
  if (match === null) return undefined;
  const [, sign, hex, octal, binary, zero, decimal] = match;
  const size = BigInt(
    hex ? `0x${hex}` : octal || zero ? `0o${octal || zero}` : binary ? `0b${binary}` : (decimal ?? '0'),
  );
  const value = sign === '-' ? -size : size;
  const most = sign === '' ? 2n ** 64n - 1n : 2n ** 63n - 1n;
  return value >= -(2n ** 63n) && value <= most ? value : undefined;
}

function float(value: number): ScalarMeaning {
  return { type: 'number', kind: Number.isFinite(value) ? 'float' : 'infinite', text: float32Text(value) };
}

/**
 * The shortest decimal that reads back as the same 32-bit float, as Go prints it; with an exponent below 1e-4 and from 1e6
 * on.
 */
function float32Text(value: number): string {
  const single = Math.fround(value);
  if (Number.isNaN(single)) return 'NaN';
  if (!Number.isFinite(single)) return single > 0 ? '+Inf' : '-Inf';
  if (single === 0) return Object.is(single, -0) ? '-0' : '0';
  // 9 significant digits distinguish any two 32-bit floats.
  let text = single.toExponential(8);
  for (let precision = 0; precision < 8; precision++) {
    const shorter = roundedToEven(single, precision);
    if (Math.fround(Number(shorter)) === single) {
      text = shorter;
      break;
    }
  }
  const [mantissa = '', power = '0'] = text.split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return plainDecimal(mantissa, exponent);
  const size = Math.abs(exponent).toString().padStart(2, '0');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${size}`;
}

/** `toExponential`, which rounds a tie up, with ties rounded to the even digit as in Go: 2501832.25 is 2.5018322e6. */
function roundedToEven(value: number, precision: number): string {
  const text = value.toExponential(precision);
  // All digits of the value: a 32-bit float has at most 112 significant ones, and a tie has one more than the precision.
  const exact = value
    .toExponential(100)
    .replace(/^-?(\d)\./, '$1')
    .replace(/e.*/, '');
  const isTie = /^50*$/.test(exact.slice(precision + 1));
  const [, head = '', digit = '', exponent = ''] = /^(.*)(\d)(e.*)$/.exec(text) ?? [];
  // An odd digit was rounded up from the even one below it, so it is not 0.
  return isTie && Number(digit) % 2 === 1 ? `${head}${Number(digit) - 1}${exponent}` : text;
}

function plainDecimal(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const rest = digits.slice(exponent + 1);
  return rest === '' ? sign + whole : `${sign}${whole}.${rest}`;
}

function binary(written: string): ScalarMeaning {
  const packed = written.replace(/[\r\n]/g, '');
  const whole = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(packed);
  if (!whole) return { type: 'invalid', expected: 'base64' };
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  return { type: 'text', text: utf8Text(bytes) };
}
