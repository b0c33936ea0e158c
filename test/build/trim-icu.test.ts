import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trimIcu } from '../../src/build/trim-icu.ts';
import { binary } from '../support/program.ts';

/** Each item with its content; the end of the last one is not recorded. */
const ITEMS: Readonly<Record<string, string>> = {
  'brkitr/char.brk': 'graphemes',
  'brkitr/thaidict.dict': 'words',
  'cnvalias.icu': 'names of character sets',
  'coll/de__PHONEBOOK.res': 'order of a telephone book',
  'coll/res_index.res': 'which locales there are',
  'coll/root.res': 'order',
  'coll/ucadata.icu': 'order of everything',
  'en.res': 'English',
  'en_GB.res': 'English of Britain',
  'en_US.res': 'English of America',
  'ibm-37_P100-1995.cnv': 'EBCDIC',
  'nfkc.nrm': 'compatibility',
  'root.res': 'all languages',
  'translit/root.res': 'other letters',
  'uemoji.icu': 'emoji',
  'unames.icu': 'names of characters',
  'uts46.nrm': 'hosts',
  'zoneinfo64.res': 'time zones, and the last of those that stay',
  'zu.res': 'Zulu',
};
const STAY = Object.keys(ITEMS).filter(
  (name) => !/_PHONEBOOK|_GB|dict|\.cnv|translit|unames|zu\.res/.test(name),
);

test('removes unused data, and changes neither used data nor offsets', () => {
  const executable = withArchive(archive(ITEMS));
  const trimmed = trimIcu(executable);
  assert.is(trimmed.length, executable.length);
  assert.equal(
    read(trimmed),
    STAY.map((name) => [name, ITEMS[name]]),
  );
  assert.ok(trimmed.indexOf('icudt78l/zoneinfo64.res~\0') > 0, 'the last one has an end');
  for (const word of ['telephone', 'Britain', 'EBCDIC', 'other letters', 'thaidict'])
    assert.is(trimmed.indexOf(word), -1, word);
  assert.ok(trimmed.subarray(0, BEFORE.length).equals(BEFORE));
  assert.ok(trimmed.subarray(-AFTER.length).equals(AFTER));
});

test('does not change the input executable', () => {
  const executable = withArchive(archive(ITEMS));
  const before = Buffer.from(executable);
  trimIcu(executable);
  assert.ok(executable.equals(before));
});

/** As many bytes as the header of the archive, from its start. */
const HEADER = 32;

