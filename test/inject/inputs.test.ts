/** Typical inputs of inject: several files, classes among other documents, templates, the output of kubectl. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import type { ConfigFile } from '../../src/inject/sources.ts';
import { containersIn, injected, injectWith, objectsIn, valuesIn } from '../support/inject.ts';
import { rejects } from '../support/rejects.ts';

const test = suite('inputs');

const classOf = (name: string, secret = `${name}/db`) => `apiVersion: secrets-store.csi.x-k8s.io/v1alpha1
kind: SecretProviderClass
metadata:
  name: ${name}
spec:
  provider: aws
  parameters:
    region: eu-central-1
    objects: |
      - {objectName: ${secret}, objectType: secretsmanager}
`;
const vault = classOf('vault').replace('provider: aws', 'provider: vault');
const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: shop}\n';
const pod = (more = '') =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: app\n    image: nginx\n${more}`;
const mounting = (name: string) =>
  pod(
    `  volumes:\n  - name: v\n    csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: ${name}}}\n`,
  );
const config = (text: string, file = 'classes.yaml'): ConfigFile => ({ file, text, dir: undefined });
const kindsOf = (objects: readonly unknown[]) =>
  objects.map((object) => (object as { readonly kind: string }).kind);
const configMaps = (objects: readonly unknown[]) => valuesIn<string>(objects, 'config.yaml');

const files: readonly (readonly [string, string])[] = [
  ['after a ServiceAccount', `${account}---\n${classOf('shop')}`],
  ['after an empty document', `---\n# nothing here\n---\n${classOf('shop')}`],
  ['next to a class of another provider', `${vault}---\n${classOf('shop')}`],
  [
    'in a List',
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objectsIn(`${account}---\n${classOf('shop')}`) }),
  ],
];
for (const [what, text] of files)
  for (const workload of [pod(), mounting('shop')])
    test(`--config finds the class ${what}, and its ConfigMap has the class alone`, async () => {
      const { objects } = await injected({ text: workload, config: text });
      const [made = '', ...others] = configMaps(objects);
      assert.equal(others, []);
      assert.equal(valuesIn(objectsIn(made), 'kind').slice(-1), ['SecretProviderClass']);
      assert.equal(valuesIn(objectsIn(made), 'provider').slice(-1), ['aws']);
      assert.not.match(made, 'vault');
    });

const two = `${classOf('shop')}---\n${classOf('billing')}`;

test('each of several classes in a file is used for the volumes that name it', async () => {
  const input = { file: 'pods.yaml', text: mounting('billing'), configs: [config(two)] };
  const { objects } = await injectWith(input, '');
  assert.equal(configMaps(objects), [classOf('billing')]);
});

test('FILE#NAME selects one of several classes; without it and without a volume they are rejected', async () => {
  const input = { file: 'pods.yaml', text: pod() };
  const chosen = await injectWith({ ...input, configs: [config(two, 'classes.yaml#billing')] }, '');
  assert.equal(configMaps(chosen.objects), [classOf('billing')]);
  const ambiguousClass = String(await rejects(injectWith({ ...input, configs: [config(two)] }, '')));
  assert.match(
    ambiguousClass,
    'expected one SecretProviderClass for AWS, or a volume that names one, got "shop", "billing"',
  );
  const missing = String(
    await rejects(injectWith({ ...input, configs: [config(two, 'classes.yaml#shp')] }, '')),
  );
  assert.match(missing, 'expected a SecretProviderClass "shp", got "shop", "billing"');
});

test('a mistake in a class has its line in the whole file', async () => {
  const text = `${account}---\n${classOf('shop').replace('objectType: secretsmanager', 'objectType: nothing')}`;
  const error = await rejects(injectWith({ file: 'p', text: pod(), configs: [config(text)] }, ''));
  assert.is((error as { readonly line: number }).line, 14);
});

test('a class after its workload becomes a ConfigMap before the workload', async () => {
  const text = `---\n# Source: shop/deployment.yaml\n${mounting('shop')}---\n# Source: shop/class.yaml\n${classOf('shop')}---\n${account}`;
  const { text: after, objects } = await injected({ text });
  const kinds = ['ConfigMap', 'Pod', 'ServiceAccount'];
  assert.equal(kindsOf(objectsIn(after)), kinds);
  assert.equal(kindsOf(objects), kinds);
  assert.equal(configMaps(objects), [classOf('shop')]);
});

for (const [what, rest] of [
  ['after its workload', [classOf('shop'), account]],
  ['as the last item', [account, classOf('shop')]],
] as const)
  test(`in a List a class ${what} becomes a ConfigMap before the List`, async () => {
    const items = [account, mounting('shop'), ...rest].flatMap(objectsIn);
    for (const text of [
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
      stringify({ apiVersion: 'v1', kind: 'List', items }),
    ]) {
      const { text: after, objects } = await injected({ text });
      assert.equal(kindsOf(objects), ['ConfigMap', 'ServiceAccount', 'Pod', 'ServiceAccount']);
      assert.equal(kindsOf(objectsIn(after)), ['ConfigMap', 'List']);
    }
  });

test('a List of nothing but classes after their workload is removed', async () => {
  const list = stringify({ apiVersion: 'v1', kind: 'List', items: objectsIn(classOf('shop')) });
  const { text, objects } = await injected({ text: `${mounting('shop')}---\n${list}` });
  assert.equal(kindsOf(objectsIn(text)), ['ConfigMap', 'Pod']);
  assert.equal(kindsOf(objects), ['ConfigMap', 'Pod']);
});

const both = `${vault}---\n${classOf('shop')}`;
const twoVolumes = pod(
  `  volumes:\n${['vault', 'shop']
    .map(
      (name) =>
        `  - name: ${name}\n    csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: ${name}}}\n`,
    )
    .join('')}`,
);
for (const [what, text, configs] of [
  ['in the input', `${both}---\n${twoVolumes}`, []],
  ['in a file of --config', twoVolumes, [config(both)]],
  ['next to a chosen class', twoVolumes, [config(both, 'classes.yaml#shop')]],
  ['in files of their own', twoVolumes, [config(classOf('shop')), config(vault, 'vault.yaml')]],
] as const)
  test(`a volume of another provider is left to the driver with a warning, its class ${what}`, async () => {
    const { objects, warnings } = await injectWith({ file: 'pods.yaml', text, configs }, '');
    assert.match(warnings.join(), 'volumes of another provider still need the CSI driver: vault');
    assert.equal(configMaps(objects), [classOf('shop')]);
    const [volumes] = valuesIn<readonly Readonly<Record<string, unknown>>[]>(objects, 'volumes');
    assert.equal(
      volumes?.map((volume) => Object.keys(volume)[1]),
      ['csi', 'emptyDir', 'configMap'],
    );
  });

for (const [what, text, configs] of [
  ['in the input', `${vault}---\n${mounting('vault')}`, []],
  ['in a file of --config', mounting('vault'), [config(vault)]],
] as const)
  test(`a pod with a volume of another provider alone is rejected, its class ${what}`, async () => {
    const error = await rejects(injectWith({ file: 'pods.yaml', text, configs }, ''));
    assert.match(String(error), 'the volumes of secrets-store.csi.k8s.io are all for other providers');
  });

test('a config for another provider, which no volume names, is rejected with the line of its provider', async () => {
  for (const configs of [[config(both, 'classes.yaml#vault')], [config(vault)]]) {
    const error = await rejects(injectWith({ file: 'pods.yaml', text: pod(), configs }, ''));
    assert.match(String(error), 'expected "aws", got "vault"');
    assert.is((error as { readonly line: number }).line, 6);
  }
});

/** As envsubst reads it. */
const variable = (name: string) => `$\{${name}}`;
const unrendered: readonly (readonly [string, string, string])[] = [
  ['an image of envsubst', pod().replace('nginx', variable('IMAGE')), variable('IMAGE')],
  [
    'a name with a default',
    pod().replace('name: web', `name: web-${variable('STAGE:-dev')}`),
    variable('STAGE:-dev'),
  ],
  ['a class', mounting(`"${variable('CLASS')}"`), variable('CLASS')],
  ['a quoted image of Helm', pod().replace('nginx', '"{{ .Values.image }}"'), '{{ .Values.image }}'],
];
for (const [what, text, expression] of unrendered)
  test(`reports ${what} that is not rendered as one problem with its line`, async () => {
    const error = await rejects(injectWith({ file: 'pods.yaml', text, configs: [] }, ''));
    assert.match(String(error), `expected rendered manifests, got the template expression "${expression}"`);
    assert.match((error as { readonly remedy: string }).remedy, /^Render it first: (envsubst|helm template)/);
    assert.is(text.split('\n')[(error as { readonly line: number }).line - 1]?.includes(expression), true);
  });

test('accepts a shell variable in a command, a value or a script', async () => {
  const script = pod(`    command: [sh, -c, 'echo \${HOME} {{x}}']\n    env: [{name: A, value: '\${B}'}]\n`);
  const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\ndata: {name: 'run \${X}'}\n---\n${script}`;
  const { objects } = await injected({ text, config: classOf('shop') });
  assert.equal(containersIn(objects, 'containers')[0]?.env, [{ name: 'A', value: variable('B') }]);
});

test("removes the server's fields of unchanged workloads too, so that they can be applied", async () => {
  const server = 'resourceVersion: "7", uid: u-1, generation: 3, managedFields: [], labels: {a: b}';
  const other = mounting('vault')
    .replace('{name: web', `{name: other, ${server}`)
    .replace('name: web\n', `name: other\n  ${server.replaceAll(/, (?=\w+:)/g, '\n  ')}\n`);
  const { text } = await injected({
    text: `${other}---\n${vault.replace('v1alpha1', 'v1')}---\n${mounting('shop')}---\n${classOf('shop')}`,
  });
  assert.not.match(text, /resourceVersion|uid:|generation|managedFields/);
  assert.match(text, /a: b/);
});

test.run();
