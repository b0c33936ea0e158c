/** Values become files, or problems that have no part of them. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Plan } from '../../src/config/plan.ts';
import { problemLine, problemsOf } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';
import { render, type SelectedValue } from '../../src/render/render.ts';
import { config, parse } from '../support/config.ts';
import { rejects } from '../support/rejects.ts';

type Values = readonly (string | Uint8Array | undefined)[];

async function planOf(objects: string, parameters: Readonly<Record<string, string>> = {}): Promise<Plan> {
  const { plan, problems } = await parse(config(objects, parameters));
  assert.equal(problems.map(problemLine), []);
  return plan as Plan;
}

/** Renders; each object gets the value of its index. */
function rendered(plan: Plan, values: Values) {
  const served = plan.objects.flatMap((object, index): [typeof object, SelectedValue][] => {
    const value = values[index];
    return value === undefined
      ? []
      : [[object, { value: new Secret(value), version: `v${index}`, region: 'eu-west-1' }]];
  });
  return render(plan, new Map(served));
}

/** Path and content of each file. */
async function filesOf(objects: string, ...values: Values): Promise<Record<string, string>> {
  const { snapshot } = await rendered(await planOf(objects), values);
  return Object.fromEntries(
    snapshot.files.map(({ path, content }) => [path, new TextDecoder().decode(content.reveal())]),
  );
}

/** One line for each problem. */
function rejection(objects: string, ...values: Values): Promise<readonly string[]> {
  return refusalsWith({}, objects, ...values);
}

async function refusalsWith(
  parameters: Readonly<Record<string, string>>,
  objects: string,
  ...values: Values
): Promise<readonly string[]> {
  const plan = await planOf(objects, parameters);
  const error = await rejects(rendered(plan, values));
  const problems = problemsOf(error);
  if (problems === undefined) throw error;
  for (const { code, cause } of problems) {
    assert.is(code, 'fetch.content');
    assert.is(cause, undefined);
  }
  return problems.map(({ subject, message }) => `${subject}: ${message}`);
}

const json = (entries: string) => `- {objectName: db, objectType: secretsmanager, jmesPath: [${entries}]}`;

test('writes the bytes of the whole value unchanged, UTF-8 or not', async () => {
  const bytes = Uint8Array.of(0xff, 0, 1, 0x80);
  const { snapshot } = await rendered(await planOf('- {objectName: db, objectType: secretsmanager}'), [
    bytes,
  ]);
  assert.equal(snapshot.files[0]?.content.reveal(), bytes);
});

test('an empty value is an empty file', async () => {
  assert.equal(await filesOf('- {objectName: db, objectType: secretsmanager}', ''), { db: '' });
});

test('writes jmesPath files next to the whole value: text unchanged, the rest as compact JSON', async () => {
  const paths = ['text', 'empty', 'number', 'boolean', 'list', 'map', 'to_string(map)'];
  const entries = paths.map((path, index) => `{path: "${path}", objectAlias: "f${index}"}`).join(', ');
  const value =
    '{"text":"a\\n","empty":"","number":1.50,"boolean":false,"list":[1, "<"],"map":{"b":"<","a":null}}';
  assert.equal(await filesOf(json(entries), value), {
    db: value,
    f0: 'a\n',
    f1: '',
    f2: '1.5',
    f3: 'false',
    f4: '[1,"<"]',
    f5: '{"a":null,"b":"<"}',
    f6: '{"a":null,"b":"\\u003c"}',
  });
});

test('rejects null, a missing field, a wrong type and an unknown function, each with its expression', async () => {
  const entries = ['a', 'b', 'abs(c)', 'nosuch(c)'].map((path, n) => `{path: "${path}", objectAlias: f${n}}`);
  assert.equal(await rejection(json(entries.join(', ')), '{"a":null,"c":"x"}'), [
    'objects[0].jmesPath[0] ("db"): expected a value at "a", got nothing or null',
    'objects[0].jmesPath[1] ("db"): expected a value at "b", got nothing or null',
    'objects[0].jmesPath[2] ("db"): expected a value at "abs(c)", got a function applied to a value of the wrong type',
    'objects[0].jmesPath[3] ("db"): expected a value at "nosuch(c)", got a function that JMESPath does not have',
  ]);
});

test('rejects merge with a missing key, without a crash', async () => {
  assert.equal(await rejection(json('{path: "merge(a, b)", objectAlias: f}'), '{"a":{}}'), [
    'objects[0].jmesPath[0] ("db"): expected a value at "merge(a, b)", got a function applied to a value of the wrong type',
  ]);
});

test('rejects a value that is not JSON once per object', async () => {
  const entries = '{path: a, objectAlias: b}, {path: c, objectAlias: d}';
  assert.equal(await rejection(json(entries), 'hunter2'), [
    'objects[0] ("db"): expected JSON in the value, got something else',
  ]);
});

