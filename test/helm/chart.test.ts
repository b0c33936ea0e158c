/** The chart: passes helm lint, is valid for every release, equals inject, and rejects unknown values. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { type Kind, kinds } from '../../src/cli/option-kinds.ts';
import { image, version } from '../../src/core/version.ts';
import { patterns, renderChartReadme, renderChartSchema } from '../docs/chart.ts';
import { chart, helm, render, renderNotes, renderShop, withShop } from '../support/helm.ts';
import { containersIn, injectWith, objectsIn, valuesIn } from '../support/inject.ts';
import { manifestFaults, releases } from '../support/kubernetes-schemas.ts';
import { goldenFile, goldens } from './golden.ts';

const read = (file: string) => readFileSync(join(chart, file), 'utf8');

for (const [name, write] of goldens) {
  test(`the rendering ${name} is unchanged and valid (node test/helm/golden.ts rewrites it)`, () => {
    const text = write();
    assert.ok(existsSync(goldenFile(name)), 'expected a golden file');
    assert.is(text, readFileSync(goldenFile(name), 'utf8'));
    const release = releases.find((one) => name.endsWith(`-${one}.yaml`));
    if (release === undefined) throw new Error('expected a release in the name');
    assert.equal(manifestFaults(text, release), []);
  });
}

test('no rendering has a DaemonSet, a webhook, a permission for the whole cluster, or a privileged container', () => {
  for (const [name] of goldens) {
    const text = readFileSync(goldenFile(name), 'utf8');
    assert.not.match(
      text,
      /kind: (DaemonSet|ClusterRole|ClusterRoleBinding|(Mutating|Validating)Webhook\w*)\b/,
      name,
    );
    assert.not.match(text, /privileged: true|hostPath|hostPID|hostNetwork: true|SYS_ADMIN/, name);
  }
});

test('helm lint finds nothing, alone and as a dependency', () => {
  withShop((shop) => {
    for (const path of [chart, shop]) {
      const { out, ok } = helm('lint', '--strict', path);
      assert.ok(ok, out);
      assert.match(out, '0 chart(s) failed');
    }
  });
});

test('the README and the schema of the values are those of the option table (npm run docs writes them)', () => {
  assert.is(read('README.md'), renderChartReadme());
  assert.is(read('values.schema.json'), renderChartSchema());
});

test('the values that have a schema are those that have a default', () => {
  const { properties } = JSON.parse(read('values.schema.json')) as { readonly properties: object };
  const known = Object.keys(properties).filter((name) => name !== 'global' && name !== 'enabled');
  assert.equal(known.sort(), Object.keys(parse(read('values.yaml'))).sort());
});

test('the version is that of the program, in the chart and in the image', () => {
  const { appVersion } = parse(read('Chart.yaml')) as { readonly appVersion: string };
  assert.is(appVersion, version);
  assert.is(containersIn(objectsIn(renderShop('1.36')), 'initContainers')[0]?.image, image);
});

const sameAsInject: readonly (readonly [string, readonly string[], string])[] = [
  ['a native sidecar', [], ''],
  ['an init container', ['as=init'], '--as init'],
  [
    'an init container and a sidecar, with options',
    [
      'as=init+sidecar',
      'options.interval=5m',
      'options.startTimeout=1m30s',
      'options.notifyTouch=/tmp/x',
      'options.logLevel=debug',
    ],
    '--as init+sidecar --interval 5m --start-timeout 1m30s --notify-touch /tmp/x --log-level debug',
  ],
  [
    'a sidecar that the kubelet cannot ask',
    ['as=init+sidecar', 'options.listen=127.0.0.1:9000'],
    '--as init+sidecar --listen 127.0.0.1:9000',
  ],
  [
    'a user that the cluster assigns, and Guaranteed QoS',
    ['user.uid=none', 'resources.limits.cpu=10m', 'resources.requests.memory=128Mi'],
    '--run-as-user none --cpu-limit 10m --memory-request 128Mi',
  ],
  [
    'Secrets, a user, and another port',
    [
      'options.syncSecrets=true',
      'options.secretOwner=workload',
      'user.uid=7',
      'user.gid=8',
      'options.listen=[::]:9000',
    ],
    '--sync-secrets --secret-owner workload --owner 7:8 --listen [::]:9000',
  ],
];

/** A config with variables, as settings. */
const variables = [
  'config.spec.parameters.envFile=app.env',
  `config.spec.parameters.objects=${[
    '- {objectName: prod/db\\, objectType: secretsmanager\\, env: DB\\, jmesPath: [{path: u\\, objectAlias: u\\, env: "NO"}]}',
    '- {objectName: extra\\, objectType: secretsmanager\\, optional: true\\, env: EXTRA}',
  ].join('\n')}`,
  'config.spec.secretObjects=null',
];

