/**
 * An application that runs as another user than podsecrets.
 *
 * With fs.protected_symlinks=1, as on ordinary nodes, the kernel follows a link in a directory that is sticky and writable
 * for all only for the link's owner. On a machine with 0 the kernel would not enforce that, so the test checks the rule itself.
 */

import { join, normalize } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusedLinks } from '../support/protected-symlinks.ts';
import { secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { type ContainerStatus, container, openScene, pidOf, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('an application of another user');
const USER = 10_001;

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

test('opens every file, on a kernel that protects links too', async ({ scene }) => {
  const name = await scene.putSecret('db', '{"user":"shop","password":"hunter2"}');
  const config = secretProviderClass([
    secretFile(name, 'db.json'),
    { ...secretFile(name, 'split'), expand: true },
    { ...secretFile(name, 'copy.json'), jmesPath: [{ path: 'user', objectAlias: 'user' }] },
  ]);
  await scene.apply(scene.inject(shopPod(), config));
  const pod = await scene.ready('shop');
  assert.is(scene.exec('shop', 'app', 'id -u').trim(), String(USER));

  const files = ['db.json', 'split/user', 'split/password', 'copy.json', 'user'];
  const listed = scene.exec('shop', 'app', 'cd /mnt/secrets-store && find -L . -type f');
  const published = listed.split('\n').filter((file) => file !== '' && !file.startsWith('./..'));
  assert.equal(published.map((file) => normalize(file)).sort(), [...files].sort());
  for (const file of files)
    assert.ok(scene.exec('shop', 'app', `cat /mnt/secrets-store/${file}`).length > 0, file);
  const app = container(pod, 'app') as ContainerStatus;
  assert.equal(refusedLinks(join('/proc', String(pidOf(scene, app)), 'root', 'mnt/secrets-store'), USER), []);
});

test.run();
