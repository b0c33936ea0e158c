/**
 * Keeps Node from opening `process.stdout` and `process.stderr`.
 *
 * Opening one makes its pipe non-blocking, for every process that shares it: a log line can then fail with EAGAIN, and so can a
 * write of the command that `exec` becomes. Node opens both on its own, at the first `pipe` of a stream, to compare them with
 * the destination; the SDK reads the response of the Pod Identity agent through such a pipe.
 */

/**
 * Call it before the first request. Nothing may use the two streams afterwards. The stream of a terminal is kept, because its width
 * is needed, and Node opens the terminal again for itself, so that other processes are not affected.
 */
export function hideStandardStreams(isTerminal: (descriptor: number) => boolean): void {
  for (const [name, descriptor] of [
    ['stdout', 1],
    ['stderr', 2],
  ] as const) {
    if (isTerminal(descriptor)) continue;
    Object.defineProperty(process, name, { value: undefined, configurable: true });
  }
}
