/**
 * A SecretProviderClass file becomes a plan, or a complete list of what is wrong with it.
 *
 * The format and its meaning are those of the AWS provider for the Secrets Store CSI driver, with a few keys of ours on
 * top. Everything is found in one go, with lines of the file, also inside the `objects: |` text. Nothing is fetched.
 */

import type { Plan, PlannedObject } from '../plan.ts';
import type { Problem } from '../problem.ts';
import { parseYaml, type YamlValue } from '../yaml/parse.ts';
import { readDocument } from './document.ts';
import { kindText } from './fields.ts';
import { Findings } from './findings.ts';
import type { ObjectContext } from './keys.ts';
import { type ReadObject, readObject } from './object.ts';
import { type Parameters, readParameters } from './parameters.ts';
import { checkPaths } from './paths.ts';
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
  const findings = new Findings(options.file);
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
  const read = listObjects(parameters, findings).map((value, index) => readObject(value, index, context));
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
  };
  return { plan, problems, warnings };
}

/** The parser of expressions is loaded only by a config that has one: it costs 1 ms and 0.4 MB. */
async function expressionsFor(text: string): Promise<ObjectContext['expressions']> {
  return /jmespath/iu.test(text) ? await import('../json/jmespath.ts') : undefined;
}

/** The entries of `objects`, which is text that holds a YAML list; a real list does as well. */
function listObjects(parameters: Parameters, findings: Findings): readonly YamlValue[] {
  const refuse = (code: 'config.yaml' | 'config.objects', line: number | undefined, message: string) =>
    findings.refuse({
      code,
      subject: 'parameters.objects',
      line,
      message,
      remedy: 'Write objects: | and under it a YAML list of objects.',
    });
  const written = parameters.objects;
  if (written === undefined || written.kind === 'null') return warnOfNone(parameters.objectsLine, findings);
  if (written.kind !== 'scalar') return entriesOf(written);
  const { root, faults, secondDocument } = parseYaml(written.plain ?? written.text, written.lineAt);
  for (const { line, message } of faults) refuse('config.yaml', line, message);
  if (faults.length > 0) return [];
  if (secondDocument !== undefined) {
    findings.warn({
      code: 'config.objects',
      subject: 'parameters.objects',
      line: secondDocument,
      message: 'expected one list, got more than one YAML document; only the first one counts',
      remedy: 'Remove the line "---" and what follows, or join the lists.',
    });
  }
  return root === undefined || root.kind === 'null' ? warnOfNone(written.line, findings) : entriesOf(root);

  function entriesOf(value: YamlValue): readonly YamlValue[] {
    if (value.kind !== 'list')
      refuse('config.objects', value.line, `expected a list, got ${kindText(value)}`);
    else if (value.items.length === 0) return warnOfNone(value.line, findings);
    return value.kind === 'list' ? value.items : [];
  }
}

function warnOfNone(line: number | undefined, findings: Findings): readonly YamlValue[] {
  findings.warn({
    code: 'config.objects',
    subject: 'parameters.objects',
    line,
    message: 'expected a list of objects, got none; no file will be made',
    remedy: 'Write objects: | and under it what to fetch.',
  });
  return [];
}

function allPlanned(read: readonly ReadObject[]): readonly PlannedObject[] | undefined {
  const planned = read.flatMap((object) => object.planned ?? []);
  return planned.length === read.length ? planned : undefined;
}
