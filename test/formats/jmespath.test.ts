/** The expression language. Results and rejections were confirmed against go-jmespath, which the AWS provider uses. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { callError, evaluate, expressionError } from '../../src/formats/jmespath.ts';
import { type JsonValue, jsonText, parseGoJson } from '../../src/formats/json.ts';

const secret = parseGoJson(
  new TextEncoder().encode(
    JSON.stringify({
      user: 'admin',
      'db-password': 'p',
      'a b': { c: 'deep' },
      port: 5432,
      empty: '',
      no: false,
      zero: 0,
      nothing: null,
      hosts: ['one', 'two', 'three'],
      numbers: [3, 1, 2],
      people: [
        { name: 'bob', age: 30 },
        { name: 'al', age: 25 },
        { name: 'cy', age: 41, admin: true },
      ],
      nested: { x: { y: ['z'] } },
      smile: 'a😀',
      mixed: [1, 'a', null],
    }),
  ),
) as JsonValue;

/** The result as JSON text, or what was found instead. */
function result(expression: string, data: JsonValue = secret): string {
  const evaluated = evaluate(expression, data);
  return evaluated.kind === 'value' ? String(jsonText(evaluated.value, 'none')) : evaluated.found;
}

const NOTHING = 'nothing or null';
const TYPE = 'a function applied to a value of the wrong type';

for (const [expression, expected] of [
  ['user', '"admin"'],
  ['"db-password"', '"p"'],
  ['"a b".c', '"deep"'],
  ['"a\\u0020b".c', '"deep"'],
  ['empty', '""'],
  ['no', 'false'],
  ['port', '5432'],
  ['nothing', NOTHING],
  ['absent', NOTHING],
  ['user.name', NOTHING],
  ['constructor', NOTHING],
  ['toString', NOTHING],
  ['__proto__', NOTHING],
  ['hosts[0]', '"one"'],
  ['hosts[-1]', '"three"'],
  ['hosts[5]', NOTHING],
  ['hosts[::-1]', '["three","two","one"]'],
  ['hosts[1:]', '["two","three"]'],
  ['people[*].name', '["bob","al","cy"]'],
  ['people[?age > `28`].name | [0]', '"bob"'],
  ['people[?admin].name', '["cy"]'],
  ['[people[0].name, people[1].name][]', '["bob","al"]'],
  ['nested.*.y[] | [0]', '"z"'],
  ['absent || user', '"admin"'],
  ['empty || user', '"admin"'],
  ['zero || user', '0'],
  ['user && port', '5432'],
  ['!no', 'true'],
  ['{u: user, p: port}', '{"p":5432,"u":"admin"}'],
  ["'raw'", '"raw"'],
  ['`{"a": [1]}`.a[0]', '1'],
  ["join(',', hosts)", '"one,two,three"'],
  ['to_string(port)', '"5432"'],
  ['to_string(nested)', '"{\\"x\\":{\\"y\\":[\\"z\\"]}}"'],
  ['to_string(`{"b":"<&>","a":1e21}`)', '"{\\"a\\":1e+21,\\"b\\":\\"\\\\u003c\\\\u0026\\\\u003e\\"}"'],
  ['to_string(user)', '"admin"'],
  ['to_number(`"1e3"`)', '1000'],
  ['to_number(`"1_0"`)', '10'],
  ["to_number('')", NOTHING],
  ["to_number(' 1')", NOTHING],
  ["to_number('0x10')", NOTHING],
  ['to_array(user)', '["admin"]'],
  ['length(smile)', '2'],
  ['reverse(smile)', '"😀a"'],
  ['reverse(hosts)', '["three","two","one"]'],
  ['hosts', '["one","two","three"]'],
  ['sort(hosts)', '["one","three","two"]'],
  ['sort(numbers)', '[1,2,3]'],
  ['numbers', '[3,1,2]'],
  ["sort(['\u{1f600}', '\uff5e', 'a'])", '["a","\uff5e","\u{1f600}"]'],
  ['sort_by(people, &age)[*].name', '["al","bob","cy"]'],
  ['sort_by(people, &name)[0].name', '"al"'],
  ['max_by(people, &age).name', '"cy"'],
  ['min_by(people, &age).name', '"al"'],
  ['max(numbers)', '3'],
  ['min(hosts)', '"one"'],
  ['max(`[]`)', NOTHING],
  ['sum(numbers)', '6'],
  ['avg(numbers)', '2'],
  ['abs(`-1.5`)', '1.5'],
  ['ceil(`1.2`)', '2'],
  ['floor(`-1.2`)', '-2'],
  ['keys(nested)', '["x"]'],
  ['values(nested.x)', '[["z"]]'],
  ["contains(hosts, 'two')", 'true'],
  ["contains(user, 'dm')", 'true'],
  ['contains(user, port)', 'false'],
  ["starts_with(user, 'ad')", 'true'],
  ["ends_with(user, 'ad')", 'false'],
  ['type(nothing)', '"null"'],
  ['type(people)', '"array"'],
  ['type(nested)', '"object"'],
  ['type(no)', '"boolean"'],
  ['map(&zero, `[{"zero":0},{"zero":""},{}]`)', '[0,"",null]'],
  ['not_null(absent, empty, user)', '""'],
  ['not_null(absent, zero)', '0'],
  ['not_null(absent, nothing)', NOTHING],
  ['merge(nested, `{"x":1}`)', '{"x":1}'],
  ['merge(nested, absent)', TYPE],
  ['merge(absent, nested)', TYPE],
  ['sum(mixed)', TYPE],
  ['max(mixed)', TYPE],
  ['sort(mixed)', TYPE],
  ['sort_by(people, &admin)', TYPE],
  ['abs(user)', TYPE],
  ['length(port)', TYPE],
  ['keys(hosts)', TYPE],
  ['type(&a)', TYPE],
  ['to_string(&a)', '"{}"'],
  ['&user', 'no data'],
  ['{a: user}.toString', 'no data'],
  ['nosuch(user)', 'a function that JMESPath does not have'],
  ['abs()', 'a function with the wrong number of arguments'],
  ['abs(port, port)', 'a function with the wrong number of arguments'],
  ['merge()', 'a function with the wrong number of arguments'],
] as const) {
  test(`${expression} is ${expected}`, () => {
    assert.is(expressionError(expression), undefined);
    assert.is(result(expression), expected);
  });
}

