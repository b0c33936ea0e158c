/**
 * The keys an entry of `objects` may have, and what holds for all entries of one config.
 *
 * Shared vocabulary of the rooms that read an object; nothing is read or checked here.
 */

import type { ExpressionFault } from '../json/jmespath.ts';
import type { Fields } from './fields.ts';
import type { Findings } from './findings.ts';

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
  /** What is wrong with a jmesPath expression; undefined when nothing is. */
  readonly expressionFault: (expression: string) => ExpressionFault | undefined;
  readonly findings: Findings;
}

/** Which version of a value is meant: objectVersion and objectVersionLabel. */
export interface Pin {
  readonly version: string | undefined;
  readonly label: string | undefined;
}
