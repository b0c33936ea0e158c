/**
 * An application of another user than podsecrets.
 *
 * With fs.protected_symlinks=1, as on ordinary nodes, the kernel follows a link in a directory that is sticky and writable
 * for all only for the link's owner. Where this machine has 0, nothing would show that: so the test holds the rule itself.
 */

import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { images } from './images.ts';
import { container, openScene, pidOf, type Scene, secretProviderClass } from './scene.ts';

const test = suite<{ scene: Scene }>('an application of another user');
const USER = 10_001;

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

test('opens every file, on a kernel that protects links too', async ({ scene }) => {
  const name = await scene.putSecret('db', '{"user":"shop","password":"hunter2"}');
  const config = secretProviderClass([
    { objectName: name, objectType: 'secretsmanager', objectAlias: 'db.json' },
    { objectName: name, objectType: 'secretsmanager', objectAlias: 'split', expand: true },
    {
      objectName: name,
      objectType: 'secretsmanager',
      objectAlias: 'deep.json',
      filePermission: '0444',
      jmesPath: [{ path: 'user', objectAlias: 'user' }],
    },
  ]);
  const app = { name: 'app', image: images.app, command: ['sleep', '3600'] };
  await scene.apply(
    scene.inject(
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'shop' }, spec: { containers: [app] } },
      config,
    ),
  );
  const pod = await scene.ready('shop');
  assert.is(scene.exec('shop', 'app', 'id -u').trim(), String(USER));

  const files = ['db.json', 'split/user', 'split/password', 'deep.json', 'user'];
  const listed = scene.exec(
    'shop',
    'app',
    'cd /mnt/secrets-store && for f in $(find -L . -type f); do echo $f; done',
  );
  const published = listed.split('\n').filter((file) => file !== '' && !file.startsWith('./..'));
  assert.equal(published.map((file) => normalize(file)).sort(), [...files].sort());
  for (const file of files) {
    assert.ok(scene.exec('shop', 'app', `cat /mnt/secrets-store/${file}`).length > 0, file);
    const status = container(pod, 'app');
    assert.equal(
      linksRefused(`/proc/${status && pidOf(scene, status)}/root`, `/mnt/secrets-store/${file}`),
      [],
    );
  }
});

/** The links on the way to a file that a kernel which protects links would not follow for the application's user. */
function linksRefused(root: string, path: string): readonly string[] {
  const refused: string[] = [];
  let rest = path.split('/').filter(Boolean);
  let current = '/';
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    const next = normalize(join(current, part));
    const entry = lstatSync(join(root, next));
    if (entry.isSymbolicLink()) {
      const directory = statSync(join(root, current));
      const protectedHere = (directory.mode & 0o1002) === 0o1002;
      if (protectedHere && entry.uid !== USER && entry.uid !== directory.uid) refused.push(next);
      const target = readlinkSync(join(root, next));
      rest = [...target.split('/').filter(Boolean), ...rest];
      if (target.startsWith('/')) current = '/';
    } else {
      current = next;
    }
  }
  return refused;
}

test.run();
