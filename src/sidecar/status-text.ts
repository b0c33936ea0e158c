/**
 * The status page for a person: `podsecrets status`.
 *
 * Times are told as ages, problems with what to do about them. Whatever the page holds came over a socket, so all of it
 * passes through `printable`.
 */

import { durationText } from '../cli/values.ts';
import { table } from '../core/table.ts';
import { escapeControl, plural } from '../core/text.ts';
import type { ConfigStatus, NotifierStatus, ProblemStatus, SidecarStatus } from './status.ts';

/** The page as text; `now` is milliseconds since 1970. */
export function statusText(status: SidecarStatus, now: number): string {
  const state = status.phase === 'stopping' ? 'stopping' : status.ready ? 'ready' : 'not ready';
  return [
    `podsecrets ${escapeControl(status.version)}: ${state}, up ${age(status.startedAt, now)}`,
    `  ${nextText(status, now)}`,
    ...credentialsLines(status, now),
    ...status.configs.flatMap((config) => ['', ...configLines(config, now)]),
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
  const { source, servedBy, expiresAt } = credentials;
  const link = servedBy === undefined ? '' : ` (${escapeControl(servedBy)})`;
  return [
    `  credentials of ${escapeControl(source)}${link}${expiresAt === undefined ? '' : `, for another ${until(expiresAt, now)}`}`,
  ];
}

function configLines(config: ConfigStatus, now: number): readonly string[] {
  const {
    lastSuccess,
    lastChange,
    lastFailure,
    lastErrors,
    configProblems,
    missingOptional: absent,
  } = config;
  const failing = lastFailure !== undefined && (lastSuccess === undefined || lastSuccess < lastFailure);
  const regions = [config.region, ...(config.failoverRegion === undefined ? [] : [config.failoverRegion])];
  return [
    `${escapeControl(config.file)} -> ${escapeControl(config.directory)} (${escapeControl(regions.join(', '))})`,
    `  ${lastSuccess === undefined ? 'never synced' : `synced ${age(lastSuccess, now)} ago`}` +
      (lastChange === undefined ? '' : `, changed ${age(lastChange, now)} ago`),
    ...(failing ? [`  failed ${age(lastFailure, now)} ago:`, ...lastErrors.flatMap(problemLines)] : []),
    ...(configProblems.length === 0 ? [] : ['  the file is broken, an older one of it is in force:']),
    ...configProblems.flatMap(problemLines),
    ...(absent.length === 0
      ? []
      : [`  optional and absent: ${absent.map((name) => escapeControl(name)).join(', ')}`]),
    ...(config.files.length === 0 ? [] : filesTable(config, now)).map((line) => `  ${line}`),
  ];
}

function filesTable({ files }: ConfigStatus, now: number): readonly string[] {
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
  );
}

function notifierLines(notifier: NotifierStatus, now: number): readonly string[] {
  const { kind, state, pending: untold, lastNotified, consecutiveFailures, lastError } = notifier;
  const told = lastNotified === undefined ? 'not told yet' : `last told ${age(lastNotified, now)} ago`;
  const owed = state === 'idle' ? '' : `, ${escapeControl(state)} with ${plural(untold, 'file')}`;
  const failing = consecutiveFailures > 0 && lastError !== undefined;
  return [
    `  by ${escapeControl(kind)}: ${told}${owed}${failing ? `, after ${consecutiveFailures} failed tries:` : ''}`,
    ...(failing ? problemLines(lastError) : []),
  ];
}

/** Messages quote at most 200 characters of what they found, a few times. */
const LONGEST = 1500;

function problemLines({ code, subject, message, remedy }: ProblemStatus): readonly string[] {
  return [
    `    ${escapeControl(`${subject}: ${message}.`, LONGEST)}`,
    `    ${escapeControl(`${remedy} [${code}]`, LONGEST)}`,
  ];
}

function age(moment: string, now: number): string {
  return inSeconds(now - Date.parse(moment));
}

function until(moment: string, now: number): string {
  return inSeconds(Date.parse(moment) - now);
}

/** Without fractions, and never below nothing: the clocks of two processes may differ a little. */
function inSeconds(ms: number): string {
  return ms < 1000 ? '0s' : durationText(Math.round(ms / 1000) * 1000);
}
