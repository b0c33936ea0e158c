import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { globalStsEndpoint, readAwsEnvironment } from '../../src/aws/environment.ts';
import { problemLine, problemsOf } from '../../src/core/problem.ts';

const test = suite('AWS variables');

function problems(env: Record<string, string>): string[] {
  try {
    readAwsEnvironment(env);
  } catch (error) {
    return (problemsOf(error) ?? []).map(problemLine);
  }
  return [];
}

test('has no endpoint, proxy or CA bundle without variables', () => {
  const nothing = {
    endpoints: {},
    fips: false,
    dualstack: false,
    globalSts: false,
    caBundle: undefined,
    httpsProxy: undefined,
    noProxy: undefined,
  };
  assert.equal(readAwsEnvironment({}), nothing);
  assert.equal(
    readAwsEnvironment({
      AWS_ENDPOINT_URL: '',
      AWS_USE_FIPS_ENDPOINT: '',
      AWS_CA_BUNDLE: '',
      HTTPS_PROXY: '',
    }),
    nothing,
  );
});

test('the remedy depends on the platform: a container has its variables from its env', () => {
  const wrong = { AWS_ENDPOINT_URL: 'ftp://x' };
  assert.match(problems(wrong)[0] ?? '', 'Correct the variable, or remove it.');
  for (const place of [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, { AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE' }])
    assert.match(problems({ ...wrong, ...place })[0] ?? '', "Correct the variable in the container's env");
});

test('the endpoint of a service takes precedence over the common one', () => {
  assert.equal(
    readAwsEnvironment({ AWS_ENDPOINT_URL: 'http://all', AWS_ENDPOINT_URL_SSM: 'https://own:444/x' })
      .endpoints,
    { SECRETS_MANAGER: 'http://all', SSM: 'https://own:444/x', STS: 'http://all' },
  );
  assert.equal(readAwsEnvironment({ AWS_ENDPOINT_URL_STS: 'http://sts' }).endpoints, { STS: 'http://sts' });
});

test('boolean variables accept true and false in any case', () => {
  const read = readAwsEnvironment({
    AWS_USE_FIPS_ENDPOINT: 'TRUE',
    AWS_USE_DUALSTACK_ENDPOINT: 'false',
    AWS_STS_REGIONAL_ENDPOINTS: 'legacy',
  });
  assert.equal([read.fips, read.dualstack, read.globalSts], [true, false, true]);
});

test('global STS is used for the old regions only, and never with a custom endpoint', () => {
  const legacy = { AWS_STS_REGIONAL_ENDPOINTS: 'legacy' };
  const globalSts = (env: Record<string, string>, region: string) =>
    globalStsEndpoint(readAwsEnvironment(env), region);
  assert.is(globalSts(legacy, 'eu-west-1'), 'https://sts.amazonaws.com');
  assert.is(globalSts(legacy, 'eu-south-2'), undefined);
  assert.is(globalSts(legacy, 'cn-north-1'), undefined);
  assert.is(globalSts({}, 'eu-west-1'), undefined);
  assert.is(globalSts({ ...legacy, AWS_USE_FIPS_ENDPOINT: 'true' }, 'us-east-1'), undefined);
  assert.is(globalSts({ ...legacy, AWS_ENDPOINT_URL: 'http://own' }, 'us-east-1'), undefined);
});

test('reports all invalid variables together', () => {
  assert.equal(
    problems({
      AWS_ENDPOINT_URL: 'localhost:4566',
      AWS_ENDPOINT_URL_STS: 'ftp://x',
      AWS_USE_FIPS_ENDPOINT: 'yes',
      AWS_STS_REGIONAL_ENDPOINTS: 'global',
    }).map((line) => line.slice(0, line.indexOf('. '))),
    [
      'AWS_ENDPOINT_URL: expected an http or https URL, got "localhost:4566"',
      'AWS_ENDPOINT_URL_STS: expected an http or https URL, got "ftp://x"',
      'AWS_USE_FIPS_ENDPOINT: expected true or false, got "yes"',
      'AWS_STS_REGIONAL_ENDPOINTS: expected legacy or regional, got "global"',
    ],
  );
});

test('rejects FIPS or dual stack together with a custom endpoint', () => {
  assert.match(
    problems({ AWS_USE_FIPS_ENDPOINT: 'true', AWS_ENDPOINT_URL_SSM: 'https://x' })[0] ?? '',
    /^AWS_USE_FIPS_ENDPOINT: expected either this or AWS_ENDPOINT_URL, got both/,
  );
});

test('rejects an invalid proxy without showing its password', () => {
  const [line = ''] = problems({ HTTPS_PROXY: 'socks5://user:hunter2@proxy:3128' });
  assert.match(line, /^HTTPS_PROXY: expected host:port, or an http or https URL/);
  assert.not.match(line, /hunter2/);
});

test('rejects an invalid endpoint without showing its password', () => {
  const [line = ''] = problems({ AWS_ENDPOINT_URL: 'ftp://user:hunter2@aws' });
  assert.match(line, /^AWS_ENDPOINT_URL: expected an http or https URL, got "ftp:\/\/…@aws"/);
});

test('upper-case proxy variables take precedence, as in Go', () => {
  const read = readAwsEnvironment({
    https_proxy: 'http://small',
    HTTPS_PROXY: 'http://LARGE',
    no_proxy: 'a',
    NO_PROXY: 'b',
  });
  assert.equal([read.httpsProxy, read.noProxy], ['http://LARGE', 'b']);
});

test('AWS_CA_BUNDLE takes precedence over SSL_CERT_FILE', () => {
  const bundle = (env: Record<string, string>) => readAwsEnvironment(env).caBundle;
  assert.equal(bundle({ SSL_CERT_FILE: '/s' }), { variable: 'SSL_CERT_FILE', file: '/s' });
  assert.equal(bundle({ SSL_CERT_FILE: '/s', AWS_CA_BUNDLE: '/a' }), {
    variable: 'AWS_CA_BUNDLE',
    file: '/a',
  });
});

test.run();
