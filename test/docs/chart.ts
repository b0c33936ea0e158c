/**
 * What the Helm chart says about itself, made from the option table: its README and the schema of its values.
 *
 * The chart passes options on to the containers that it adds, so the options of its values are those of the command line.
 */

import { flagOf, type Kind, kinds, type Option, type OptionName, options } from '../../src/cli/options.ts';
import { containerOptions } from '../../src/inject/read-options.ts';
import { table } from './sections.ts';

/** A mount path: Kubernetes divides at `:`. */
const DIRECTORY = { type: 'string', pattern: '^(/[^/:]+)+/?$' };
const QUANTITIES = { type: 'object', additionalProperties: { type: ['string', 'number'] } };

/** The values of the chart but for its options: where they stand, what they are, and their schema. */
const values: readonly (readonly [string, string, Schema])[] = [
  ['image.repository', 'where the image is', { type: 'string', minLength: 1 }],
  ['image.tag', "its tag; empty: the chart's appVersion", { type: 'string' }],
  ['image.pullPolicy', "empty: the kubelet's own default", { enum: ['', 'Always', 'IfNotPresent', 'Never'] }],
  [
    'as',
    'a native sidecar (Kubernetes 1.29 on), an init container, or both in the old way',
    { enum: ['sidecar', 'init', 'init+sidecar'] },
  ],
  ['dir', "where the application's containers mount the files", DIRECTORY],
  ['config', 'the SecretProviderClass; becomes a ConfigMap', { type: 'object' }],
  [
    'configMap',
    'a ConfigMap that is there already, with the key `config.yaml`; instead of `config`',
    { type: 'string' },
  ],
  ['user.uid', 'the user that podsecrets runs as', { type: 'integer', minimum: 0 }],
  ['user.gid', 'its group', { type: 'integer', minimum: 0 }],
  [
    'resources',
    'requests and limits of the container',
    {
      type: 'object',
      additionalProperties: false,
      properties: { requests: QUANTITIES, limits: QUANTITIES },
    },
  ],
  [
    'sizeLimit',
    'the most that the files may take, in memory',
    { type: 'string', pattern: '^[0-9]+(Ki|Mi|Gi)?$' },
  ],
  [
    'serviceAccountName',
    'who may keep the Secrets, with `options.syncSecrets`',
    { type: 'string', minLength: 1 },
  ],
  ['policy.enabled', 'install the policy; never as a dependency', { type: 'boolean' }],
  [
    'policy.apiVersion',
    'empty: `v1` from Kubernetes 1.36 on, `v1beta1` from 1.34 on',
    { enum: ['', 'v1', 'v1beta1'] },
  ],
  ['policy.namespaceSelector', 'the namespaces that the policy looks at', { type: 'object' }],
];

interface Schema {
  readonly type?: string | readonly string[];
  readonly [keyword: string]: unknown;
}

