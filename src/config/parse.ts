/**
 * A SecretProviderClass file becomes a plan, or a complete list of what is wrong with it.
 *
 * The format and its meaning are those of the AWS provider for the Secrets Store CSI driver, with a few keys of ours on
 * top. Everything is found in one go, with lines of the file, also inside the `objects: |` text. Nothing is fetched.
 */

import type { Problem, ProblemCode } from '../core/problem.ts';
import { Diagnostics } from './diagnostics.ts';
import { readDocument } from './document.ts';
import { type ReadObject, readObject } from './object.ts';
import type { ObjectContext } from './object-keys.ts';
import { listObjects } from './object-list.ts';
import { readParameters } from './parameters.ts';
import { checkPaths } from './path-conflicts.ts';
import type { Plan, PlannedObject } from './plan.ts';
import { readSecretObjects } from './secret-objects.ts';

/** What a plan needs beside the text. */
export interface PlanOptions {
  /** The file's name, as errors show it. */
  readonly file: string;
  /** Permission bits where the config gives none. */
  readonly defaultMode: number;
  /** AWS_REGION: where the config names no region. */
  readonly environmentRegion: string | undefined;
  /** Whether secretObjects are applied, so that mistakes in them are problems. Default false: they are warnings. */
  readonly syncSecrets?: boolean;
}

/** The plan, and everything that was found on the way. */
export interface ParsedPlan {
  /** Undefined when there are problems. */
  readonly plan: Plan | undefined;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Reads a whole config. Never throws over what the text says. */
export async function parsePlan(text: string, options: PlanOptions): Promise<ParsedPlan> {
  const findings = new Diagnostics(options.file);
  const document = readDocument(text, findings);
  if (document === undefined)
    return { plan: undefined, problems: findings.problems, warnings: findings.warnings };

  const parameters = readParameters(document.parameters, options.environmentRegion, findings);
  const context: ObjectContext = {
    ...parameters,
    defaultMode: options.defaultMode,
    expressions: await expressionsFor(text),
    findings,
  };
  const read = listObjects(parameters, document.root, findings).map((value, index) =>
    readObject(value, index, context),
  );
  checkPaths(
    read.flatMap((object) => object.claims),
    findings,
  );
  const planned = allPlanned(read);
  const secretObjects = readSecretObjects(document.secretObjects, {
    objects: planned,
    applied: options.syncSecrets ?? false,
    findings,
  });
  const { problems, warnings } = findings;
  if (problems.length > 0 || planned === undefined || parameters.region === undefined) {
    return { plan: undefined, problems, warnings };
  }
  const plan: Plan = {
    file: options.file,
    name: document.name,
    region: parameters.region,
    regionFrom: parameters.regionFrom,
    failoverRegion: parameters.failoverRegion,
    usePodIdentity: parameters.usePodIdentity,
    preferredAddressType: parameters.preferredAddressType,
    objects: planned,
    secretObjects,
    unread: warnings.filter(({ code }) => unreadCodes.has(code)).map(unreadText),
  };
  return { plan, problems, warnings };
}

/** The warnings about parts of a text that the plan is not made of. */
const unreadCodes: ReadonlySet<ProblemCode> = new Set([
  'config.document',
  'config.duplicate',
  'config.objects',
  'config.unknownKey',
]);

/** Without the number of the object, which changes when another one is removed. */
function unreadText({ subject, message }: Problem): string {
  return `${subject.replaceAll(/\[\d+\]/g, '')}: ${message}`;
}

/** The parser of expressions is loaded only by a config that has one: it costs 1 ms and 0.4 MB. */
async function expressionsFor(text: string): Promise<ObjectContext['expressions']> {
  return /jmespath/iu.test(text) ? await import('../formats/jmespath.ts') : undefined;
}

function allPlanned(read: readonly ReadObject[]): readonly PlannedObject[] | undefined {
  const planned = read.flatMap((object) => object.planned ?? []);
  return planned.length === read.length ? planned : undefined;
}
