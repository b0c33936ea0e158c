/** A simulated clock: events in the order of their times, as fast as the machine computes them. Times are milliseconds. */

interface Event {
  readonly at: number;
  readonly order: number;
  readonly happens: () => void;
}

export interface Simulation {
  now(): number;
  /** Schedules what happens after `delay` milliseconds. */
  after(delay: number, happens: () => void): void;
  /** Runs until no event is left, or until `end`. */
  run(end?: number): void;
}

export function createSimulation(): Simulation {
  const heap: Event[] = [];
  let now = 0;
  let order = 0;
  const isBefore = (a: Event, b: Event) => a.at < b.at || (a.at === b.at && a.order < b.order);

  function push(event: Event): void {
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  function pop(): Event | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
      if (!isBefore(heap[child] as Event, last)) break;
      heap[index] = heap[child] as Event;
      index = child;
    }
    heap[index] = last;
    return first;
  }

  return {
    now: () => now,
    after: (delay, happens) => push({ at: now + Math.max(0, delay), order: order++, happens }),
    run(end = Number.POSITIVE_INFINITY) {
      while (heap[0] !== undefined && heap[0].at <= end) {
        const { at, happens } = pop() as Event;
        now = at;
        happens();
      }
    },
  };
}