for (const [path, value, file] of [
  ['a', '9007199254740991', '9007199254740991'],
  ['a', '9007199254740993', '9007199254740993'],
  ['a', '-12345678901234567890123', '-12345678901234567890123'],
  ['a', '[-9007199254740993, 0.1]', '[-9007199254740993,0.1]'],
  ['a', '{"b":[1,{"c":12345678901234567890}]}', '{"b":[1,{"c":12345678901234567890}]}'],
  ['a[0]', '[12345678901234567890, 12345678901234567000]', '12345678901234567890'],
  ['a[*].b', '[{"b":12345678901234567890}]', '[12345678901234567890]'],
  ["a[?k=='x'].b | [0]", '[{"k":"x","b":12345678901234567890}]', '12345678901234567890'],
  ['missing || a', '12345678901234567890', '12345678901234567890'],
  ['{x: a}', '12345678901234567890', '{"x":12345678901234567890}'],
  ['to_string(a)', '12345678901234567890', '12345678901234567000'],
] as const) {
  test(`writes an integer exactly that a 64-bit float would change: ${path} of ${value}`, async () => {
    assert.is((await filesOf(json(`{path: "${path}", objectAlias: f}`), `{"a":${value}}`)).f, file);
  });
}

test('writes such an integer exactly with expand too', async () => {
  const object = '- {objectName: db, objectType: secretsmanager, expand: true}';
  assert.equal(await filesOf(object, '{"id":12345678901234567890,"n":1}'), {
    id: '12345678901234567890',
    n: '1',
  });
});

for (const [path, value] of [
  ['a', '{"b":-1e30}'],
  ['max(a)', '[9007199254740993, 1]'],
  ['a[?b > `1`].b', '[{"b":9007199254740993}]'],
  ["to_number('9007199254740993')", '0'],
] as const) {
  test(`rejects a number that cannot be written exactly: ${path} of ${value}`, async () => {
    assert.equal(await rejection(json(`{path: "${path}", objectAlias: f}`), `{"a":${value}}`), [
      'objects[0].jmesPath[0] ("db"): expected numbers that a 64-bit float keeps exactly, got a larger one',
    ]);
  });
}

test('decodes base64 before it renders the outputs', async () => {
  const object =
    '- {objectName: db, objectType: secretsmanager, decode: base64, jmesPath: [{path: a, objectAlias: f}]}';
  assert.equal(await filesOf(object, ' eyJh\r\nIjog\n\tIngifQ== \n'), { db: '{"a": "x"}', f: 'x' });
});

test('writes the decoded bytes unchanged', async () => {
  const plan = await planOf('- {objectName: db, objectType: secretsmanager, decode: base64}');
  const { snapshot } = await rendered(plan, ['/wCA']);
  assert.equal(snapshot.files[0]?.content.reveal(), Uint8Array.of(0xff, 0, 0x80));
});

for (const value of ['hunter2', 'a', '====', 'a===', 'YQ', 'YQ=', 'Y-_=', 'YQ==YQ==', '\ufeffYQ==']) {
  test(`rejects "${value}" as base64`, async () => {
    assert.equal(await rejection('- {objectName: db, objectType: secretsmanager, decode: base64}', value), [
      'objects[0] ("db"): expected base64 in the value, got something else',
    ]);
  });
}

test('expands each key to a file, at the top or in the directory', async () => {
  const objects = `
    - {objectName: a, objectType: secretsmanager, expand: true}
    - {objectName: b, objectType: secretsmanager, expand: true, objectAlias: dir, jmesPath: [{path: x, objectAlias: z}]}`;
  assert.equal(await filesOf(objects, '{"user":"u","port":1,"list":[true]}', '{"x":"z","tls.crt":""}'), {
    user: 'u',
    port: '1',
    list: '[true]',
    'dir/x': 'z',
    'dir/tls.crt': '',
    z: 'z',
  });
});

test('rejects keys that cannot be file names, by their number and not by name', async () => {
  const keys = ['', '.', '..', '..data', 'a/b', '/a', 'a\0', 'n'.repeat(256), 'good', '__proto__'];
  const value = `{${keys.map((key) => `${JSON.stringify(key)}:"v"`).join()}}`;
  const expand = '- {objectName: db, objectType: secretsmanager, expand: true}';
  assert.equal(
    await rejection(expand, value),
    [1, 2, 3, 4, 5, 6, 7, 8].map(
      (n) => `objects[0] ("db"): expected a key that can be a file name, got another one (key ${n} of 10)`,
    ),
  );
});

test("accepts a key that begins with two dots in an object's own directory", async () => {
  const expand = '- {objectName: db, objectType: secretsmanager, expand: true, objectAlias: d}';
  assert.equal(await filesOf(expand, '{"..data":"x"}'), { 'd/..data': 'x' });
});

