/** The tables of examples/reference/herd.md. */

import { table } from '../docs/markdown.ts';
import type { HerdResults } from './results.ts';

const OPEN = '<!-- herd: written by npm run herd -->\n';
const CLOSE = '\n<!-- /herd -->';

/** The page with the tables of these results. */
export function replaceTables(page: string, results: HerdResults): string {
  const [from, to] = [page.indexOf(OPEN), page.indexOf(CLOSE)];
  if (from < 0 || to < from) throw new Error('the page has no markers of the herd');
  return page.slice(0, from + OPEN.length) + herdTables(results) + page.slice(to);
}

const quotaText = {
  default: 'of AWS',
  half: 'half',
  double: 'double',
  'higher throughput': '1,000 GetParameters/s',
} as const;

function herdTables({ starts, identities, refreshes, jitters, outages }: HerdResults): string {
  return [
    'From the creation of a pod to its files:',
    table(
      ['secrets + parameters', 'quotas', 'read by', 'median', 'last pod', 'throttled calls per pod'],
      starts.map(({ secrets, parameters, quotas, reader, pods, result }) => [
        `${secrets} + ${parameters}`,
        quotaText[quotas],
        reader === 'provider' ? 'the CSI provider' : reader,
        seconds(result.median),
        seconds(result.last),
        (result.throttled / pods).toFixed(1),
      ]),
    ),
    'The same with 20 secrets and `auto`, for other quotas of credentials:',
    table(
      ['credentials', 'calls per second', 'median', 'last pod', 'throttled calls per pod'],
      identities.map(({ identity, rate, pods, result }) => [
        identity,
        String(rate),
        seconds(result.median),
        seconds(result.last),
        (result.throttled / pods).toFixed(1),
      ]),
    ),
    'An hour of refreshes, every 10 minutes:',
    table(
      ['secrets', 'read by', 'calls per pod', 'throttled calls per pod', '$ per pod and month'],
      refreshes.map(({ secrets, reader, pods, result }) => [
        String(secrets),
        reader,
        (result.calls / pods).toFixed(1),
        (result.throttled / pods).toFixed(2),
        result.monthly.toFixed(2),
      ]),
    ),
    'The same hour with `auto`, for other jitters:',
    table(
      ['secrets', 'jitter', 'most calls in a second', 'throttled calls per pod'],
      jitters.map(({ secrets, jitter, pods, result }) => [
        String(secrets),
        jitter === undefined ? 'the default' : `${jitter * 100} %`,
        String(result.peak),
        (result.throttled / pods).toFixed(2),
      ]),
    ),
    'The region comes back after an hour:',
    table(
      [
        'secrets',
        'read by',
        'all pods refreshed after',
        'calls per pod without the region',
        'throttled calls per pod',
      ],
      outages.map(({ secrets, reader, pods, result }) => [
        String(secrets),
        reader,
        seconds(result.recovered),
        result.calls.toFixed(0),
        (result.throttled / pods).toFixed(2),
      ]),
    ),
  ].join('\n\n');
}

/** JSON has null in the place of infinity. */
function seconds(ms: number | null): string {
  return ms === null || !Number.isFinite(ms) ? 'not within 10 min' : `${(ms / 1000).toFixed(1)} s`;
}
