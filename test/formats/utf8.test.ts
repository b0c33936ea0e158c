/** Bytes that are not UTF-8; each row confirmed against Go. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { utf8Text } from '../../src/formats/utf8.ts';

for (const [bytes, text] of [
  [[0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80], 'aé€😀'],
  [[0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
  [[0x61, 0xff, 0x62], 'a\ufffdb'],
  // Cut short: Go makes one of every byte, where TextDecoder makes one of them all.
  [[0xe2, 0x82], '\ufffd\ufffd'],
  [[0xe2, 0x82, 0x61], '\ufffd\ufffda'],
  [[0xf0, 0x9f, 0x98], '\ufffd\ufffd\ufffd'],
  // A surrogate, an overlong form, and one beyond Unicode.
  [[0xed, 0xa0, 0x80], '\ufffd\ufffd\ufffd'],
  [[0xc0, 0xaf], '\ufffd\ufffd'],
  [[0xf4, 0x90, 0x80, 0x80], '\ufffd\ufffd\ufffd\ufffd'],
  [[0x80, 0xc3, 0xa9], '\ufffdé'],
] as const) {
  test(`${bytes.map((byte) => byte.toString(16)).join(' ')} is ${JSON.stringify(text)}`, () => {
    assert.is(utf8Text(Uint8Array.from(bytes)), text);
  });
}

test.run();
