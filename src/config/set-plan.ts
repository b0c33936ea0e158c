/**
 * The plan of `--set`: variables without a config file.
 */

import type { SetVariable } from '../cli/values.ts';
import { filePath } from '../core/file-path.ts';
import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import type { RegionSearch } from './parameters.ts';
import type { Output, Plan, PlannedObject } from './plan.ts';
import { secretRef } from './secret-ref.ts';

/** The plan, and a Problem for each parameter name without a region. `search`: the region of names without one. */
export function planVariables(
  variables: readonly SetVariable[],
  search: RegionSearch,
): { readonly plan: Plan; readonly problems: readonly Problem[] } {
  const { region } = search;
  const plan: Plan = {
    file: '--set',
    name: undefined,
    region: region ?? variables.find((variable) => variable.region)?.region ?? '',
    regionFrom: search.region === undefined ? '--set' : search.from,
    failoverRegion: undefined,
    usePodIdentity: undefined,
    preferredAddressType: 'auto',
    objects: variables.map((variable) => planned(variable, region)),
    envFile: undefined,
    secretObjects: [],
    ignored: [],
  };
  const problems = variables
    .filter((variable) => variable.region === undefined && region === undefined)
    .map(({ name, id }) => {
      const places = search.region === undefined ? search.searched.join(', ') : '';
      const message = `expected a region for the parameter ${quote(id)}, got none in ${places}`;
      const remedy = 'Set AWS_REGION, or write the ARN of the parameter.';
      return new Problem({ code: 'config.region', subject: `--set ${name}`, message, remedy });
    });
  return { plan, problems };
}

function planned(variable: SetVariable, region: string | undefined): PlannedObject {
  const { name, service, id, stage, version } = variable;
  return {
    subject: `--set ${name}`,
    line: undefined,
    name: id,
    service,
    primary: secretRef({
      service,
      region: variable.region ?? region ?? '',
      id,
      version,
      stage,
    }),
    failover: undefined,
    optional: false,
    decode: undefined,
    outputs: [outputOf(variable)],
  };
}

function outputOf({ name, key }: SetVariable): Output {
  const path = filePath(name);
  if (typeof path !== 'string')
    throw new Error(`the name of a variable is not a valid file name: ${path.reason}`);
  // Files of this plan are never published.
  const file = { path, mode: 0o600, env: name };
  if (key === undefined) return { kind: 'whole', ...file };
  return { kind: 'jmesPath', ...file, expression: JSON.stringify(key), subject: `--set ${name}` };
}
