/**
 * Options that exclude each other, and options that have no effect.
 */

import type { Quantity } from '../cli/values.ts';
import { MEMORY_FLOOR, smallLimit } from '../core/memory-floor.ts';
import { type Problem, usageProblem } from '../core/problem.ts';
import type { Assignment } from './assign.ts';
import { probedPort } from './containers.ts';
import type { InjectOptions } from './options.ts';
import { hasVariables } from './variables.ts';
import type { PlannedBinding } from './volumes.ts';

/** Options that exclude or need each other. */
export function validateOptions(options: InjectOptions): readonly Problem[] {
  return [
    ...onlySidecar(options),
    ...onlyContainers(options),
    noneWithoutExec(options),
    exitWithoutSidecar(options),
    ...changesWithoutExec(options),
    envWithoutFile(options),
    ...adoptWithoutSidecar(options),
    unprobed(options),
    secretsWithoutSync(options),
    userTwice(options),
    ...requestsAboveLimits(options),
    notifyWithoutNotifier(options),
  ].filter((problem) => problem !== undefined);
}

function onlySidecar({ as, flags, signals, exec, onChange }: InjectOptions): readonly Problem[] {
  if (as !== 'init' && as !== 'none') return [];
  const remedy = 'Use --as sidecar, or leave it out.';
  const idle = ['--interval', '--listen']
    .filter((flag) => flags.has(flag) && !(flag === '--interval' && exec && onChange !== 'none'))
    .map((flag) => usageProblem(flag, `has no effect with --as ${as}: no sidecar runs`, remedy));
  const message =
    'does not work with --as init: the application does not run yet when an init container does';
  return signals && as === 'init' ? [...idle, usageProblem('--notify-signal', message, remedy)] : idle;
}

/** With `--as none` no container is added, and `exec` does not have these options, or gets them from the pod spec. */
function onlyContainers({ as, flags }: InjectOptions): readonly Problem[] {
  if (as !== 'none') return [];
  return OF_CONTAINERS.filter((flag) => flags.has(flag)).map((flag) =>
    usageProblem(
      flag,
      'has no effect with --as none: no container of podsecrets is added',
      'Use --as sidecar or --as init, or leave it out.',
    ),
  );
}

const OF_CONTAINERS = [
  '--dir',
  '--mode',
  '--owner',
  '--allow-disk',
  '--run-as-user',
  '--cpu-request',
  '--cpu-limit',
  '--memory-request',
  '--memory-limit',
  '--notify-signal',
  '--notify-exec',
  '--notify-url',
  '--notify-touch',
  '--notify-on-start',
  '--sync-secrets',
  '--secret-owner',
  '--adopt-driver-secrets',
];

/** Only a native sidecar restarts the containers of a pod by its exit code. */
function exitWithoutSidecar({ as, exitOnChange }: InjectOptions): Problem | undefined {
  if (as === 'sidecar' || exitOnChange === undefined) return undefined;
  return usageProblem(
    '--exit-on-change',
    `has no effect with --as ${as}`,
    'Use --as sidecar, or leave it out.',
  );
}

/** In a pod of `inject`, `exec` publishes no files, so it has no change of files to signal. */
function changesWithoutExec({ exec, onChange, flags }: InjectOptions): readonly Problem[] {
  if (!exec && flags.has('--on-change')) {
    return [
      usageProblem('--on-change', 'needs --exec', 'Add --exec, or use --notify-signal or --exit-on-change.'),
    ];
  }
  if (onChange === 'none') {
    return ['--stop-signal', '--stop-timeout']
      .filter((flag) => flags.has(flag))
      .map((flag) =>
        usageProblem(flag, 'needs --on-change', 'Add --exec --on-change restart, or leave it out.'),
      );
  }
  if (!exec || onChange === 'restart' || onChange === 'exit') return [];
  const message = `expected restart or exit, got ${onChange}: podsecrets exec publishes no files here`;
  return [usageProblem('--on-change', message, `Use --notify-signal ${onChange}, which the sidecar sends.`)];
}

function noneWithoutExec({ as, exec }: InjectOptions): Problem | undefined {
  if (as !== 'none' || exec) return undefined;
  return usageProblem(
    '--as',
    'none needs --exec: otherwise nothing is added',
    'Add --exec, or leave --as out.',
  );
}

function envWithoutFile({ as, env }: InjectOptions): Problem | undefined {
  if (as !== 'none' || !env) return undefined;
  const message = 'does not work with --as none: no container writes the file of the variables';
  return usageProblem('--env', message, 'Leave it out: podsecrets exec sets the variables.');
}

