import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Secret } from '../../src/core/secret.ts';
import { redact } from '../../src/notify/redact.ts';

const test = suite('redact');
const password = 'hunter2-correct/horse+"battery"\\staple';
const base64 = (text: string) => Buffer.from(text).toString('base64');

const cases: readonly (readonly [string, string, string, string])[] = [
  ['as it is', password, `login ${password} failed`, 'login [secret] failed'],
  ['without the line feed it ends with', `${password}\n`, `got ${password}.`, 'got [secret].'],
  ['as JSON text', password, JSON.stringify({ password }), '{"password":"[secret]"}'],
  ['percent-encoded', password, `GET /?p=${encodeURIComponent(password)}`, 'GET /?p=[secret]'],
  ['in base64', password, `Basic ${base64(password)}`, 'Basic [secret]'],
  ['in base64 for URLs', 'a>>>b???c', 'YT4-PmI_Pz9j', '[secret]'],
  ['in hex', password, Buffer.from(password).toString('hex').toUpperCase(), '[secret]'],
  ['a line of it', '-----BEGIN-----\r\nMIIEvQIBADAN\nxyzw==\n', '! MIIEvQIBADAN', '! [secret]'],
  ['a field of it', '{"user":"admin","db":[{"password":"pa55word"}]}', 'bad pa55word', 'bad [secret]'],
  ['a number in it', '{"pin":271828}', 'pin 271828', 'pin [secret]'],
  ['a line of a field of it', JSON.stringify({ key: 'BEGIN\nMIIEvQ\nEND' }), '> MIIEvQ', '> [secret]'],
  ['a field of it in base64', '{"password":"pa55word"}', base64('pa55word'), '[secret]'],
  ['what only looks like JSON', '{pa55word}', 'got {pa55word}', 'got [secret]'],
  ['the longer one of two', 'secret-long-value', 'secret-long-value', '[secret]'],
  [
    'with all that means something to a pattern',
    'a.*+?^$ {}()|[]\\/-b',
    'x a.*+?^$ {}()|[]\\/-b',
    'x [secret]',
  ],
];
for (const [name, value, text, expected] of cases) {
  test(`redacts: ${name}`, () => {
    assert.is(redact(text, [new Secret('secret-long'), new Secret(value)]), expected);
  });
}

test('redacts bytes that are not text', () => {
  const bytes = new Uint8Array([0, 255, 128, 7, 9]);
  const text = `${Buffer.from(bytes).toString('base64')} ${Buffer.from(bytes).toString('hex')} ${Buffer.from(bytes).toString()}`;
  assert.is(redact(text, [new Secret(bytes)]), '[secret] [secret] [secret]');
});

test('redacts a short value where it stands alone, but not within words', () => {
  assert.is(
    redact('pin: 123, port 1234, "123"', [new Secret('123')]),
    'pin: [secret], port 1234, "[secret]"',
  );
  assert.is(redact('a cat and a dog', [new Secret('a')]), '[secret] cat and [secret] dog');
});

test('the syntax of a JSON value is not redacted', () => {
  assert.is(redact('{ "ok": [ ] }', [new Secret('{\n  "a": [\n ]\n}\n')]), '{ "ok": [ ] }');
});

test('redacts overlapping values completely', () => {
  assert.is(redact('x abcdefgh y', [new Secret('abcdef'), new Secret('defgh')]), 'x [secret] y');
});

test('redacts a very large value of any characters', () => {
  const large = '(a+)+$[z'.repeat(8_192);
  assert.is(redact(`1${large}2`, [new Secret(large)]), '1[secret]2');
  const same = 'a'.repeat(65_536);
  assert.is(redact(same.repeat(3), [new Secret(same)]), '[secret][secret][secret]');
});

test('redacts a long value in any escape', () => {
  const value = 'ab/c+d=e\'f"g<h '.repeat(50);
  const programs: readonly ((text: string) => string)[] = [
    // Python's quote, with the digits of other programs.
    (text) => encodeURIComponent(text).replaceAll('%2F', '/').toLowerCase(),
    // PHP.
    (text) => JSON.stringify(text).replaceAll('/', '\\/'),
    // Go's html/template.
    (text) => text.replace(/[+"'<]/g, (character) => `&#${character.charCodeAt(0)};`),
    (text) => text.replaceAll("'", "'\\''"),
  ];
  for (const print of programs) {
    const text = print(value);
    assert.match(redact(`got ${text}.`, [new Secret(value)]), /^got "?\[secret\]"?\.$/, text.slice(0, 40));
  }
});

test('a text with too many parts that are nearly a value is redacted completely', () => {
  const value = `${'a'.repeat(65_536)}b`;
  assert.is(redact(`x ${'a'.repeat(160_000)} y`, [new Secret(value)]), '[secret]');
});

test('returns a text without values unchanged', () => {
  assert.is(
    redact('reload: [secret] not found', [new Secret('other'), new Secret('')]),
    'reload: [secret] not found',
  );
});

test('redacts any value of some length at any position', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 4, unit: 'grapheme' }),
      fc.string(),
      fc.string(),
      (value, before, after) => {
        fc.pre(!'[secret]'.includes(value) && !(before + after).includes(value));
        assert.not.match(redact(`${before} ${value} ${after}`, [new Secret(value)]), value);
      },
    ),
  );
});

test('redacts a value in a random mix of escapes', () => {
  let seed = 42;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const escapes: readonly ((character: string) => string)[] = [
    (c) => c,
    (c) => Array.from(new TextEncoder().encode(c), (b) => `%${b.toString(16).padStart(2, '0')}`).join(''),
    (c) => encodeURIComponent(c),
    (c) => JSON.stringify(c).slice(1, -1),
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
    (c) => `&#${c.charCodeAt(0)};`,
    (c) => `&#x${c.charCodeAt(0).toString(16)};`,
    (c) => c.replace("'", "'\\''"),
    (c) => c.replace('&', '&amp;').replace('<', '&lt;').replace('"', '&quot;'),
    (c) => c.replace(/[^a-z]/, '\\$&').replace(/\\(?=[\wä])/, ''),
  ];
  const alphabet = [...'ab1!\'()*+/\\"&<> %ä\n'];
  for (let round = 0; round < 2000; round++) {
    const value = Array.from({ length: 6 + random(10) }, () => alphabet[random(alphabet.length)] ?? 'a').join(
      '',
    );
    const printed = [...value].map((c) => escapes[random(escapes.length)]?.(c) ?? c).join('');
    const shown = redact(`before [${printed}] after`, [new Secret(value)]);
    assert.is(shown, 'before [[secret]] after', JSON.stringify({ value, printed }));
  }
});

test('redacts the password in base64 of user:password', () => {
  for (const user of ['a', 'ab', 'abc']) {
    const header = Buffer.from(`${user}:hunter22-long`).toString('base64');
    assert.not.match(
      redact(`Authorization: Basic ${header}`, [new Secret('hunter22-long')]),
      header.slice(6),
    );
  }
});

test.run();
