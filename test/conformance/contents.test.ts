/**
 * The content of the files of a fetch: the bytes of a value as AWS has them, of the requested version, by any of its
 * names; and the modes.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodes } from '../../src/core/problem.ts';
import type { ParameterSeed, SecretSeed } from '../fake-aws/seed.ts';
import { makeSandbox } from '../support/sandbox.ts';
import { type Fetch, openWorld, type World } from './world.ts';

const HOME = 'eu-west-1';
const ARN = `arn:aws:secretsmanager:${HOME}:111122223333:secret:`;
const PARAMETER = `arn:aws:ssm:${HOME}:111122223333:parameter`;

const content = suite<{ world: World }>('contents');
content.before(async (context) => {
  context.world = await openWorld();
});
content.after(({ world }) => world.close());

/** Secrets and parameters of one region, and the objects that are fetched. */
interface Case {
  readonly rule: string;
  readonly secrets?: Readonly<Record<string, string | SecretSeed>>;
  readonly parameters?: Readonly<Record<string, string | ParameterSeed>>;
  readonly objects: Fetch['objects'];
  readonly more?: Pick<Fetch, 'parameters' | 'flags' | 'deny'>;
  /** Latin-1; `fails` instead when nothing is written. */
  readonly files?: Readonly<Record<string, string>>;
  readonly modes?: Readonly<Record<string, string>>;
  readonly fails?: true;
}

function each(cases: readonly Case[]): void {
  for (const { rule, secrets = {}, parameters = {}, objects, more, files = {}, modes, fails } of cases) {
    content(rule, async ({ world }) => {
      const fetched = await world.fetch({ regions: { [HOME]: { secrets, parameters } }, objects, ...more });
      assert.equal(fetched.files, fails ? {} : files, String(fetched.thrown));
      assert.is(fetched.code, fails ? exitCodes.fetch : exitCodes.done);
      if (modes !== undefined) assert.equal(fetched.modes, modes);
    });
  }
}

const secret = (objectName: string, more = {}) => ({ objectName, objectType: 'secretsmanager', ...more });
const parameter = (objectName: string, more = {}) => ({ objectName, objectType: 'ssmparameter', ...more });
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

