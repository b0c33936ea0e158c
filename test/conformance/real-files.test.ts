/**
 * What SecretProviderClass files and workloads of public repositories have in common, one small input for each pattern: what
 * the CSI driver's AWS provider does with it, and what `check` and `inject` do.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PlanOptions } from '../../src/config/parse.ts';
import { problemLine, problemsOf } from '../../src/core/problem.ts';
import { parse } from '../support/config.ts';
import { injectWith } from '../support/inject.ts';

interface Pattern {
  readonly pattern: string;
  /** The behaviour of the AWS provider, or of the driver. */
  readonly provider: string;
  /** A class for `check`, or manifests for `inject`. */
  readonly check?: string;
  readonly options?: Partial<PlanOptions>;
  readonly inject?: string;
  readonly flags?: string;
  /** The files of the plan, `ok` for an injection, or the messages of the problems. */
  readonly result: RegExp | readonly string[] | 'ok';
  readonly warns?: RegExp;
  /** Text that the output of an injection contains. */
  readonly output?: readonly RegExp[];
}

const head = (name: string, metadata = '') =>
  `apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: {name: ${name}${metadata}}\nspec:\n`;
const parameters = (objects: string, region = '    region: eu-west-1\n') =>
  `  provider: aws\n  parameters:\n${region}    objects: |\n${objects}\n`;
const db = '      - objectName: prod/db\n        objectType: secretsmanager';
const app = head('app') + parameters(db);
const synced = (objectName: string) =>
  `${head('app')}  secretObjects:\n  - secretName: db\n    type: Opaque\n    data: [{objectName: ${objectName}, key: password}]\n${parameters(`${db}\n        objectAlias: password`)}`;
const csi = (name: string, className: string) =>
  `- {name: ${name}, csi: {driver: secrets-store.csi.k8s.io, readOnly: true, volumeAttributes: {secretProviderClass: ${className}}}}`;
const mount = (extra = '') =>
  `volumeMounts: [{name: secrets, mountPath: /mnt/secrets, readOnly: true${extra}}]`;
