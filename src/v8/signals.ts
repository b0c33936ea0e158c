/**
 * The signals of this process: whether one is delivered, and to which listener.
 */

/** Replaces all listeners of a signal. No signal is lost: one that has arrived but was not handled yet goes to the new listener. */
export function replaceListeners(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): void {
  const replaced = process.listeners(signal);
  // First, because Node drops what has arrived when it removes the last listener.
  process.on(signal, () => listener(signal));
  for (const one of replaced) process.removeListener(signal, one);
}

/** Node blocks SIGUSR1 when it runs without its debugger: it would stay pending, for the next program too. */
export function unblockSignals(): void {
  try {
    const { dlopen } = process.getBuiltinModule('node:ffi');
    const { functions } = dlopen(null, {
      sigprocmask: { arguments: ['i32', 'pointer', 'pointer'], return: 'i32' },
    });
    functions.sigprocmask(SIG_SETMASK, new Uint8Array(SIGSET_SIZE), null);
  } catch {
    // Without node:ffi, Node runs with its debugger and blocks no signal.
  }
}

const SIG_SETMASK = 2;
/** Bytes of sigset_t, in glibc and musl. */
const SIGSET_SIZE = 128;
