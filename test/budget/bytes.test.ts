/** How much of each package is in the program, so that no package appears or grows unnoticed. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bundleMeta, ownerOf } from './recording.ts';

/** KiB of minified text, and their purpose. Packages of less than 1 KiB are not listed. */
const budget: Readonly<Record<string, readonly [kib: number, reason: string]>> = {
  src: [410, 'the sources of podsecrets'],
  'node-forge': [210, 'PKCS#12 for kubernetes.io/tls Secrets; in a module of its own'],
  '@smithy/core': [125, 'the SDK: signing, retries, schemas, JSON'],
  yaml: [113, 'configs, and the pod specs of inject'],
  '@aws-sdk/client-ssm': [78, 'GetParameters; half of it are its error classes'],
  yargs: [63, '--help'],
  chokidar: [54, 'the watch of the configs in a sidecar; a text of its own'],
  '@aws-sdk/nested-clients': [51, '--auth default: SSO and the like'],
  bowser: [35, 'the SDK reads browser names with it; nothing here does'],
  '@aws-sdk/core': [34, "the SDK's AWS side"],
  diff: [23, 'inject --diff'],
  '@aws-lambda-powertools/jmespath': [23, 'jmesPath'],
  '@aws-sdk/client-sts': [18, 'IRSA, doctor'],
  'yargs-parser': [16, 'the command line'],
  'emoji-regex': [15, '--help, by way of yargs'],
  '@aws-sdk/client-secrets-manager': [15, 'GetSecretValue, BatchGetSecretValue'],
  '@smithy/signature-v4': [11, 'signing'],
  '@smithy/node-http-handler': [8, "the SDK's own HTTP"],
  '@aws-sdk/credential-provider-login': [7, '--auth default'],
  '@smithy/credential-provider-imds': [7, '--auth default'],
  '@aws-sdk/credential-provider-ini': [7, '--auth default'],
  'get-east-asian-width': [5, '--help, by way of yargs'],
  '@aws-sdk/signature-v4-multi-region': [5, '--auth default'],
  '@aws-sdk/credential-provider-sso': [5, '--auth default'],
  '@aws-sdk/credential-provider-http': [5, 'Pod Identity and ECS credentials'],
  readdirp: [5, 'chokidar reads directories with it'],
  cliui: [5, '--help'],
  '@aws-sdk/xml-builder': [5, 'STS responds in XML'],
  y18n: [4, '--help'],
  'string-width': [4, '--help'],
  '@aws-sdk/token-providers': [4, '--auth default'],
  'ansi-styles': [3, '--help'],
  '@aws/lambda-invoke-store': [3, 'the SDK looks for a trace id of Lambda'],
  'wrap-ansi': [3, '--help'],
  'lazy-builtin': [2, "Node's modules, deferred"],
  '@aws-sdk/credential-provider-node': [
    4,
    "the clients' default, which is never called, because podsecrets passes credentials to its clients",
  ],
  '@aws-sdk/credential-provider-process': [2, '--auth default'],
  '@aws-sdk/credential-provider-web-identity': [2, 'IRSA'],
};

const bytes = new Map<string, number>();
for (const { inputs } of Object.values(bundleMeta().outputs)) {
  for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
    const file = ownerOf(input);
    const owner = file.startsWith('src/') ? 'src' : file.replace(/:.*/, '');
    bytes.set(owner, (bytes.get(owner) ?? 0) + bytesInOutput);
  }
}
const kib = (owner: string): number => Math.round((bytes.get(owner) ?? 0) / 102.4) / 10;

test('no package exceeds its budget or lacks one', () => {
  assert.equal(
    [...bytes.keys()]
      .filter((owner) => kib(owner) > (budget[owner]?.[0] ?? 1))
      .map((owner) => `${owner}: ${kib(owner)} KiB, budget ${budget[owner]?.[0] ?? 'none'}`),
    [],
  );
});

test('every budget belongs to a package', () => {
  assert.equal(
    Object.keys(budget).filter((owner) => !bytes.has(owner)),
    [],
  );
});

test.run();
