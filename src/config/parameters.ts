/**
 * `spec.parameters`: regions, authentication, path translation, and the value with the objects.
 *
 * For the API server every parameter is text. In a file that is not applied to a cluster the quotes may be missing: the value is then
 * used as written, with a warning.
 */

import { escapeControl, quote } from '../core/text.ts';
import type { YamlEntry, YamlMap, YamlValue } from '../formats/yaml-values.ts';
import type { Diagnostics } from './diagnostics.ts';
import { kindText, unknownKeyRemedy } from './fields.ts';
import { isObjectKey, parameterKeys, placeOfKey } from './keys.ts';
import type { Plan } from './plan.ts';
import { placeholderRemedy } from './template.ts';

/** A parameter as written. */
export interface ParameterText {
  readonly text: string;
  readonly line: number;
}

/** The parsed parameters. */
export interface Parameters
  extends Pick<Plan, 'regionFrom' | 'failoverRegion' | 'usePodIdentity' | 'preferredAddressType'> {
  /** Undefined if neither the file nor the environment names one; that is reported already. */
  readonly region: string | undefined;
  /** The text that replaces `/` in names; '' keeps the slashes. Undefined if it could not be read. */
  readonly pathTranslation: string | undefined;
  readonly objects: YamlValue | undefined;
  readonly objectsLine: number | undefined;
  /** The name of the file of environment variables. The AWS provider ignores it. */
  readonly envFile: ParameterText | undefined;
}

/** A region from outside the config, or the places that were searched without a result. */
export type RegionSearch =
  | { readonly region: string; readonly from: string }
  | { readonly region: undefined; readonly searched: readonly string[] };

/** The origin of the region if the file has none. */
export interface RegionOptions {
  readonly environment: RegionSearch;
  /** Not an error where the region is set only in the pod: EKS sets AWS_REGION there. */
  readonly missingRegion: 'error' | 'warning' | 'accepted';
}

type Name = (typeof parameterKeys)[number];

/** Reads and checks the parameters. */
export function readParameters(
  map: YamlMap | undefined,
  options: RegionOptions,
  diagnostics: Diagnostics,
): Parameters {
  const entries = new Map<Name, YamlEntry>();
  for (const entry of map?.entries ?? []) {
    const name = parameterKeys.find((each) => each === entry.key);
    if (name !== undefined) entries.set(name, entry);
    else reportUnknownParameter(entry, diagnostics);
  }
  const text = (name: Name) => parameterText(name, entries.get(name), diagnostics);
  const ownRegion = text('region');
  const failoverRegion = text('failoverRegion');
  const { environment } = options;
  const region = ownRegion?.text ?? environment.region;
  const environmentSource = environment.region === undefined ? 'AWS_REGION' : environment.from;
  const regionFrom = ownRegion === undefined ? environmentSource : 'parameters.region';
  if (region !== undefined) checkRegion(regionFrom, region, ownRegion?.line, diagnostics);
  else if (!diagnostics.hasError('parameters.region')) reportMissingRegion(map?.line, options, diagnostics);
  if (failoverRegion !== undefined)
    checkRegion('parameters.failoverRegion', failoverRegion.text, failoverRegion.line, diagnostics);
  const objects = entries.get('objects');
  const parameters: Parameters = {
    region,
    regionFrom,
    failoverRegion: checkFailoverRegion(failoverRegion, region, diagnostics),
    pathTranslation: readTranslation(text('pathTranslation'), diagnostics),
    usePodIdentity: readUsePodIdentity(text('usePodIdentity'), diagnostics),
    preferredAddressType: readAddressType(text('preferredAddressType'), diagnostics),
    objects: objects?.value,
    objectsLine: objects?.line,
    envFile: text('envFile'),
  };
  for (const entry of map?.entries ?? []) checkParameter(entry, diagnostics);
  return parameters;
}

/** A parameter as written; undefined if it is missing or empty. */
function parameterText(
  name: Name,
  entry: YamlEntry | undefined,
  diagnostics: Diagnostics,
): ParameterText | undefined {
  const value = entry?.value;
  if (entry === undefined || value === undefined || value.kind === 'null') return undefined;
  if (value.kind !== 'scalar') {
    const message = `expected text, got ${kindText(value)}`;
    parameterError(name, entry.line, message, `Write ${name} as text.`, diagnostics);
    return undefined;
  }
  const text = value.plain ?? value.text;
  return text === '' ? undefined : { text, line: entry.line };
}

/** The form of all region names. Any region of this form is accepted, as in the AWS provider. */
const REGION = /^[a-z]+(-[a-z]+)+-\d+$/;

/** A host name label, which is what the SDK accepts as a region. It rejects others at its first request. */
const HOST_LABEL = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/;

function checkRegion(
  subject: string,
  region: string,
  line: number | undefined,
  diagnostics: Diagnostics,
): void {
  if (REGION.test(region)) return;
  const message = `expected a region such as eu-west-1, got ${quote(region)}`;
  const diagnostic = { line, message, remedy: regionRemedy(region) };
  if (HOST_LABEL.test(region)) diagnostics.warning('config.region', subject, diagnostic);
  else diagnostics.error('config.region', subject, diagnostic);
}

function regionRemedy(region: string): string {
  const placeholder = placeholderRemedy(region);
  if (placeholder !== undefined) return placeholder;
  const withoutSpaces = region.trim().toLowerCase();
  if (REGION.test(withoutSpaces)) return `Write ${quote(withoutSpaces)}.`;
  const withoutZone = withoutSpaces.replace(/[a-z]$/, '');
  if (REGION.test(withoutZone))
    return `Write ${quote(withoutZone)}: the letter is that of an availability zone.`;
  return 'Write the code of the region: eu-central-1 for Frankfurt.';
}

