/** Whole manifests through inject. Each result also passes the schemas, and stays the same when injected again. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePlan } from '../../src/config/parse.ts';
import { type Problem, problemLine } from '../../src/core/problem.ts';
import {
  type ContainerView,
  changedLines,
  containersIn,
  injected,
  injectWith,
  objectsIn,
  secretProviderClass,
  valuesIn,
} from '../support/inject.ts';
import { rejects } from '../support/rejects.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures/csi', name), 'utf8');
const spec = 'containers: [{name: app, image: nginx}]';
interface Rule {
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}

const kindOf = (object: unknown) => (object as { readonly kind: string }).kind;
const workload = (kind: string, template: string) =>
  `apiVersion: ${kind === 'Job' || kind === 'CronJob' ? 'batch/v1' : kind === 'Pod' || kind === 'PodTemplate' || kind === 'ReplicationController' ? 'v1' : 'apps/v1'}\nkind: ${kind}\nmetadata: {name: web}\n${template}\n`;
const selector = 'selector: {matchLabels: {app: web}}';
const pods = `metadata: {labels: {app: web}}, spec: {${spec}}`;
const kinds: Readonly<Record<string, string>> = {
  Pod: `spec: {${spec}}`,
  PodTemplate: `template: {${pods}}`,
  Deployment: `spec: {${selector}, template: {${pods}}}`,
  StatefulSet: `spec: {serviceName: web, ${selector}, template: {${pods}}}`,
  DaemonSet: `spec: {${selector}, template: {${pods}}}`,
  ReplicaSet: `spec: {${selector}, template: {${pods}}}`,
  ReplicationController: `spec: {selector: {app: web}, template: {${pods}}}`,
  Job: `spec: {template: {spec: {restartPolicy: Never, ${spec}}}}`,
  CronJob: `spec: {schedule: "@daily", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, ${spec}}}}}}`,
};

for (const [kind, template] of Object.entries(kinds)) {
  test(`a ${kind} gets the sidecar, the volumes, a mount in its container, and the ConfigMap`, async () => {
    const { objects } = await injected({ text: workload(kind, template), config: secretProviderClass });
    const [sidecar] = containersIn(objects, 'initContainers');
    assert.is(sidecar?.name, 'podsecrets');
    assert.is(sidecar?.restartPolicy, 'Always');
    assert.equal(sidecar?.startupProbe?.httpGet, { path: '/readyz', port: 8181 });
    assert.equal(sidecar?.args, ['sidecar', '--config=/etc/podsecrets/config.yaml=/mnt/podsecrets/files']);
    assert.equal(sidecar?.volumeMounts, [
      { name: 'podsecrets', mountPath: '/mnt/podsecrets' },
      { name: 'podsecrets-config', mountPath: '/etc/podsecrets', readOnly: true },
    ]);
    const [app] = containersIn(objects, 'containers');
    assert.equal(app?.volumeMounts, [
      { name: 'podsecrets', mountPath: '/mnt/secrets-store', subPath: 'files', readOnly: true },
    ]);
    assert.equal(valuesIn(objects, 'volumes')[0], [
      { name: 'podsecrets', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
      { name: 'podsecrets-config', configMap: { name: 'podsecrets-app' } },
    ]);
    assert.is(valuesIn<string>(objects, 'config.yaml')[0], secretProviderClass);
  });
}

for (const pair of ['PodIdentity', 'IRSA']) {
  test(`converts the provider's ${pair} example and keeps its mount path`, async () => {
    const before = fixture(`ExampleDeployment-${pair}.yaml`);
    const config = fixture(`ExampleSecretProviderClass-${pair}.yaml`);
    for (const result of [
      await injected({ text: before, config }),
      await injected({ text: `${config}---\n${before}` }),
    ]) {
      const [app] = containersIn(result.objects, 'containers');
      assert.equal(app?.volumeMounts, [
        {
          name: 'secrets-store-inline',
          mountPath: '/mnt/secrets-store',
          subPath: 'files',
          readOnly: true,
        },
      ]);
      const [volumes] = valuesIn<readonly unknown[]>(result.objects, 'volumes');
      assert.equal(volumes?.[0], {
        name: 'secrets-store-inline',
        emptyDir: { medium: 'Memory', sizeLimit: '16Mi' },
      });
      assert.not.match(result.text.replace(/config\.yaml: \|[\s\S]*?(?=---|$)/, ''), 'secrets-store.csi');
      assert.equal(result.warnings, []);
      const { plan } = await parsePlan(valuesIn<string>(result.objects, 'config.yaml')[0] ?? '', {
        file: 'config.yaml',
        defaultMode: 0o644,
        environmentRegion: 'eu-central-1',
      });
      assert.is(plan?.objects[0]?.name, 'MySecret');
      assert.is(plan?.usePodIdentity, pair === 'PodIdentity' ? true : undefined);
    }
    const { gone } = changedLines(before, (await injected({ text: before, config })).text);
    assert.equal(
      gone.map((line) => line.trim()),
      [
        'csi:',
        'driver: secrets-store.csi.k8s.io',
        'volumeAttributes:',
        'secretProviderClass: "nginx-pod-identity-deployment-aws-secrets"'.replace(
          'nginx-pod-identity',
          pair === 'IRSA' ? 'nginx-irsa' : 'nginx-pod-identity',
        ),
      ],
    );
  });
}

test('keeps comments, order and quotes of unchanged parts', async () => {
  const text = `# shop\napiVersion: apps/v1   # stable\nkind: Deployment\nmetadata: {name: 'web'}\nspec:\n    selector: {matchLabels: {a: b}}\n    template:\n        metadata: {labels: {a: b}}\n        spec:\n            # wait for it\n            initContainers:\n            # first of all\n            -   name: wait\n                image: "busybox"\n            containers:\n            -   name: app   # the app\n                image: 'nginx'\n`;
  const result = await injected({ text, config: secretProviderClass });
  assert.equal(changedLines(text, result.text).gone, []);
  assert.match(result.text, '            initContainers:\n            - name: podsecrets\n');
  assert.match(result.text, '            # first of all\n            -   name: wait\n');
});

test('every container gets the files, init containers included, or only the named ones', async () => {
  const text = workload(
    'Pod',
    'spec:\n  initContainers:\n  - {name: migrate, image: x}\n  containers:\n  - {name: app, image: x}\n  - {name: log, image: x}',
  );
  const mounting = async (flags: string) => {
    const { objects } = await injected({ text, config: secretProviderClass, flags });
    return [...containersIn(objects, 'initContainers'), ...containersIn(objects, 'containers')]
      .filter((container) => !container.name.startsWith('podsecrets') && container.volumeMounts !== undefined)
      .map((container) => container.name);
  };
  assert.equal(await mounting(''), ['migrate', 'app', 'log']);
  assert.equal(await mounting('--containers app'), ['app']);
});

test('as init: adds an init container and no sidecar', async () => {
  const { objects } = await injected({
    text: workload('Job', kinds.Job ?? ''),
    config: secretProviderClass,
    flags: '--as init --notify-touch /tmp/x --fetch batch',
  });
  const [init, ...others] = containersIn(objects, 'initContainers');
  assert.equal(others, []);
  assert.equal(
    [init?.name, init?.args[0], init?.restartPolicy, init?.startupProbe],
    ['podsecrets-init', 'init', undefined, undefined],
  );
  assert.equal(init?.args.slice(2), ['--fetch=batch', '--notify-touch=/tmp/x']);
});

test('as init+sidecar: adds an init container and a regular sidecar', async () => {
  const { objects } = await injected({
    text: workload('Deployment', kinds.Deployment ?? '').replace(
      'spec: {containers',
      'spec: {shareProcessNamespace: true, securityContext: {runAsUser: 101}, containers',
    ),
    config: secretProviderClass,
    flags: '--as init+sidecar --notify-signal SIGHUP --notify-process nginx --interval 1m --log-level debug',
  });
  const [init] = containersIn(objects, 'initContainers');
  const sidecar = containersIn(objects, 'containers').at(-1);
  assert.equal(init?.args.slice(2), ['--log-level=debug']);
  assert.equal(sidecar?.args.slice(2), [
    '--interval=1m',
    '--notify-signal=SIGHUP',
    '--notify-process=nginx',
    '--log-level=debug',
  ]);
  assert.equal(
    [sidecar?.name, sidecar?.args[0], sidecar?.restartPolicy, sidecar?.startupProbe],
    ['podsecrets', 'sidecar', undefined, undefined],
  );
  assert.ok(sidecar?.livenessProbe);
});

test('another --as replaces the previous injection', async () => {
  const text = workload('Deployment', kinds.Deployment ?? '');
  const native = await injected({ text, config: secretProviderClass });
  const pair = await injected({ text: native.text, config: secretProviderClass, flags: '--as init+sidecar' });
  assert.equal(
    containersIn(pair.objects, 'initContainers').map(({ name }) => name),
    ['podsecrets-init'],
  );
  assert.equal(
    containersIn(pair.objects, 'containers').map(({ name }) => name),
    ['app', 'podsecrets'],
  );
  const back = await injected({ text: pair.text, config: secretProviderClass });
  assert.equal(back.objects, native.objects);
});

test('updates an injected pod without its config', async () => {
  const first = await injected({ text: `${secretProviderClass}---\n${workload('Pod', kinds.Pod ?? '')}` });
  const second = await injected({ text: first.text, flags: '--image podsecrets:next' });
  assert.equal(
    changedLines(first.text, second.text).came.map((line) => line.trim()),
    ['image: podsecrets:next'],
  );
});

test('a changed config changes its ConfigMap', async () => {
  const first = await injected({ text: workload('Pod', kinds.Pod ?? ''), config: secretProviderClass });
  const second = await injected({
    text: first.text,
    config: secretProviderClass.replace('prod/db', 'prod/next'),
  });
  assert.equal(
    changedLines(first.text, second.text).came.map((line) => line.trim()),
    ['- objectName: prod/next # the one that rotates'],
  );
});

test('volumes of the CSI driver keep their names and paths, each with its class', async () => {
  const csi = (name: string, spc: string) =>
    `  - name: ${name}\n    csi:\n      driver: secrets-store.csi.k8s.io\n      volumeAttributes: {secretProviderClass: ${spc}}\n`;
  const text = `${secretProviderClass}---\n${secretProviderClass.replace('name: app', 'name: other')}---\n${workload(
    'Pod',
    `spec:\n  containers:\n  - name: app\n    image: x\n    volumeMounts:\n    - {name: one, mountPath: /one}\n    - {name: two, mountPath: /two}\n  - {name: bystander, image: x}\n  volumes:\n${csi('one', 'app')}${csi('two', 'other')}`,
  )}`;
  const { objects } = await injected({ text });
  const [sidecar] = containersIn(objects, 'initContainers');
  assert.equal(sidecar?.args, [
    'sidecar',
    '--config=/etc/podsecrets/config.yaml=/mnt/podsecrets/one/files',
    '--config=/etc/podsecrets-2/config.yaml=/mnt/podsecrets/two/files',
  ]);
  assert.equal(sidecar?.volumeMounts, [
    { name: 'one', mountPath: '/mnt/podsecrets/one' },
    { name: 'one-config', mountPath: '/etc/podsecrets', readOnly: true },
    { name: 'two', mountPath: '/mnt/podsecrets/two' },
    { name: 'two-config', mountPath: '/etc/podsecrets-2', readOnly: true },
  ]);
  const [app, bystander] = containersIn(objects, 'containers');
  assert.equal(
    app?.volumeMounts?.map((mount) => [mount.mountPath, mount.subPath, mount.readOnly]),
    [
      ['/one', 'files', true],
      ['/two', 'files', true],
    ],
  );
  assert.is(bystander?.volumeMounts, undefined);
  assert.equal(valuesIn<string>(objects, 'config.yaml').length, 2);
});

test('does not change an unused class, or pods without a volume', async () => {
  const csi =
    'volumes: [{name: v, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: app}}}]';
  const other = secretProviderClass.replace('name: app', 'name: other');
  const plain = workload('Deployment', kinds.Deployment ?? '');
  const text = `${secretProviderClass}---\n${other}---\n${plain}---\n${workload('Pod', `spec: {${spec}, ${csi}}`)}`;
  const result = await injected({ text });
  assert.ok(result.text.includes(`${other}---\n${plain}---\n`));
});

test('does not change a volume of another provider of the CSI driver', async () => {
  const vault = secretProviderClass
    .replace('name: app', 'name: vault')
    .replace('provider: aws', 'provider: vault');
  const csi = (name: string, spc: string) =>
    `{name: ${name}, csi: {driver: secrets-store.csi.k8s.io, nodePublishSecretRef: {name: s}, volumeAttributes: {secretProviderClass: ${spc}}}}`;
  const pod = workload('Pod', `spec: {${spec}, volumes: [${csi('a', 'vault')}, ${csi('b', 'app')}]}`);
  const { text, objects, warnings } = await injected({
    text: `${vault}---\n${secretProviderClass}---\n${pod}`,
  });
  assert.ok(text.startsWith(vault));
  const [volumes] = valuesIn<readonly Readonly<Record<string, unknown>>[]>(objects, 'volumes');
  assert.equal(
    volumes?.map((volume) => Object.keys(volume)[1]),
    ['csi', 'emptyDir', 'configMap'],
  );
  assert.is(warnings.length, 2);
  assert.match(warnings.join(), 'volumes of another provider still need the CSI driver: a');
});

test('an unused class for AWS is not added to a pod whose volume is for another provider', async () => {
  const vault = secretProviderClass
    .replace('name: app', 'name: vault')
    .replace('provider: aws', 'provider: vault');
  const csi =
    'volumes: [{name: v, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: vault}}}]';
  const text = `${secretProviderClass}---\n${vault}---\n${workload('Pod', `spec: {${spec}, ${csi}}`)}`;
  const problem = await rejects(injectWith({ file: 'pods.yaml', text, configs: [] }, ''));
  assert.match(String(problem), /volumes of secrets-store.csi.k8s.io are all for other providers/);
});

test('the ConfigMap of a class is in the namespace of its workload', async () => {
  const pod = workload('Pod', kinds.Pod ?? '').replace('name: web', 'name: web, namespace: shop');
  const { objects } = await injected({ text: `${secretProviderClass}---\n${pod}` });
  assert.equal(valuesIn(objects, 'metadata').slice(0, 2), [
    { name: 'podsecrets-app', namespace: 'shop' },
    { name: 'web', namespace: 'shop' },
  ]);
});

test('two configs get two volumes, also after the first is removed', async () => {
  const other = secretProviderClass.replace('name: app', 'name: other');
  const configs = [
    { file: 'a.yaml', text: secretProviderClass, dir: undefined },
    { file: 'b.yaml', text: other, dir: '/other' },
  ];
  const text = workload('Pod', kinds.Pod ?? '');
  const both = await injectWith({ file: 'pods.yaml', text, configs }, '');
  const names = (objects: readonly unknown[]) =>
    valuesIn<readonly { readonly name: string }[]>(objects, 'volumes')
      .flat()
      .map(({ name }) => name);
  assert.equal(names(both.objects), [
    'podsecrets',
    'podsecrets-config',
    'podsecrets-2',
    'podsecrets-2-config',
  ]);
  const third = {
    file: 'c.yaml',
    text: secretProviderClass.replace('name: app', 'name: third'),
    dir: '/third',
  };
  const next = await injectWith({ file: 'pods.yaml', text: both.text, configs: [...configs, third] }, '');
  assert.equal(names(next.objects).slice(4), ['podsecrets-3', 'podsecrets-3-config']);
  assert.equal(containersIn(next.objects, 'initContainers')[0]?.args.slice(1), [
    '--config=/etc/podsecrets/config.yaml=/mnt/podsecrets/podsecrets/files',
    '--config=/etc/podsecrets-2/config.yaml=/mnt/podsecrets/podsecrets-2/files',
    '--config=/etc/podsecrets-3/config.yaml=/mnt/podsecrets/podsecrets-3/files',
  ]);
  assert.equal(
    containersIn(next.objects, 'containers')[0]?.volumeMounts?.map(({ mountPath }) => mountPath),
    ['/mnt/secrets-store', '/other', '/third'],
  );
});

test('keeps a List, and reads JSON', async () => {
  const list = {
    apiVersion: 'v1',
    kind: 'List',
    items: [...objectsIn(secretProviderClass), ...objectsIn(workload('Pod', kinds.Pod ?? ''))],
  };
  const { text, objects } = await injected({ text: JSON.stringify(list) });
  assert.equal(objectsIn(text).map(kindOf), ['List']);
  assert.equal(objects.map(kindOf), ['ConfigMap', 'Pod']);
  const [configMap = ''] = valuesIn<string>(objects, 'config.yaml');
  assert.equal(objectsIn(configMap), objectsIn(secretProviderClass));
});

test('the containers run under the restricted Pod Security Standard', async () => {
  const { objects } = await injected({ text: workload('Pod', kinds.Pod ?? ''), config: secretProviderClass });
  assert.equal(containersIn(objects, 'initContainers')[0]?.securityContext, {
    runAsNonRoot: true,
    runAsUser: 65532,
    runAsGroup: 65532,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  });
});

test('the containers run as the user of the application, if the pod spec sets one', async () => {
  const user = async (context: string, flags = '') => {
    const text = workload('Pod', `spec: {${context} ${spec}}`);
    const { objects } = await injected({ text, config: secretProviderClass, flags });
    const [own] = containersIn(objects, 'initContainers');
    return ['runAsUser', 'runAsGroup', 'runAsNonRoot'].map((key) => own?.securityContext[key]);
  };
  assert.equal(await user('securityContext: {runAsUser: 101},'), [101, 101, true]);
  assert.equal(await user('securityContext: {runAsUser: 101, runAsGroup: 7},'), [101, 7, true]);
  assert.equal(await user('securityContext: {runAsUser: 0},'), [65532, 65532, true]);
  assert.equal(await user('', '--owner 33:34'), [33, 34, true]);
  assert.equal(await user('', '--owner 0:0'), [0, 0, false]);
});

test('with --run-as-user none the cluster assigns the user', async () => {
  const context = async (pod: string) => {
    const text = workload('Pod', `spec: {${pod} ${spec}}`);
    const { objects } = await injected({ text, config: secretProviderClass, flags: '--run-as-user none' });
    return containersIn(objects, 'initContainers')[0]?.securityContext;
  };
  const restricted = {
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
  assert.equal(await context(''), restricted);
  assert.equal(await context('securityContext: {runAsUser: 101},'), {
    ...restricted,
    runAsUser: 101,
    runAsGroup: 101,
  });
});

test('sets the requests and limits of the options, and by default no CPU limit', async () => {
  const resources = async (flags: string) => {
    const text = workload('Pod', kinds.Pod ?? '');
    const { objects } = await injected({ text, config: secretProviderClass, flags });
    return ['initContainers', 'containers'].flatMap((list) =>
      containersIn(objects, list as 'containers').flatMap((container) => container.resources ?? []),
    );
  };
  const standard = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } };
  assert.equal(await resources(''), [standard]);
  const guaranteed = { cpu: '0.1', memory: '128Mi' };
  const flags = '--cpu-request 0.1 --cpu-limit 0.1 --memory-request 128Mi';
  assert.equal(await resources(flags), [{ requests: guaranteed, limits: guaranteed }]);
  assert.equal((await resources(`${flags} --as init+sidecar`)).length, 2);
});

test('with --sync-secrets the service account gets access to the named Secrets only', async () => {
  const config = `${secretProviderClass}  secretObjects:\n  - secretName: db\n    type: Opaque\n    data: [{objectName: prod_db, key: password}]\n`;
  const text = workload('Pod', `spec: {serviceAccountName: shop, ${spec}}`);
  const { objects } = await injected({ text, config, flags: '--sync-secrets -n shop' });
  const rules = valuesIn<readonly Rule[]>(objects, 'rules').flat();
  assert.equal(
    rules.map(({ resources, resourceNames }) => [resources, resourceNames]),
    [[['secrets'], ['db']]],
  );
  assert.equal(valuesIn<readonly unknown[]>(objects, 'subjects').flat(), [
    { kind: 'ServiceAccount', name: 'shop', namespace: 'shop' },
  ]);
  assert.ok(containersIn(objects, 'initContainers')[0]?.args.includes('--sync-secrets'));
  const owned = await injected({ text, config, flags: '--sync-secrets -n shop --secret-owner pod' });
  assert.equal(
    valuesIn<NonNullable<ContainerView['env']>>(owned.objects, 'env')
      .flat()
      .map(({ name }) => name),
    ['POD_NAME', 'POD_UID'],
  );
  assert.equal((await injected({ text, config })).warnings.length, 1);
});

test('two containers with different users do not determine the user of podsecrets', async () => {
  const users =
    '{name: a, image: x, securityContext: {runAsUser: 5}}, {name: b, image: x, securityContext: {runAsUser: 6}}';
  const { objects } = await injected({
    text: workload('Pod', `spec: {containers: [${users}]}`),
    config: secretProviderClass,
  });
  assert.is(containersIn(objects, 'initContainers')[0]?.securityContext.runAsUser, 65532);
});

test('keeps another size of the tmpfs', async () => {
  const first = await injected({ text: workload('Pod', kinds.Pod ?? ''), config: secretProviderClass });
  const resized = first.text.replace('sizeLimit: 16Mi', 'sizeLimit: 1Gi');
  assert.is((await injected({ text: resized, config: secretProviderClass })).text, resized);
});

test('another directory moves the mounts, and a container that is no longer named loses its mount', async () => {
  const text = workload('Pod', 'spec: {containers: [{name: app, image: x}, {name: log, image: x}]}');
  const first = await injected({ text, config: secretProviderClass, dir: '/a' });
  const paths = (objects: readonly unknown[]) =>
    containersIn(objects, 'containers').map((container) =>
      container.volumeMounts?.map((mount) => mount.mountPath),
    );
  assert.equal(paths(first.objects), [['/a'], ['/a']]);
  const moved = await injected({
    text: first.text,
    config: secretProviderClass,
    dir: '/b',
    flags: '--containers log',
  });
  assert.equal(paths(moved.objects), [undefined, ['/b']]);
  assert.equal(
    paths((await injected({ text: moved.text })).objects),
    [undefined, ['/b']].map((one, index) => (index === 0 ? ['/b'] : one)),
  );
  const chosen = await injected({ text: first.text, flags: '--dir /c' });
  assert.equal(paths(chosen.objects), [['/c'], ['/c']]);
});

test('a volume of the CSI driver that no container mounts is mounted in the named containers at the directory of the config', async () => {
  const csi =
    'volumes: [{name: v, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: app}}}]';
  const text = workload('Pod', `spec: {${spec}, ${csi}}`);
  const mounts = async (flags: string) => {
    const { objects } = await injected({ text, config: secretProviderClass, dir: '/here', flags });
    return containersIn(objects, 'containers')[0]?.volumeMounts;
  };
  assert.is(await mounts(''), undefined);
  assert.equal(await mounts('--containers app'), [
    { name: 'v', mountPath: '/here', subPath: 'files', readOnly: true },
  ]);
});

test('a config for a volume is not added to pods without that volume', async () => {
  const before = fixture('ExampleDeployment-IRSA.yaml');
  const text = `${before}---\n${workload('Pod', kinds.Pod ?? '')}`;
  const { objects } = await injected({ text, config: fixture('ExampleSecretProviderClass-IRSA.yaml') });
  assert.equal(containersIn(objects, 'initContainers').length, 1);
});

test('does not change an injected pod whose config is missing', async () => {
  const { text } = await injected({ text: workload('Pod', kinds.Pod ?? ''), config: secretProviderClass });
  const alone = text.slice(text.indexOf('---\n') + 4);
  assert.is((await injected({ text: alone, flags: '--image other:1' })).text, alone);
});

test('a class of the input becomes a ConfigMap with its comments', async () => {
  const commented = secretProviderClass.replace('provider: aws', 'provider:   aws # the only one');
  const text = `# Who may read this: shop.\n${commented}---\n${workload('Pod', kinds.Pod ?? '')}`;
  const result = await injected({ text });
  assert.ok(result.text.startsWith('# Who may read this: shop.\napiVersion: v1\nkind: ConfigMap\n'));
  assert.is(valuesIn<string>(result.objects, 'config.yaml')[0], commented);
});

test('a missing last line end does not change the result', async () => {
  const text = workload('Pod', kinds.Pod ?? '');
  const [one, other] = [
    await injected({ text, config: secretProviderClass }),
    await injected({ text: text.trimEnd(), config: secretProviderClass }),
  ];
  assert.is(one.text.trimEnd(), other.text.trimEnd());
  assert.not.match(one.text, '\n\n');
});

test('reads a typed list such as DeploymentList', async () => {
  const list = { apiVersion: 'v1', kind: 'PodList', items: objectsIn(workload('Pod', kinds.Pod ?? '')) };
  const configs = [{ file: 'config.yaml', text: secretProviderClass, dir: undefined }];
  const { objects } = await injectWith({ file: 'pods.yaml', text: JSON.stringify(list), configs }, '');
  assert.equal(objects.map(kindOf), ['ConfigMap', 'Pod']);
  assert.is(containersIn(objects, 'initContainers').length, 1);
});

test('keeps text that YAML 1.1 would read as a number or a date, and octal numbers', async () => {
  const text = workload(
    'Pod',
    `metadata: {name: web, annotations: {at: 2024-01-01, time: 1:30}}\nspec: {${spec}, volumes: [{name: v, secret: {secretName: s, defaultMode: 0400}}]}`,
  ).replace('metadata: {name: web}\n', '');
  const { objects } = await injected({ text, config: secretProviderClass });
  assert.equal(valuesIn(objects, 'annotations')[0], { at: '2024-01-01', time: '1:30' });
  assert.is(valuesIn(objects, 'defaultMode')[0], 256);
});

test('does not change a resource of the same kind in another group', async () => {
  const other = secretProviderClass.replace('secrets-store.csi.x-k8s.io/v1', 'example.com/v1');
  const text = `${other}---\n${workload('Pod', kinds.Pod ?? '')}`;
  const problem = await rejects(injectWith({ file: 'pods.yaml', text, configs: [] }, ''));
  assert.match(String(problem), 'no SecretProviderClass and no --config found');
});

test('service accounts that share a config share its Role, and a workload without a namespace needs one', async () => {
  const config = `${secretProviderClass}  secretObjects:\n  - secretName: db\n    type: Opaque\n    data: [{objectName: prod_db, key: password}]\n`;
  const two = ['one', 'two']
    .map((name) => workload('Pod', `spec: {serviceAccountName: ${name}, ${spec}}`))
    .join('---\n');
  const { objects } = await injected({ text: two, config, flags: '--sync-secrets -n shop' });
  assert.equal(
    valuesIn<readonly { readonly name: string }[]>(objects, 'subjects')
      .flat()
      .map(({ name }) => name),
    ['one', 'two'],
  );
  assert.equal(valuesIn(objects, 'env'), []);
  const configs = [{ file: 'config.yaml', text: config, dir: undefined }];
  const problem = await rejects(injectWith({ file: 'pods.yaml', text: two, configs }, '--sync-secrets'));
  assert.match(String(problem), 'expected the namespace of Pod/web, which a RoleBinding has to name');
});

test('rejects a "billion laughs" attack', async () => {
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...'bcdefg'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdef'[index]}`).join(', ')}]`),
  ].join('\n');
  const problem = await rejects(injectWith({ file: 'pods.yaml', text: bomb, configs: [] }, ''));
  assert.match(String(problem), 'expected at most 100 expansions of aliases');
});

test('explains a mistake in the YAML as in a config: the line, and the repair', async () => {
  const spec = workload('Pod', kinds.Pod ?? '');
  for (const [text, expected] of [
    ['kind: Pod\n\tspec: {}\n', /^manifest \(pods.yaml:\d+\): expected spaces as indentation, got a tab/],
    [`${spec}<<<<<<< HEAD\na: b\n`, /got the conflict marker "<<<<<<< HEAD" of Git\. Resolve the conflict/],
    [`${spec}kind: Pod\n`, /the key is repeated in its map\. Remove one of them/],
  ] as const) {
    const problem = await rejects(injectWith({ file: 'pods.yaml', text, configs: [] }, ''));
    assert.match(problemLine(problem as Problem), expected);
  }
});

test('reports an alias without its anchor, and a merge without a map', async () => {
  for (const [text, expected] of [
    ['a: *nothing\n', /invalid YAML: Unresolved alias .*: nothing/],
    ['a:\n  <<: 3\n', /invalid YAML: Merge sources must be maps/],
    ['kind:\n  <<: 3\n', /invalid YAML: Merge sources must be maps/],
  ] as const) {
    const problem = await rejects(injectWith({ file: 'pods.yaml', text, configs: [] }, ''));
    assert.match(String(problem), expected);
  }
});

test('prints the objects that a workload needs before it, and after the Namespace', async () => {
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n';
  const text = `# shop\n${namespace}---\n# the application\n${workload('Pod', kinds.Pod ?? '')}`;
  const { objects, text: result } = await injected({ text, config: secretProviderClass });
  assert.equal(objects.map(kindOf), ['Namespace', 'ConfigMap', 'Pod']);
  assert.equal(objectsIn(result).map(kindOf), ['Namespace', 'ConfigMap', 'Pod']);
  assert.match(result, '---\n# the application\n');
});

test('hooks and sync waves of a class go to its ConfigMap and its Role, other metadata to the ConfigMap alone', async () => {
  const metadata = `metadata:
  labels: {team: shop}
  annotations:
    argocd.argoproj.io/hook: PreSync
    kubectl.kubernetes.io/last-applied-configuration: '{}'
    note: text`;
  const synced = `  secretObjects:
    - {secretName: app, type: Opaque, data: [{objectName: db, key: db}]}
`;
  const config = secretProviderClass
    .replace('metadata:', metadata)
    .replace('prod/db #', 'prod/db\n        objectAlias: db #')
    .replace('  parameters:', `${synced}  parameters:`);
  const flags = '--sync-secrets --namespace shop';
  const { objects } = await injected({ text: workload('Pod', kinds.Pod ?? ''), config, flags });
  const hook = { 'argocd.argoproj.io/hook': 'PreSync' };
  const made = new Map(objects.map((object) => [kindOf(object), valuesIn(object, 'metadata')[0]]));
  assert.equal(made.get('ConfigMap'), {
    name: 'podsecrets-app',
    namespace: 'shop',
    labels: { team: 'shop' },
    annotations: { ...hook, note: 'text' },
  });
  for (const kind of ['Role', 'RoleBinding'])
    assert.equal(made.get(kind), { name: 'podsecrets-app', namespace: 'shop', annotations: hook });
});

test('reports an unrendered template as one problem', async () => {
  const pod = workload('Pod', kinds.Pod ?? '');
  for (const text of [
    pod.replace('name: web', 'name: web, labels: {app: {{ .Values.app }}}'),
    `{{- if .Values.enabled }}\n${pod}{{- end }}\n`,
  ]) {
    const problem = await rejects(injectWith({ file: 'pods.yaml', text, configs: [] }, ''));
    assert.match(String(problem), 'expected rendered manifests, got the template expression "{{ … }}"');
  }
});

test('removes fields that the API server sets from changed objects only', async () => {
  const server = `  uid: 0b6f
  resourceVersion: "12"
  generation: 3
  creationTimestamp: "2026-01-01T00:00:00Z"
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{}'
    note: text
`;
  const pod = workload('Pod', kinds.Pod ?? '').replace(
    'metadata: {name: web}\n',
    `metadata:\n  name: web\n${server}`,
  );
  const other = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: other\n${server}`;
  const { objects, text } = await injected({
    text: `${other}---\n${pod}status: {phase: Running}\n`,
    config: secretProviderClass,
  });
  assert.ok(text.startsWith(other));
  const found = objects.find((object) => kindOf(object) === 'Pod') as Record<string, unknown>;
  assert.equal(found.metadata, { name: 'web', annotations: { note: 'text' } });
  assert.is('status' in found, false);
});

test.run();
