/**
 * The examination of one config, stage by stage: what `init` would meet, without publishing or telling anything.
 *
 * The edges are those of `init`, opened the same way. A stage that fails ends the line of those that need it, and no other:
 * the directory is looked at even where no credentials are to be had.
 */

import { authenticationText, chooseAuthentication } from '../core/aws/authentication.ts';
import { type AwsEnvironment, type EndpointName, readAwsEnvironment } from '../core/aws/environment.ts';
import { counted } from '../core/counted.ts';
import { attempt, type Check, type ConfigReport } from '../core/doctor/report.ts';
import { inKubernetes } from '../core/environment.ts';
import type { Plan } from '../core/plan.ts';
import { printable } from '../core/text.ts';
import { openTransport } from '../edge/aws/transport.ts';
import { inspectDirectory } from '../edge/directory/inspect.ts';
import type { Context } from './context.ts';
import { examineObjects, skippedObjects } from './doctor-objects.ts';
import { readPlan } from './plans.ts';

/** Examines one config of the command line. Throws only what is no Problem, and the reason of the stop signal. */
export async function examine(
  context: Context,
  { file, dir }: { readonly file: string; readonly dir: string | undefined },
): Promise<ConfigReport> {
  const { settings, env, clock } = context;
  const directory = dir ?? settings.dir;
  const checks: Check[] = [];
  const plan = await attempt(checks, 'config', async () => {
    const parsed = await readPlan(context, file);
    return { value: parsed.plan, text: planText(parsed.plan), warnings: parsed.warnings };
  });
  if (plan === undefined) return { file, directory, checks, objects: [] };

  checks.push({ subject: 'region', verdict: 'ok', text: regionText(plan), problems: [] });
  const door = await attempt(checks, 'endpoints', async () => {
    const environment = readAwsEnvironment(env);
    const transport = openTransport({ environment, awsTimeout: settings.awsTimeout, clock });
    return { value: { environment, transport }, text: endpointsText(environment) };
  });
  const authentication = await attempt(checks, 'auth', async () => {
    const { usePodIdentity, preferredAddressType } = plan;
    const chosen = chooseAuthentication({ auth: settings.auth, usePodIdentity, preferredAddressType, env });
    return { value: chosen, text: `${authenticationText(chosen)}, ${reasonText(context, plan)}` };
  });
  const objects =
    door === undefined || authentication === undefined
      ? skippedObjects(plan)
      : await examineObjects(context, plan, { ...door, authentication }, checks);

  await attempt(checks, 'directory', async () => {
    const facts = inspectDirectory(directory, {
      allowDisk: settings.allowDisk,
      user: context.process.user,
      inKubernetes: inKubernetes(env),
    });
    const room = `${Math.floor(facts.freeBytes / 1_048_576)} MiB free`;
    const text = `${facts.inMemory ? 'in memory' : 'on a disk'}, ${room}${facts.exists ? '' : ', to be made'}`;
    return { value: undefined, text };
  });
  if (settings.syncSecrets && plan.secretObjects.length > 0) {
    await attempt(checks, 'secrets', async () => {
      const { checkAccess } = await import('../edge/kubernetes/access.ts');
      const owner = settings.secretOwner;
      const namespace = await checkAccess({ plan, owner, env, signal: context.stop });
      const names = plan.secretObjects.map(({ secretName }) => secretName).join(', ');
      return {
        value: undefined,
        text: `may be applied in namespace ${printable(namespace)}: ${printable(names)}`,
      };
    });
  }
  return { file, directory, checks, objects };
}

function planText({ objects }: Plan): string {
  const files = objects.flatMap(({ outputs }) => outputs).length;
  return `${counted(objects.length, 'object')}, ${counted(files, 'file')}`;
}

function regionText({ region, regionFrom, failoverRegion }: Plan): string {
  const failover = failoverRegion === undefined ? '' : `; failover ${failoverRegion}`;
  return printable(`${region}, from ${regionFrom}${failover}`);
}

function endpointsText({ endpoints, fips, dualstack, caBundle, httpsProxy }: AwsEnvironment): string {
  const kinds = [...(fips ? ['FIPS'] : []), ...(dualstack ? ['dual-stack'] : [])];
  const byUrl = Map.groupBy(Object.entries(endpoints), ([, url]) => url);
  const own = [...byUrl].map(
    ([url, of]) => `${of.map(([name]) => services[name as EndpointName]).join(', ')} at ${printable(url)}`,
  );
  return [
    ...(own.length === 0 ? ["AWS's own", ...kinds] : own),
    // Only the host: the URL may hold a password.
    ...(httpsProxy === undefined ? [] : [`by the proxy ${printable(new URL(httpsProxy).host)}`]),
    ...(caBundle === undefined ? [] : [`trusting ${printable(caBundle)} alone`]),
  ].join(', ');
}

const services: Readonly<Record<EndpointName, string>> = {
  SECRETS_MANAGER: 'Secrets Manager',
  SSM: 'Parameter Store',
  STS: 'STS',
};

function reasonText({ settings, origins }: Context, { usePodIdentity }: Plan): string {
  if (settings.auth !== 'auto') return `as ${origins.auth === 'flag' ? '--auth' : 'PODSECRETS_AUTH'} says`;
  if (usePodIdentity !== undefined) return `as usePodIdentity: "${usePodIdentity}" says`;
  return 'as the variables in the environment say';
}
