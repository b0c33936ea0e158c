/**
 * Any expression and any value: a result or a fixed sentence, never a crash, and no part of the value in a message.
 *
 * The seed is fixed, so that a result depends on the code and not on chance; FUZZ_SEED and FUZZ_RUNS set another seed and more runs.
 */

import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemLine, problemsOf } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';
import { evaluate, expressionError } from '../../src/formats/jmespath.ts';
import { jsonText, parseGoJson } from '../../src/formats/json.ts';
import { render } from '../../src/render/render.ts';
import { config, parse } from '../support/config.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20261125);
const runs = Number(process.env.FUZZ_RUNS ?? 1);
process.stdout.write(`FUZZ_SEED=${seed} FUZZ_RUNS=${runs}\n`);

/** Part of every text and every key of every value. */
const CANARY = 'cAnArY';

const tokens = [
  ...[
    'a',
    'b',
    'a-b',
    '"a-b"',
    '"x y"',
    "'raw'",
    '`1`',
    '`"s"`',
    '`{"a":1}`',
    '`[1,2]`',
    '@',
    '*',
    '[*]',
    '[]',
    '[0]',
  ],
  ...[
    '[-1]',
    '[1:2]',
    '[::-1]',
    '[?a]',
    '[?a==`1`]',
    '.',
    '|',
    '||',
    '&&',
    '!',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ':',
    ',',
  ],
  ...[
    '==',
    '<',
    '&a',
    '-',
    '$',
    '"',
    "'",
    '`',
    ' ',
    '\n',
    'constructor',
    '__proto__',
    'length(@)',
    'to_string(@)',
  ],
  ...[
    'sort(@)',
    'sort_by(@,&a)',
    'max_by(@,&a)',
    "join(',',@)",
    'merge(a,b)',
    'not_null(a,b)',
    'map(&a,@)',
    'keys(@)',
  ],
  ...[
    'reverse(@)',
    'to_number(a)',
    'type(@)',
    'values(@)',
    'nosuch(a)',
    'abs(a)',
    'contains(@,a)',
    '{x: a, y: b}',
  ],
];
const expression = fc
  .array(fc.constantFrom(...tokens), { minLength: 1, maxLength: 7 })
  .map((parts) => parts.join(''));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(CANARY, `${CANARY}😀`, '', null, true, 0, -1.5, 1e21, '10'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'a-b', 'x y', '__proto__', CANARY), tie('value'), { maxKeys: 4 }),
  ),
}));

test('rejects or evaluates an expression, and no message contains part of the value', () => {
  let evaluated = 0;
  fc.assert(
    fc.property(expression, value, (text, data) => {
      const json = parseGoJson(new TextEncoder().encode(JSON.stringify(data)));
      const fault = expressionError(text);
      if (fault !== undefined || json === undefined) return;
      const result = evaluate(text, json);
      if (result.kind === 'none') assert.not.match(result.found, CANARY);
      else jsonText(result.value, 'html');
      evaluated++;
    }),
    { seed, numRuns: 6000 * runs },
  );
  assert.ok(evaluated > 500, `only ${evaluated} were evaluated`);
});

test('rejects any text with a message and a remedy, or evaluates it', () => {
  const counts = { rejected: 0, evaluated: 0 };
  fc.assert(
    fc.property(fc.string({ maxLength: 30, unit: 'binary' }), (text) => {
      const error = expressionError(text);
      if (error === undefined) {
        assert.match(evaluate(text, null).kind, /^(value|none)$/);
        counts.evaluated++;
      } else {
        assert.match(error.message, /^expected a JMESPath expression, got "/);
        assert.ok(error.remedy !== '');
        counts.rejected++;
      }
    }),
    { seed, numRuns: 3000 * runs },
  );
  assert.ok(counts.rejected > 100 && counts.evaluated > 10, JSON.stringify(counts));
});

test('the validity of an expression does not depend on the value, and evaluation is repeatable', () => {
  fc.assert(
    fc.property(expression, value, (text, data) => {
      const json = parseGoJson(new TextEncoder().encode(JSON.stringify(data)));
      if (json === undefined || expressionError(text) !== undefined) return;
      assert.equal(JSON.stringify(evaluate(text, json)), JSON.stringify(evaluate(text, json)));
      assert.is(expressionError(text), undefined);
    }),
    { seed, numRuns: 1500 * runs },
  );
});

test('deep nesting in expression or value ends in a Problem', () => {
  for (const part of ['(', '[', '{a:', '!', '&', 'a.', 'a[', 'a||', '[*].', 'not_null(', '-', '`', "'"]) {
    assert.ok(expressionError(part.repeat(3000)), part);
  }
  assert.is(expressionError(`${'('.repeat(500)}a${')'.repeat(500)}`), undefined);
  const deep = parseGoJson(new TextEncoder().encode(`${'{"a":'.repeat(900)}1${'}'.repeat(900)}`));
  assert.ok(deep);
  for (const each of ['a', 'to_string(@)', '@', 'values(@)'])
    assert.is(evaluate(each, deep ?? null).kind, 'value');
});

/** Values that a secret may hold: JSON, broken JSON, base64, bytes. */
const content = fc.oneof(
  value.map((data) => JSON.stringify(data)),
  value.map((data) => JSON.stringify(data).slice(0, -1)),
  fc.constantFrom(
    CANARY,
    btoa(CANARY),
    `{"${CANARY}/x":"${CANARY}"}`,
    `{"a":12345678901234567890,"${CANARY}":null}`,
  ),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => `${CANARY}${String.fromCharCode(...bytes)}`),
);
const making = fc.constantFrom(
  ...[
    'jmesPath: [{path: a, objectAlias: x}]',
    'jmesPath: [{path: "to_string(b)", objectAlias: x}]',
    'expand: true',
  ],
  ...['expand: true, objectAlias: d', 'decode: base64', 'decode: base64, expand: true', 'optional: true'],
);

test('no message about a value that cannot be rendered contains part of it', async () => {
  let rejected = 0;
  await fc.assert(
    fc.asyncProperty(making, making, content, content, async (first, second, one, two) => {
      const { plan } = await parse(
        config(`
          - {objectName: a, objectType: secretsmanager, ${first}}
          - {objectName: b, objectType: secretsmanager, ${second.replace('x}', 'y}').replace('d', 'd2')}}`),
      );
      if (plan === undefined) return;
      const values = [one, two].map((text) => ({ value: new Secret(text), version: '1', region: 'r' }));
      const served = new Map(
        plan.objects.map((object, index) => [object, values[index] ?? values[0]] as const),
      );
      try {
        await render(plan, served as Parameters<typeof render>[1]);
      } catch (error) {
        const problems = problemsOf(error);
        if (problems === undefined) throw error;
        rejected++;
        for (const problem of problems) {
          assert.not.match(`${problemLine(problem)}${problem.stack}${JSON.stringify(problem)}`, CANARY);
        }
      }
    }),
    { seed, numRuns: 1500 * runs },
  );
  assert.ok(rejected > 100, `only ${rejected} were rejected`);
});

test.run();
