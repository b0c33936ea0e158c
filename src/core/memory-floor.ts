/**
 * The smallest memory limit with which the program starts in reasonable time.
 *
 * Measured three times for each limit, with a cold page cache (examples/reference/cost-and-speed.md): a sidecar and its worker
 * start with 96 MiB in one to two times the time of 128, with 80 in three to ten times, with 72 hardly ever. The kernel counts the pages
 * of the program as well. For an init, which is one process, 72 MiB would be enough.
 */
export const MEMORY_FLOOR = 96 * 1_048_576;

/** The message and the remedy for a limit below the floor, given as text. */
export function smallLimit(limit: string): { readonly message: string; readonly remedy: string } {
  return {
    message: `expected at least ${memoryText(MEMORY_FLOOR)}, got ${limit}: the start takes seconds, or never ends`,
    remedy: 'Set 128Mi, which is enough for 200 secrets of 64 KiB.',
  };
}

/** A limit as Kubernetes writes it, rounded down: `64Mi`. */
export function memoryText(bytes: number): string {
  return `${Math.floor(bytes / 1_048_576)}Mi`;
}
