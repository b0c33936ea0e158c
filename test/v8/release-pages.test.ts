import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mappings } from '../../src/v8/release-pages.ts';

test('finds the mappings of files only', () => {
  const maps = `00400000-0109d000 r--p 00000000 fe:00 1234                       /podsecrets/podsecrets
0109d000-03000000 r-xp 00c9d000 fe:00 1234                       /podsecrets/podsecrets
7f0000000000-7f0000021000 rw-p 00000000 00:00 0
7f1000000000-7f1000001000 r--p 00000000 fe:00 99 /lib/libc.so.6
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
`;
  assert.equal(mappings(maps), [
    [0x400000n, 0x109d000n],
    [0x109d000n, 0x3000000n],
    [0x7f1000000000n, 0x7f1000001000n],
  ]);
});

test.run();
