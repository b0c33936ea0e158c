/**
 * Ends the process at once, although a thread of Node's pool still works.
 *
 * `process.exit` waits for those threads. A thread that asks a name server which never answers takes as long as resolv.conf
 * says, 5 to 30 s for each lookup, and nothing can cancel it: SIGTERM and `--start-timeout` would be late by as much.
 * A signal to oneself is no way out: the kernel ignores it for process 1, and in its container this program is process 1.
 */

/** Never returns if `active`, the names of what keeps Node's event loop, holds work of a thread: ends with the exit code. */
export function endDespiteThreads(code: number, active: readonly string[]): void {
  if (!active.some((name) => ON_A_THREAD.test(name))) return;
  try {
    // Loaded only here: it costs 0.7 ms, and hardly any run needs it.
    const { dlopen } = process.getBuiltinModule('node:ffi');
    const { functions } = dlopen(null, { _exit: { arguments: ['i32'], return: 'void' } });
    functions._exit(code);
  } catch {
    // A Node without foreign functions waits for the threads.
  }
}

/** Lookups of names, and files on a disk that does not answer. */
const ON_A_THREAD = /^(GetAddrInfo|GetNameInfo|FS)Req/;
