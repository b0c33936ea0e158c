/**
 * Reads and checks the standard AWS environment variables.
 *
 * The SDK would read most of them itself, lazily, and from the shared config file too. Here they are passed to it, so that an
 * invalid one is reported before any request and `~/.aws` is never opened. A proxy's password stays in the URL for Node and never
 * appears in a message.
 */

import { type Environment, platformOf } from '../core/environment.ts';
import { Problem, throwProblems } from '../core/problem.ts';
import { quote, withoutPassword } from '../core/text.ts';
import { proxyUrl } from './proxy.ts';

/** The services in use, by the suffix of their endpoint variables. */
export type EndpointName = 'SECRETS_MANAGER' | 'SSM' | 'STS';

/**
 * A PEM file with the only CAs to trust: AWS_CA_BUNDLE, as in the AWS CLI, or SSL_CERT_FILE, as in OpenSSL and Go.
 * NODE_EXTRA_CA_CERTS adds to the built-in CAs instead.
 */
export interface CaBundle {
  readonly variable: 'AWS_CA_BUNDLE' | 'SSL_CERT_FILE';
  readonly file: string;
}

/** The checked variables. */
export interface AwsEnvironment {
  /** `AWS_ENDPOINT_URL_<NAME>`, else `AWS_ENDPOINT_URL`; a service without one has the endpoint of its region. */
  readonly endpoints: Readonly<Partial<Record<EndpointName, string>>>;
  readonly fips: boolean;
  readonly dualstack: boolean;
  /** `AWS_STS_REGIONAL_ENDPOINTS=legacy`: the global STS for the regions that had it first. */
  readonly globalSts: boolean;
  readonly caBundle: CaBundle | undefined;
  /** Proxy for https. May contain a password. */
  readonly httpsProxy: string | undefined;
  readonly noProxy: string | undefined;
}

/** Reads and checks the variables; throws all Problems together. An empty variable counts as missing. */
export function readAwsEnvironment(env: Environment): AwsEnvironment {
  const problems: Problem[] = [];
  const where = platformOf(env) === 'host' ? '' : " in the container's env";
  const reportInvalid = (name: string, expected: string, got: string): undefined => {
    problems.push(
      new Problem({
        code: 'usage.environment',
        subject: name,
        message: `expected ${expected}, got ${got}`,
        remedy: `Correct the variable${where}, or remove it.`,
      }),
    );
    return undefined;
  };
  const url = (name: string): string | undefined => {
    const text = env[name] || undefined;
    return text === undefined || isHttp(text)
      ? text
      : reportInvalid(name, 'an http or https URL', quote(withoutPassword(text)));
  };
  const choice = (name: string, yes: string, no: string): boolean => {
    const text = (env[name] ?? '').toLowerCase();
    if (text !== '' && text !== yes && text !== no) reportInvalid(name, `${yes} or ${no}`, quote(text));
    return text === yes;
  };

  const common = url('AWS_ENDPOINT_URL');
  const endpoints: Partial<Record<EndpointName, string>> = {};
  for (const name of ['SECRETS_MANAGER', 'SSM', 'STS'] as const) {
    const own = url(`AWS_ENDPOINT_URL_${name}`) ?? common;
    if (own !== undefined) endpoints[name] = own;
  }
  const fips = choice('AWS_USE_FIPS_ENDPOINT', 'true', 'false');
  const dualstack = choice('AWS_USE_DUALSTACK_ENDPOINT', 'true', 'false');
  if ((fips || dualstack) && Object.keys(endpoints).length > 0)
    reportInvalid(
      fips ? 'AWS_USE_FIPS_ENDPOINT' : 'AWS_USE_DUALSTACK_ENDPOINT',
      'either this or AWS_ENDPOINT_URL',
      'both',
    );
  // Upper case first, as Go reads them.
  const proxy = env.HTTPS_PROXY || env.https_proxy || undefined;
  if (proxy !== undefined && proxyUrl(proxy) === undefined)
    reportInvalid('HTTPS_PROXY', 'host:port, or an http or https URL', 'something else');

  const environment: AwsEnvironment = {
    endpoints,
    fips,
    dualstack,
    globalSts: choice('AWS_STS_REGIONAL_ENDPOINTS', 'legacy', 'regional'),
    caBundle: caBundleOf(env),
    httpsProxy: proxy,
    noProxy: env.NO_PROXY || env.no_proxy || undefined,
  };
  throwProblems(problems);
  return environment;
}

/** The endpoint of global STS, if it replaces that of the region. Only for unsigned calls. */
export function globalStsEndpoint(environment: AwsEnvironment, region: string): string | undefined {
  const { globalSts, fips, dualstack, endpoints } = environment;
  const own = fips || dualstack || endpoints.STS !== undefined;
  return globalSts && !own && globalStsRegions.has(region) ? 'https://sts.amazonaws.com' : undefined;
}

/** The regions from before 2019, which had no STS endpoint at first. AWS adds no more regions to this list. */
const globalStsRegions: ReadonlySet<string> = new Set([
  'ap-northeast-1',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ca-central-1',
  'eu-central-1',
  'eu-north-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'sa-east-1',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
]);

function caBundleOf(env: Environment): CaBundle | undefined {
  const variable = (['AWS_CA_BUNDLE', 'SSL_CERT_FILE'] as const).find((name) => env[name]);
  const file = variable && env[variable];
  return variable && file ? { variable, file } : undefined;
}

function isHttp(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}
