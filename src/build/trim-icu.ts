/**
 * Removes the data of other languages from a Node executable: most of ICU, which is 33 of its 116 MB.
 *
 * Zeros replace it, and nothing else moves. The result behaves like a Node built with `small-icu`: other locales fall back to
 * the root, and TextDecoder rejects GB 18030, Shift_JIS and the like.
 *
 * The data is one archive (ICU's ucmndata.h): a header, a table, the names, the items. The table is a count and for each
 * item, sorted by name, where its name and its bytes begin, from the table's start. Any other layout fails the build.
 */

/** Items to remove; all others stay. */
const UNUSED: readonly RegExp[] = [
  // Every locale but English and the root, in every folder: ja.res, zone/sr_Latn_ME.res.
  /^(\w+\/)?(?!(en(_US\w*)?|res_index)\.res$)[a-z]{2,3}(_\w*)?\.res$/,
  // Tables of character sets; Unicode's and the Western ones need none.
  /\.cnv$/,
  // Dictionaries that find words where they are written without spaces.
  /^brkitr\/\w+\.dict$/,
  // Transliterations and the names of characters: JavaScript has neither.
  /^translit\//,
  /^unames\.icu$/,
];

/** Items that must stay, one of each kind. */
const USED: readonly string[] = [
  'root.res',
  'en.res',
  'zoneinfo64.res',
  'cnvalias.icu',
  'uemoji.icu',
  'nfkc.nrm',
  'uts46.nrm',
  'brkitr/char.brk',
  'coll/root.res',
  'coll/ucadata.icu',
];

/** All data of ICU begins with the header's length in two bytes, followed by this number. */
const MAGIC = 0x27da;
/** The rest of the archive's header: little-endian, ASCII, two bytes per character, then the kind of data and its version. */
const ARCHIVE = Buffer.from('\xda\x27\x14\0\0\0\0\0\x02\0CmnD\x01\0\0\0', 'latin1');
const LENGTH = 2;
/** Bytes of the table's count, and of an entry: two offsets. */
const COUNT = 4;
const ENTRY = 8;
const ALIGNMENT = 16;

interface Item {
  /** With its package and folder, as ICU requests it: icudt78l/coll/root.res. */
  readonly name: string;
  /** From the table's start. */
  readonly begin: number;
  /** Up to the next item. The last one has none, because its end is not recorded. */
  readonly bytes: Buffer;
}

/** The same executable without the unused data. */
export function trimIcu(executable: Buffer): Buffer {
  const trimmed = Buffer.from(executable);
  const table = tableOffset(executable);
  const items = itemsOf(executable.subarray(table));
  checkUse(items);
  // The last item's bytes stay, although the table no longer lists them.
  trimmed.fill(0, table, table + (items.at(-1)?.begin ?? 0));
  archiveOf(items.filter(isUsed)).copy(trimmed, table);
  return trimmed;
}

/** Where the table begins, in a file with one archive. */
function tableOffset(executable: Buffer): number {
  const place = executable.indexOf(ARCHIVE);
  expect(place >= 0 && executable.indexOf(ARCHIVE, place + 1) < 0, 'one archive');
  return place - LENGTH + executable.readUInt16LE(place - LENGTH);
}

function itemsOf(data: Buffer): readonly Item[] {
  const count = data.readUInt32LE(0);
  expect(data.readUInt32LE(COUNT) === COUNT + count * ENTRY, 'the names right after the table');
  const entries = Array.from({ length: count }, (_, n) => {
    const name = data.readUInt32LE(COUNT + n * ENTRY);
    const begin = data.readUInt32LE(COUNT + n * ENTRY + 4);
    return { name: data.toString('latin1', name, data.indexOf(0, name)), begin };
  });
  for (const [n, { name, begin }] of entries.entries()) {
    const before = entries[n - 1];
    expect(/^icudt\d+l\/./.test(name), `a name of ICU's data, got ${name}`);
    expect(before === undefined || (before.name < name && before.begin < begin), `${name} in its order`);
    expect(begin % ALIGNMENT === 0 && data.readUInt16LE(begin + LENGTH) === MAGIC, `data as ${name}`);
  }
  return entries.map(({ name, begin }, n) => ({
    name,
    begin,
    bytes: data.subarray(begin, entries[n + 1]?.begin ?? begin),
  }));
}

function isUsed({ name }: Item): boolean {
  return !UNUSED.some((pattern) => pattern.test(inPackage(name)));
}

/** Each pattern must match at least one item, and none of USED. */
function checkUse(items: readonly Item[]): void {
  const names = items.map(({ name }) => inPackage(name));
  for (const pattern of UNUSED) {
    expect(
      names.some((name) => pattern.test(name)),
      `an item like ${pattern}`,
    );
  }
  const used = new Set(items.filter(isUsed).map(({ name }) => inPackage(name)));
  for (const name of USED) expect(used.has(name), `${name}, and that it is used`);
  expect(!used.has(names.at(-1) ?? ''), 'the last item to be an unused one');
}

function inPackage(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

/** Table, names and items in the layout of ICU's own icupkg, and an end item. */
function archiveOf(used: readonly Item[]): Buffer {
  // The length of an item is the distance to the next one. Without an end item Temporal did not find its zones, which are the last item.
  const items = [...used, { name: `${used.at(-1)?.name}~`, bytes: Buffer.alloc(0) }];
  const names = items.map(({ name }) => Buffer.from(`${name}\0`, 'latin1'));
  const table = Buffer.alloc(COUNT + items.length * ENTRY);
  table.writeUInt32LE(items.length);
  let at = table.length;
  for (const [n, name] of names.entries()) {
    table.writeUInt32LE(at, COUNT + n * ENTRY);
    at += name.length;
  }
  const gap = Buffer.alloc(-at & (ALIGNMENT - 1), 0xaa);
  at += gap.length;
  for (const [n, { bytes }] of items.entries()) {
    table.writeUInt32LE(at, COUNT + n * ENTRY + 4);
    at += bytes.length;
  }
  return Buffer.concat([table, ...names, gap, ...items.map(({ bytes }) => bytes)]);
}

function expect(found: boolean, what: string): asserts found {
  if (!found) throw new Error(`the ICU data of this Node has an unknown layout: expected ${what}`);
}
