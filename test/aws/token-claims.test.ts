import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tokenClaims } from '../../src/aws/token-claims.ts';

const token = (claims: unknown) =>
  `head.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`;

test('the claims of a token are told, its signature is not', () => {
  const claims = tokenClaims(
    token({ sub: 'system:serviceaccount:shop:app', aud: ['a', 'b'], iss: 'https://issuer', exp: 1000 }),
  );
  assert.equal(claims, {
    subject: 'system:serviceaccount:shop:app',
    audiences: ['a', 'b'],
    issuer: 'https://issuer',
    expiresAt: 1_000_000,
  });
  assert.not.match(JSON.stringify(claims), 'signature');
});

test('claims of any form are borne, and control characters do not pass', () => {
  assert.equal(tokenClaims(token({ aud: 'one', sub: 'a\nb', exp: 'soon' })), {
    subject: 'a\\nb',
    audiences: ['one'],
    issuer: undefined,
    expiresAt: undefined,
  });
});

test('what is no token has no claims', () => {
  for (const text of ['', 'opaque', 'a.b', 'a.b.c', `a.${Buffer.from('null').toString('base64url')}.c`])
    assert.is(tokenClaims(text), undefined, text);
});

test.run();
