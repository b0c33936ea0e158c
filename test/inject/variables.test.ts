/** `--env`: the variables of envFile in the containers, with fileKeyRef. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { config } from '../support/config.ts';
import { type ContainerView, changedLines, containersIn, injected } from '../support/inject.ts';
import { rejects } from '../support/rejects.ts';

const objects = `
  - {objectName: prod/db, objectType: secretsmanager, objectAlias: db, jmesPath: [{path: user, objectAlias: user, env: DB_USER}, {path: pass, objectAlias: pass, env: DB_PASSWORD}]}
  - {objectName: extra, objectType: secretsmanager, optional: true, env: EXTRA}
  - {objectName: other, objectType: secretsmanager}`;
const envFile = { envFile: 'app.env' };
const shop = config(objects, envFile);
/** The API servers before 1.34 do not have the field at all. */
const since = '1.34';

const pod = (containers: string, more = '') =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n${containers}${more}`;
const app = '  - name: app\n    image: nginx\n';

const reference = (name: string, more: object = {}) => ({
  name,
  valueFrom: { fileKeyRef: { volumeName: 'podsecrets', path: 'files/app.env', key: name, ...more } },
});
const variables = [reference('DB_USER'), reference('DB_PASSWORD'), reference('EXTRA', { optional: true })];
const envOf = (container: ContainerView | undefined) => container?.env;

async function rejection(text: string, flags = '--env', text_ = shop): Promise<string> {
  const error = await rejects(injected({ text, config: text_, flags, since }));
  const { problems = [error] } = error as { readonly problems?: readonly unknown[] };
  return problems.map(String).join('\n');
}

for (const as of ['sidecar', 'init', 'init+sidecar']) {
  test(`--as ${as}: --env adds a fileKeyRef for each named variable, and nothing else`, async () => {
    const flags = `--as ${as}`;
    const without = await injected({ text: pod(app), config: shop, flags });
    const result = await injected({ text: pod(app), config: shop, flags: `${flags} --env`, since });
    const container = containersIn(result.objects, 'containers').find(({ name }) => name === 'app');
    assert.equal(envOf(container), variables);
    const { gone, came } = changedLines(without.text, result.text);
    assert.equal(gone, []);
    assert.is(came.length, 20, 'env, six lines for each variable, and optional');
  });
}

test('--env writes its lines after the existing variables, in the usual style', async () => {
  const text = pod(`${app}    env:\n    - {name: TZ, value: UTC} # kept\n`);
  const { text: after } = await injected({ text, config: shop, flags: '--env', since });
  assert.match(
    after,
    `    env:
    - {name: TZ, value: UTC} # kept
    - name: DB_USER
      valueFrom:
        fileKeyRef:
          volumeName: podsecrets
          path: files/app.env
          key: DB_USER
`,
  );
  assert.equal(changedLines(text, after).gone, []);
});

test('--containers selects the containers that get the variables, init containers included', async () => {
  const text = pod(`${app}  - {name: log, image: l}\n`, '  initContainers:\n  - {name: migrate, image: m}\n');
  const having = async (flags: string) => {
    const { objects: all } = await injected({ text, config: shop, flags, since });
    return [...containersIn(all, 'initContainers'), ...containersIn(all, 'containers')]
      .filter(({ env = [] }) => env.some(({ name }) => name === 'DB_USER'))
      .map(({ name }) => name);
  };
  assert.equal(await having('--env'), ['migrate', 'app', 'log']);
  assert.equal(await having('--env --containers app --containers migrate'), ['migrate', 'app']);
  assert.equal(await having('--containers app'), []);
});

test('a volume of the CSI driver keeps its name, and the variables refer to it', async () => {
  const csi =
    '  volumes:\n  - name: vol\n    csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: demo}}\n';
  const { objects: all } = await injected({ text: pod(app, csi), config: shop, flags: '--env', since });
  const [container] = containersIn(all, 'containers');
  assert.equal(container?.env?.[0], {
    name: 'DB_USER',
    valueFrom: { fileKeyRef: { volumeName: 'vol', path: 'files/app.env', key: 'DB_USER' } },
  });
});