function reportMissingRegion(
  line: number | undefined,
  { missingRegion, environment }: RegionOptions,
  diagnostics: Diagnostics,
): void {
  if (missingRegion === 'error') {
    const places = environment.region === undefined ? environment.searched : [];
    const message = `expected a region, got none here and none in ${places.join(', ')}`;
    const inPod = places.length === 1 ? ' (EKS sets it with IRSA and Pod Identity)' : '';
    const remedy = `Write region, or set AWS_REGION${inPod}.`;
    diagnostics.error('config.region', 'parameters.region', { line, message, remedy });
  } else if (missingRegion === 'warning') {
    const message = 'no region here and none in AWS_REGION: the pod must have AWS_REGION';
    const remedy = 'EKS sets AWS_REGION with IRSA and Pod Identity; otherwise write region.';
    diagnostics.warning('config.region', 'parameters.region', { line, message, remedy });
  }
}

function checkFailoverRegion(
  failover: ParameterText | undefined,
  region: string | undefined,
  diagnostics: Diagnostics,
): string | undefined {
  if (failover === undefined || failover.text !== region) return failover?.text;
  diagnostics.error('config.region', 'parameters.failoverRegion', {
    line: failover.line,
    message: `expected another region than the primary one, got ${quote(failover.text)} for both`,
    remedy: 'Name a second region, or leave failoverRegion out.',
  });
  return undefined;
}

/** One byte that replaces `/`, or `False` to keep it; `_` by default. */
function readTranslation(raw: ParameterText | undefined, diagnostics: Diagnostics): string | undefined {
  if (raw === undefined) return '_';
  if (raw.text.toLowerCase() === 'false') return '';
  if (new TextEncoder().encode(raw.text).length === 1) return raw.text;
  const message = `expected "False" or a single one-byte character, got ${quote(raw.text)}`;
  const remedy = /^(none|no|off|null)$/i.test(raw.text)
    ? 'Write pathTranslation: "False" to keep the slashes.'
    : 'Write pathTranslation: "_", or "False" to keep the slashes.';
  parameterError('pathTranslation', raw.line, message, remedy, diagnostics);
  return undefined;
}

function readUsePodIdentity(raw: ParameterText | undefined, diagnostics: Diagnostics): boolean | undefined {
  if (raw === undefined) return undefined;
  if (['1', 't', 'T', 'true', 'True', 'TRUE'].includes(raw.text)) return true;
  if (['0', 'f', 'F', 'false', 'False', 'FALSE'].includes(raw.text)) return false;
  const message = `expected "true" or "false", got ${quote(raw.text)}`;
  const remedy = 'Write usePodIdentity: "true" or "false".';
  parameterError('usePodIdentity', raw.line, message, remedy, diagnostics);
  return undefined;
}

function readAddressType(
  raw: ParameterText | undefined,
  diagnostics: Diagnostics,
): Plan['preferredAddressType'] {
  const type = raw?.text.toLowerCase() ?? 'auto';
  if (type === 'auto' || type === 'ipv4' || type === 'ipv6') return type;
  diagnostics.warning('config.parameter', 'parameters.preferredAddressType', {
    line: raw?.line,
    message: `expected "auto", "ipv4" or "ipv6", got ${quote(type)}; "auto" is used`,
    remedy: 'Write one of the three, or leave preferredAddressType out.',
  });
  return 'auto';
}

/** The CSI driver adds parameters with this prefix. */
const DRIVER_PREFIX = 'csi.storage.k8s.io/';

function reportUnknownParameter({ key, line }: YamlEntry, diagnostics: Diagnostics): void {
  if (key.startsWith(DRIVER_PREFIX)) return;
  if (isObjectKey(key)) {
    // The block of `objects: |` ended above this line. Without an error, the objects from here on would be ignored silently.
    const message = `expected a parameter, got ${quote(key)}, a key of an object: the text of objects ends above it`;
    const remedy = 'Indent it, and what follows, as far as the objects above it.';
    diagnostics.error('config.objects', 'parameters', { line, message, remedy });
    return;
  }
  const message = `expected a known parameter, got ${quote(key)}`;
  const remedy = unknownKeyRemedy(key, parameterKeys, placeOfKey(key));
  diagnostics.warning('config.unknownKey', 'parameters', { line, message, remedy });
}

function checkParameter({ key, line, value, repeated }: YamlEntry, diagnostics: Diagnostics): void {
  if (key.startsWith(DRIVER_PREFIX)) return;
  const subject = `parameters.${escapeControl(key)}`;
  if (repeated) {
    const message = 'the parameter is repeated; the last one is used';
    diagnostics.warning('config.duplicate', subject, { line, message, remedy: 'Remove the others.' });
  }
  const isOtherType = value.kind === 'null' || (value.kind === 'scalar' && value.type !== 'text');
  if (isOtherType && !diagnostics.hasError(subject)) {
    const message = `expected text, got ${kindText(value)} without quotes, which the API server rejects`;
    diagnostics.warning('config.parameter', subject, { line, message, remedy: 'Put the value in quotes.' });
  }
}

function parameterError(
  name: Name,
  line: number,
  message: string,
  remedy: string,
  diagnostics: Diagnostics,
): void {
  diagnostics.error('config.parameter', `parameters.${name}`, { line, message, remedy });
}
