/** The parts that the fuzzers put together: random characters alone rarely get past the parser. */

/** Keys and values of a SecretProviderClass. */
export const configWords: readonly string[] = [
  ...'objectName objectAlias objectType objectVersion objectVersionLabel filePermission jmesPath path'.split(
    ' ',
  ),
  ...'failoverObject failoverRegion optional expand decode base64 secretsmanager ssmparameter'.split(' '),
  ...'pathTranslation secretObjects data template 0600 "0600" arn:aws:ssm:eu-west-1:1:parameter/a'.split(' '),
];

/** Keys and values of a pod spec. */
export const manifestWords: readonly string[] = [
  ...'metadata spec template initContainers containers volumes volumeMounts mountPath csi env emptyDir'.split(
    ' ',
  ),
  ...['items:', 'kind: Pod', 'kind: List', 'medium: Memory', 'podsecrets', '/mnt/secrets-store'],
];

/** The signs of YAML. */
export const yamlMarks: readonly string[] = [
  ...[':', ': ', '- ', '-', '? ', ', ', '{', '}', '[', ']', '&a ', '*a', '!!str ', '!!binary ', '<<: '],
  ...['|', '>', '|\n', '>-\n', '"', "'", '\n', '\n  ', '\n    ', '\n- ', '\t', ' #', '---\n', '...\n'],
  ...['%', '%YAML 1.1\n', '@', '`', '\\', '\0', '\u0085', '\ufeff', '\r\n', '\ud800'],
];

/** Values that another type, an attack or a mistake could have. */
export const yamlValues: readonly string[] = [
  ...['null', '~', 'yes', '[]', '{}', '""', '-1', '0x1F', '1.10', '1e400', '.inf', '.nan', '!!binary AAAA'],
  ...['*none', '&a [*a]', '{<<: {a: b}}', '{__proto__: {a: 1}}', '[[[[]]]]', '? a', '"\\u202e"', '"\\ud800"'],
  ...['/', 'a/b', '..', '../x', '../../etc', '..data'],
];
