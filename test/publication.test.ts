/** What one config's publication remembers for those who come after it. */

import { suite } from 'uvu';
import { minutes, openWorld, play, problem, seconds, start } from './support/world.ts';

const test = suite('publication');

test('what a killed process did not tell is not forgotten by passes that fail before the first good one', async () => {
  const before = await openWorld({ secrets: { a: '1' } });
  await play(before, [
    { happens: start, holds: {} },
    { happens: (w) => w.application('fails'), holds: {} },
    { happens: (w) => w.put('a', '2'), holds: {} },
    { happens: minutes(10), holds: { files: { a: '2' } } },
  ]);
  await before.kill();
  const world = await openWorld({ secrets: { a: '2' }, dir: before.dir });
  world.aws(problem('fetch.network'));
  await play(world, [
    { happens: start, holds: { told: [] } },
    { happens: (w) => w.aws('well'), holds: {} },
    { happens: seconds(10), holds: { told: ['a'], files: { a: '2' } } },
    { happens: minutes(60), holds: { told: [] } },
  ]);
});

test.run();
