/**
 * Makes the memory of this process unreadable for other processes of the same user, and keeps it out of core dumps.
 *
 * A process that aborts, for example because V8 finds no memory, would otherwise write its values to wherever the node stores core
 * dumps. A debugger in a shared PID namespace could attach to it. Root of the node can still read it. A program that this process
 * starts, or becomes, is not affected.
 */

/** Call it before the first value is in memory. */
export function hideMemory(): void {
  try {
    const { dlopen } = process.getBuiltinModule('node:ffi');
    const { functions } = dlopen(null, {
      prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
    });
    functions.prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n);
  } catch {
    // Without node:ffi (Node 24) the memory stays readable.
  }
}

/** linux/prctl.h */
const PR_SET_DUMPABLE = 4;