test('an average of an empty list cannot be represented as JSON', () => {
  const evaluated = evaluate('avg(`[]`)', null);
  assert.is(evaluated.kind === 'value' ? jsonText(evaluated.value, 'none') : evaluated.found, undefined);
});

for (const [expression, hint] of [
  ['', 'Correct'],
  ['.', 'Correct'],
  ['user.', 'Correct'],
  ['.user', 'Write path: user; "." is the syntax of jq.'],
  ['user name', 'Correct'],
  ["'open", 'Correct'],
  ['"open', 'Correct'],
  ['`1', 'Correct'],
  ['`foo`', 'Correct'],
  ['a[', 'Correct'],
  ['a[0', 'Correct'],
  ['(a', 'Correct'],
  ['a)', 'Correct'],
  ['[a,]', 'Correct'],
  ['{a}', 'Correct'],
  ['a[?b', 'Correct'],
  ['a = b', 'Correct'],
  ['a & b', 'Correct'],
  ['a + b', 'Correct'],
  ['$.a', 'Write path: a; "$." is the syntax of JSONPath.'],
  ['$.a-b', '"a-b"'],
  ['#', 'Correct'],
  ['db-password', '"db-password"'],
  ['secrets.db-admin-user.name', '"db-admin-user"'],
  ["'a-b' || db-password", '"db-password"'],
] as const) {
  test(`rejects the expression "${expression}"`, () => {
    const fault = expressionError(expression);
    assert.match(fault?.message ?? '', 'expected a JMESPath expression, got');
    assert.match(fault?.remedy ?? '', hint);
  });
}

for (const [expression, message, remedy] of [
  ['lenght(hosts)', 'got "lenght"', 'Write "length"'],
  ["user || to_upper ('x')", 'got "to_upper"', 'Remove it'],
  ['people[*].nosuch(@)', 'got "nosuch"', 'Remove it'],
  ['sort_by(people, &Length(name))', 'got "Length"', 'Write "length"'],
  ['length()', 'the wrong number of arguments in "length()"', 'Correct'],
  ['merge()', 'the wrong number of arguments', 'Correct'],
] as const) {
  test(`reports the invalid call in ${expression}`, () => {
    assert.is(expressionError(expression), undefined);
    const fault = callError(expression);
    assert.match(fault?.message ?? '', message);
    assert.match(fault?.remedy ?? '', remedy);
  });
}

for (const expression of [
  'length(hosts)',
  'abs(user)',
  '"nosuch(" || \'nosuch()\' || `"nosuch()"`',
  'user && (port || zero)',
]) {
  test(`accepts the calls of ${expression}`, () => {
    assert.is(callError(expression), undefined);
  });
}

test('rejects an expression beyond 10,000 characters without parsing it', () => {
  assert.match(expressionError('a.'.repeat(500_000))?.message ?? '', 'longer than 10000 characters');
  assert.ok(expressionError('('.repeat(10_000)));
});

test('evaluation does not change the data', () => {
  const before = jsonText(secret, 'none');
  for (const each of [
    'sort(hosts)',
    'reverse(numbers)',
    'sort_by(people, &age)',
    'merge(nested, people[0])',
  ]) {
    evaluate(each, secret);
  }
  assert.is(jsonText(secret, 'none'), before);
});

test('evaluates the same expression on several values', () => {
  for (let n = 0; n < 300; n++) assert.is(result(`a${n}.b`, { [`a${n}`]: { b: n } }), String(n));
});

test.run();
