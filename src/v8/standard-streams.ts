/**
 * Keeps Node from opening `process.stdout` and `process.stderr`.
 *
 * Opening one makes its pipe non-blocking, for every process that shares it: a log line can then fail with EAGAIN, and so can a
 * write of the command that `exec` becomes. Node opens both on its own, at the first `pipe` of a stream, to compare them with
 * the destination; the SDK reads the answer of the Pod Identity agent by such a pipe.
 */

/** Call it before anything is sent. Nothing may write to the two streams afterwards. */
export function hideStandardStreams(): void {
  for (const name of ['stdout', 'stderr']) {
    Object.defineProperty(process, name, { value: undefined, configurable: true });
  }
}
