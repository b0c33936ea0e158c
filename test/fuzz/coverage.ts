/**
 * The code that an execution reaches, by the precise coverage of V8: for `npm run fuzz -- --coverage`.
 *
 * It is collected for the whole process, so only one execution may run at a time.
 */

import { Session } from 'node:inspector';

export interface Coverage {
  /** Whether code was executed since the last call that was not executed before. */
  isNew(): boolean;
  /** The number of blocks executed so far. */
  blocks(): number;
  close(): void;
}

interface Script {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly {
      readonly startOffset: number;
      readonly endOffset: number;
      readonly count: number;
    }[];
  }[];
}

/** `isMeasured`: whether the file at this URL counts. */
export function openCoverage(isMeasured: (url: string) => boolean): Coverage {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const seen = new Set<string>();

  /** The callback runs before `post` returns. */
  function take(): readonly Script[] {
    let scripts: readonly Script[] = [];
    session.post('Profiler.takePreciseCoverage', (error, { result } = { result: [] }) => {
      if (error !== null) throw error;
      scripts = result;
    });
    return scripts;
  }

  return {
    isNew() {
      const before = seen.size;
      for (const { url, functions } of take()) {
        if (!isMeasured(url)) continue;
        for (const { ranges } of functions)
          for (const { startOffset, endOffset, count } of ranges)
            if (count > 0) seen.add(`${url} ${startOffset} ${endOffset}`);
      }
      return seen.size > before;
    },
    blocks: () => seen.size,
    close: () => session.disconnect(),
  };
}