/** `values.schema.json`: what is not known is refused, so that a misspelt value is not silently without effect. */
export function renderChartSchema(): string {
  const root: Tree = { properties: {}, required: [] };
  for (const [path, description, schema] of values)
    place(root, path.split('.'), { description: plain(description), ...schema });
  const optionProperties = Object.fromEntries(
    chartOptions().map((name) => [name, optionSchema(options[name])]),
  );
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'podsecrets',
    type: 'object',
    additionalProperties: false,
    required: [...root.required, 'options'],
    properties: {
      ...root.properties,
      // What Helm puts, and what a parent chart's `condition` reads, among the values of a dependency.
      global: { type: 'object' },
      enabled: { type: 'boolean' },
      options: { type: 'object', additionalProperties: false, properties: optionProperties },
    },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

interface Tree {
  readonly properties: Record<string, unknown>;
  readonly required: string[];
}

function place(tree: Tree, [key = '', ...rest]: readonly string[], schema: Schema): void {
  // All of them have defaults; null takes a default away.
  if (!NULLABLE.has(key) && !tree.required.includes(key)) tree.required.push(key);
  if (rest.length === 0) {
    tree.properties[key] = schema;
    return;
  }
  tree.properties[key] ??= { type: 'object', additionalProperties: false, properties: {}, required: [] };
  place(tree.properties[key] as Tree, rest, schema);
}

/** Instead of each other. */
const NULLABLE = new Set(['config', 'configMap']);

/** What the program would refuse when the pod starts. */
export const patterns: Partial<Record<Kind, string>> = {
  duration: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$',
  mode: '^0[0-7]{3}$',
  listen: '^(off|(\\[[0-9a-fA-F:.]+\\]|[^:\\s\\[\\]]*):[0-9]{1,5})$',
  signal: '^(SIG)?[A-Z]+[12]?$',
  url: '^https?://',
};

function optionSchema(option: Option): Schema {
  const description = option.help;
  if (option.kind === 'flag') return { description, type: 'boolean' };
  const pattern = patterns[option.kind];
  return {
    description,
    type: 'string',
    ...(option.choices === undefined ? {} : { enum: option.choices }),
    ...(pattern === undefined ? {} : { pattern }),
  };
}

function chartOptions(): readonly OptionName[] {
  return [...new Set([...containerOptions('sidecar'), ...containerOptions('init')])];
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}

/** The chart's README. */
export function renderChartReadme(): string {
  return `# podsecrets, the chart

AWS secrets as files in your pod, without a DaemonSet. Two uses; nothing of one is needed for the other.

## As a dependency: three lines in your own chart

\`\`\`yaml
# Chart.yaml
dependencies:
- {name: podsecrets, version: 0.1.0, repository: "file://../podsecrets"}
\`\`\`

\`\`\`yaml
# values.yaml
podsecrets:
  config:
    apiVersion: secrets-store.csi.x-k8s.io/v1
    kind: SecretProviderClass
    metadata: {name: app}
    spec:
      provider: aws
      parameters:
        objects: |
          - {objectName: prod/db, objectType: secretsmanager}
  options:
    interval: 5m
\`\`\`

\`\`\`yaml
# templates/deployment.yaml
    spec:
      initContainers:
      {{- include "podsecrets.initContainers" . | nindent 6 }}
      containers:
      - name: app
        image: app
        volumeMounts:
        {{- include "podsecrets.mounts" . | nindent 8 }}
      volumes:
      {{- include "podsecrets.volumes" . | nindent 6 }}
\`\`\`

\`helm dependency update\` brings it in. The chart makes the ConfigMap and, with \`options.syncSecrets\`, the Role and RoleBinding. With \`as: init+sidecar\` one more
line goes to the end of \`containers\`: \`{{- include "podsecrets.containers" . | nindent 6 }}\`.

Other init containers come after \`podsecrets.initContainers\`: podsecrets mounts the volume at \`/mnt/podsecrets\` and makes the directory
\`files\` in it, which the others mount by \`subPath\`. The kubelet would make it as root for a container that comes first.

## Once in a cluster: an annotation on a pod

    helm install podsecrets helm/podsecrets --namespace podsecrets --create-namespace

From then on a pod with the annotation \`podsecrets.io/inject: CONFIGMAP\` gets the sidecar, its volumes and the mounts when it
is created, exactly as \`podsecrets inject\` would have written them. A Deployment has it in its template:

\`\`\`yaml
spec:
  template:
    metadata:
      annotations:
        podsecrets.io/inject: app
\`\`\`

The API server does it itself, by a MutatingAdmissionPolicy: no webhook server, no certificate, no controller.
\`podsecrets.io/dir: DIR\` chooses where the containers mount the files. A container that mounts the volume \`podsecrets\` by itself keeps
its path, and gets \`subPath: files\` if it names none.
The ConfigMap is in the pod's namespace and holds a SecretProviderClass in its key \`config.yaml\`:

    kubectl create configmap app --from-file=config.yaml=secret-provider-class.yaml

Kubernetes 1.36 has the policy; 1.34 and 1.35 have it as a beta that has to be switched on (feature gate
\`MutatingAdmissionPolicy\` and \`--runtime-config=admissionregistration.k8s.io/v1beta1=true\`); older ones have none, and
nothing is installed there. What \`inject\` refuses (Pod Identity on Fargate, Windows, a signal without
\`shareProcessNamespace\`) the policy cannot see.

## Values

${table(
  ['value', 'meaning'],
  values.map(([path, help]) => [`\`${path}\``, help]),
)}

## Options

\`options\` is passed on to the containers. Values are text, as on the command line; flags are \`true\` or \`false\`.

${table(
  ['option', 'flag', 'default', 'meaning'],
  chartOptions().map((name) => optionRow(name, options[name])),
)}
`;
}

function optionRow(name: OptionName, option: Option): readonly string[] {
  const expected = option.choices?.map((choice) => `\`${choice}\``).join(', ') ?? kinds[option.kind].expected;
  const meaning =
    option.kind === 'text' && option.choices === undefined ? option.help : `${option.help} (${expected})`;
  return [
    `\`options.${name}\``,
    `\`${flagOf(name)}\``,
    option.default === undefined ? '' : `\`${option.default}\``,
    meaning,
  ];
}
