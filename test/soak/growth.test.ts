import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { costsOf, objectsOf, seedOf } from '../budget/growth.ts';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { openMemoryLimit } from '../support/memory-limit.ts';
import { binary, start } from '../support/program.ts';
import { makeSandbox, podIdentityEnv } from '../support/sandbox.ts';

const COUNT = 5000;
const test = suite<{ aws: FakeAwsProcess }>('growth');
test.before(async (context) => {
  context.aws = await startFakeAwsProcess(seedOf(COUNT));
});
test.after(({ aws }) => aws.stop());

test('5,000 objects cost at most five times the calls and bytes of 1,000, and 48 KiB of memory each', async ({
  aws,
}) => {
  const thousand = await costsOf(aws, objectsOf(1000));
  const more = await costsOf(aws, objectsOf(COUNT));
  for (const phase of ['start', 'refresh'] as const) {
    for (const figure of ['calls', 'bytes'] as const) {
      const [less, all] = [thousand[phase][figure], more[phase][figure]];
      assert.ok(all <= 5 * less * 1.1, `${figure} of a ${phase}: ${less}, then ${all}`);
    }
    assert.ok(more[phase].connections <= 16);
    const added = more[phase].peak - thousand[phase].peak;
    assert.ok(added <= 4000 * 48, `peak of a ${phase}: ${added} KiB more`);
  }
});

test('init with 5,000 secrets stays within 128 MiB', async ({ aws }) => {
  const limit = openMemoryLimit('the memory of init with 5,000 secrets', 128 * 1024 * 1024, binary);
  if (limit === undefined) return;
  const box = makeSandbox();
  try {
    const objects = Array.from({ length: COUNT }, (_, n) => ({
      objectName: `secret-${n}`,
      objectType: 'secretsmanager',
    }));
    box.writeConfig({ usePodIdentity: 'true', objects });
    const args = ['init', '--config', box.config, '--dir', box.dir, '--log-level', 'error'];
    const { code, stderr } = await start(args, podIdentityEnv(box, aws, 'pod-token'), limit.command).ended();
    assert.is(code, 0, `peak ${limit.peak()} bytes\n${stderr}`);
    assert.is(limit.kills(), 0);
    assert.is(Object.keys(box.files()).length, COUNT);
  } finally {
    await limit.remove();
    box.remove();
  }
});

test.run();
