/** Every example creates what its config reads and deletes it again; with what it creates, `init` writes the files that it names. */

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { parsePlan } from '../../src/config/parse.ts';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { run } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { commandsOf, examples, examplesRoot, flagValue, readExample, wordsOf } from './readme.ts';

const REGION = 'eu-central-1';
const ROLE = 'arn:aws:iam::111122223333:role/shop';
const inCluster = examples.filter((example) => example !== 'docker-compose');

interface Scene {
  aws: FakeAwsProcess;
  box: Sandbox;
}

const test = suite<Scene>('examples in AWS');
test.before.each((scene) => {
  scene.box = makeSandbox();
});
test.after.each(async ({ aws, box }) => {
  await aws?.stop();
  box.remove();
});

/** The AWS commands of a README with this service and verb, each as its words. */
function awsCommands(example: string, ...verb: readonly [string, string]): readonly (readonly string[])[] {
  return commandsOf(example)
    .map(wordsOf)
    .filter(([program, ...words]) => program === 'aws' && words[0] === verb[0] && words[1] === verb[1]);
}

const values = (commands: readonly (readonly string[])[], flag: string) =>
  commands.map((words) => flagValue(words, flag) ?? '').sort();

/** The secrets that a README creates: name to value. A file becomes the JSON that the page's own `jq` writes. */
function secretsOf(example: string): Readonly<Record<string, string>> {
  const pair = JSON.stringify({ certificate: 'a certificate', key: 'a key' });
  return Object.fromEntries(
    awsCommands(example, 'secretsmanager', 'create-secret').map((words) => {
      const value = flagValue(words, '--secret-string') ?? '';
      return [flagValue(words, '--name'), value === 'file://pair.json' ? pair : value];
    }),
  );
}

const parametersOf = (example: string) =>
  Object.fromEntries(
    awsCommands(example, 'ssm', 'put-parameter').map((words) => [
      flagValue(words, '--name') ?? '',
      flagValue(words, '--value') ?? '',
    ]),
  );

for (const example of inCluster) {
  test(`${example}: creates exactly what its config reads, and deletes it`, async () => {
    const { plan } = await parsePlan(readExample(example, 'secret-provider-class.yaml'), {
      file: 'config.yaml',
      defaultMode: 0o644,
      environmentRegion: REGION,
      syncSecrets: true,
    });
    const names = (service: string) => [
      ...new Set(
        plan?.objects.filter(({ primary }) => primary.service === service).map(({ primary }) => primary.id),
      ),
    ];
    assert.equal(names('secretsmanager'), Object.keys(secretsOf(example)));
    assert.equal(names('ssmparameter'), Object.keys(parametersOf(example)));
    const deleted = awsCommands(example, 'secretsmanager', 'delete-secret');
    assert.equal(values(deleted, '--secret-id'), Object.keys(secretsOf(example)).sort());
    assert.equal(
      values(awsCommands(example, 'ssm', 'delete-parameter'), '--name'),
      Object.keys(parametersOf(example)).sort(),
    );
  });

  test(`${example}: creates a role for the service account of its pod, and deletes it`, () => {
    const scripts = commandsOf(example).filter((command) => command.startsWith('../aws/'));
    const [create = '', remove = ''] = scripts;
    assert.is(scripts.length, 2);
    assert.is(remove, create.replace('create-role', 'delete-role'));
    const [, kind, , name = ''] = wordsOf(create);
    const manifests = ['deployment.yaml', 'job.yaml', 'pod.yaml'].flatMap((file) => {
      try {
        return [readExample(example, file)];
      } catch {
        return [];
      }
    });
    assert.match(manifests.join(), new RegExp(`serviceAccountName: ${name}\n`));
    if (kind === 'irsa') assert.match(manifests.join(), `role/${name}\n`);
  });

  test(`${example}: init writes the files that the README names`, async (scene) => {
    const { box } = scene;
    scene.aws = await startFakeAwsProcess({
      identities: { app: { role: ROLE, podIdentityTokens: ['token'] } },
      regions: { [REGION]: { secrets: secretsOf(example), parameters: parametersOf(example) } },
    });
    const env = { ...podIdentityEnv(box, scene.aws, 'token'), AWS_REGION: REGION };
    const config = join(examplesRoot, example, 'secret-provider-class.yaml');
    const init = () => run(['init', '--auth', 'pod-identity', '--config', `${config}=${box.dir}`], env);
    const first = await init();
    assert.is(first.code, 0, first.stderr);
    const page = readExample(example, 'README.md');
    const listed = page.includes(' -- ls /');
    if (listed) for (const path of Object.keys(box.files())) assert.match(page, `\`${path}\``);

    const rotation = awsCommands(example, 'secretsmanager', 'put-secret-value')[0];
    if (rotation === undefined || rotation.includes('file://pair.json')) return;
    const secret = flagValue(rotation, '--secret-id') ?? '';
    const value = flagValue(rotation, '--secret-string') ?? '';
    await scene.aws.putSecret({ region: REGION, name: secret, string: value });
    const before = Object.keys(box.files());
    assert.is((await init()).code, 0);
    for (const path of Object.keys(box.files()).filter((path) => !before.includes(path)))
      assert.match(page, `\`${path}\``);
    assert.is(Object.keys(box.files()).length > before.length, example === 'two-passwords');
  });
}