const odd: readonly (readonly [what: string, executable: () => Buffer, expected: RegExp])[] = [
  ['without an archive', () => Buffer.from('no Node at all'), /one archive/],
  ['with two', () => withArchive(Buffer.concat([archive(ITEMS), archive(ITEMS)])), /one archive/],
  ['of the other byte order', () => changed((bytes) => bytes.writeUInt8(1, 8)), /one archive/],
  ['of another version', () => changed((bytes) => bytes.writeUInt8(2, 16)), /one archive/],
  ['with a longer table', () => changed((bytes) => bytes.writeUInt32LE(20, HEADER)), /names right after/],
  [
    'out of order',
    () => withArchive(archive({ ...without('en.res'), 'en.res': 'English' })),
    /en\.res in its order/,
  ],
  [
    'with an item that is no data',
    () => changed((bytes) => bytes.fill(0, bytes.indexOf('EBCDIC') - 30, bytes.indexOf('EBCDIC'))),
    /data as icudt78l\/ibm-37/,
  ],
  ['with other names', () => withArchive(archive(ITEMS, 'data')), /a name of ICU's data, got data\//],
  [
    'without what is used',
    () => withArchive(archive(without('uts46.nrm'))),
    /uts46\.nrm, and that it is used/,
  ],
  ['without what is to go', () => withArchive(archive(without('unames.icu'))), /an item like .*unames/],
  [
    'that ends with what stays',
    () => withArchive(archive(without('zu.res'))),
    /last item to be an unused one/,
  ],
  ['trimmed before', () => trimIcu(withArchive(archive(ITEMS))), /data as icudt78l\/zoneinfo64\.res~/],
];

for (const [what, executable, expected] of odd) {
  test(`an executable ${what} fails the build`, () => {
    assert.throws(() => trimIcu(executable()), expected);
  });
}

/** Expressions whose results must not change. */
const EXPRESSIONS: readonly string[] = [
  `[...new Intl.Segmenter().segment('a🇩🇪👨‍👩‍👧e\\u0301\\r\\n한')].map(({ segment }) => segment)`,
  `[...new Intl.Segmenter('en', { granularity: 'word' }).segment('It can’t be 32.3 (feet)')].map(({ segment }) => segment)`,
  `['z', 'ä', 'a', 'B', 'é', '10', '9', 'ß', '中', 'い', 'я'].sort((a, b) => a.localeCompare(b))`,
  `['a10', 'a2'].sort(new Intl.Collator('en', { numeric: true }).compare)`,
  `['NFC', 'NFD', 'NFKC', 'NFKD'].map((form) => 'ﬁÅ①한é\\u1e9b\\u0323'.normalize(form))`,
  `['http://münchen.example', 'http://日本語.jp', 'http://faß.de', 'http://ＧＯ.com'].map((url) => new URL(url).host)`,
  `require('node:url').domainToUnicode('xn--mnchen-3ya.example')`,
  `['utf-8', 'utf-16le', 'utf-16be', 'latin1', 'windows-1252'].map((name) => new TextDecoder(name).decode(Buffer.from([65, 233, 128, 66, 0, 67])))`,
  `require('node:buffer').transcode(Buffer.from('€é'), 'utf8', 'latin1').toString('hex')`,
  `[/\\p{L}+/u.exec('日本é!')[0], /\\p{Script_Extensions=Greek}/u.test('\\u0342'), /^\\p{RGI_Emoji}$/v.test('👨‍👩‍👧'), /[\\p{L}--[a-z]]/v.test('é')]`,
  `[/\\u212a/iu.test('k'), /σ/i.test('ς'), /İ/iu.test('i')]`,
  `['iI'.toLocaleUpperCase('tr'), 'Iİ'.toLocaleLowerCase('tr'), 'ΆΈ'.toLocaleUpperCase('el'), 'ΑΣ'.toLowerCase(), 'ß'.toUpperCase()]`,
  `[new Date(1.7e12).toString(), new Date(1.7e12).toLocaleString(), new Intl.DateTimeFormat('en').format(1.7e12)]`,
  `new Date(1.7e12).toLocaleString('en', { timeZone: 'Asia/Tokyo', dateStyle: 'full', timeStyle: 'full' })`,
  `[(1234567.891).toLocaleString(), (5).toLocaleString('en', { style: 'unit', unit: 'megabyte', unitDisplay: 'long' })]`,
  `new Intl.PluralRules('en', { type: 'ordinal' }).select(2)`,
  `new Intl.DisplayNames('en', { type: 'region' }).of('DE')`,
  `new Intl.Locale('zh-TW').maximize().toString()`,
  `Intl.supportedValuesOf('timeZone').length`,
  `Temporal.Instant.from('2026-11-25T00:00Z').toZonedDateTimeISO('Europe/Berlin').toString()`,
];

/** In other languages: only whether there is a result. */
const ELSEWHERE = `['de', 'sv-SE', 'ja-JP-u-ca-japanese', 'zh-Hant-TW', 'ar-EG', 'th-TH-u-nu-thai', 'sr-Latn-ME', 'xx'].map((locale) => [
  new Date(1.7e12).toLocaleString(locale, { dateStyle: 'full', timeStyle: 'full' }),
  (1234.5).toLocaleString(locale, { style: 'currency', currency: 'EUR', currencyDisplay: 'name' }),
  (12345).toLocaleString(locale, { notation: 'compact' }),
  new Intl.Collator(locale).compare('a', 'b'),
  new Intl.PluralRules(locale).select(3),
  new Intl.RelativeTimeFormat(locale).format(-3, 'month'),
  new Intl.ListFormat(locale).format(['a', 'b']),
  new Intl.DisplayNames(locale, { type: 'language' }).of('fr'),
  new Intl.DurationFormat(locale, { style: 'long' }).format({ hours: 1 }),
  [...new Intl.Segmenter(locale, { granularity: 'word' }).segment('ภาษาไทย 日本語の文章')].length,
].every((value) => value !== undefined && value !== '')).every(Boolean)`;

test('Node without the data runs the same JavaScript, with English instead of other languages', () => {
  const directory = mkdtempSync(join(tmpdir(), 'podsecrets-trim-'));
  try {
    const trimmed = join(directory, 'node');
    writeFileSync(trimmed, trimIcu(readFileSync(process.execPath)), { mode: 0o755 });
    const script = `[${EXPRESSIONS.join(',\n')}]`;
    assert.equal(evaluated(trimmed, script, 'C'), evaluated(process.execPath, script, 'C'));
    for (const locale of ['C', 'sv_SE.UTF-8', 'ja_JP.UTF-8', 'nonsense'])
      assert.is(evaluated(trimmed, ELSEWHERE, locale), true, locale);
    // What is sorted here does not depend on the container's locale: Swedish sorts ä after z.
    assert.equal(evaluated(trimmed, `'ä'.localeCompare('z')`, 'sv_SE.UTF-8'), -1);
    assert.equal(evaluated(process.execPath, `'ä'.localeCompare('z')`, 'sv_SE.UTF-8'), 1);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the program contains such a Node', () => {
  const program = readFileSync(binary);
  assert.ok(program.includes('l/coll/root.res\0'));
  assert.not.ok(program.includes('l/coll/ja.res\0'));
});

function evaluated(node: string, script: string, locale: string): unknown {
  const text = execFileSync(node, ['-p', `JSON.stringify(${script})`], {
    env: { LC_ALL: locale, TZ: 'UTC' },
    encoding: 'utf8',
  });
  return JSON.parse(text);
}

const BEFORE = Buffer.from('code before, and then some\0\0\0\0\0\0');
const AFTER = Buffer.from('\0\0\0and code after it');

function withArchive(bytes: Buffer): Buffer {
  return Buffer.concat([BEFORE, bytes, AFTER]);
}

function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = archive(ITEMS);
  change(bytes);
  return withArchive(bytes);
}

function without(name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(ITEMS).filter(([other]) => other !== name));
}