test('rejects null', async () => {
  const expand = '- {objectName: db, objectType: secretsmanager, expand: true}';
  assert.equal(await rejection(expand, '{"a":"x","b":null}'), [
    'objects[0] ("db"): expected a value, got null (key 2 of 2)',
  ]);
});

test('expands only JSON objects', async () => {
  for (const value of ['[1]', '"a"', '1', 'null']) {
    assert.equal(await rejection('- {objectName: db, objectType: secretsmanager, expand: true}', value), [
      'objects[0] ("db"): expected a JSON object in the value, got other JSON',
    ]);
  }
});

test('rejects keys that collide with other files, in either order', async () => {
  const objects = `
    - {objectName: a, objectType: secretsmanager, expand: true}
    - {objectName: b, objectType: secretsmanager, expand: true}
    - {objectName: user, objectType: secretsmanager}
    - {objectName: c, objectType: secretsmanager, expand: true, objectAlias: dir}`;
  const sentence = (n: number, other: number) =>
    `objects[${n}] (${['"a"', '"b"', '"user"', '"c"'][n]}): expected keys that make unique file names, got one that collides with a file of objects[${other}]`;
  assert.equal(await rejection(objects, '{"user":"1","same":"2"}', '{"same":"3"}', 'x', '{}'), [
    sentence(1, 0),
    sentence(2, 0),
  ]);
  assert.equal(await rejection(objects, '{}', '{"dir":"1"}', 'x', '{"a":"2"}'), [sentence(3, 1)]);
});

test('without files a key is only the name of a variable: it may have a /, and other objects may have it too', async () => {
  const objects = `
    - {objectName: a, objectType: secretsmanager, expand: true, env: "A_*", envCase: upper}
    - {objectName: b, objectType: secretsmanager, expand: true, env: "B_*", envCase: upper}`;
  const values = ['{"db/url":"1","user":"2"}', '{"user":"3"}'];
  const variables = async (variablesOnly: boolean) => {
    const { plan } = await parse(config(objects), { variablesOnly });
    const { variables } = await rendered(plan as Plan, values);
    return variables.map(({ name }) => name);
  };
  assert.equal(await variables(true), ['A_DB_URL', 'A_USER', 'B_USER']);
  const problems = await rejection(objects, ...values);
  assert.match(problems.join('\n'), /expected a key that can be a file name.*\n.*unique file names/);
});

test('all problems of a plan are reported at once', async () => {
  const objects = `
    - {objectName: a, objectType: secretsmanager, expand: true}
    - {objectName: b, objectType: secretsmanager, decode: base64}
    - {objectName: c, objectType: secretsmanager, jmesPath: [{path: x, objectAlias: d}]}`;
  assert.is((await rejection(objects, 'no', 'no', '{}')).length, 3);
});

test('a missing optional object has no file, and any other missing object is a bug', async () => {
  const objects = `
    - {objectName: a, objectType: secretsmanager, optional: true, jmesPath: [{path: x, objectAlias: b}]}
    - {objectName: c, objectType: secretsmanager}`;
  assert.equal(await filesOf(objects, undefined, 'v'), { c: 'v' });
  const error = await rejects(rendered(await planOf(objects), ['{"x":"y"}', undefined]));
  assert.is(problemsOf(error), undefined);
});

test('each file has its origin', async () => {
  const plan = await planOf(`
    - {objectName: a/b, objectType: secretsmanager, jmesPath: [{path: x, objectAlias: c}]}
    - {objectName: p, objectType: ssmparameter, expand: true}`);
  const { facts, snapshot } = await rendered(plan, ['{"x":"y"}', '{"k":"v"}']);
  const common = { region: 'eu-west-1' };
  assert.equal(facts, [
    { path: 'a_b', object: 'a/b', service: 'secretsmanager', version: 'v0', ...common },
    { path: 'c', object: 'a/b', service: 'secretsmanager', version: 'v0', ...common },
    { path: 'k', object: 'p', service: 'ssmparameter', version: 'v1', ...common },
  ]);
  assert.equal(
    snapshot.files.map(({ path }) => path),
    facts.map(({ path }) => path),
  );
});

test('files have the modes of the plan, without set-id bits', async () => {
  const plan = await planOf('- {objectName: a, objectType: secretsmanager, filePermission: "4750"}');
  const { snapshot } = await rendered(plan, ['v']);
  assert.is(snapshot.files[0]?.mode, 0o750);
});

const ENV_FILE = { envFile: 'app.env' };

/** The text of the file of variables. */
async function envFileOf(objects: string, ...values: Values): Promise<string> {
  const { snapshot } = await rendered(await planOf(objects, ENV_FILE), values);
  const file = snapshot.files.find(({ path }) => path === 'app.env');
  return new TextDecoder().decode(file?.content.reveal());
}