for (const kind of ['pod-identity', 'irsa']) {
  test(`create-role.sh ${kind} and delete-role.sh: the role has the policy of the config and is removed`, ({
    box,
  }) => {
    const log = box.write('calls', '');
    const responses = `case "$*" in
*Role.Arn*) echo ${ROLE} ;;
*issuer*) echo https://oidc.example/id/1 ;;
*Account*) echo 111122223333 ;;
*associationId*) echo a-1 ;;
esac`;
    const script = `#!/bin/sh\nfor word; do printf '%s\\0' "$word"; done >> ${log}; echo >> ${log}\n${responses}\n`;
    chmodSync(box.write('aws', script), 0o755);
    const env = { PATH: `${box.root}:${join(examplesRoot, '../dist')}:${process.env.PATH}` };
    for (const name of ['create-role.sh', 'delete-role.sh'])
      execFileSync(join(examplesRoot, 'aws', name), [kind, 'prod', 'shop'], {
        cwd: join(examplesRoot, kind),
        env,
        stdio: 'pipe',
      });
    const calls = readFileSync(log, 'utf8')
      .split('\0\n')
      .map((line) => line.split('\0'));
    const call = (verb: string) => calls.find((words) => words[1] === verb) ?? [];
    const document = (verb: string, flag: string) => parse(flagValue(call(verb), flag) ?? '') as Policy;

    const [statement] = document('create-role', '--assume-role-policy-document').Statement;
    assert.equal(
      statement?.Principal,
      kind === 'irsa'
        ? { Federated: 'arn:aws:iam::111122223333:oidc-provider/oidc.example/id/1' }
        : { Service: 'pods.eks.amazonaws.com' },
    );
    const policy = document('put-role-policy', '--policy-document');
    assert.equal(policy.Statement[0]?.Resource, [
      'arn:aws:secretsmanager:eu-central-1:*:secret:shop/db-??????',
    ]);
    assert.is(flagValue(call('delete-role'), '--role-name'), 'shop');
    assert.is(
      flagValue(call('delete-role-policy'), '--policy-name'),
      flagValue(call('put-role-policy'), '--policy-name'),
    );
    assert.is(
      flagValue(call('delete-pod-identity-association'), '--association-id'),
      kind === 'irsa' ? undefined : 'a-1',
    );
    assert.is(
      flagValue(call('create-pod-identity-association'), '--role-arn'),
      kind === 'irsa' ? undefined : ROLE,
    );
  });
}

test('create-role.sh removes the role if the association fails, and delete-role.sh deletes what there is', ({
  box,
}) => {
  const log = box.write('calls', '');
  const script = `#!/bin/sh\necho "$*" >> ${log}\ncase "$*" in\n*Role.Arn*) echo ${ROLE} ;;\neks*) exit 254 ;;\nesac\n`;
  chmodSync(box.write('aws', script), 0o755);
  const codeOf = (name: string, ...args: readonly string[]) =>
    spawnSync(join(examplesRoot, 'aws', name), args, {
      cwd: join(examplesRoot, 'pod-identity'),
      env: { PATH: `${box.root}:${join(examplesRoot, '../dist')}:${process.env.PATH}` },
    }).status;
  for (const name of ['create-role.sh', 'delete-role.sh']) {
    box.write('calls', '');
    assert.not.equal(codeOf(name, 'pod-identity', 'wrong', 'shop'), 0, name);
    assert.match(
      readFileSync(log, 'utf8'),
      /delete-role-policy .*\niam delete-role --role-name shop\n$/,
      name,
    );
    assert.is(codeOf(name, 'pod-identity'), 2, name);
  }
});

interface Policy {
  readonly Statement: readonly {
    readonly Principal?: Readonly<Record<string, string>>;
    readonly Resource?: readonly string[];
  }[];
}

test.run();
