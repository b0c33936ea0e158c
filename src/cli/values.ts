/**
 * Parses the values of options: durations, modes, owners, addresses, configs, commands, variables.
 *
 * Every function returns undefined for text of another form: nothing is guessed or replaced by a default. The option table describes
 * the form of each kind.
 */

import { parseArn } from '../core/arn.ts';
import { isEnvName } from '../core/environment.ts';
import type { Service } from '../core/service.ts';
import { parseJson } from '../core/unknown.ts';

/** `1h30m`, `90s`, `250ms`, `0s`. Milliseconds. A number without a unit is rejected. */
export function readDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (milliseconds[unit as keyof typeof milliseconds] ?? 0);
  }
  return total <= MAX_DURATION ? Math.round(total) : undefined;
}

const milliseconds = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Timers of Node overflow at 2^31 milliseconds (24.8 days); no option needs more. */
export const MAX_DURATION = 20 * 24 * 3_600_000;

/** Milliseconds as people read them: `250ms`, `1.5s`, `10m`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${trimmed(ms / 1000)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return parts(Math.floor(seconds / 60), 'm', seconds % 60, 's');
  const minutes = Math.round(ms / 60_000);
  return parts(Math.floor(minutes / 60), 'h', minutes % 60, 'm');
}

function parts(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

function trimmed(seconds: number): string {
  return Number(seconds.toFixed(seconds < 10 ? 2 : 1)).toString();
}

/** Four octal digits, as in a SecretProviderClass. Permission bits, without setuid, setgid and sticky. */
export function readMode(text: string): number | undefined {
  return /^0[0-7]{3}$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

/** `0644` for 420. */
export function modeText(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** `UID:GID`, both numbers: an image without /etc/passwd has no names. */
export function readOwner(text: string): { readonly uid: number; readonly gid: number } | undefined {
  const match = /^(\d{1,10}):(\d{1,10})$/.exec(text);
  if (match === null) return undefined;
  const [uid, gid] = [Number(match[1]), Number(match[2])];
  // 4294967295 is -1, which means "do not change" to chown(2).
  return uid < 4_294_967_295 && gid < 4_294_967_295 ? { uid, gid } : undefined;
}

/** A quantity of Kubernetes above 0: its text, which the pod spec gets, and its amount in cores or bytes. */
export interface Quantity {
  readonly text: string;
  readonly amount: number;
}

/** `10m`, `0.5`, `128Mi`, `1G`. Exponents are not supported, because they are not used for container resources. */
export function readQuantity(text: string): Quantity | undefined {
  const match = /^(\d+(?:\.\d+)?)(m|k|M|G|Ki|Mi|Gi)?$/.exec(text);
  if (match === null) return undefined;
  const amount = Number(match[1]) * units[(match[2] ?? '') as keyof typeof units];
  return amount > 0 ? { text, amount } : undefined;
}

const units = { '': 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 } as const;

/** `HOST:PORT`, `[V6]:PORT`, or `off`. Port 0 lets the system choose. */
export function readListen(
  text: string,
): { readonly host: string; readonly port: number } | 'off' | undefined {
  if (text === 'off') return 'off';
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[3]) > 65_535) return undefined;
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port: Number(match[3]) };
}

/** `FILE` or `FILE=DIR`. The last `=` separates, because a file name may contain one and a mount path rarely does. */
export function readConfigTarget(
  text: string,
): { readonly file: string; readonly dir: string | undefined } | undefined {
  const at = text.lastIndexOf('=');
  const file = at === -1 ? text : text.slice(0, at);
  const dir = at === -1 ? undefined : text.slice(at + 1);
  return file === '' || dir === '' ? undefined : { file, dir };
}

/** A JSON list of strings, or one program without arguments. Not a shell command: text with spaces is rejected. */
export function readCommand(text: string): readonly [string, ...string[]] | undefined {
  if (!text.trimStart().startsWith('[')) return text === '' || /\s/.test(text) ? undefined : [text];
  const list = parseJson(text);
  if (!Array.isArray(list) || !list.every((word) => typeof word === 'string' && !word.includes('\0')))
    return undefined;
  const [program, ...args] = list as string[];
  return program === undefined || program === '' ? undefined : [program, ...args];
}

