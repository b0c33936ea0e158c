/**
 * `env` and `envCase`: objects and fields as environment variables, by a name or by the pattern `PREFIX_*` for each key of an
 * expanded object. The AWS provider ignores both keys.
 */

import { isEnvName, MAX_ENV_NAME } from '../core/environment.ts';
import { quote } from '../core/text.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Fields, TextField } from './fields.ts';
import type { EnvPattern } from './plan.ts';

/** A variable that the config names. */
export interface EnvClaim {
  readonly name: string;
  readonly subject: string;
  readonly line: number;
}

type EnvFields = Fields<'env' | 'envCase'>;

/** The name in `env`; undefined if it is missing, or wrong and reported. */
export function readEnvName(fields: EnvFields): EnvClaim | undefined {
  const field = fields.text('env');
  if (fields.has('envCase')) {
    const message = 'envCase without env: "PREFIX_*" and expand has no effect';
    fields.warning('envCase', message, 'Remove it.');
  }
  if (field === undefined) return undefined;
  if (isEnvName(field.text)) return { name: field.text, subject: `${fields.subject}.env`, line: field.line };
  const remedy = field.text.includes('*')
    ? 'Write expand: true for a pattern, or a name without *.'
    : `Write a name of letters, digits and _, at most ${MAX_ENV_NAME}, that does not begin with a digit.`;
  reportName(fields, field, remedy);
  return undefined;
}

/** The pattern in `env` of an expanded object; undefined if it is missing, or wrong and reported. */
export function readEnvPattern(fields: EnvFields): EnvPattern | undefined {
  const field = fields.text('env');
  const upper = readCase(fields);
  if (field === undefined) return undefined;
  const prefix = field.text.slice(0, -1);
  if (field.text.endsWith('*') && (prefix === '' || isEnvName(prefix))) return { prefix, upper };
  reportName(
    fields,
    field,
    'Write env: "PREFIX_*": the * stands for the key, because the object is expanded.',
  );
  return undefined;
}

function readCase(fields: EnvFields): boolean {
  const field = fields.text('envCase');
  if (field !== undefined && field.text !== 'keep' && field.text !== 'upper') {
    const message = `expected "keep" or "upper", got ${quote(field.text)}`;
    fields.error('envCase', message, 'Write envCase: upper, or remove it.');
  }
  return field?.text === 'upper';
}

function reportName(fields: EnvFields, { text }: TextField, remedy: string): void {
  fields.error('env', `expected the name of an environment variable, got ${quote(text)}`, remedy);
}

/** The variable of a key by a pattern. `upper` also replaces `-`, `.` and `/`, which a name cannot contain. */
export function patternName({ prefix, upper }: EnvPattern, key: string): string {
  return prefix + (upper ? key.toUpperCase().replaceAll(/[-./]/g, '_') : key);
}

/** Variables that make a program run other code, or use other CAs, files or endpoints. */
const SENSITIVE = new Set(
  (
    'PATH IFS ENV BASH_ENV SHELLOPTS PS4 HOME NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS RUBYOPT RUBYLIB CLASSPATH ' +
    'JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS DOTNET_STARTUP_HOOKS GCONV_PATH PHPRC PHP_INI_SCAN_DIR ' +
    'LUA_INIT LUA_PATH LUA_CPATH'
  ).split(' '),
);
const SENSITIVE_PREFIXES = [
  'LD_',
  'DYLD_',
  'PYTHON',
  'PERL5',
  'OPENSSL_',
  'GIT_',
  'AWS_',
  'KUBERNETES_',
  'PODSECRETS_',
];

/**
 * The entry of the list of sensitive variables that matches a name, such as `LD_*`; undefined if none does. A pattern must
 * never create such a name, because permission to write a secret's value would then be permission to run code.
 */
export function sensitiveName(name: string): string | undefined {
  if (SENSITIVE.has(name)) return name;
  const prefix = SENSITIVE_PREFIXES.find((each) => name.startsWith(each));
  return prefix && `${prefix}*`;
}

/** Reports repeated names, sensitive names, variables without an envFile, and no variables where only variables are used. */
export function checkEnvNames(
  claims: readonly EnvClaim[],
  {
    hasPatterns,
    hasFile,
    variablesOnly,
    forExec,
  }: {
    readonly hasPatterns: boolean;
    readonly hasFile: boolean;
    readonly variablesOnly: boolean;
    readonly forExec: boolean;
  },
  diagnostics: Diagnostics,
): void {
  const owners = new Map<string, EnvClaim>();
  for (const claim of claims) {
    const { name, subject, line } = claim;
    const other = owners.get(name);
    if (other !== undefined) {
      const message = `expected a unique variable name, got ${quote(name)}, which ${other.subject} in line ${other.line} also has`;
      diagnostics.error('config.object', subject, { line, message, remedy: 'Rename one of the two.' });
    } else owners.set(name, claim);
    const sensitive = sensitiveName(name);
    if (sensitive !== undefined) {
      const message = `${quote(name)} changes how programs run (${sensitive}): write access to the secret is permission to run code`;
      const remedy = 'Rename the variable if the application does not need this name.';
      diagnostics.warning('config.object', subject, { line, message, remedy });
    }
  }
  const used = claims.length > 0 || hasPatterns;
  if (variablesOnly) {
    if (used) return;
    const message = 'expected env in an object or a jmesPath entry, got none: nothing in this config is used';
    const remedy = 'Write env: NAME where a variable is wanted, or give a directory for the files.';
    diagnostics.warning('config.objects', 'parameters.objects', { line: undefined, message, remedy });
    return;
  }
  if (used && !hasFile && !forExec) {
    const message = 'no envFile: the variables of env are set only by podsecrets exec';
    const remedy = 'Write the parameter envFile: "app.env" to have them in a file.';
    diagnostics.warning('config.parameter', 'parameters.envFile', { line: claims[0]?.line, message, remedy });
  }
  if (hasFile && !used) {
    const message = 'expected env in an object or a jmesPath entry for envFile, got none: the file is empty';
    const remedy = 'Write env: NAME where a variable is wanted, or remove envFile.';
    diagnostics.warning('config.parameter', 'parameters.envFile', { line: undefined, message, remedy });
  }
}
