import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { start } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';

const debug = suite<{ aws: FakeAwsProcess; box: Sandbox }>('debugger');
debug.before(async (context) => {
  context.aws = await startFakeAwsProcess({
    identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
    regions: { 'eu-west-1': { secrets: { db: 'hunter2' } } },
  });
  context.box = makeSandbox();
});
debug.after(async ({ aws, box }) => {
  await aws.stop();
  box.remove();
});

debug('neither SIGUSR1 nor NODE_OPTIONS opens a debugger or ends anything', async ({ aws, box }) => {
  box.writeConfig({ objects: [{ objectName: 'db', objectType: 'secretsmanager' }] });
  const args = [
    'sidecar',
    '--config',
    box.config,
    '--dir',
    box.dir,
    '--listen',
    '127.0.0.1:0',
    '--log-level',
    'debug',
  ];
  const options = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };
  const sidecar = start(args, { ...podIdentityEnv(box, aws, 'pod-token'), ...options });
  await sidecar.prints(/sidecar\.ready/);
  sidecar.child.kill('SIGUSR1');
  // Signals are handled in order: once this one has triggered a sync, the first one has had its effect.
  sidecar.child.kill('SIGHUP');
  await sidecar.prints(/publish\.unchanged/);
  sidecar.child.kill('SIGTERM');
  const { code, stderr } = await sidecar.ended();
  assert.is(code, 0);
  assert.not.match(stderr, /debugger/i);
});

debug.run();
