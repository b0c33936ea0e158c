/**
 * One class for both programs: keys that the AWS provider ignores (unknown keys of objects and parameters) add files or variables, and
 * do not change the provider's files.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openWorld, type World } from './world.ts';

const test = suite<{ world: World }>('new keys');
test.before(async (context) => {
  context.world = await openWorld();
});
test.after(({ world }) => world.close());

const regions = {
  'eu-west-1': {
    secrets: { 'shop/db': '{"user":"u","pass":"p"}', plain: 'x' },
    parameters: { '/shop/url': 'https://shop' },
  },
};
const user = { path: 'user', objectAlias: 'user' };
const pass = { path: 'pass', objectAlias: 'pass' };
const db = { objectName: 'shop/db', objectType: 'secretsmanager' };
const plain = { objectName: 'plain', objectType: 'secretsmanager', objectAlias: 'p' };
const url = { objectName: '/shop/url', objectType: 'ssmparameter' };

test('env, envCase, optional and envFile: the same files as without them, and the file of variables', async ({
  world,
}) => {
  const before = await world.fetch({ regions, objects: [{ ...db, jmesPath: [user, pass] }, plain, url] });
  assert.equal(Object.keys(before.files).sort(), ['_shop_url', 'p', 'pass', 'shop_db', 'user']);
  const after = await world.fetch({
    regions,
    parameters: { envFile: 'app.env' },
    objects: [
      {
        ...db,
        env: 'DB',
        jmesPath: [
          { ...user, env: 'DB_USER', envCase: 'upper' },
          { ...pass, env: 'DB_PASS' },
        ],
      },
      { ...plain, env: 'PLAIN', optional: true },
      { ...url, env: 'URL' },
    ],
  });
  const { 'app.env': variables, ...files } = after.files;
  assert.equal(files, before.files);
  const { 'app.env': mode, ...modes } = after.modes;
  assert.equal([modes, mode], [before.modes, '0644']);
  assert.is(
    variables,
    `DB='{"user":"u","pass":"p"}'\nDB_USER='u'\nDB_PASS='p'\nPLAIN='x'\nURL='https://shop'\n`,
  );
});

test('env without envFile: the same files as without env', async ({ world }) => {
  const before = await world.fetch({ regions, objects: [db, plain] });
  const after = await world.fetch({
    regions,
    objects: [
      { ...db, env: 'DB' },
      { ...plain, env: 'P' },
    ],
  });
  assert.equal([after.code, after.files], [0, before.files]);
});

test.run();
