/** The parts of the API server's messages that are shown. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Secret } from '../../src/core/secret.ts';
import { toProblem } from '../../src/kubernetes/api-problems.ts';
import { quotesValue } from '../../src/kubernetes/desired-secret.ts';

function message(response: string, value: string): string {
  const request = {
    verb: 'patch',
    group: '',
    resource: 'secrets',
    name: 'app',
    namespace: 'shop',
    quotesValue: (text: string) => quotesValue(text, [new Secret(value)]),
  } as const;
  const body = { kind: 'Status', message: response };
  return toProblem(request, { status: 403, body, retryAfter: undefined }).message;
}

const withheld = 'forbidden (403) (its message is withheld: it quotes a value)';

test('withholds a message that quotes a value in any common encoding', () => {
  const value = 'CANARY-first "line"\nCANARY-second';
  assert.is(message('policy: "CANARY-first \\"line\\"\\nCANARY-second" is weak', value), withheld);
  assert.is(message('policy: CANARY-second is weak', value), withheld);
  assert.is(message('policy: field CANARY-field is weak', '{"user": {"name": "CANARY-field"}}'), withheld);
  assert.is(message(`policy: ${Buffer.from(value).toString('base64')} is weak`, value), withheld);
});

test('does not withhold a message because of a very short value', () => {
  assert.is(message('quota of app is used up', 'app'), 'forbidden (403): quota of app is used up');
});

test.run();
