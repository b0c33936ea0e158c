/**
 * `spec.parameters`: regions, authentication, path translation, and the value that holds the objects.
 *
 * To the API server every parameter is text. A file that never passes one may leave out the quotes: the value is then
 * taken as written, with a warning.
 */

import { didYouMean, escapeControl, quote } from '../core/text.ts';
import type { YamlEntry, YamlMap, YamlValue } from '../formats/yaml.ts';
import type { Diagnostics } from './diagnostics.ts';
import { kindText } from './fields.ts';
import { isObjectKey } from './object-keys.ts';
import type { Plan } from './plan.ts';

/** The parameters, read. */
export interface Parameters
  extends Pick<Plan, 'regionFrom' | 'failoverRegion' | 'usePodIdentity' | 'preferredAddressType'> {
  /** Undefined when neither the file nor the environment names one; that is among the problems then. */
  readonly region: string | undefined;
  /** What stands for `/` in names; '' leaves it there. Undefined when it could not be read. */
  readonly pathTranslation: string | undefined;
  readonly objects: YamlValue | undefined;
  readonly objectsLine: number | undefined;
}

const known = [
  'region',
  'failoverRegion',
  'pathTranslation',
  'usePodIdentity',
  'preferredAddressType',
  'objects',
] as const;
type Name = (typeof known)[number];

/** Reads and checks the parameters. `environmentRegion` is AWS_REGION, for a file that names no region. */
export function readParameters(
  map: YamlMap | undefined,
  environmentRegion: string | undefined,
  findings: Diagnostics,
): Parameters {
  const entries = new Map<Name, YamlEntry>();
  for (const entry of map?.entries ?? []) {
    const name = known.find((each) => each === entry.key);
    if (name !== undefined) entries.set(name, entry);
    else unknownParameter(entry, findings);
    lintParameter(entry, findings);
  }
  const text = (name: Name) => parameterText(name, entries.get(name), findings);
  const written = text('region');
  const failover = text('failoverRegion');
  const region = written?.text ?? (environmentRegion || undefined);
  lintRegion('region', written, findings);
  lintRegion('failoverRegion', failover, findings);
  const objects = entries.get('objects');
  return {
    region: checkRegion(region, map?.line, findings),
    regionFrom: written === undefined ? 'AWS_REGION' : 'parameters.region',
    failoverRegion: checkFailoverRegion(failover, region, findings),
    pathTranslation: readTranslation(text('pathTranslation'), findings),
    usePodIdentity: readUsePodIdentity(text('usePodIdentity'), findings),
    preferredAddressType: readAddressType(text('preferredAddressType'), findings),
    objects: objects?.value,
    objectsLine: objects?.line,
  };
}

interface ParameterText {
  readonly text: string;
  readonly line: number;
}

/** A parameter as written; undefined when it is absent or empty. */
function parameterText(
  name: Name,
  entry: YamlEntry | undefined,
  findings: Diagnostics,
): ParameterText | undefined {
  const value = entry?.value;
  if (entry === undefined || value === undefined || value.kind === 'null') return undefined;
  if (value.kind !== 'scalar') {
    const message = `expected text, got ${kindText(value)}`;
    refuse(findings, name, entry.line, message, `Write ${name} as text.`);
    return undefined;
  }
  const text = value.plain ?? value.text;
  return text === '' ? undefined : { text, line: entry.line };
}

/** As all regions are named. The AWS provider takes any text; the SDK, once it is asked, does not. */
const REGION = /^[a-z]+(-[a-z]+)+-\d+$/;

function lintRegion(
  name: 'region' | 'failoverRegion',
  region: ParameterText | undefined,
  findings: Diagnostics,
): void {
  if (region === undefined || REGION.test(region.text)) return;
  findings.warning({
    code: 'config.region',
    subject: `parameters.${name}`,
    line: region.line,
    message: `expected a region such as eu-west-1, got ${quote(region.text)}`,
    remedy: 'Write the name of the region, without the letter of a zone.',
  });
}

function checkRegion(
  region: string | undefined,
  line: number | undefined,
  findings: Diagnostics,
): string | undefined {
  if (region !== undefined) return region;
  findings.error({
    code: 'config.region',
    subject: 'parameters.region',
    line,
    message: 'expected a region, got none here and none in AWS_REGION',
    remedy: 'Write region, or set AWS_REGION (EKS sets it with IRSA and Pod Identity).',
  });
  return undefined;
}

