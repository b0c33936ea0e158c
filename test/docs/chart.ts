/**
 * Writes the README of the Helm chart and the schema of its values, from the option table.
 *
 * The chart passes options on to the containers that it adds, so the options of its values are those of the command line.
 */

import { type Kind, kinds, type Option } from '../../src/cli/option-kinds.ts';
import { flagOf, type OptionName, options } from '../../src/cli/options.ts';
import { signals } from '../../src/cli/values.ts';
import { containerOptions } from '../../src/inject/options.ts';
import { table } from './markdown.ts';

/** A mount path. Kubernetes does not allow `:` in it. */
const DIRECTORY = { type: 'string', pattern: '^(/[^/:]+)+/?$' };
const QUANTITIES = { type: 'object', additionalProperties: { type: ['string', 'number'] } };

/** The values of the chart, without its options: path, description, schema. */
const values: readonly (readonly [string, string, Schema])[] = [
  ['image.repository', 'repository of the image', { type: 'string', minLength: 1 }],
  ['image.tag', "tag of the image; empty: the chart's appVersion", { type: 'string' }],
  ['image.pullPolicy', "empty: the kubelet's own default", { enum: ['', 'Always', 'IfNotPresent', 'Never'] }],
  [
    'as',
    'a native sidecar (Kubernetes 1.29+), an init container, or an init container plus a regular sidecar (before 1.29)',
    { enum: ['sidecar', 'init', 'init+sidecar'] },
  ],
  ['dir', "where the application's containers mount the files", DIRECTORY],
  ['config', 'the SecretProviderClass; becomes a ConfigMap', { type: 'object' }],
  ['configMap', 'an existing ConfigMap with the key `config.yaml`; instead of `config`', { type: 'string' }],
  [
    'user.uid',
    'the user that podsecrets runs as; `none`: user and group as the cluster assigns them (OpenShift)',
    { anyOf: [{ type: 'integer', minimum: 0 }, { const: 'none' }] },
  ],
  ['user.gid', 'its group', { type: 'integer', minimum: 0 }],
  [
    'resources',
    'requests and limits of the container; a memory limit below 96Mi is not supported, the default 128Mi is enough; a ResourceQuota on `limits.cpu` needs `limits.cpu`',
    {
      type: 'object',
      additionalProperties: false,
      properties: { requests: QUANTITIES, limits: QUANTITIES },
    },
  ],
  ['sizeLimit', 'size limit of the volume, in memory', { type: 'string', pattern: '^[0-9]+(Ki|Mi|Gi)?$' }],
  [
    'serviceAccountName',
    'the service account that manages the Secrets, with `options.syncSecrets`',
    { type: 'string', minLength: 1 },
  ],
  ['policy.enabled', 'install the policy; never as a dependency', { type: 'boolean' }],
  [
    'policy.apiVersion',
    'empty: `v1` with Kubernetes 1.36+, `v1beta1` with 1.34 and 1.35',
    { enum: ['', 'v1', 'v1beta1'] },
  ],
  [
    'policy.env',
    'also give containers the variables that the annotations `podsecrets.io/env` and `podsecrets.io/env-file` name (Kubernetes 1.35+)',
    { type: 'boolean' },
  ],
  ['policy.namespaceSelector', 'the namespaces whose pods the policy changes', { type: 'object' }],
];

interface Schema {
  readonly type?: string | readonly string[];
  readonly [keyword: string]: unknown;
}

/** `values.schema.json`: unknown values are rejected, so that a misspelt value is not silently ignored. */
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
      // Helm adds `global` to the values of a dependency; a parent chart's `condition` reads `enabled`.
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
  // Every value has a default. A parent chart removes a default with null.
  if (!NULLABLE.has(key) && !tree.required.includes(key)) tree.required.push(key);
  if (rest.length === 0) {
    tree.properties[key] = schema;
    return;
  }
  tree.properties[key] ??= { type: 'object', additionalProperties: false, properties: {}, required: [] };
  place(tree.properties[key] as Tree, rest, schema);
}

/** Alternatives to each other: a chart sets one of them. */
const NULLABLE = new Set(['config', 'configMap']);

/** The form of the values that the program would reject when the pod starts. */
export const patterns: Partial<Record<Kind, string>> = {
  duration: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$',
  mode: '^0[0-7]{3}$',
  listen: '^(off|(\\[[0-9a-fA-F:.]+\\]|[^:\\s\\[\\]]*):[0-9]{1,5})$',
  signal: `^(SIG)?(${signals.map((signal) => signal.slice('SIG'.length)).join('|')})$`,
  url: '^https?://',
  exitCode: '^([1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])$',
  command: '^(\\s*\\[\\s*"[\\s\\S]*\\]\\s*|[^\\s\\[]\\S*)$',
};