test('orders variables as in the config, and those of a pattern by the bytes of their keys', async () => {
  const objects = `
    - {objectName: a, objectType: secretsmanager, env: WHOLE, jmesPath: [{path: num, objectAlias: num, env: NUMBER}, {path: list, objectAlias: list, env: LIST}]}
    - {objectName: b, objectType: secretsmanager, expand: true, env: "DB_*", envCase: upper}
    - {objectName: c, objectType: secretsmanager, optional: true, env: MISSING}`;
  assert.is(
    await envFileOf(objects, '{"num":1.50,"list":[1,true]}', '{"b.c":"2","a-b":"1"}', undefined),
    `WHOLE='{"num":1.50,"list":[1,true]}'\nNUMBER='1.5'\nLIST='[1,true]'\nDB_A_B='1'\nDB_B_C='2'\n`,
  );
});

test('variables have their origin, and a value that a parser reads differently is a warning', async () => {
  const plan = await planOf('- {objectName: a, objectType: secretsmanager, env: A}', ENV_FILE);
  const { variables, variableWarnings } = await rendered(plan, ['a\\']);
  assert.equal(
    variables.map(({ value, ...rest }) => rest),
    [{ name: 'A', object: 'a', service: 'secretsmanager', region: 'eu-west-1', version: 'v0' }],
  );
  assert.equal(
    variableWarnings.map(({ name }) => name),
    ['A'],
  );
});

for (const [what, key, sentence] of [
  [
    'LD_PRELOAD',
    'LD_PRELOAD',
    'expected keys that do not change how programs run, got one that becomes LD_*',
  ],
  [
    'PATH in other letters',
    'path',
    'expected keys that do not change how programs run, got one that becomes PATH',
  ],
  ['a key that is no name', 'a b', 'expected keys that can be names of variables, got another one'],
] as const) {
  test(`a pattern never creates a variable for ${what}`, async () => {
    const objects = '- {objectName: a, objectType: secretsmanager, expand: true, env: "*", envCase: upper}';
    const found = await refusalsWith(ENV_FILE, objects, JSON.stringify({ ok: '1', [key]: 'x' }));
    assert.equal(found, [`objects[0] ("a"): ${sentence} (key 2 of 2)`]);
  });
}

const PROTECTED =
  'PATH IFS ENV BASH_ENV SHELLOPTS PS4 LD_PRELOAD LD_X DYLD_INSERT_LIBRARIES NODE_OPTIONS NODE_EXTRA_CA_CERTS PYTHONPATH ' +
  'PERL5LIB RUBYOPT JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS DOTNET_STARTUP_HOOKS GIT_SSH_COMMAND AWS_PROFILE ' +
  'KUBERNETES_SERVICE_HOST PODSECRETS_CONFIG HOME NODE_PATH RUBYLIB CLASSPATH GCONV_PATH PHPRC LUA_INIT OPENSSL_CONF';

test('a pattern creates none of the variables that change how programs run, with or without a prefix', async () => {
  for (const name of PROTECTED.split(' ')) {
    for (const prefix of ['', name.slice(0, 2)]) {
      const objects = `- {objectName: a, objectType: secretsmanager, expand: true, env: "${prefix}*"}`;
      const value = JSON.stringify({ [name.slice(prefix.length)]: 'x' });
      const found = await refusalsWith(ENV_FILE, objects, value);
      assert.match(found.join(), 'expected keys that do not change how programs run', name);
    }
  }
});

test('rejects a pattern that creates an existing variable', async () => {
  const objects = `
    - {objectName: a, objectType: secretsmanager, env: DB_USER}
    - {objectName: b, objectType: secretsmanager, expand: true, env: "DB_*"}`;
  assert.equal(await refusalsWith(ENV_FILE, objects, 'v', '{"USER":"x"}'), [
    'objects[1] ("b"): expected unique variable names, got one that objects[0] also has',
  ]);
});

test('rejects a value that envFile cannot represent, with the name of its variable, and accepts it without envFile', async () => {
  const objects = '- {objectName: a, objectType: secretsmanager, env: A}';
  assert.equal(await refusalsWith(ENV_FILE, objects, "it's"), [
    'objects[0] ("a"): expected a value of variable A that envFile can represent, got a single quote',
  ]);
  assert.equal(await filesOf(objects, "it's"), { a: "it's" });
});

test('rejects a key that has the path of envFile', async () => {
  const objects = '- {objectName: a, objectType: secretsmanager, expand: true, env: "A_*", envCase: upper}';
  assert.equal(await refusalsWith(ENV_FILE, objects, '{"app.env":"x"}'), [
    'objects[0] ("a"): expected keys that make unique file names, got one that collides with envFile',
  ]);
});

test.run();
