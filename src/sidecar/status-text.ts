/**
 * The status page for a person: `podsecrets status`.
 *
 * Times are shown as ages, problems with their remedies. The page comes from a socket, so all texts are escaped.
 */

import { durationText } from '../cli/values.ts';
import { escapeControl, plural, sentence } from '../core/text.ts';
import { table } from '../core/text-layout.ts';
import type { NotifierStatus } from '../notify/notifier.ts';
import type { ConfigStatus, ProblemStatus, SidecarStatus } from './status.ts';

/** The page as text; `now` is milliseconds since 1970. Its tables are within `columns`; default: unlimited. */
export function statusText(status: SidecarStatus, now: number, columns?: number): string {
  const state = status.phase === 'stopping' ? 'stopping' : status.ready ? 'ready' : 'not ready';
  return [
    `podsecrets ${escapeControl(status.version)}: ${state}, up ${age(status.startedAt, now)}`,
    `  ${nextText(status, now)}`,
    ...credentialsLines(status, now),
    ...status.configs.flatMap((config) => ['', ...configLines(config, now, columns)]),
    ...(status.notifiers.length === 0 ? [] : ['', 'notifications']),
    ...status.notifiers.flatMap((notifier) => notifierLines(notifier, now)),
    '',
  ].join('\n');
}

function nextText({ nextSync, consecutiveFailures }: SidecarStatus, now: number): string {
  const next = nextSync === undefined ? 'syncing now' : `next sync in ${until(nextSync, now)}`;
  const failures =
    consecutiveFailures === 1 ? '1 failed sync' : `${consecutiveFailures} failed syncs in a row`;
  return consecutiveFailures === 0 ? next : `${next}, after ${failures}`;
}

function credentialsLines({ credentials }: SidecarStatus, now: number): readonly string[] {
  if (credentials === undefined) return [];
  const { source, provider, expiresAt } = credentials;
  const link = provider === undefined ? '' : ` (${escapeControl(provider)})`;
  return [
    `  credentials of ${sourceNames.get(source) ?? escapeControl(source)}${link}${expiresAt === undefined ? '' : ` expire in ${until(expiresAt, now)}`}`,
  ];
}

/** The names in the log and in `doctor`. */
const sourceNames: ReadonlyMap<string, string> = new Map([
  ['pod-identity', 'EKS Pod Identity'],
  ['irsa', 'IRSA'],
  ['default', 'the default chain'],
]);

function configLines(
  config: ConfigStatus,
  now: number,
  columns = Number.POSITIVE_INFINITY,
): readonly string[] {
  const { lastSuccess, lastChange, lastFailure, lastErrors, configProblems, missingOptional } = config;
  const failing = lastFailure !== undefined && (lastSuccess === undefined || lastSuccess < lastFailure);
  const place = config.directory === '' ? '' : ` -> ${escapeControl(config.directory)}`;
  const regions = [config.region, ...(config.failoverRegion === undefined ? [] : [config.failoverRegion])];
  return [
    `${escapeControl(config.file)}${place} (${escapeControl(regions.join(', '))})`,
    `  ${lastSuccess === undefined ? 'never synced' : `synced ${age(lastSuccess, now)} ago`}` +
      (lastChange === undefined ? '' : `, changed ${age(lastChange, now)} ago`),
    ...(failing ? [`  failed ${age(lastFailure, now)} ago:`, ...lastErrors.flatMap(problemLines)] : []),
    ...(configProblems.length === 0 ? [] : ['  invalid configuration, still using the previous version:']),
    ...configProblems.flatMap(problemLines),
    ...(missingOptional.length === 0
      ? []
      : [`  missing optional objects: ${missingOptional.map((name) => escapeControl(name)).join(', ')}`]),
    ...(config.files.length === 0 ? [] : filesTable(config, now, columns - 2)).map((line) => `  ${line}`),
    ...(config.variables.length === 0 ? [] : variablesTable(config, columns - 2)).map((line) => `  ${line}`),
  ];
}

function filesTable({ files }: ConfigStatus, now: number, columns: number): readonly string[] {
  return table(
    ['FILE', 'OBJECT', 'SERVICE', 'REGION', 'VERSION', 'ROTATED'],
    files.map(({ path, object, service, region, version, changedAt }) => [
      path,
      object,
      service,
      region,
      version,
      changedAt === undefined ? '' : `${age(changedAt, now)} ago`,
    ]),
    columns,
  );
}

function variablesTable({ variables }: ConfigStatus, columns: number): readonly string[] {
  return table(
    ['VARIABLE', 'OBJECT', 'SERVICE', 'REGION', 'VERSION'],
    variables.map(({ name, object, service, region, version }) => [name, object, service, region, version]),
    columns,
  );
}

function notifierLines(notifier: NotifierStatus, now: number): readonly string[] {
  const { kind, state, pending, lastNotified, consecutiveFailures, lastError } = notifier;
  const last = lastNotified === undefined ? 'not notified yet' : `notified ${age(lastNotified, now)} ago`;
  const open = state === 'idle' ? '' : `, ${stateText(state)}, ${plural(pending, 'file')}`;
  const failing = consecutiveFailures > 0 && lastError !== undefined;
  const failed = failing ? `, after ${plural(consecutiveFailures, 'failed attempt')}:` : '';
  return [`  ${escapeControl(kind)}: ${last}${open}${failed}`, ...(failing ? problemLines(lastError) : [])];
}

function stateText(state: NotifierStatus['state']): string {
  return state === 'waiting' ? 'pending' : escapeControl(state);
}

/** Messages quote at most 200 characters of a value, a few times. */
const LONGEST = 1500;

function problemLines({ code, subject, message, remedy }: ProblemStatus): readonly string[] {
  return [
    `    ${escapeControl(`${subject}: ${sentence(message)}`, LONGEST)}`,
    `    ${escapeControl(`${remedy} [${code}]`, LONGEST)}`,
  ];
}

function age(time: string, now: number): string {
  return inSeconds(now - Date.parse(time));
}

function until(time: string, now: number): string {
  return inSeconds(Date.parse(time) - now);
}

/** Without fractions, and never negative, because the clocks of two processes may differ a little. */
function inSeconds(ms: number): string {
  return ms < 1000 ? '0s' : durationText(Math.round(ms / 1000) * 1000);
}