test('keeps an equal existing entry in any order of keys, and rejects a different one', async () => {
  const same =
    'env: [{name: DB_USER, valueFrom: {fileKeyRef: {key: DB_USER, path: files/app.env, volumeName: podsecrets}}}]';
  const result = await injected({ text: pod(`${app}    ${same}\n`), config: shop, flags: '--env', since });
  const [container] = containersIn(result.objects, 'containers');
  assert.equal(
    container?.env?.map(({ name }) => name),
    ['DB_USER', 'DB_PASSWORD', 'EXTRA'],
  );
  assert.match(
    await rejection(pod(`${app}    env: [{name: DB_USER, value: root}]\n`)),
    'the variable DB_USER is already in env, with another value than --env gives it',
  );
  const other = pod(`${app}    env: [{name: DB_USER, value: root}]\n  - {name: log, image: l}\n`);
  await injected({ text: other, config: shop, flags: '--env --containers log', since });
});

test('rejects a pattern, with the line of its object, and a config without envFile', async () => {
  const pattern = config('- {objectName: a, objectType: secretsmanager, expand: true, env: "A_*"}', envFile);
  const text = await rejection(pod(app), '--env', pattern);
  assert.match(text, 'expected the name of a variable for --env, got a pattern: fileKeyRef needs names');
  assert.match(
    await rejection(pod(app), '--env', config(objects)),
    'expected the file of the variables for --env, got none',
  );
});

test('rejects two configs of a pod with the same variable', async () => {
  const volume = (name: string) =>
    `  - name: ${name}\n    csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: ${name}}}\n`;
  const classOf = (name: string) => `${shop.replace('name: demo', `name: ${name}`)}\n---\n`;
  const text = `${classOf('a')}${classOf('b')}${pod(app, `  volumes:\n${volume('a')}${volume('b')}`)}`;
  const problems = String(await rejects(injected({ text, flags: '--env', since })));
  assert.match(problems, /3 problems/);
});

test('--env is rejected where no container writes the file', async () => {
  const text = pod(`${app}    command: [nginx]\n`);
  assert.match(
    await rejection(text, '--env --exec --as none'),
    'no container writes the file of the variables',
  );
});

test('--env without a variable in any config is a warning', async () => {
  const plain = config('- {objectName: a, objectType: secretsmanager}');
  const { warnings } = await injected({ text: pod(app), config: plain, flags: '--env' });
  assert.equal(
    warnings.map(({ subject, message }) => `${subject} ${message}`),
    ['--env has no effect: no object of a config has env'],
  );
});

const written: readonly (readonly [string, string, string, string | undefined])[] = [
  ['the path of the mount', 'path: app.env, key: DB_USER', shop, 'expected path: files/app.env'],
  ['an unknown key', 'path: files/app.env, key: DB_USR', shop, 'got "DB_USR"'],
  [
    'a config without envFile',
    'path: files/app.env, key: DB_USER',
    config(objects),
    'expected the file of the variables',
  ],
  ['an unknown key that is optional', 'path: files/app.env, key: X, optional: true', shop, undefined],
  ['a key under another name', 'path: files/app.env, key: DB_USER', shop, undefined],
];
for (const [what, fields, text, message] of written) {
  test(`${message ? 'rejects' : 'keeps'} an existing fileKeyRef with ${what}`, async () => {
    const env = `    env:\n    - {name: PGUSER, valueFrom: {fileKeyRef: {volumeName: podsecrets, ${fields}}}}\n`;
    if (message !== undefined) assert.match(await rejection(pod(app + env), '', text), message);
    else assert.match((await injected({ text: pod(app + env), config: text, since })).text, env);
  });
}

test.run();
