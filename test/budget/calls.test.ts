/** Calls to AWS cost money and quota: how many a start and a refresh make, counted by who answers them. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LaunchedStandIn, launchStandIn } from '../aws-stand-in/client.ts';
import { type Running, run, start } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';

const names = Array.from({ length: 20 }, (_, index) => `name-${index}`);
const seed = {
  identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
  regions: {
    'eu-west-1': {
      secrets: Object.fromEntries(names.map((name) => [name, 'value'])),
      parameters: Object.fromEntries(names.map((name) => [`/${name}`, 'value'])),
    },
  },
};
const objects = names.flatMap((name) => [
  { objectName: name, objectType: 'secretsmanager', objectAlias: `s-${name}` },
  { objectName: `/${name}`, objectType: 'ssmparameter', objectAlias: `p-${name}` },
]);

const calls = suite<{ aws: LaunchedStandIn; box: Sandbox }>('calls');
calls.before(async (context) => {
  context.aws = await launchStandIn(seed);
});
calls.after(({ aws }) => aws.stop());
calls.before.each(async (context) => {
  await context.aws.reset();
  context.box = makeSandbox();
  context.box.writeConfig({ usePodIdentity: 'true', objects });
});
calls.after.each(({ box }) => box.remove());

/** Calls by operation. */
async function counted(aws: LaunchedStandIn): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const { operation } of await aws.calls()) counts[operation] = (counts[operation] ?? 0) + 1;
  return counts;
}

for (const [fetch, secretCalls] of [
  ['batch', { BatchGetSecretValue: 1 }],
  ['single', { GetSecretValue: 20 }],
] as const) {
  const expected = { ...secretCalls, GetParameters: 2 };

  calls(`a start of 20 secrets and 20 parameters with ${fetch} asks for each once`, async ({ aws, box }) => {
    const args = ['init', '--config', box.config, '--dir', box.dir, '--fetch', fetch];
    const { code, stderr } = await run(args, podIdentityEnv(box, aws, 'pod-token'));
    assert.is(code, 0, stderr);
    assert.equal(await counted(aws), { GetCredentials: 1, ...expected });
  });

  calls(
    `a refresh of 20 secrets and 20 parameters with ${fetch} asks for no credentials`,
    async ({ aws, box }) => {
      const args = ['sidecar', '--config', box.config, '--dir', box.dir, '--fetch', fetch, '--listen', 'off'];
      const sidecar = start([...args, '--log-level', 'debug'], podIdentityEnv(box, aws, 'pod-token'));
      try {
        await sidecar.says(/sidecar\.ready/);
        await aws.forgetCalls();
        await refresh(sidecar);
        assert.equal(await counted(aws), expected);
      } finally {
        sidecar.child.kill();
        await sidecar.ended;
      }
    },
  );
}

/** One refresh, from asking for it to its end. */
async function refresh(sidecar: Running): Promise<void> {
  const ended = (sidecar.stderr().match(/publish\.unchanged/g) ?? []).length + 1;
  sidecar.child.kill('SIGHUP');
  await sidecar.says(new RegExp(`(publish\\.unchanged[^]*){${ended}}`));
}

calls.run();
