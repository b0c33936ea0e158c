/** Hostile manifests: `inject` rejects them or leaves them as they are, and ends in time. */

import type { FaultRow } from './fault-rows.ts';

function row(fault: string, manifest: string, start: string | undefined): FaultRow {
  return {
    area: 'inject',
    fault,
    make({ box, args }) {
      args.push('--config', box.config, '-f', box.write('pods.yaml', manifest));
    },
    start,
    refresh: 'not applicable',
    starts: 'inject',
  };
}

const pod = (spec: string): string => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: app\nspec: ${spec}\n`;
const deep = 100_000;

/** Each name stands for ten of the one before. */
const aliases = Array.from({ length: 20 }, (_, at) => {
  const before = at === 0 ? 'x' : `*a${at - 1}`;
  return `a${at}: &a${at} [${Array(10).fill(before).join(', ')}]`;
});

export const injectRows: readonly FaultRow[] = [
  row('not YAML', 'kind: [', 'kubernetes.content'),
  row('aliases of aliases', aliases.join('\n'), 'kubernetes.content'),
  row('lists in lists', '['.repeat(deep), 'kubernetes.content'),
  row('a pod without containers', pod('{}'), undefined),
  row('containers that are numbers', pod('{containers: [1, 2]}'), undefined),
  row(
    'a key of every object',
    `__proto__: {spec: 1}\n${pod('{containers: [{name: app, image: app}]}')}`,
    undefined,
  ),
];
