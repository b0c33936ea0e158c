/**
 * TLS handshakes of a start: each costs two round trips, and CPU on both sides. Unused connections count too. At most, because a
 * request that comes late takes a connection that is free again.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { atDistance, openPlace, openTlsAws, type TlsAws } from '../bench/place.ts';
import { run } from '../support/program.ts';

const test = suite<{ aws: TlsAws }>('handshakes of a start');
test.before(async (context) => {
  context.aws = await openTlsAws();
});
test.after(({ aws }) => aws.stop());

for (const [name, secrets, parameters, identity, flags, most] of [
  ['a secret', 1, 0, 'pod', [], 1],
  ['a secret with IRSA, STS included', 1, 0, 'irsa', [], 2],
  ['ten parameters', 0, 10, 'pod', [], 1],
  ['a secret and a parameter', 1, 1, 'pod', [], 2],
  ['five secrets, read one by one', 5, 0, 'pod', [], 5],
  ['fifty secrets, read one by one', 50, 0, 'pod', [], 16],
  ['twenty secrets and twenty parameters in batches', 20, 20, 'pod', ['--fetch', 'batch'], 3],
] as const) {
  test(`${name}: at most ${most}`, async ({ aws }) => {
    const distant = await atDistance(aws, 1);
    const place = openPlace(distant, secrets, parameters, identity);
    const { code, stderr } = await run(place.args('init', ...flags), place.env);
    const { connections } = await distant.disconnect();
    place.box.remove();
    assert.is(code, 0, stderr);
    assert.ok(connections > 0 && connections <= most, `${connections}`);
  });
}

test.run();
