/**
 * The output of a hook. An input is a value on the first line, and below it an output in which `{form}` stands for the value
 * in one of the forms that programs print.
 */

import * as assert from 'uvu/assert';
import { Secret } from '../../src/core/secret.ts';
import { lastLines } from '../../src/notify/hook-output.ts';
import { redact } from '../../src/notify/redact.ts';
import { type Target, toText } from './fuzz.ts';

const forms: Readonly<Record<string, (value: string) => string>> = {
  raw: (value) => value,
  json: (value) => JSON.stringify(value).slice(1, -1),
  base64: (value) => Buffer.from(value).toString('base64'),
  base64url: (value) => Buffer.from(value).toString('base64url'),
  basic: (value) => Buffer.from(`app:${value}`).toString('base64'),
  hex: (value) => Buffer.from(value).toString('hex'),
  url: (value) => encodeURIComponent(value),
  bytes: (value) => [...Buffer.from(value)].join(', '),
};

/** Bytes. Shorter values occur by chance, and a value of one letter only in many places. */
const SHORTEST = 8;

export const hookOutputTarget: Target = {
  name: 'hook-output',
  dictionary: [
    ...Object.keys(forms).map((name) => `{${name}}`),
    ...[
      '\n',
      '\r\n',
      '\u001b[31m',
      '\\n',
      '\\u00',
      '%',
      '&amp;',
      '"',
      "'",
      '\\',
      '0x',
      '=',
      '{"a":"',
      '[1,',
      '\xe2\x80\xae',
    ],
    ...['[secret]', 'error: ', '\0', '\xc3\xa4'],
  ],
  async execute(input) {
    const [first = '', ...rest] = toText(input).split('\n');
    // A line feed in the value is written as \n.
    const value = first.trim().replaceAll('\\n', '\n').trim();
    const secrets = [new Secret(value)];
    let holds = '';
    const output = rest.join('\n').replace(/\{(\w+)\}/g, (all, name: string) => {
      const form = forms[name];
      if (form === undefined) return all;
      if (!holds.includes(name)) holds += ` ${name}`;
      return form(value);
    });
    const redacted = redact(output, secrets);
    const length = Buffer.byteLength(value);
    // With a bracket it could be a part of `[secret]` and what is next to it.
    if (length >= SHORTEST && new Set(value).size > 4 && !/[[\]]/.test(value)) {
      for (const [name, form] of Object.entries(forms))
        assert.not.match(redacted, form(value), `${name} of ${JSON.stringify(value)}`);
    }
    const shown = lastLines(redacted);
    assert.not.match(shown, /[\u0000-\u001f\u007f-\u009f\u202e]/);
    // 600 characters, each of which may be escaped as six.
    assert.ok(shown.length <= 3600, `${shown.length} characters`);
    return `${redacted === output ? 'nothing' : 'something'}${holds} ${Math.min(3, Math.floor(length / 8))}`;
  },
};
