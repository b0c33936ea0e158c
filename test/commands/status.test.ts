/** The command's exit code, which health checks use. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCommand } from '../../src/cli/parse.ts';
import type { Context } from '../../src/commands/context.ts';
import { status } from '../../src/commands/status.ts';
import { problemsOf } from '../../src/core/problem.ts';
import { rejects } from '../support/rejects.ts';

const test = suite<{ server: Server; ready: boolean }>('status', { server: createServer(), ready: false });
test.before.each(async (context) => {
  context.server = createServer((_, response) => response.end(JSON.stringify(page(context.ready))));
  await new Promise<void>((resolve) => context.server.listen(0, '127.0.0.1', resolve));
});
test.after.each(({ server }) => void server.close());

const page = (ready: boolean) => ({
  version: '0.1.0',
  startedAt: '2026-01-01T00:00:00.000Z',
  ready,
  phase: ready ? 'steady' : 'start',
  consecutiveFailures: 0,
  configs: [],
  notifiers: [],
});

async function run(server: Server, env = {}, stderr = { write: (_: string) => {} }): Promise<number> {
  const { port } = server.address() as AddressInfo;
  const command = parseCommand(['status', '--listen', `127.0.0.1:${port}`], env);
  if (command.kind !== 'run') throw new Error('expected a command that runs');
  const context = {
    ...command.invocation,
    env,
    stdout: { write: () => {} },
    stderr,
    clock: { now: () => 0 },
  };
  return await status(context as unknown as Context);
}

test('succeeds once every config was published, and not before', async (context) => {
  assert.is(await run(context.server), 5);
  context.ready = true;
  assert.is(await run(context.server), 0);
});

test('warns that a misspelt variable has no effect', async ({ server }) => {
  let said = '';
  await run(server, { PODSECRETS_LISTN: 'off' }, { write: (text) => (said += text) });
  assert.match(said, 'Did you mean PODSECRETS_LISTEN?');
});

test('fails if no sidecar responds', async (context) => {
  const { server } = context;
  const gone = { address: () => server.address() } as Server;
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  gone.address = () => address;
  const problems = problemsOf(await rejects(run(gone))) ?? [];
  assert.equal(
    problems.map(({ code, subject }) => `${code} ${subject}`),
    ['usage.value --listen'],
  );
  assert.match(problems[0]?.message ?? '', /^no sidecar responds at 127\.0\.0\.1:\d+: ECONNREFUSED$/);
});

test.run();
