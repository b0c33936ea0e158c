/** The plan of `--set`. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readVariable, type SetVariable } from '../../src/cli/values.ts';
import { planVariables } from '../../src/config/set-plan.ts';

const test = suite('the plan of --set');

const arn = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:db';
const set = (...texts: string[]) => texts.map((text) => readVariable(text) as SetVariable);
const nowhere = { region: undefined, searched: ['AWS_REGION', 'the profile default'] } as const;

test('reads each value in its own region, and names in that of the process', () => {
  const variables = set(`A=${arn}:user:AWSPREVIOUS`, 'B=/b');
  const { plan, problems } = planVariables(variables, { region: 'eu-west-1', from: 'AWS_REGION' });
  assert.equal(problems, []);
  assert.equal(
    plan.objects.map(({ primary: { service, region, id, stage } }) => [service, region, id, stage]),
    [
      ['secretsmanager', 'us-east-1', arn, 'AWSPREVIOUS'],
      ['ssmparameter', 'eu-west-1', '/b', undefined],
    ],
  );
  assert.equal(
    plan.objects.flatMap(({ outputs }) => outputs.map((output) => [output.kind, output.env])),
    [
      ['jmesPath', 'A'],
      ['whole', 'B'],
    ],
  );
});

test('an ARN needs no region of the process', () => {
  const { plan, problems } = planVariables(set(`A=${arn}`), { region: undefined, searched: [] });
  assert.equal([plan.region, problems.length], ['us-east-1', 0]);
});

test('a name without a region is rejected with the places that were searched', () => {
  const { problems } = planVariables(set(`A=${arn}`, 'B=/b'), nowhere);
  assert.equal(
    problems.map(({ code, subject, message }) => `${code} ${subject}: ${message}`),
    [
      'config.region --set B: expected a region for the parameter "/b", got none in AWS_REGION, the profile default',
    ],
  );
});

test.run();
