/**
 * Lets the pages of the program go with a short process.
 *
 * At the end of a process the kernel marks the pages of the files that it had mapped as accessed. After two or three workers
 * 41 MiB of the program would count as active memory of the container, which the kubelet adds to its working set. Pages that are
 * advised as read at random are not marked.
 */

import { readFileSync } from 'node:fs';

/** Call it right before the end of a process that another one starts again and again. */
export function releasePages(): void {
  try {
    const { dlopen } = process.getBuiltinModule('node:ffi');
    const { functions } = dlopen(null, { madvise: { arguments: ['u64', 'u64', 'i32'], return: 'i32' } });
    for (const [start, end] of mappings(readFileSync('/proc/self/maps', 'latin1')))
      functions.madvise(start, end - start, MADV_RANDOM);
  } catch {
    // Without node:ffi, or without /proc, the container's working set is larger.
  }
}

/** sys/mman.h */
const MADV_RANDOM = 1;

/** The ranges of memory that hold files, from the text of /proc/self/maps. */
export function mappings(maps: string): readonly (readonly [start: bigint, end: bigint])[] {
  return [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ [1-9]\d*\s+\/\S/gm)].map(
    ([, start, end]) => [BigInt(`0x${start}`), BigInt(`0x${end}`)],
  );
}
