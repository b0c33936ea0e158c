/**
 * One secret that becomes several files, with its generation in every value, so that a reader can detect a torn, a
 * mixed or a missing file of the real program.
 */

import { stringify } from 'yaml';
import type { FakeAwsProcess } from '../fake-aws/client.ts';
import { steadyPaths, valueIn } from './generations.ts';

const region = 'eu-west-1';
export const token = 'pod-token';

/** The files; together they fit into the 64 KiB of one secret. */
export const paths = Object.keys(steadyPaths).filter((path) => (steadyPaths[path] ?? 0) < 65_536);

/** What its value is in a generation. */
function appSecret(generation: number): string {
  return JSON.stringify(Object.fromEntries(paths.map((path, at) => [`k${at}`, valueIn(generation, path)])));
}

/** The seed of a fake AWS with the secret `app` in generation 0. */
export const appSeed = {
  identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: [token] } },
  regions: { [region]: { secrets: { app: appSecret(0) } } },
};

/** The parameters of its config. */
export const appParameters = {
  pathTranslation: 'False',
  objects: stringify([
    {
      objectName: 'app',
      objectType: 'secretsmanager',
      objectAlias: 'app.json',
      jmesPath: paths.map((objectAlias, at) => ({ path: `k${at}`, objectAlias })),
    },
  ]),
};

export async function rotateApp(aws: FakeAwsProcess, generation: number): Promise<void> {
  await aws.putSecret({ region, name: 'app', string: appSecret(generation) });
}
