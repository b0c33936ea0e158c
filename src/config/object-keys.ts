/**
 * The keys an entry of `objects` may have, and what holds for all entries of one config.
 *
 * Shared vocabulary of the files that read an object; nothing is read or checked here.
 */

import type { Diagnostics } from './diagnostics.ts';
import type { Fields } from './fields.ts';

/** The AWS provider's, then ours: optional, expand, decode. */
export const objectKeys = [
  'objectName',
  'objectAlias',
  'objectVersion',
  'objectVersionLabel',
  'objectType',
  'filePermission',
  'jmesPath',
  'failoverObject',
  'optional',
  'expand',
  'decode',
] as const;

/** Whether a key belongs into an object, in any case of its letters. */
export function isObjectKey(key: string): boolean {
  return objectKeys.some((known) => known.toLowerCase() === key.toLowerCase());
}

/** The fields of one object. */
export type ObjectFields = Fields<(typeof objectKeys)[number]>;

/** What holds for all objects. A member is undefined when it is wrong itself, and so nothing can be checked against it. */
export interface ObjectContext {
  readonly region: string | undefined;
  readonly failoverRegion: string | undefined;
  /** What stands for `/` in file names; '' leaves it there. */
  readonly pathTranslation: string | undefined;
  /** Permission bits where the config gives none. */
  readonly defaultMode: number;
  /** Who judges jmesPath expressions; undefined in a config that has none. */
  readonly expressions: Expressions | undefined;
  readonly findings: Diagnostics;
}

/** What is asked of the expression language. */
export type Expressions = Pick<typeof import('../formats/jmespath.ts'), 'expressionFault' | 'callFault'>;

/** Which version of a value is meant: objectVersion and objectVersionLabel. */
export interface Pin {
  readonly version: string | undefined;
  readonly label: string | undefined;
}
