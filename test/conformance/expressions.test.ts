/**
 * The results of jmesPath, byte for byte: the table of expressions.yaml, one fetch for each entry.
 *
 * `file` is the content of the file, `fails` why there is none; both were confirmed with the Go libraries that the AWS
 * provider uses. With `deviation: true` the provider rejects a result that is not text; here it is written as JSON, unless it
 * is a number so large that it may have lost digits.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { exitCodes } from '../../src/core/problem.ts';
import { openWorld, type World } from './world.ts';

interface Table {
  /** Name to SecretString. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly expressions: readonly {
    readonly secret: string;
    readonly path: string;
    readonly deviation?: true;
    readonly file?: string;
    readonly fails?: string;
  }[];
}

const { secrets, expressions } = parse(
  readFileSync(join(import.meta.dirname, 'expressions.yaml'), 'utf8'),
) as Table;

/** An expression that cannot be read fails before anything is fetched. */
const failures = new Map<string, number>([
  ['there is no value', exitCodes.fetch],
  ['the secret is not JSON', exitCodes.fetch],
  ['the expression cannot be applied', exitCodes.fetch],
  ['the number may have been another one', exitCodes.fetch],
  ['the expression cannot be read', exitCodes.config],
]);

const expression = suite<{ world: World }>('expressions');
expression.before(async (context) => {
  context.world = await openWorld();
});
expression.after(({ world }) => world.close());

for (const { secret, path, file, fails } of expressions) {
  expression(`${path} of ${secret} is ${fails ?? JSON.stringify(file)}`, async ({ world }) => {
    const text = secrets[secret] ?? '';
    const { code, files } = await world.fetch({
      regions: { 'eu-west-1': { secrets: { [secret]: { string: text } } } },
      objects: [
        { objectName: secret, objectType: 'secretsmanager', jmesPath: [{ path, objectAlias: 'field' }] },
      ],
    });
    const bytes = (of: string) => Buffer.from(of).toString('latin1');
    assert.equal(files, fails === undefined ? { [secret]: bytes(text), field: bytes(file ?? '') } : {});
    assert.is(code, fails === undefined ? exitCodes.done : failures.get(fails));
  });
}
expression.run();