/** An archive as ICU 78 writes it: header, count, offsets of names and items, names, items. */
function archive(items: Readonly<Record<string, string>>, name = 'icudt78l'): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt16LE(HEADER);
  header.write('\xda\x27\x14\0\0\0\0\0\x02\0CmnD\x01\0\0\0', 2, 'latin1');
  const names = Object.keys(items).map((item) => Buffer.from(`${name}/${item}\0`));
  const datas = Object.values(items).map(data);
  const table = 4 + names.length * 8;
  const namesEnd = table + Buffer.concat(names).length;
  const begin = Math.ceil(namesEnd / 16) * 16;
  const offsets = [names.length];
  let [ofName, ofData] = [table, begin];
  for (const [n, bytes] of datas.entries()) {
    offsets.push(ofName, ofData);
    ofName += names[n]?.length ?? 0;
    ofData += bytes.length;
  }
  return Buffer.concat([
    header,
    Buffer.from(Uint32Array.from(offsets).buffer),
    ...names,
    Buffer.alloc(begin - namesEnd),
    ...datas,
  ]);
}

/** Text as an item of ICU data: a header, the text, and padding to the alignment. */
function data(text: string): Buffer {
  const bytes = Buffer.alloc(16 + Math.ceil(text.length / 16) * 16);
  bytes.writeUInt16LE(16);
  bytes.write('\xda\x27', 2, 'latin1');
  bytes.write(text, 16);
  return bytes;
}

/** Names and texts of the items in the table, without the end item. */
function read(executable: Buffer): readonly (readonly [name: string, text: string])[] {
  const bytes = executable.subarray(BEFORE.length + HEADER);
  const number = (at: number) => bytes.readUInt32LE(at);
  return Array.from({ length: number(0) - 1 }, (_, n) => {
    const [name, begin, end] = [number(4 + 8 * n), number(8 + 8 * n), number(16 + 8 * n)];
    const text = bytes
      .subarray(begin + 16, end)
      .toString()
      .replace(/\0+$/, '');
    return [bytes.toString('utf8', name + 'icudt78l/'.length, bytes.indexOf(0, name)), text];
  });
}

test.run();