for (const [what, settings, flags] of [...sameAsInject, ['variables', variables, '--env'] as const]) {
  test(`a rendering equals the output of inject: ${what}`, async () => {
    const objects = objectsIn(renderShop('1.36', settings));
    const config = valuesIn<string>(objects, 'config.yaml')[0] ?? '';
    const plain = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop, namespace: shop}\nspec:\n  selector: {matchLabels: {app: shop}}\n  template:\n    metadata: {labels: {app: shop}}\n    spec: {containers: [{name: app, image: 'nginx:1.29'}]}\n`;
    const configs = [{ file: 'config.yaml', text: config, dir: undefined }];
    const injected = await injectWith({ file: 'pods.yaml', text: plain, configs }, flags);
    assert.equal(comparable(objects), comparable(injected.objects));
  });
}

/** Objects by kind, with arguments and rules in one order: the chart sorts options by name, inject as the table does. */
function comparable(objects: readonly unknown[]): readonly unknown[] {
  const sorted = (key: string, value: unknown): unknown =>
    (key === 'args' || key === 'rules') && Array.isArray(value)
      ? value.map((item) => JSON.stringify(item)).sort()
      : value;
  const texts = objects.filter((object) => object !== null).map((object) => JSON.stringify(object, sorted));
  return texts
    .map((text) => JSON.parse(text) as { readonly kind: string })
    .sort((left, right) => (left.kind < right.kind ? -1 : 1));
}

test('an option that is false adds no argument', () => {
  const [sidecar] = containersIn(
    objectsIn(renderShop('1.36', ['options.syncSecrets=false'])),
    'initContainers',
  );
  assert.is(sidecar?.args.length, 2);
});

test('exitOnChange sets the argument of the native sidecar, and the rule for its code', () => {
  const text = renderShop('1.36', ['options.exitOnChange=88']);
  const sidecar = containersIn(objectsIn(text), 'initContainers').find(({ name }) => name === 'podsecrets');
  assert.ok(sidecar?.args.includes('--exit-on-change=88'));
  assert.equal((sidecar as { readonly restartPolicyRules?: unknown } | undefined)?.restartPolicyRules, [
    { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } },
  ]);
  assert.equal(manifestFaults(text, '1.36'), []);
  for (const as of ['init', 'init+sidecar'])
    assert.throws(() => renderShop('1.36', ['options.exitOnChange=88', `as=${as}`]), /exitOnChange/);
});

test('the startupProbe never ends a waiting container, because the program ends itself', () => {
  const objects = objectsIn(renderShop('1.36', ['options.startTimeout=1.5h']));
  assert.is(containersIn(objects, 'initContainers')[0]?.startupProbe?.failureThreshold, 86_400);
});

test('rejects a native sidecar before Kubernetes 1.29', () => {
  assert.throws(() => renderShop('1.28'), /as: sidecar needs Kubernetes 1\.29\+, this is v?1\.28/);
  assert.match(renderShop('1.28', ['as=init+sidecar']), 'name: podsecrets-init');
});

test('uses an existing ConfigMap and creates none', () => {
  const settings = ['config=null', 'configMap=mine'];
  const text = renderShop('1.36', settings);
  assert.match(text, 'configMap: {name: mine}');
  assert.not.match(text, 'kind: ConfigMap');
});

test('installs the policy once in a cluster, never as a dependency, and not on older clusters', () => {
  const policies = (text: string) =>
    [...text.matchAll(/^apiVersion: admissionregistration.k8s.io\/(\w+)$/gm)].map(([, api]) => api);
  assert.equal(policies(render('1.36')), ['v1', 'v1']);
  assert.equal(policies(render('1.35')), ['v1beta1', 'v1beta1']);
  assert.equal(policies(render('1.33')), []);
  assert.equal(policies(render('1.36', ['policy.enabled=false'])), []);
  assert.equal(policies(render('1.33', ['policy.apiVersion=v1beta1'])), ['v1beta1', 'v1beta1']);
  assert.equal(policies(renderShop('1.36')), []);
});

test('the notes name the installed policy, or the reason why none was installed', () => {
  const notes = new Map(['1.36', '1.34', '1.33'].map((release) => [release, renderNotes(release)]));
  assert.match(notes.get('1.36') ?? '', /podsecrets.io\/inject: CONFIGMAP/);
  assert.not.match(notes.get('1.36') ?? '', /beta/);
  assert.match(notes.get('1.34') ?? '', /--runtime-config=admissionregistration.k8s.io\/v1beta1=true/);
  assert.match(notes.get('1.33') ?? '', /Kubernetes v1.33.0 has no MutatingAdmissionPolicy/);
});

const rejected: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['an unknown value', ['replicas=2'], /Additional property replicas is not allowed/],
  ['an unknown option', ['options.intervall=5m'], /Additional property intervall is not allowed/],
  ['a choice that is none', ['as=daemon'], /as must be one of/],
  ['no config', ['config=null'], /expected config \(a SecretProviderClass\) or configMap/],
  [
    'a config together with a ConfigMap',
    ['configMap=mine'],
    /expected config or configMap in the values, got both/,
  ],
  [
    'a config that is none',
    ['config.kind=ConfigMap'],
    /expected a SecretProviderClass as config, got kind "ConfigMap"/,
  ],
  ['another provider', ['config.spec.provider=vault'], /of the provider aws, got "vault"/],
  ['a signal without a process', ['options.notifySignal=SIGHUP'], /notifySignal needs options.notifyProcess/],
  [
    'Secrets without secretObjects',
    ['options.syncSecrets=true', 'config.spec.secretObjects=null'],
    /syncSecrets needs secretObjects/,
  ],
  [
    'adopting Secrets in an init container',
    ['as=init', 'options.syncSecrets=true', 'options.adoptDriverSecrets=true', 'policy.enabled=false'],
    /adoptDriverSecrets does not work with as: init/,
  ],
  [
    'a pattern of variables',
    [
      'config.spec.parameters.envFile=app.env',
      'config.spec.parameters.objects=- {objectName: a\\, objectType: secretsmanager\\, expand: true\\, env: "A_*"}',
    ],
    /fileKeyRef needs names, got the pattern A_\*: list them by jmesPath/,
  ],
  ['a sidecar that the kubelet cannot probe', ['options.listen=off'], /reaches, got off/],
  [
    'a probe on loopback',
    ['options.listen=[::1]:9000'],
    /options.listen that the startupProbe reaches, got \[::1\]:9000/,
  ],
  ['a port that the system chooses', ['options.listen=0.0.0.0:0'], /reaches, got 0.0.0.0:0/],
  [
    'a time between refreshes for a container that runs once',
    ['as=init', 'options.interval=5m'],
    /expected a sidecar for options.interval, got as: init/,
  ],
  ['a duration without a unit', ['options.interval="5"'], /options.interval: Does not match pattern/],
  ['a user by name', ['user.uid=nobody'], /user.uid/],
  ['the root as a directory', ['dir=/'], /dir: Does not match pattern/],
];

test('variables need Kubernetes 1.35, in a chart and in the policy', () => {
  const config = [...variables];
  assert.match(renderShop('1.35', config), 'fileKeyRef:');
  assert.throws(
    () => renderShop('1.34', config),
    /podsecrets\.env needs Kubernetes 1\.35\+ for fileKeyRef, this is v1\.34\.0/,
  );
  assert.match(render('1.35', ['policy.env=true']), 'kind: ValidatingAdmissionPolicy\n');
  assert.throws(
    () => render('1.34', ['policy.env=true']),
    /policy\.env needs Kubernetes 1\.35\+ for fileKeyRef, this is v1\.34\.0/,
  );
  assert.not.match(render('1.36'), /fileKeyRef|ValidatingAdmissionPolicy/);
});

for (const [what, settings, message] of rejected) {
  test(`rejects ${what}`, () => {
    assert.throws(
      () => renderShop('1.36', settings),
      (error: Error) => message.test(error.message),
    );
  });
}

test('rejects a removed default', () => {
  assert.throws(() => render('1.36', ['resources=null']), /resources is required/);
});

test('rejects a policy that adds anything but a sidecar', () => {
  assert.throws(
    () => render('1.36', ['as=init']),
    /expected as: sidecar, which is what the policy adds, got "init"/,
  );
  assert.not.match(render('1.36', ['as=init', 'policy.enabled=false']), 'MutatingAdmissionPolicy');
});

test('a quantity may be a number, and each of requests and limits may be missing', () => {
  const text = render('1.36', ['resources.requests.cpu=1', 'resources.limits=null']);
  assert.match(text, 'requests: {"cpu":"1","memory":"32Mi"}');
  assert.not.match(text, 'limits');
});

test('a parent chart may remove config with null, and sets configMap instead', () => {
  assert.match(renderShop('1.36', ['config=null', 'configMap=theirs']), /configMap:\s+\{?name: "?theirs/);
  const neither = helm('template', 'r', chart, '--set', 'config=null');
  assert.not.match(neither.err, 'interface conversion');
});

test('the schema accepts the same values of an option as the program', () => {
  const words = [
    '5m',
    '1h30m',
    '1.5s',
    '5',
    '5 m',
    '0440',
    '0999',
    '440',
    'off',
    '0.0.0.0:1',
    ':80',
    '[::]:9',
    '80',
  ]
    .concat(['HUP', 'SIGUSR1', 'SIGWINCH', 'HUPP', 'SIGFOO1x', 'http://a/b', 'ftp://a', ''])
    .concat(['nginx', 'nginx -s reload', '["nginx", "-s"]\n', '[]', '0', '1', '99', '255', '256', '01']);
  for (const [kind, pattern] of Object.entries(patterns)) {
    for (const word of words) {
      const taken = kinds[kind as Kind].read(word) !== undefined;
      assert.is(new RegExp(pattern).test(word), taken, `${kind}: ${word}`);
    }
  }
});

test.run();
