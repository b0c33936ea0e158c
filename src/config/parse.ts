/**
 * Parses a SecretProviderClass file into a plan, or a complete list of problems.
 *
 * The format and its meaning are those of the AWS provider for the Secrets Store CSI driver, plus a few keys that only
 * podsecrets reads. Everything is reported in one go, with lines of the file, even inside the text of `objects: |`. Nothing is fetched.
 */

import { isArn, parseArn } from '../core/arn.ts';
import type { Problem, ProblemCode } from '../core/problem.ts';
import type { YamlMap, YamlValue } from '../formats/yaml-values.ts';
import { Diagnostics } from './diagnostics.ts';
import { readDocument } from './document.ts';
import { checkEnvNames } from './env.ts';
import { type ObjectContext, type ReadObject, readObject } from './object.ts';
import { listObjects } from './object-list.ts';
import { type Claim, type OutputContext, outputPath } from './outputs.ts';
import { type ParameterText, type RegionOptions, type RegionSearch, readParameters } from './parameters.ts';
import { checkPaths } from './path-conflicts.ts';
import type { Plan, PlannedObject } from './plan.ts';
import { readSecretObjects } from './secret-objects.ts';

/** The inputs of a plan besides the text. */
export interface PlanOptions {
  /** The file's name in error messages. */
  readonly file: string;
  /** Permission bits for an object without filePermission. */
  readonly defaultMode: number;
  /** AWS_REGION. */
  readonly environmentRegion: string | undefined;
  /** Searches for a region if neither the config nor AWS_REGION has one. Default: no search. */
  readonly findRegion?: () => Promise<RegionSearch>;
  /** Default: `error`. With the other values a plan may lack a region, for commands that fetch nothing. */
  readonly missingRegion?: RegionOptions['missingRegion'];
  /** Whether secretObjects are applied, so that mistakes in them are errors. Default false: they are warnings. */
  readonly syncSecrets?: boolean;
  /** Whether no files are published, only variables are used: envFile has no effect. Default false. */
  readonly variablesOnly?: boolean;
  /** Whether `exec` reads the config: it sets the variables, with or without envFile. Default false. */
  readonly forExec?: boolean;
  /** `metadata.name` of the class to read from a file with several. Default: the only one for AWS. */
  readonly className?: string | undefined;
}

/** The plan, and all problems and warnings. */
export interface ParsedPlan {
  /** Undefined if there are problems. */
  readonly plan: Plan | undefined;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

const AWS_REGION = 'AWS_REGION';

/** The region of a plan without one: the pod has it in AWS_REGION. */
const REGION_OF_POD = '$AWS_REGION';

/** Parses a config. Never throws because of the text. */
export async function parsePlan(text: string, options: PlanOptions): Promise<ParsedPlan> {
  const diagnostics = new Diagnostics(options.file);
  const { missingRegion = 'error', variablesOnly = false, forExec = false } = options;
  const document = readDocument(text, options.className, diagnostics);
  if (document === undefined)
    return { plan: undefined, problems: diagnostics.problems, warnings: diagnostics.warnings };

  const environment = await environmentRegion(document.parameters, options);
  const parameters = readParameters(document.parameters, { environment, missingRegion }, diagnostics);
  const values = listObjects(parameters, document.root, diagnostics);
  const region = parameters.region ?? (missingRegion === 'error' ? undefined : regionOfArns(values));
  const context: ObjectContext = {
    ...parameters,
    region,
    defaultMode: options.defaultMode,
    expressions: await expressionsFor(text),
    diagnostics,
  };
  const read = values.map((value, index) => readObject(value, index, context));
  const envFile = readEnvFile(parameters.envFile, context);
  const claims = read.flatMap((object) => object.claims);
  checkPaths(envFile === undefined ? claims : [...claims, envFile], diagnostics);
  const hasPatterns = read.some(({ planned }) =>
    planned?.outputs.some((output) => output.kind === 'expand' && output.env !== undefined),
  );
  checkEnvNames(
    read.flatMap((object) => object.envClaims),
    { hasPatterns, hasFile: parameters.envFile !== undefined, variablesOnly, forExec },
    diagnostics,
  );
  const planned = allPlanned(read);
  const secretObjects = readSecretObjects(document.secretObjects, {
    objects: planned,
    applied: options.syncSecrets ?? false,
    diagnostics,
  });
  const { problems, warnings } = diagnostics;
  if (problems.length > 0 || planned === undefined || region === undefined) {
    return { plan: undefined, problems, warnings };
  }
  const plan: Plan = {
    file: options.file,
    name: document.name,
    region,
    regionFrom: parameters.regionFrom,
    failoverRegion: parameters.failoverRegion,
    usePodIdentity: parameters.usePodIdentity,
    preferredAddressType: parameters.preferredAddressType,
    objects: planned,
    // Without the file there is no limit on the values that it could hold.
    envFile: variablesOnly ? undefined : envFile && { path: envFile.path, mode: options.defaultMode },
    variablesOnly,
    secretObjects,
    ignored: warnings.filter(({ code }) => ignoredCodes.has(code)).map(ignoredText),
  };
  return { plan, problems, warnings };
}

async function environmentRegion(
  parameters: YamlMap | undefined,
  options: PlanOptions,
): Promise<RegionSearch> {
  if (options.environmentRegion) return { region: options.environmentRegion, from: AWS_REGION };
  const isNamed = parameters?.entries.some(
    ({ key, value }) => key === 'region' && value.kind === 'scalar' && value.text !== '',
  );
  const found = isNamed ? undefined : await options.findRegion?.();
  return found ?? { region: undefined, searched: [AWS_REGION] };
}

function readEnvFile(parameter: ParameterText | undefined, context: OutputContext): Claim | undefined {
  if (parameter === undefined) return undefined;
  const { text: raw, line } = parameter;
  const claim = { kind: 'file', raw, line, subject: 'parameters.envFile' } as const;
  const path = outputPath(claim, context);
  return path && { ...claim, path };
}

/** The region of the first ARN, which the pod must have, so that ARNs of two regions are an error here too. */
function regionOfArns(objects: readonly YamlValue[]): string {
  for (const object of objects) {
    if (object.kind !== 'map') continue;
    const name = object.entries.find(({ key }) => key.toLowerCase() === 'objectname')?.value;
    if (name?.kind !== 'scalar' || !isArn(name.text)) continue;
    const region = parseArn(name.text)?.region;
    if (region) return region;
  }
  return REGION_OF_POD;
}

/** The codes of warnings about parts of a text that the plan ignores. */
const ignoredCodes: ReadonlySet<ProblemCode> = new Set([
  'config.document',
  'config.duplicate',
  'config.objects',
  'config.unknownKey',
]);

/** Without the index of the object, which changes when another one is removed. */
function ignoredText({ subject, message }: Problem): string {
  return `${subject.replaceAll(/\[\d+\]/g, '')}: ${message}`;
}

/** The expression parser is loaded only for a config that has an expression: it costs 1 ms and 0.4 MB. */
async function expressionsFor(text: string): Promise<ObjectContext['expressions']> {
  return /jmespath/iu.test(text) ? await import('../formats/jmespath.ts') : undefined;
}

function allPlanned(read: readonly ReadObject[]): readonly PlannedObject[] | undefined {
  const planned = read.flatMap((object) => object.planned ?? []);
  return planned.length === read.length ? planned : undefined;
}
