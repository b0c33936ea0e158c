/** The task definition for ECS: podsecrets publishes where the application reads, and the application waits for it. */

import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { run } from '../support/program.ts';
import { makeSandbox, podIdentityEnv } from '../support/sandbox.ts';
import { commandsOf, examplesRoot, flagValue, readExample, wordsOf } from './readme.ts';

interface Container {
  readonly name: string;
  readonly command: readonly string[];
  readonly mountPoints: readonly { readonly containerPath: string; readonly readOnly?: boolean }[];
  readonly dependsOn?: readonly { readonly containerName: string; readonly condition: string }[];
  readonly logConfiguration?: {
    readonly logDriver: string;
    readonly options: Readonly<Record<string, string>>;
  };
}

const definition = JSON.parse(readExample('ecs', 'task-definition.json')) as {
  readonly taskRoleArn: string;
  readonly executionRoleArn: string;
  readonly containerDefinitions: readonly Container[];
};
const [podsecrets, app] = definition.containerDefinitions;

test('the application waits for podsecrets and mounts its directory read-only', () => {
  const dir = flagValue(podsecrets?.command ?? [], '--dir') ?? '';
  assert.equal(podsecrets?.mountPoints, [{ sourceVolume: 'secrets', containerPath: dir }]);
  assert.equal(app?.mountPoints, [{ sourceVolume: 'secrets', containerPath: dir, readOnly: true }]);
  assert.equal(app?.dependsOn, [{ containerName: 'podsecrets', condition: 'HEALTHY' }]);
});

test('every container logs to the group that the page creates, because a task on Fargate has no other log', () => {
  const create = commandsOf('ecs').find((command) => command.startsWith('aws logs create-log-group')) ?? '';
  const group = flagValue(wordsOf(create), '--log-group-name');
  for (const { logConfiguration } of definition.containerDefinitions) {
    assert.is(logConfiguration?.logDriver, 'awslogs');
    assert.is(logConfiguration?.options['awslogs-group'], group);
  }
});

test('the page creates both roles of the task, and deletes them', () => {
  const roles = [definition.taskRoleArn, definition.executionRoleArn]
    .map((arn) => arn.split('/').at(-1))
    .sort();
  for (const verb of ['create-role', 'delete-role']) {
    const commands = commandsOf('ecs').filter((command) => command.startsWith(`aws iam ${verb} `));
    assert.equal(commands.map((command) => flagValue(wordsOf(command), '--role-name')).sort(), roles, verb);
  }
});

test('the page deletes the cluster after its tasks have stopped', () => {
  const commands = commandsOf('ecs');
  const indexOf = (part: string) => commands.findIndex((command) => command.includes(part));
  const order = ['stop-task', 'wait tasks-stopped', 'delete-cluster'].map(indexOf);
  assert.is(order.includes(-1), false);
  assert.equal(
    order.toSorted((a, b) => a - b),
    order,
  );
});

test('the arguments of the task publish the file that the application reads', async () => {
  const box = makeSandbox();
  const create = commandsOf('ecs').find((command) => command.includes('create-secret')) ?? '';
  const words = wordsOf(create);
  const aws = await startFakeAwsProcess({
    identities: { task: { role: 'arn:aws:iam::111122223333:role/shop', podIdentityTokens: ['token'] } },
    regions: {
      'eu-central-1': {
        secrets: { [flagValue(words, '--name') ?? '']: flagValue(words, '--secret-string') ?? '' },
      },
    },
  });
  try {
    const [, ...flags] = podsecrets?.command ?? [];
    const inBox = flags.map((word) => (word === '/secrets' ? box.dir : word));
    const config = ['--config', join(examplesRoot, 'ecs/config.yaml')];
    const { code, stderr } = await run(['init', ...inBox, ...config], podIdentityEnv(box, aws, 'token'));
    assert.is(code, 0, stderr);
    const [path] = Object.keys(box.files());
    assert.match(app?.command.join(' ') ?? '', `/secrets/${path}`);
  } finally {
    await aws.stop();
    box.remove();
  }
});

test.run();