/** An http or https URL without a password in it: options are visible in `ps`. */
export function readUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, username, password, href } = new URL(text);
  // Node decodes the user name, and throws for one such as `%zz` or `%ff`.
  const isPlain = password === '' && !username.includes('%');
  return isPlain && (protocol === 'http:' || protocol === 'https:') ? href : undefined;
}

/** A number from 1 to 255. */
export function readExitCode(text: string): number | undefined {
  return /^[1-9]\d{0,2}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

/** The signals that are used to notify an application, `SIGHUP` or `HUP`. */
export function readSignal(text: string): (typeof signals)[number] | undefined {
  const name = text.toUpperCase().startsWith('SIG') ? text.toUpperCase() : `SIG${text.toUpperCase()}`;
  return signals.find((signal) => signal === name);
}

/** The action after a change: `none`, `restart`, `exit`, or a signal. */
export function readOnChange(text: string): 'none' | 'restart' | 'exit' | ReturnType<typeof readSignal> {
  return text === 'none' || text === 'restart' || text === 'exit' ? text : readSignal(text);
}

/** The signals that podsecrets sends to an application, or passes on to it. */
export const signals = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGCONT',
  'SIGKILL',
] as const;

/** `FILE#NAME` in `--config`: a file and the name of the SecretProviderClass to read; without a name the file has one for AWS. */
export interface ClassChoice {
  readonly path: string;
  readonly className: string | undefined;
}

/** The name of a Kubernetes object after the last `#`. Any other text after it belongs to the path. */
const CHOICE = /^(.+)#([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)$/;

/** Splits the text of `--config`, without `=DIR`. */
export function classChoice(file: string): ClassChoice {
  const [, path = file, className] = CHOICE.exec(file) ?? [];
  return { path, className };
}

/**
 * The value of `--set NAME=REF`: a variable, and the value in AWS that it gets. REF has the syntax of `valueFrom` in a task definition of
 * ECS: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
 */
export interface SetVariable {
  readonly name: string;
  readonly service: Service;
  /** ARN, or the name of a parameter. */
  readonly id: string;
  /** Undefined for the name of a parameter, which is in the region of the process. */
  readonly region: string | undefined;
  /** A key at the top of a JSON secret; undefined: the whole value. */
  readonly key: string | undefined;
  readonly stage: string | undefined;
  readonly version: string | undefined;
}

/** Undefined if the text is not NAME=REF. */
export function readVariable(text: string): SetVariable | undefined {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(at, 0));
  const ref = text.slice(at + 1);
  if (!isEnvName(name)) return undefined;
  const whole = { name, key: undefined, stage: undefined, version: undefined };
  if (/^\/[\w./-]+$/.test(ref)) return { ...whole, service: 'ssmparameter', id: ref, region: undefined };
  const arn = parseArn(ref);
  if (!arn?.region) return undefined;
  const { service, region, resource } = arn;
  if (service === 'ssm') {
    return /^parameter\/\S+$/.test(resource)
      ? { ...whole, service: 'ssmparameter', id: ref, region }
      : undefined;
  }
  const [kind, secret, key, stage, version, ...others] = resource.split(':');
  if (service !== 'secretsmanager' || kind !== 'secret' || !secret || others.length > 0) return undefined;
  const id = ref.split(':').slice(0, SECRET_SECTIONS).join(':');
  // Only the key of a JSON secret may be any text.
  if (/\s/.test(`${id}${stage ?? ''}${version ?? ''}`)) return undefined;
  return {
    name,
    service,
    id,
    region,
    key: key || undefined,
    stage: stage || undefined,
    version: version || undefined,
  };
}

/** `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME` */
const SECRET_SECTIONS = 7;
