/** `--exec`: the command of a container is started by `podsecrets exec`, with the program from an image volume. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { config } from '../support/config.ts';
import { containersIn, injected, objectsIn } from '../support/inject.ts';
import { rejects } from '../support/rejects.ts';

const shop = config('\n  - {objectName: db, objectType: secretsmanager, env: DB}');
/** The first API servers that accept an image volume with a subPath. */
const since = '1.34';

const pod = (containers: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n${containers}`;
const app = "  - name: app\n    image: app\n    command: ['/app', 'serve']\n    args: ['--port', '80']\n";

async function rejection(text: string, text_ = shop, flags = '--exec'): Promise<string> {
  const error = await rejects(injected({ text, config: text_, flags, since }));
  const { problems = [error] } = error as { readonly problems?: readonly unknown[] };
  return problems.map(String).join('\n');
}

test('puts the program before the command, with its config, and leaves the arguments', async () => {
  const flags = '--exec --auth irsa --mode 0400';
  const { objects, text } = await injected({ text: pod(app), config: shop, flags, since });
  const [container] = containersIn(objects, 'containers') as unknown as readonly Record<string, unknown>[];
  assert.equal(container?.command, [
    '/podsecrets/podsecrets',
    'exec',
    '--config=/etc/podsecrets/config.yaml',
    '--auth=irsa',
    '--',
    '/app',
    'serve',
  ]);
  assert.equal(container?.args, ['--port', '80']);
  assert.equal(container?.volumeMounts, [
    { name: 'podsecrets', mountPath: '/mnt/secrets-store', subPath: 'files', readOnly: true },
    { name: 'podsecrets-program', mountPath: '/podsecrets', subPath: 'podsecrets', readOnly: true },
    { name: 'podsecrets-config', mountPath: '/etc/podsecrets', readOnly: true },
  ]);
  assert.match(text, /name: podsecrets-program\n\s+image:\n\s+reference: podsecrets:/);
});

test('a later image and other flags replace those of an earlier injection', async () => {
  const first = await injected({ text: pod(app), config: shop, flags: '--exec', since });
  const flags = '--exec --image podsecrets:2 --auth default';
  const second = await injected({ text: first.text, config: shop, flags, since });
  const direct = await injected({ text: pod(app), config: shop, flags, since });
  const podOf = (text: string) =>
    objectsIn(text).find((object) => (object as { kind: string }).kind === 'Pod');
  assert.equal(podOf(second.text), podOf(direct.text));
});

test('--as none adds no container and no files: the command fetches for itself', async () => {
  const { objects } = await injected({ text: pod(app), config: shop, flags: '--exec --as none', since });
  assert.equal(containersIn(objects, 'initContainers'), []);
  const [container] = containersIn(objects, 'containers');
  assert.equal(
    container?.volumeMounts?.map(({ name }) => name),
    ['podsecrets-program', 'podsecrets-config'],
  );
  const added = objects.find((object) => (object as { kind: string }).kind === 'Pod') as {
    readonly spec: { readonly volumes: readonly { readonly name: string }[] };
  };
  assert.equal(
    added.spec.volumes.map(({ name }) => name),
    ['podsecrets-config', 'podsecrets-program'],
  );
});

test('--as none takes no port: the application may have that of the sidecar, also on the node', async () => {
  const text = `${pod(app)}    ports: [{containerPort: 8181}]\n  hostNetwork: true\n`;
  const { warnings } = await injected({ text, config: shop, flags: '--exec --as none', since });
  assert.equal(warnings.map(String), []);
});

test('--as none rejects the options of the containers that it does not add', async () => {
  for (const flag of [
    '--notify-signal HUP --notify-process app',
    '--notify-url http://localhost/',
    '--sync-secrets --namespace shop',
    '--memory-limit 64Mi',
    '--mode 0400',
    '--dir /secrets',
  ])
    assert.match(
      await rejection(pod(app), shop, `--exec --as none ${flag}`),
      'has no effect with --as none: no container of podsecrets is added',
    );
});

test('--as none needs --exec, and a pod without a volume for files', async () => {
  assert.match(await rejection(pod(app), shop, '--as none'), 'none needs --exec');
  const csi =
    '  volumes:\n  - {name: s, csi: {driver: secrets-store.csi.k8s.io, readOnly: true, volumeAttributes: {secretProviderClass: demo}}}\n';
  const text = await rejection(pod(app) + csi, shop, '--exec --as none');
  assert.match(text, 'with --as none no container publishes them');
});

test('only the containers of --containers are changed', async () => {
  const text = pod(`${app}  - name: proxy\n    image: proxy\n`);
  const { objects } = await injected({ text, config: shop, flags: '--exec --containers app', since });
  const proxy = containersIn(objects, 'containers').find(({ name }) => name === 'proxy');
  assert.equal(proxy, { name: 'proxy', image: 'proxy' });
});

test('rejects a container without a command, because the entrypoint of its image is unknown', async () => {
  const text = await rejection(pod('  - name: app\n    image: nginx\n'));
  assert.match(text, "the image's entrypoint is not in the manifest");
});

test('rejects a command that starts podsecrets itself, with words that no injection writes', async () => {
  for (const words of ["'--set', 'A=/a'", "'--on-change', 'restart'", "'--config=/app/config.yaml'"]) {
    const own = `  - name: app\n    image: app\n    command: [/podsecrets/podsecrets, exec, ${words}, --, /app]\n`;
    assert.match(await rejection(pod(own)), /expected the command of the application for --exec/);
  }
});

test('rejects a config without variables', async () => {
  const text = await rejection(pod(app), config('\n  - {objectName: db, objectType: secretsmanager}'));
  assert.match(text, 'expected env in an object for --exec');
});

test('rejects another volume at /podsecrets', async () => {
  const text = await rejection(pod(`${app}    volumeMounts: [{name: own, mountPath: /podsecrets}]\n`));
  assert.match(text, '/podsecrets is the mount path of own');
});

const commandWith = async (flags: string) => {
  const { objects } = await injected({ text: pod(app), config: shop, flags, since });
  const [container] = containersIn(objects, 'containers') as unknown as readonly { command: string[] }[];
  return container?.command.slice(2, -3);
};

test('--on-change, its stop and its times are passed to exec', async () => {
  const flags =
    '--exec --as none --on-change restart --interval 1m --notify-splay 5s --stop-signal INT --stop-timeout 30s';
  assert.equal(await commandWith(flags), [
    '--config=/etc/podsecrets/config.yaml',
    '--interval=1m',
    '--notify-splay=5s',
    '--on-change=restart',
    '--stop-signal=INT',
    '--stop-timeout=30s',
  ]);
});

test('options of the sidecar that exec would reject are not passed to it', async () => {
  const flags = '--exec --interval 1m --notify-splay 5s --notify-touch /tmp/x --listen 0.0.0.0:9000';
  assert.equal(await commandWith(flags), ['--config=/etc/podsecrets/config.yaml']);
});

test('--on-change needs --exec and an action that needs no files', async () => {
  assert.match(await rejection(pod(app), shop, '--on-change restart'), 'needs --exec');
  assert.match(await rejection(pod(app), shop, '--exec --stop-signal INT'), 'needs --on-change');
  assert.match(
    await rejection(pod(app), shop, '--exec --on-change HUP'),
    'expected restart or exit, got SIGHUP',
  );
  assert.match(
    await rejection(pod(app), shop, '--exec --as none --interval 1m'),
    'has no effect with --as none',
  );
});

test.run();
