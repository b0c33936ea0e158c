/**
 * Keeps Node from opening `process.stdout` and `process.stderr`.
 *
 * Opening one makes its pipe non-blocking, for every process that shares it: a log line can then fail with EAGAIN, and so can a
 * write of the command that `exec` becomes. Node opens both on its own, at the first `pipe` of a stream, to compare them with
 * the destination; the SDK reads the answer of the Pod Identity agent by such a pipe.
 */

/**
 * Call it before anything is sent. Nothing may use the two streams afterwards. A terminal stays, because its width is needed, and
 * Node opens it a second time for itself.
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
