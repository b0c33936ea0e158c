/**
 * The environment variables that `--env` gives to containers: one `fileKeyRef` for each name in a config's envFile.
 *
 * The kubelet (Kubernetes 1.35+) reads the file at each start of a container, from the volume: the container need not mount
 * it. The kubelet needs every name in the pod spec, so a pattern cannot be written there.
 */

import type { Plan, PlannedObject } from '../config/plan.ts';
import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import { asObjects, textOf, valueAt } from '../core/unknown.ts';
import { isSame, type KubeObject, manifestProblem } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { appContainers, FILES, isNamed } from './own-names.ts';
import type { PlannedBinding } from './volumes.ts';
import type { Workload } from './workload.ts';

/** A variable with a fixed name. */
interface NamedVariable {
  readonly name: string;
  readonly optional: boolean;
}

/** The `env` of a container of the application, with the variables that are missing at its end. */
export function envWith(
  container: KubeObject,
  bindings: readonly PlannedBinding[],
  options: InjectOptions,
): readonly KubeObject[] {
  const env = asObjects(container.env);
  if (!options.env || !isNamed(container, options.containers)) return env;
  const wanted = bindings.flatMap(entriesOf);
  return [...env, ...wanted.filter((entry) => env.every(({ name }) => name !== entry.name))];
}

/** Whether a config has variables at all. */
export function hasVariables({ objects }: Plan): boolean {
  return objects.some((object) => object.outputs.some(({ env }) => env !== undefined));
}

/** The problems with the variables of a pod. */
export function variableProblems(
  { subject }: Workload,
  pod: KubeObject,
  bindings: readonly PlannedBinding[],
  options: InjectOptions,
): readonly Problem[] {
  const containers = appContainers(pod);
  const wrong = containers.flatMap((container) =>
    asObjects(container.env).flatMap((entry) =>
      wrongReference(`${subject} container ${String(container.name)}`, entry, bindings),
    ),
  );
  if (!options.env || options.as === 'none') return wrong;
  const named = containers.filter((container) => isNamed(container, options.containers));
  return [
    ...wrong,
    ...bindings.flatMap(({ plan }) => [...unnamed(plan), ...withoutFile(plan)]),
    ...repeated(subject, bindings),
    ...named.flatMap((container) =>
      taken(`${subject} container ${String(container.name)}`, container, bindings),
    ),
  ];
}

function entriesOf({ plan, volume }: PlannedBinding): readonly KubeObject[] {
  const { envFile } = plan;
  if (envFile === undefined) return [];
  return namesOf(plan).map(({ name, optional }) => ({
    name,
    valueFrom: {
      fileKeyRef: {
        volumeName: volume,
        path: `${FILES}/${envFile.path}`,
        key: name,
        ...(optional ? { optional: true } : {}),
      },
    },
  }));
}

function namesOf({ objects }: Plan): readonly NamedVariable[] {
  return objects.flatMap(({ outputs, optional }) =>
    outputs.flatMap(({ env }) => (typeof env === 'string' ? [{ name: env, optional }] : [])),
  );
}

function patternsOf({ objects }: Plan): readonly PlannedObject[] {
  return objects.filter(({ outputs }) => outputs.some(({ env }) => typeof env === 'object'));
}

function unnamed(plan: Plan): readonly Problem[] {
  return patternsOf(plan).map(
    ({ subject, line }) =>
      new Problem({
        code: 'config.object',
        subject: `${subject}.env`,
        file: plan.file,
        line,
        message: 'expected the name of a variable for --env, got a pattern: fileKeyRef needs names',
        remedy: 'List them by jmesPath, or use podsecrets exec.',
      }),
  );
}

function withoutFile(plan: Plan): readonly Problem[] {
  if (plan.envFile !== undefined || !hasVariables(plan)) return [];
  return [
    new Problem({
      code: 'config.parameter',
      subject: 'parameters.envFile',
      file: plan.file,
      message: 'expected the file of the variables for --env, got none',
      remedy: 'Write the parameter envFile: "app.env".',
    }),
  ];
}

/** Two configs of one pod. Within one config the names are unique. */
function repeated(subject: string, bindings: readonly PlannedBinding[]): readonly Problem[] {
  const owners = new Map<string, string>();
  return bindings.flatMap(({ plan, source }) =>
    namesOf(plan).flatMap(({ name }) => {
      const owner = owners.get(name);
      owners.set(name, owner ?? source.subject);
      if (owner === undefined) return [];
      return [
        manifestProblem(
          subject,
          `expected a unique variable name, got ${name} in ${owner} and in ${source.subject}`,
          'Rename one of the two.',
        ),
      ];
    }),
  );
}

/** Variables that the container has already, with another value. */
function taken(
  subject: string,
  container: KubeObject,
  bindings: readonly PlannedBinding[],
): readonly Problem[] {
  const env = asObjects(container.env);
  return bindings
    .flatMap(entriesOf)
    .filter((entry) => env.some((other) => other.name === entry.name && !isSame(other, entry)))
    .map(({ name }) =>
      manifestProblem(
        subject,
        `the variable ${String(name)} is already in env, with another value than --env gives it`,
        'Remove it from the container, or rename env in the config.',
      ),
    );
}

/** A reference to a missing file in a volume of podsecrets: the container would not start. */
function wrongReference(
  subject: string,
  entry: KubeObject,
  bindings: readonly PlannedBinding[],
): readonly Problem[] {
  const at = (key: string) => textOf(valueAt(entry, 'valueFrom', 'fileKeyRef', key));
  const binding = bindings.find(({ volume }) => volume === at('volumeName'));
  if (binding === undefined || valueAt(entry, 'valueFrom', 'fileKeyRef', 'optional') === true) return [];
  const { plan } = binding;
  const reference = `in the fileKeyRef of variable ${String(entry.name)}`;
  if (plan.envFile === undefined) {
    const message = `expected the file of the variables ${reference}, which ${plan.file} does not have`;
    return [manifestProblem(subject, message, 'Write the parameter envFile in the config.')];
  }
  const path = `${FILES}/${plan.envFile.path}`;
  if (at('path') !== path) {
    const message = `expected path: ${path} ${reference}, got ${quote(at('path') ?? '')}`;
    return [manifestProblem(subject, message, 'Correct the path: it starts at the root of the volume.')];
  }
  const key = at('key') ?? '';
  if (patternsOf(plan).length > 0 || namesOf(plan).some(({ name }) => name === key)) return [];
  const message = `expected a variable of ${plan.file} as key ${reference}, got ${quote(key)}`;
  return [manifestProblem(subject, message, 'Correct the key, or write optional: true.')];
}