/** The driver of an old pod writes the Secret again after an init container has ended. */
function adoptWithoutSidecar({ as, adoptDriverSecrets }: InjectOptions): readonly Problem[] {
  if (as !== 'init' || !adoptDriverSecrets) return [];
  return [
    usageProblem(
      '--adopt-driver-secrets',
      'does not work with --as init: while old pods run, the driver writes the Secret again and the garbage collector deletes it with the last of them; an init container cannot recreate it',
      'Use --as sidecar (or init+sidecar) until the rollout is complete, then --as init.',
    ),
  ];
}

/** The kubelet requests `/readyz` from outside the pod. */
function unprobed({ as, listen }: InjectOptions): Problem | undefined {
  if (as !== 'sidecar' || probedPort(listen) !== undefined) return undefined;
  const got = listen === 'off' ? 'off' : `${listen.host}:${listen.port}`;
  return usageProblem(
    '--listen',
    `expected an address that the kubelet's startupProbe can reach, got ${got}`,
    'Listen on 0.0.0.0:PORT, or use --as init+sidecar, which needs no probe to start.',
  );
}

function userTwice({ owner, runAsUser }: InjectOptions): Problem | undefined {
  if (owner === undefined || runAsUser !== 'none') return undefined;
  return usageProblem(
    '--run-as-user',
    'none does not work with --owner, which names the user',
    'Leave out one of the two.',
  );
}

/** The API server rejects a pod with a request above its limit. */
function requestsAboveLimits(options: InjectOptions): readonly Problem[] {
  const pairs = [
    ['cpu', options.cpuRequest, options.cpuLimit],
    ['memory', options.memoryRequest, options.memoryLimit],
  ] as const;
  return pairs.flatMap(([resource, request, limit]) =>
    limit === undefined || request.amount <= limit.amount
      ? []
      : usageProblem(
          `--${resource}-request`,
          `expected at most --${resource}-limit (${limit.text}), got ${request.text}`,
          `Lower --${resource}-request, or raise --${resource}-limit.`,
        ),
  );
}

function secretsWithoutSync({ flags, syncSecrets }: InjectOptions): Problem | undefined {
  if (!flags.has('--secret-owner') || syncSecrets) return undefined;
  return usageProblem(
    '--secret-owner',
    'needs --sync-secrets: without it no Secret is created',
    'Add --sync-secrets, or leave it out.',
  );
}

function notifyWithoutNotifier({ flags, exec, onChange }: InjectOptions): Problem | undefined {
  const flag = ['--notify-on-start', '--notify-splay'].find((name) => flags.has(name));
  const ways = ['--notify-signal', '--notify-exec', '--notify-url', '--notify-touch'];
  if (flag === undefined || ways.some((way) => flags.has(way))) return undefined;
  const hasAction = flags.has('--exit-on-change') || (exec && onChange !== 'none');
  if (flag === '--notify-splay' && hasAction) return undefined;
  return usageProblem(flag, `needs a notifier: ${ways.join(', ')}`, 'Add one, or leave it out.');
}

/** Options that have no effect on any of these pods. The result works, so they are warnings. */
export function ineffectiveOptions(
  assignments: readonly Assignment<PlannedBinding>[],
  { as, dir, env, flags, memoryLimit, syncSecrets, initArguments }: InjectOptions,
): readonly Problem[] {
  const bindings = assignments.flatMap((assignment) => assignment.bindings);
  const found: Problem[] = [];
  if (flags.has('--dir') && bindings.length > 0 && !bindings.some((binding) => binding.dir === dir)) {
    found.push(
      usageProblem(
        '--dir',
        'has no effect: volumes keep their mount paths, and FILE=DIR names its own directory',
        'Leave it out.',
      ),
    );
  }
  if (syncSecrets && bindings.length > 0 && bindings.every(({ plan }) => plan.secretObjects.length === 0)) {
    found.push(usageProblem('--sync-secrets', 'has no effect: no config has secretObjects', 'Leave it out.'));
  }
  if (env && bindings.length > 0 && !bindings.some(({ plan }) => hasVariables(plan))) {
    found.push(usageProblem('--env', 'has no effect: no object of a config has env', 'Leave it out.'));
  }
  found.push(...smallMemory(memoryLimit, bindings.length > 0));
  const notifies = initArguments.some((argument) => argument.startsWith('--notify-'));
  if (as === 'init' && notifies && !initArguments.includes('--notify-on-start')) {
    found.push(
      usageProblem(
        '--notify-on-start',
        'is missing with --as init: without it no notification is sent for the first publish',
        'Add it, or use --as sidecar.',
      ),
    );
  }
  return found;
}

/** Less may be enough for one secret on a node that has the program in its page cache, but not after an update of podsecrets. */
function smallMemory(limit: Quantity, isUsed: boolean): readonly Problem[] {
  if (!isUsed || limit.amount >= MEMORY_FLOOR) return [];
  const { message, remedy } = smallLimit(limit.text);
  return [usageProblem('--memory-limit', message, remedy)];
}
