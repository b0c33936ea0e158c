/**
 * Ends the process at once, although a thread of Node's pool is still busy.
 *
 * `process.exit` waits for those threads. A thread that asks a name server which never answers takes as long as resolv.conf
 * says, 5 to 30 s for each lookup, and nothing can cancel it: SIGTERM and `--start-timeout` would be delayed by as much. A
 * signal to itself does not help: the kernel ignores it for process 1, and in its container this program is process 1.
 */

/**
 * Never returns if `active`, the resources that keep Node's event loop alive, includes work on a thread: exits with the code.
 */
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

/** DNS lookups, and files on a disk that does not respond. */
const ON_A_THREAD = /^(GetAddrInfo|GetNameInfo|FS)Req/;