function optionSchema(option: Option): Schema {
  const description = option.description;
  if (option.kind === 'flag') return { description, type: 'boolean' };
  const pattern = patterns[option.kind];
  return {
    description,
    ...(option.kind === 'exitCode'
      ? { type: ['string', 'integer'], minimum: 1, maximum: 255 }
      : { type: 'string' }),
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

AWS secrets as files in your pod, without a DaemonSet. The chart has two independent uses. No chart or image is published yet: use this folder, and
set \`image.repository\` and \`image.tag\` to [your image](../../examples/README.md#get-podsecrets).

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

\`helm dependency update\` fetches it. The chart creates the ConfigMap and, with \`options.syncSecrets\`, the Role and RoleBinding. With \`as: init+sidecar\` add one more
line to the end of \`containers\`: \`{{- include "podsecrets.containers" . | nindent 6 }}\`.

Other init containers come after \`podsecrets.initContainers\`: podsecrets mounts the volume at \`/mnt/podsecrets\` and creates the
directory \`files\` in it, which the others mount with \`subPath\`. For a container that comes first the kubelet would create it, owned by root.

### Environment variables

With \`env\` and \`envFile\` [in the config](../../examples/reference/config.md) a container gets the variables by \`fileKeyRef\`, from Kubernetes 1.35:

\`\`\`yaml
      - name: app
        env:
        {{- include "podsecrets.env" . | nindent 8 }}
\`\`\`

The container need not mount the files. The template fails for an older cluster, for a pattern such as \`env: "DB_*"\` (\`fileKeyRef\` needs names), and with \`configMap\`, whose
variables the chart cannot read.

### The service account

The chart cannot read your pod spec, so it cannot compare the service account of the pod with its own value. With \`options.syncSecrets\` take both from one:

\`\`\`yaml
    spec:
      serviceAccountName: {{ .Values.podsecrets.serviceAccountName }}
\`\`\`

If they differ, podsecrets exits with \`kubernetes.denied\`, which names the service account of the pod.

### What is rejected

The template fails, with a sentence that states the reason, for:

- \`as: sidecar\` on Kubernetes before 1.29 (use \`init+sidecar\`), or with \`options.listen\` where the kubelet's startupProbe cannot reach it
- \`options.interval\` or \`options.listen\` with \`as: init\`, which runs once
- \`options.notifySignal\` without \`options.notifyProcess\` or \`options.notifyPidFile\`
- \`options.syncSecrets\` when \`config\` has no \`secretObjects\`
- \`options.adoptDriverSecrets\` without \`options.syncSecrets\`, or with \`as: init\`
- \`config\` of another kind or provider, both \`config\` and \`configMap\`, or neither
- a value or option that the tables below do not have

The startupProbe does not limit the start: the program ends itself after \`options.startTimeout\`, with the cause in its termination message.

## Once in a cluster: an annotation on a pod

    helm install podsecrets helm/podsecrets --namespace podsecrets --create-namespace

A pod with the annotation \`podsecrets.io/inject: CONFIGMAP\` gets the sidecar, its volumes and the mounts when it
is created, the same as \`podsecrets inject\` writes them. A Deployment has it in its template:

\`\`\`yaml
spec:
  template:
    metadata:
      annotations:
        podsecrets.io/inject: app
\`\`\`

The API server does it, by a MutatingAdmissionPolicy: no webhook server, no certificate, no controller.
\`podsecrets.io/dir: DIR\` sets where the containers mount the files. A container that already mounts the volume \`podsecrets\` keeps
its path, and gets \`subPath: files\` if it has no subPath.

With \`policy.env: true\` (Kubernetes 1.35+) two more annotations give every container variables by \`fileKeyRef\`. The API server cannot read the
config, so the annotations repeat the names:

\`\`\`yaml
        podsecrets.io/inject: app
        podsecrets.io/env: DB_USER,DB_PASSWORD
        podsecrets.io/env-file: app.env
\`\`\`

A ValidatingAdmissionPolicy rejects invalid names, a file outside the directory, and a container that has one of the variables with another value.

The ConfigMap is in the pod's namespace and holds a SecretProviderClass in its key \`config.yaml\`:

    kubectl create configmap app --from-file=config.yaml=secret-provider-class.yaml

Kubernetes 1.36 has the policy; 1.34 and 1.35 have it as a beta that must be enabled (feature gate
\`MutatingAdmissionPolicy\` and \`--runtime-config=admissionregistration.k8s.io/v1beta1=true\`); on older
clusters nothing is installed. What \`inject\` rejects (Pod Identity on Fargate, Windows, a signal without
\`shareProcessNamespace\`) the policy cannot detect.

## Values

${table(
  ['value', 'meaning'],
  values.map(([path, help]) => [`\`${path}\``, help]),
)}

## Options

\`options\` is passed on to the containers. Values are strings, as on the command line; flags are \`true\` or \`false\`.

${table(
  ['option', 'flag', 'default', 'meaning'],
  chartOptions().map((name) => optionRow(name, options[name])),
)}
`;
}

function optionRow(name: OptionName, option: Option): readonly string[] {
  const expected = option.choices?.map((choice) => `\`${choice}\``).join(', ') ?? kinds[option.kind].expected;
  const meaning =
    option.kind === 'text' && option.choices === undefined
      ? option.description
      : `${option.description} (${expected})`;
  return [
    `\`options.${name}\``,
    `\`${flagOf(name)}\``,
    option.default === undefined ? '' : `\`${option.default}\``,
    meaning,
  ];
}
