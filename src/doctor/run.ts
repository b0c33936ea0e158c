/**
 * The checks of one config, in the order of the stages of `init`, without publishing or notifying.
 *
 * Credentials, endpoints and files are used as `init` uses them. A failed stage skips only the stages that depend on it: the directory
 * is checked even without credentials.
 */

import { authMethodText, resolveAuthMethod } from '../aws/auth-method.ts';
import { type AwsEnvironment, type EndpointName, readAwsEnvironment } from '../aws/environment.ts';
import { proxyUrl } from '../aws/proxy.ts';
import { createTransport } from '../aws/transport.ts';
import { options, type Settings } from '../cli/options.ts';
import type { Origin } from '../cli/settings.ts';
import type { Plan } from '../config/plan.ts';
import type { Clock } from '../core/clock.ts';
import { type Environment, inKubernetes } from '../core/environment.ts';
import type { Problem } from '../core/problem.ts';
import { escapeControl, plural } from '../core/text.ts';
import type { FileKind } from '../exec/program.ts';
import { inspectDirectory } from '../publish/inspect.ts';
import { clusterCheck, memoryCheck } from './kubernetes.ts';
import { checkObjects, skippedObjects } from './objects.ts';
import { programCheck } from './program.ts';
import { type Check, type ConfigReport, runCheck } from './report.ts';

/** The settings and process parts that the checks need. */
export interface DoctorContext {
  readonly settings: Settings;
  readonly origins: { readonly auth: Origin };
  readonly env: Environment;
  readonly clock: Clock;
  /** Effective user id. */
  readonly user: number;
  readonly stop: AbortSignal;
  /** The memory limit of the container in bytes; undefined: none. */
  readonly memoryLimit: () => number | undefined;
  /** The kind of the file /podsecrets/podsecrets. */
  readonly programKind: () => FileKind;
  /** Throws the Problems of a config. */
  readonly readPlan: (
    file: string,
  ) => Promise<{ readonly plan: Plan; readonly warnings: readonly Problem[] }>;
}

/** Checks one config of the command line. Problems become failed checks; other errors, and the reason of the stop signal, are thrown. */
export async function runChecks(
  context: DoctorContext,
  { file, dir }: { readonly file: string; readonly dir: string | undefined },
): Promise<ConfigReport> {
  const { settings, env, clock } = context;
  const directory = dir ?? settings.dir ?? options.dir.default;
  const checks: Check[] = [];
  const plan = await runCheck(checks, 'config', async () => {
    const parsed = await context.readPlan(file);
    return { value: parsed.plan, text: planText(parsed.plan), warnings: parsed.warnings };
  });
  if (plan === undefined) return { file, directory, checks, objects: [] };

  checks.push({ subject: 'region', status: 'ok', text: regionText(plan), problems: [] });
  const connection = await runCheck(checks, 'endpoints', async () => {
    const environment = readAwsEnvironment(env);
    const transport = createTransport({ environment, awsTimeout: settings.awsTimeout, clock });
    return { value: { environment, transport }, text: endpointsText(environment) };
  });
  const authentication = await runCheck(checks, 'auth', async () => {
    const { usePodIdentity, preferredAddressType } = plan;
    const chosen = resolveAuthMethod({ auth: settings.auth, usePodIdentity, preferredAddressType, env });
    return { value: chosen, text: `${authMethodText(chosen)}, ${reasonText(context, plan)}` };
  });
  const objects =
    connection === undefined || authentication === undefined
      ? skippedObjects(plan)
      : await checkObjects(context, plan, { ...connection, authentication }, checks);

  await runCheck(checks, 'directory', async () => {
    const facts = inspectDirectory(directory, {
      allowDisk: settings.allowDisk,
      user: context.user,
      inKubernetes: inKubernetes(env),
    });
    const free = `${Math.floor(facts.freeBytes / 1_048_576)} MiB free`;
    const text = `${facts.inMemory ? 'in memory' : 'on a disk'}, ${free}${facts.exists ? '' : ', will be created'}`;
    return { value: undefined, text };
  });
  checks.push(...memoryCheck(context.memoryLimit()), ...programCheck(context.programKind()));
  if (plan.envFile !== undefined && inKubernetes(env)) {
    const openApi = async () =>
      await (await import('../kubernetes/api.ts')).openApi({ env, signal: context.stop });
    checks.push(await clusterCheck(openApi));
  }
  if (settings.syncSecrets && plan.secretObjects.length > 0) {
    await runCheck(checks, 'secrets', async () => {
      const [{ checkAccess }, { openApi }] = await Promise.all([
        import('../kubernetes/access-review.ts'),
        import('../kubernetes/api.ts'),
      ]);
      const api = await openApi({ env, signal: context.stop });
      try {
        await checkAccess(api, plan, settings);
      } finally {
        api.close();
      }
      const names = plan.secretObjects.map(({ secretName }) => secretName).join(', ');
      return {
        value: undefined,
        text: `can be applied in namespace ${escapeControl(api.namespace)}: ${escapeControl(names)}`,
      };
    });
  }
  return { file, directory, checks, objects };
}

function planText({ objects }: Plan): string {
  const files = objects.flatMap(({ outputs }) => outputs).length;
  return `${plural(objects.length, 'object')}, ${plural(files, 'file')}`;
}

function regionText({ region, regionFrom, failoverRegion }: Plan): string {
  const failover = failoverRegion === undefined ? '' : `; failover ${failoverRegion}`;
  return escapeControl(`${region}, from ${regionFrom}${failover}`);
}

function endpointsText({
  endpoints,
  fips,
  dualstack,
  caBundle,
  httpsProxy,
  noProxy,
}: AwsEnvironment): string {
  const kinds = [...(fips ? ['FIPS'] : []), ...(dualstack ? ['dual-stack'] : [])];
  const byUrl = Map.groupBy(Object.entries(endpoints), ([, url]) => url);
  const own = [...byUrl].map(
    ([url, of]) =>
      `${of.map(([name]) => services[name as EndpointName]).join(', ')} at ${escapeControl(url)}`,
  );
  return [
    ...(own.length === 0 ? ['AWS defaults', ...kinds] : own),
    // Only the host, because the URL may contain a password.
    ...(httpsProxy === undefined
      ? []
      : [
          `through the proxy ${escapeControl(proxyUrl(httpsProxy)?.host ?? '')}${noProxy === undefined ? '' : `, except NO_PROXY=${escapeControl(noProxy)}`}`,
        ]),
    ...(caBundle === undefined ? [] : [`trusting only ${escapeControl(caBundle.file)}`]),
  ].join(', ');
}

const services: Readonly<Record<EndpointName, string>> = {
  SECRETS_MANAGER: 'Secrets Manager',
  SSM: 'Parameter Store',
  STS: 'STS',
};

function reasonText({ settings, origins }: DoctorContext, { usePodIdentity }: Plan): string {
  if (settings.auth !== 'auto') return `from ${origins.auth === 'flag' ? '--auth' : 'PODSECRETS_AUTH'}`;
  if (usePodIdentity !== undefined) return `from usePodIdentity: "${usePodIdentity}"`;
  return 'from environment variables';
}