// Any text is written byte for byte.
for (const [name, text] of [
  ['plain text', 'hunter2'],
  ['a line break at the end', 'hunter2\n'],
  ['two line breaks at the end', 'a\n\n'],
  ['Windows line breaks', 'a\r\nb\r\n'],
  ['a byte order mark', '\ufeffa'],
  ['a NUL character', 'a\0b'],
  ['white space only', ' \t '],
  ['an empty text', ''],
  ['letters of several bytes', 'pässwörd 日本 😀'],
  ['quotes and backslashes', '"\\\'`$(x)'],
  ['HTML', '<a href="x">&amp;</a>'],
  ['a separator that JSON escapes', 'a\u2028b\u2029'],
  ['control characters', '\u0001\u001b[31m\u007f'],
  ['JSON as it was written', '{ "b":1,\n  "a" : 2.0 }\n'],
  ['the largest secret', 'x'.repeat(65_536)],
  ['a PEM file', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
] as const) {
  each([
    {
      rule: `a SecretString: ${name}`,
      secrets: { s: { string: text } },
      objects: [secret('s')],
      files: { s: utf8(text) },
    },
    {
      rule: `a SecureString: ${name}`,
      parameters: { p: text.slice(0, 8192) },
      objects: [parameter('p')],
      files: { p: utf8(text.slice(0, 8192)) },
    },
  ]);
}

for (const [name, bytes] of [
  ['bytes that are no UTF-8', [0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28]],
  ['half of a letter', [0xe6, 0x97]],
  ['all bytes', Array.from({ length: 256 }, (_, at) => at)],
  ['bytes that are text', [...Buffer.from('text\n')]],
  ['one byte', [0]],
  ['64 KiB', Array.from({ length: 65_536 }, (_, at) => (at * 7) % 256)],
] as const) {
  const binary = Buffer.from(bytes);
  each([
    {
      rule: `a SecretBinary: ${name}`,
      secrets: { s: { binary: binary.toString('base64') } },
      objects: [secret('s')],
      files: { s: binary.toString('latin1') },
    },
  ]);
}

const versions = [
  { id: '11111111-1111-4111-8111-111111111111', string: 'one' },
  { id: '22222222-2222-4222-8222-222222222222', string: 'two' },
  { id: '33333333-3333-4333-8333-333333333333', string: 'three', stages: ['AWSPENDING'] },
  { id: '44444444-4444-4444-8444-444444444444', string: 'four', stages: ['BLUE', 'GREEN'] },
];
for (const [rule, pin, found] of [
  ['without a version the current one', {}, 'two'],
  ['the stage AWSCURRENT', { objectVersionLabel: 'AWSCURRENT' }, 'two'],
  ['the stage AWSPREVIOUS', { objectVersionLabel: 'AWSPREVIOUS' }, 'one'],
  ['the stage AWSPENDING', { objectVersionLabel: 'AWSPENDING' }, 'three'],
  ["a stage of one's own", { objectVersionLabel: 'BLUE' }, 'four'],
  ['another stage of the same version', { objectVersionLabel: 'GREEN' }, 'four'],
  ['a stage in other letters is another stage', { objectVersionLabel: 'awscurrent' }, undefined],
  ['a stage that no version has', { objectVersionLabel: 'RED' }, undefined],
  ['a version', { objectVersion: versions[0]?.id }, 'one'],
  ['the pending version by its id', { objectVersion: versions[2]?.id }, 'three'],
  ['a version that does not exist', { objectVersion: '99999999-9999-4999-8999-999999999999' }, undefined],
  ['a version and its stage', { objectVersion: versions[0]?.id, objectVersionLabel: 'AWSPREVIOUS' }, 'one'],
  [
    'a version and the stage of another',
    { objectVersion: versions[0]?.id, objectVersionLabel: 'BLUE' },
    undefined,
  ],
] as const) {
  const expected = found === undefined ? { fails: true as const } : { files: { s: found } };
  each([
    { rule: `a secret: ${rule}`, secrets: { s: { versions } }, objects: [secret('s', pin)], ...expected },
  ]);
}

const labelled = {
  versions: [
    { value: 'one', labels: ['old', 'first'] },
    { value: 'two', labels: ['stable'] },
    { value: 'three' },
  ],
};
for (const [rule, pin, found] of [
  ['without a version the newest', {}, 'three'],
  ['a version', { objectVersion: '1' }, 'one'],
  ['a version without quotes', { objectVersion: 2 }, 'two'],
  ['the newest version by its number', { objectVersion: '3' }, 'three'],
  ['a version that does not exist', { objectVersion: '4' }, undefined],
  ['a label', { objectVersionLabel: 'stable' }, 'two'],
  ['another label of one version', { objectVersionLabel: 'first' }, 'one'],
  ['a label that no version has', { objectVersionLabel: 'red' }, undefined],
  ['a label in the place of a version', { objectVersion: 'old' }, 'one'],
  ['a version in the place of a label', { objectVersionLabel: '1' }, 'one'],
] as const) {
  const expected = (name: string) =>
    found === undefined ? { fails: true as const } : { files: { [name]: found } };
  each([
    {
      rule: `a parameter: ${rule}`,
      parameters: { '/a/p': labelled },
      objects: [parameter('/a/p', pin)],
      ...expected('_a_p'),
    },
    {
      rule: `a parameter by its ARN: ${rule}`,
      parameters: { '/a/p': labelled },
      objects: [{ objectName: `${PARAMETER}/a/p`, objectAlias: 'p', ...pin }],
      ...expected('p'),
    },
  ]);
}

each([
  {
    rule: 'a parameter of type String',
    parameters: { p: { type: 'String', value: 'v' } },
    objects: [parameter('p')],
    files: { p: 'v' },
  },
  {
    rule: 'a StringList is its text',
    parameters: { p: { type: 'StringList', value: 'a,b,c' } },
    objects: [parameter('p')],
    files: { p: 'a,b,c' },
  },
  {
    rule: 'a parameter without a leading slash',
    parameters: { plain: 'v' },
    objects: [parameter('plain')],
    files: { plain: 'v' },
  },
  {
    rule: 'a parameter without a leading slash by its ARN',
    parameters: { plain: 'v' },
    objects: [{ objectName: `${PARAMETER}/plain`, objectAlias: 'x' }],
    files: { x: 'v' },
  },
  {
    rule: 'the file of an ARN is named by all of it',
    parameters: { '/a/p': 'v' },
    objects: [{ objectName: `${PARAMETER}/a/p` }],
    files: { [`${PARAMETER.replace('/', '_')}_a_p`]: 'v' },
  },
  {
    rule: 'a secret by its ARN without the suffix',
    secrets: { s: 'v' },
    objects: [{ objectName: `${ARN}s`, objectAlias: 'x' }],
    files: { x: 'v' },
  },
  { rule: 'a secret that does not exist', objects: [secret('s')], fails: true },
  { rule: 'a parameter that does not exist', objects: [parameter('p')], fails: true },
  { rule: 'a secret without a value', secrets: { s: {} }, objects: [secret('s')], fails: true },
  {
    rule: 'a secret that is marked for deletion',
    secrets: { s: { string: 'v', deleted: true } },
    objects: [secret('s')],
    fails: true,
  },
  {
    rule: 'one missing parameter fails them all, and nothing is written',
    secrets: { s: 'v' },
    parameters: { p: 'v' },
    objects: [secret('s'), parameter('p'), parameter('missing')],
    fails: true,
  },
  {
    rule: "modes: the default, an object's own, a field's own, and an inherited one",
    secrets: { s: { json: { a: 'A', b: 'B' } }, t: { json: { a: 'A' } } },
    objects: [
      secret('s', {
        filePermission: '0640',
        jmesPath: [
          { path: 'a', objectAlias: 'inherited' },
          { path: 'b', objectAlias: 'own', filePermission: '0400' },
        ],
      }),
      secret('t', { jmesPath: [{ path: 'a', objectAlias: 'default' }] }),
    ],
    files: { s: '{"a":"A","b":"B"}', inherited: 'A', own: 'B', t: '{"a":"A"}', default: 'A' },
    modes: { s: '0640', inherited: '0640', own: '0400', t: '0644', default: '0644' },
  },
  {
    rule: 'modes: 0600 without quotes',
    secrets: { s: 'v' },
    objects: '- {objectName: s, objectType: secretsmanager, filePermission: 0600}',
    files: { s: 'v' },
    modes: { s: '0600' },
  },
  {
    rule: 'modes: 0777 and 0444',
    secrets: { s: 'v', t: 'w' },
    objects: [secret('s', { filePermission: '0777' }), secret('t', { filePermission: '0444' })],
    files: { s: 'v', t: 'w' },
    modes: { s: '0777', t: '0444' },
  },
  {
    rule: 'modes: the first digit is no permission',
    secrets: { s: 'v' },
    objects: [secret('s', { filePermission: '4755' })],
    files: { s: 'v' },
    modes: { s: '0755' },
  },
  {
    rule: 'paths: directories when translation is off',
    parameters: { '/a/b/c': 'v' },
    objects: [parameter('/a/b/c', { jmesPath: [] })],
    more: { parameters: { pathTranslation: 'False' } },
    files: { 'a/b/c': 'v' },
  },
  {
    rule: 'paths: a hyphen for a slash',
    parameters: { '/a/b/c': 'v' },
    objects: [parameter('/a/b/c')],
    more: { parameters: { pathTranslation: '-' } },
    files: { '-a-b-c': 'v' },
  },
  {
    rule: 'every key that the provider ignores leaves its files as they are, and adds the file of variables',
    secrets: { s: { json: { a: 'A' } } },
    parameters: { p: 'v' },
    objects: [
      secret('s', {
        env: 'ALL',
        envCase: 'keep',
        optional: false,
        jmesPath: [{ path: 'a', objectAlias: 'x', env: 'A' }],
      }),
      parameter('p', { env: 'P' }),
    ],
    more: { parameters: { envFile: 'app.env' } },
    files: { s: '{"a":"A"}', x: 'A', p: 'v', 'app.env': `ALL='{"a":"A"}'\nA='A'\nP='v'\n` },
  },
  {
    rule: 'fields of a parameter',
    parameters: { p: '{"a":"A"}' },
    objects: [parameter('p', { jmesPath: [{ path: 'a', objectAlias: 'x' }] })],
    files: { p: '{"a":"A"}', x: 'A' },
  },
  {
    rule: 'fields of bytes that are JSON',
    secrets: { s: { binary: Buffer.from('{"a":"A"}').toString('base64') } },
    objects: [secret('s', { jmesPath: [{ path: 'a', objectAlias: 'x' }] })],
    files: { s: '{"a":"A"}', x: 'A' },
  },
  {
    rule: 'invalid UTF-8 inside of JSON becomes the replacement character, in fields only',
    secrets: { s: { binary: Buffer.from('{"a":"\xff"}', 'latin1').toString('base64') } },
    objects: [secret('s', { jmesPath: [{ path: 'a', objectAlias: 'x' }] })],
    files: { s: '{"a":"\xff"}', x: utf8('\ufffd') },
  },
  {
    rule: 'one field that fails fails the object, and nothing is written',
    secrets: { s: { json: { a: 'A' } } },
    objects: [
      secret('s', {
        jmesPath: [
          { path: 'a', objectAlias: 'x' },
          { path: 'b', objectAlias: 'y' },
        ],
      }),
    ],
    fails: true,
  },
]);

content(
  'removing an object from the config removes only its file; a config without objects keeps all files',
  async ({ world }) => {
    const box = makeSandbox();
    try {
      const regions = { [HOME]: { secrets: { s: 'v', t: 'w' } } };
      await world.fetch({ regions, objects: [secret('s'), secret('t')] }, box);
      assert.equal((await world.fetch({ regions, objects: [secret('t')] }, box)).files, { t: 'w' });
      const emptied = await world.fetch({ regions, objects: '' }, box);
      assert.is(emptied.code, exitCodes.config);
      assert.equal(emptied.files, { t: 'w' });
    } finally {
      box.remove();
    }
  },
);

content('a failure leaves the existing files unchanged, all of one publish', async ({ world }) => {
  const box = makeSandbox();
  try {
    const objects = [secret('s'), secret('t')];
    await world.fetch({ regions: { [HOME]: { secrets: { s: 'old', t: 'old' } } }, objects }, box);
    const { code, files } = await world.fetch(
      { regions: { [HOME]: { secrets: { s: 'new' } } }, objects },
      box,
    );
    assert.is(code, exitCodes.fetch);
    assert.equal(files, { s: 'old', t: 'old' });
  } finally {
    box.remove();
  }
});
content.run();