function checkFailoverRegion(
  failover: ParameterText | undefined,
  region: string | undefined,
  findings: Diagnostics,
): string | undefined {
  if (failover === undefined || failover.text !== region) return failover?.text;
  findings.error({
    code: 'config.region',
    subject: 'parameters.failoverRegion',
    line: failover.line,
    message: `expected another region than the primary one, got ${quote(failover.text)} for both`,
    remedy: 'Name a second region, or leave failoverRegion out.',
  });
  return undefined;
}

/** One byte that stands for `/`, or `False` for none; `_` by default. */
function readTranslation(written: ParameterText | undefined, findings: Diagnostics): string | undefined {
  if (written === undefined) return '_';
  if (written.text.toLowerCase() === 'false') return '';
  if (new TextEncoder().encode(written.text).length === 1) return written.text;
  const message = `expected "False" or a single one-byte character, got ${quote(written.text)}`;
  refuse(findings, 'pathTranslation', written.line, message, 'Write pathTranslation: "_", or "False".');
  return undefined;
}

function readUsePodIdentity(written: ParameterText | undefined, findings: Diagnostics): boolean | undefined {
  if (written === undefined) return undefined;
  if (['1', 't', 'T', 'true', 'True', 'TRUE'].includes(written.text)) return true;
  if (['0', 'f', 'F', 'false', 'False', 'FALSE'].includes(written.text)) return false;
  const message = `expected "true" or "false", got ${quote(written.text)}`;
  refuse(findings, 'usePodIdentity', written.line, message, 'Write usePodIdentity: "true" or "false".');
  return undefined;
}

function readAddressType(
  written: ParameterText | undefined,
  findings: Diagnostics,
): Plan['preferredAddressType'] {
  const type = written?.text.toLowerCase() ?? 'auto';
  if (type === 'auto' || type === 'ipv4' || type === 'ipv6') return type;
  findings.warning({
    code: 'config.parameter',
    subject: 'parameters.preferredAddressType',
    line: written?.line,
    message: `expected "auto", "ipv4" or "ipv6", got ${quote(type)}; "auto" is used`,
    remedy: 'Write one of the three, or leave preferredAddressType out.',
  });
  return 'auto';
}

/** The CSI driver adds parameters of its own under this prefix. */
const DRIVER = 'csi.storage.k8s.io/';

function unknownParameter({ key, line }: YamlEntry, findings: Diagnostics): void {
  if (key.startsWith(DRIVER)) return;
  if (isObjectKey(key)) {
    // The block of `objects: |` ended above this line: what follows would be missing, in silence.
    const message = `expected a parameter, got ${quote(key)}, a key of an object: the text of objects ends before it`;
    const remedy = 'Indent it, and what follows, as far as the objects above it.';
    findings.error({ code: 'config.objects', subject: 'parameters', line, message, remedy });
    return;
  }
  const name = known.find((each) => each.toLowerCase() === key.toLowerCase()) ?? didYouMean(key, known);
  findings.warning({
    code: 'config.unknownKey',
    subject: 'parameters',
    line,
    message: `expected a known parameter, got ${quote(key)}`,
    remedy: name === undefined ? 'Remove it: nothing reads it.' : `Write ${quote(name)}, or remove it.`,
  });
}

function lintParameter({ key, line, value, repeated }: YamlEntry, findings: Diagnostics): void {
  if (key.startsWith(DRIVER)) return;
  const place = { code: 'config.parameter', subject: `parameters.${escapeControl(key)}`, line } as const;
  if (repeated) {
    const message = 'expected the parameter once, got it more than once; the last one counts';
    findings.warning({ ...place, code: 'config.duplicate', message, remedy: 'Remove the others.' });
  }
  if (value.kind === 'null' || (value.kind === 'scalar' && value.type !== 'text')) {
    const message = `expected text, got ${kindText(value)} without quotes, which the API server refuses`;
    findings.warning({ ...place, message, remedy: 'Put the value in quotes.' });
  }
}

function refuse(findings: Diagnostics, name: Name, line: number, message: string, remedy: string): void {
  findings.error({ code: 'config.parameter', subject: `parameters.${name}`, line, message, remedy });
}
