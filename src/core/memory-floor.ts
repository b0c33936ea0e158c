/**
 * The smallest memory limit with which the program starts in reasonable time.
 *
 * Measured three times for each limit, with a cold page cache: 72 MiB start in 0.6 s, 64 MiB in 1.2 to 4.3 s, 48 MiB hardly ever
 * (examples/reference/cost-and-speed.md). The kernel counts the pages of the program as well.
 */
export const MEMORY_FLOOR = 80 * 1_048_576;

/** A limit as Kubernetes writes it, rounded down: `64Mi`. */
export function memoryText(bytes: number): string {
  return `${Math.floor(bytes / 1_048_576)}Mi`;
}
