import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SecretSource } from '../../src/aws/fetcher.ts';
import { keepValues } from '../../src/aws/kept-values.ts';
import type { FetchResult } from '../../src/config/secret-ref.ts';
import { Problem } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';
import { outcomeText, parameter, secret } from './world.ts';

const stop = new AbortController().signal;
const throttled = new Problem({
  code: 'fetch.throttled',
  subject: 's',
  message: 'm',
  remedy: 'r',
  retry: true,
});

test('what was found is not read again, what failed is', async () => {
  const requested: string[] = [];
  const failing = new Set(['b']);
  const source: SecretSource = {
    async read(refs) {
      requested.push(refs.map(({ id }) => id).join(' '));
      return new Map(
        refs.map(({ key, id }): [typeof key, FetchResult] => [
          key,
          failing.has(id)
            ? { kind: 'failed', problem: throttled }
            : { kind: 'found', value: new Secret(`value of ${id}`), version: String(requested.length) },
        ]),
      );
    },
  };
  const kept = keepValues(source);
  const refs = [secret('a'), parameter('b'), parameter('c')];
  const read = async (): Promise<string[]> => {
    const results = await kept.read(refs, stop, 'start');
    return refs.map(({ key }) => outcomeText(results.get(key)).replace(/: m.*/, ''));
  };
  assert.equal(await read(), ['found value of a 1', 's', 'found value of c 1']);
  failing.clear();
  assert.equal(await read(), ['found value of a 1', 'found value of b 2', 'found value of c 1']);
  assert.equal(await read(), ['found value of a 1', 'found value of b 2', 'found value of c 1']);
  assert.equal(requested, ['a b c', 'b']);
});

test.run();