const pod = ({ name = 'web', volumes = csi('secrets', 'app'), container = mount(), more = '' } = {}) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n${more}  containers: [{name: app, image: nginx, ${container}}]\n  volumes:\n${volumes.replace(/^/gm, '  ')}\n`;
const documents = (...texts: readonly string[]) => texts.join('---\n');

const patterns: readonly Pattern[] = [
  {
    pattern: '1. no region',
    provider: "takes the node's label, or AWS_REGION of the pod",
    check: head('app') + parameters(db, ''),
    options: { missingRegion: 'warning' },
    result: ['prod_db'],
    warns: /no region here and none in AWS_REGION/,
  },
  {
    pattern: '2. no usePodIdentity',
    provider: 'uses IRSA',
    check: app,
    result: ['prod_db'],
  },
  {
    pattern: '3. secretObjects that the same pod reads by secretKeyRef',
    provider: 'syncs the Secret while the volume is mounted',
    inject: documents(
      synced('password'),
      pod({
        container: `${mount()}, env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: password}}}]`,
      }),
    ),
    result: /Pod\/web container app: variable P reads the Secret db of the config/,
  },
  {
    pattern: '3. the same with --sync-secrets',
    provider: 'syncs the Secret while the volume is mounted',
    inject: documents(
      synced('password'),
      pod({
        container: `${mount()}, env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: password}}}]`,
      }),
    ),
    flags: '--sync-secrets --namespace shop',
    result: 'ok',
    output: [/kind: Role\n/, /--sync-secrets/],
  },
  {
    pattern: '4. secretObjects that name the secret of AWS instead of its alias',
    provider: 'mounts the volume; the sync fails later',
    check: synced('prod/db'),
    options: { syncSecrets: true },
    result: /prod\/db/,
  },
  {
    pattern: '4. the same while no Secret is synced',
    provider: 'mounts the volume; the sync fails later',
    check: synced('prod/db'),
    result: ['password'],
    warns: /prod\/db/,
  },
  {
    pattern: '5. jmesPath with an alias for each variable',
    provider: 'writes the whole secret and a file for each entry',
    check: `${app.trimEnd()}\n        jmesPath: [{path: username, objectAlias: DB_USER}, {path: password, objectAlias: DB_PASSWORD}]\n`,
    result: ['prod_db', 'DB_USER', 'DB_PASSWORD'],
  },
  {
    pattern: '6. objects as a text in JSON, as CDK and Terraform write it',
    provider: 'reads it, because JSON is YAML',
    check: `${head('app')}  provider: aws\n  parameters:\n    region: eu-west-1\n    objects: '[{"objectName":"prod/db","objectType":"secretsmanager"}]'\n`,
    result: ['prod_db'],
  },
  {
    pattern: '7. the class after a ServiceAccount and an empty document',
    provider: 'kubectl apply takes all',
    check: documents('apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: app}\n', '', app),
    result: ['prod_db'],
  },
  {
    pattern: '7. two classes in a file, chosen by name',
    provider: 'kubectl apply takes both',
    check: documents(head('other') + parameters(db.replace('prod/db', 'other')), app),
    options: { className: 'app' },
    result: ['prod_db'],
  },
  {
    pattern: '8. a Helm template that is not rendered',
    provider: 'never gets it',
    check: app.replace('prod/db', '{{ .Values.secret }}'),
    result: /render it first/i,
  },
  {
    pattern: '8. a block of a Helm template, to inject',
    provider: 'never gets it',
    inject: `{{- include "chart.labels" . }}\n${pod()}`,
    result: /render it first/i,
  },
  {
    pattern: '8. a variable for envsubst',
    provider: 'requests a secret of that name from AWS',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of envsubst
    check: app.replace('prod/db', '${SECRET}'),
    result: /render it first/i,
  },
  {
    pattern: '9. an ARN with placeholders',
    provider: 'rejects it: the region is not its own',
    check: app.replace('prod/db', 'arn:aws:secretsmanager:REGION:ACCOUNT:secret:db\n        objectAlias: db'),
    result: /placeholder/i,
  },
  {
    pattern: '10. pathTranslation: none',
    provider: 'rejects it: one character or "False"',
    check: app.replace('    objects:', '    pathTranslation: none\n    objects:'),
    result: /"False"/,
  },
  {
    pattern: '11. two volumes in a pod, a class for each',
    provider: 'mounts both',
    inject: documents(
      app,
      head('other') + parameters(db.replace('prod/db', 'other')),
      pod({
        volumes: `${csi('secrets', 'app')}\n${csi('others', 'other')}`,
        container: 'volumeMounts: [{name: secrets, mountPath: /mnt/a}, {name: others, mountPath: /mnt/b}]',
      }),
    ),
    result: 'ok',
    output: [/podsecrets-app/, /podsecrets-other/],
  },
  {
    pattern: '11. a class that several workloads share',
    provider: 'mounts it in all',
    inject: documents(app, pod(), pod({ name: 'worker' })),
    result: 'ok',
    output: [/name: web[\s\S]*emptyDir[\s\S]*name: worker[\s\S]*emptyDir/],
  },
  {
    pattern: '12. an AWS class and a Vault class in one pod',
    provider: 'each provider mounts its own',
    inject: documents(
      app,
      head('vault') + parameters(db).replace('provider: aws', 'provider: vault'),
      pod({ volumes: `${csi('secrets', 'app')}\n${csi('vault', 'vault')}` }),
    ),
    result: 'ok',
    warns: /volumes of another provider still need the CSI driver: vault/,
    output: [/emptyDir/, /secretProviderClass: vault/],
  },
  {
    pattern: '13. a Job that is a PreSync hook of Argo CD, as is its class',
    provider: 'mounts it in the phase of the hook',
    inject: documents(
      head('app', ', annotations: {argocd.argoproj.io/hook: PreSync}') + parameters(db),
      `apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {argocd.argoproj.io/hook: PreSync}}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: app, image: nginx, ${mount()}}]\n      volumes:\n${csi('secrets', 'app').replace(/^/gm, '      ')}\n`,
    ),
    flags: '--as init',
    result: 'ok',
    output: [
      /kind: ConfigMap\nmetadata:\n {2}name: podsecrets-app\n {2}annotations:\n {4}argocd\.argoproj\.io\/hook: PreSync/,
    ],
  },
  {
    pattern: '14. a volume that no container mounts, only to create the Secret',
    provider: 'syncs the Secret while the pod runs',
    inject: documents(synced('password'), pod({ container: 'env: []' })),
    flags: '--sync-secrets --namespace shop',
    result: 'ok',
    output: [/--sync-secrets/, /emptyDir/],
  },
  {
    pattern: '15. v1alpha1, in a List with its workload',
    provider: 'reads it',
    inject: `apiVersion: v1\nkind: List\nitems:\n${[app.replace('io/v1', 'io/v1alpha1'), pod()].map((item) => `- ${item.trimEnd().replaceAll('\n', '\n  ')}\n`).join('')}`,
    result: 'ok',
    output: [/kind: List/, /kind: ConfigMap/, /emptyDir/],
  },
  {
    pattern: '16. the subPath of one file',
    provider: 'mounts the file, which never changes again',
    inject: documents(app, pod({ container: mount(', subPath: prod_db') })),
    result: /subPath[\s\S]*never/i,
  },
  {
    pattern: '17. a key twice in the class, in check',
    provider: 'the last one wins, where the API server does not reject it',
    check: app.replace('    region: eu-west-1\n', '    region: eu-west-1\n    region: eu-west-3\n'),
    result: ['prod_db'],
    warns: /region/,
  },
  {
    pattern: '17. a key twice in the class, in inject',
    provider: 'the last one wins, where the API server does not reject it',
    inject: documents(
      app.replace('    region: eu-west-1\n', '    region: eu-west-1\n    region: eu-west-3\n'),
      pod(),
    ),
    result: 'ok',
    warns: /region/,
  },
  {
    pattern: '18. objectType one column to the right',
    provider: 'rejects it with the words of its parser',
    check: app.replace('        objectType', '         objectType'),
    result: /^[^\n]*\(demo\.yaml:1[01]\)[^\n]*\[config\.yaml\]$/,
  },
  {
    pattern: '18. a missing colon',
    provider: 'rejects it with the words of its parser',
    check: app.replace('objectType:', 'objectType'),
    result: /^[^\n]*\(demo\.yaml:1[01]\)[^\n]*\[config\.yaml\]$/,
  },
  {
    pattern: '18. a tab',
    provider: 'rejects it with the words of its parser',
    check: app.replace('        objectType', '\tobjectType'),
    result: /^[^\n]*\(demo\.yaml:1[01]\)[^\n]*tab[^\n]*\[config\.yaml\]$/,
  },
  {
    pattern: '19. failoverRegion, and objects with a name for it',
    provider: 'reads both regions at the first mount',
    check: app
      .replace('    objects:', '    failoverRegion: eu-west-3\n    objects:')
      .replace(/\n$/, '\n        failoverObject: {objectName: prod/db-replica}\n        objectAlias: db\n'),
    result: ['db'],
  },
  {
    pattern: "20. objects in Azure's form: array",
    provider: 'rejects it',
    check: `${head('app')}  provider: aws\n  parameters:\n    region: eu-west-1\n    objects: |\n      array:\n        - |\n          objectName: prod/db\n          objectType: secret\n`,
    result: /Azure/,
  },
  {
    pattern: '21. a Guaranteed pod',
    provider: 'adds no container',
    inject: documents(
      app,
      pod({
        container: `${mount()}, resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}`,
      }),
    ),
    flags: '--cpu-request 50m --cpu-limit 50m --memory-request 128Mi',
    result: 'ok',
    output: [/requests:\n\s+cpu: 50m\n\s+memory: 128Mi\n\s+limits:\n\s+cpu: 50m\n\s+memory: 128Mi/],
  },
  {
    pattern: '22. filePermission without its first digit',
    provider: 'rejects it',
    check: app.replace(/\n$/, '\n        filePermission: "600"\n'),
    result: /Write filePermission: "0600"/,
  },
  {
    pattern: '22. preferredAddressType and an objectVersion',
    provider: 'requests credentials from the agent at its IPv6 address; reads this version',
    check: app
      .replace('    objects:', '    preferredAddressType: ipv6\n    objects:')
      .replace(/\n$/, '\n        objectVersion: 11111111-1111-4111-8111-111111111111\n'),
    result: ['prod_db'],
  },
];

interface Outcome {
  readonly result: string | readonly string[];
  readonly warnings: string;
  readonly text: string;
}

async function checked({ check = '', options = {} }: Pattern): Promise<Outcome> {
  const { plan, problems, warnings } = await parse(check, options);
  const paths = plan?.objects.flatMap(({ outputs }) =>
    outputs.map((output) => ('path' in output ? output.path : '*')),
  );
  return {
    result: paths ?? problems.map(problemLine).join('\n'),
    warnings: warnings.map(problemLine).join('\n'),
    text: '',
  };
}

async function injectedBy({ inject = '', flags = '' }: Pattern): Promise<Outcome> {
  try {
    const { text, warnings } = await injectWith({ file: 'pods.yaml', text: inject, configs: [] }, flags);
    return { result: 'ok', warnings: warnings.map(problemLine).join('\n'), text };
  } catch (error) {
    return {
      result: (problemsOf(error) ?? []).map(problemLine).join('\n') || String(error),
      warnings: '',
      text: '',
    };
  }
}

const test = suite('real files');
for (const row of patterns) {
  test(row.pattern, async () => {
    const { result, warnings, text } = await (row.inject === undefined ? checked(row) : injectedBy(row));
    if (row.result instanceof RegExp) assert.match(String(result), row.result);
    else assert.equal(result, row.result);
    if (row.warns !== undefined) assert.match(warnings, row.warns);
    for (const part of row.output ?? []) assert.match(text, part);
  });
}

test.run();
