/**
 * The page /status, parsed from untrusted JSON.
 */

import { asList, isObject, numberOf, textOf, type UnknownObject } from '../core/unknown.ts';
import type { SidecarStatus } from './status.ts';

/**
 * The page; undefined unless every field that a reader needs has its type. Unknown fields are allowed: later versions may add
 * some.
 */
export function readStatus(value: unknown): SidecarStatus | undefined {
  return isObject(value) && isStatus(value) ? (value as unknown as SidecarStatus) : undefined;
}

function isStatus(page: UnknownObject): boolean {
  return (
    areTexts(page, ['version', 'phase']) &&
    isTime(page.startedAt) &&
    areOptionalTimes(page, ['nextSync']) &&
    typeof page.ready === 'boolean' &&
    numberOf(page.consecutiveFailures) !== undefined &&
    (page.credentials === undefined || (isObject(page.credentials) && isCredentials(page.credentials))) &&
    isListOf(page.configs, isConfig) &&
    isListOf(page.notifiers, isNotifier)
  );
}

function isCredentials(credentials: UnknownObject): boolean {
  return (
    areTexts(credentials, ['source']) &&
    areOptionalTexts(credentials, ['provider']) &&
    areOptionalTimes(credentials, ['expiresAt'])
  );
}

function isConfig(config: UnknownObject): boolean {
  return (
    areTexts(config, ['file', 'directory', 'region']) &&
    areOptionalTexts(config, ['failoverRegion']) &&
    areOptionalTimes(config, ['lastSuccess', 'lastChange', 'lastFailure']) &&
    typeof config.ready === 'boolean' &&
    isListOf(config.lastErrors, isProblem) &&
    isListOf(config.configProblems, isProblem) &&
    isListOf(config.files, isFile) &&
    isListOf(config.variables, isVariable) &&
    Array.isArray(config.missingOptional) &&
    asList(config.missingOptional).every((name) => textOf(name) !== undefined)
  );
}

function isFile(file: UnknownObject): boolean {
  return (
    areTexts(file, ['path', 'object', 'service', 'region', 'version']) &&
    areOptionalTimes(file, ['changedAt'])
  );
}

function isVariable(variable: UnknownObject): boolean {
  return areTexts(variable, ['name', 'object', 'service', 'region', 'version']);
}

function isNotifier(notifier: UnknownObject): boolean {
  return (
    areTexts(notifier, ['kind', 'state']) &&
    areOptionalTimes(notifier, ['lastNotified', 'lastFailure']) &&
    numberOf(notifier.pending) !== undefined &&
    numberOf(notifier.consecutiveFailures) !== undefined &&
    (notifier.lastError === undefined || (isObject(notifier.lastError) && isProblem(notifier.lastError)))
  );
}

function isProblem(problem: UnknownObject): boolean {
  return areTexts(problem, ['code', 'subject', 'message', 'remedy']);
}

function isListOf(value: unknown, matches: (item: UnknownObject) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => isObject(item) && matches(item));
}

function areTexts(object: UnknownObject, names: readonly string[]): boolean {
  return names.every((name) => textOf(object[name]) !== undefined);
}

function areOptionalTexts(object: UnknownObject, names: readonly string[]): boolean {
  return names.every((name) => object[name] === undefined || textOf(object[name]) !== undefined);
}

function areOptionalTimes(object: UnknownObject, names: readonly string[]): boolean {
  return names.every((name) => object[name] === undefined || isTime(object[name]));
}

/** Whether it is a time that can be shown as an age. */
function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
