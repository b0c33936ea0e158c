import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { endpointOf } from '../../src/aws/endpoint.ts';
import { type EndpointName, readAwsEnvironment } from '../../src/aws/environment.ts';

const test = suite('endpoint');

const REGIONS = [
  'us-east-1',
  'eu-west-1',
  'ap-southeast-7',
  'il-central-1',
  'us-gov-west-1',
  'cn-north-1',
  'us-iso-east-1',
  'us-isob-east-1',
  'eu-isoe-west-1',
  'us-isof-south-1',
  'eusc-de-east-1',
];

/** Where the SDK sends a request without an endpoint in the configuration. */
function ofSdk(service: EndpointName, region: string): string {
  const options = { region, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
  const Region = { Region: region, UseFIPS: false, UseDualStack: false };
  switch (service) {
    case 'SECRETS_MANAGER':
      return new SecretsManagerClient(options).config.endpointProvider(Region).url.href;
    case 'SSM':
      return new SSMClient(options).config.endpointProvider(Region).url.href;
    case 'STS':
      return new STSClient(options).config.endpointProvider({ ...Region, UseGlobalEndpoint: false }).url.href;
  }
}

for (const service of ['SECRETS_MANAGER', 'SSM', 'STS'] as const)
  test(`early connections to ${service} go where the SDK sends the request`, () => {
    const environment = readAwsEnvironment({});
    for (const region of REGIONS)
      assert.is(endpointOf(service, region, environment)?.href, ofSdk(service, region), region);
  });

test('to a configured endpoint, and to global STS', () => {
  const own = readAwsEnvironment({
    AWS_ENDPOINT_URL: 'https://aws.example:1',
    AWS_ENDPOINT_URL_SSM: 'http://ssm',
  });
  assert.is(endpointOf('SECRETS_MANAGER', 'eu-west-1', own)?.href, 'https://aws.example:1/');
  assert.is(endpointOf('SSM', 'eu-west-1', own)?.href, 'http://ssm/');
  const legacy = readAwsEnvironment({ AWS_STS_REGIONAL_ENDPOINTS: 'legacy' });
  assert.is(endpointOf('STS', 'eu-west-1', legacy)?.href, 'https://sts.amazonaws.com/');
});

test('to none with FIPS or dual-stack', () => {
  for (const name of ['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT'])
    assert.is(endpointOf('SSM', 'eu-west-1', readAwsEnvironment({ [name]: 'true' })), undefined);
});

test.run();
