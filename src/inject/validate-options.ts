/**
 * Choices that cannot be had together, and choices that nothing comes of, whatever the pods are.
 */

import { Problem } from '../core/problem.ts';
import type { Assignment } from './assign.ts';
import { probedPort } from './containers.ts';
import type { InjectOptions } from './options.ts';
import type { PlannedBinding } from './volumes.ts';

/** Everything that the choices rule out among themselves. */
export function validateOptions(choices: InjectOptions): readonly Problem[] {
  return [...onlySidecar(choices), unprobed(choices), ownerOfNothing(choices), tellingNobody(choices)].filter(
    (problem) => problem !== undefined,
  );
}

function onlySidecar({ as, flags, signals }: InjectOptions): readonly Problem[] {
  if (as !== 'init') return [];
  const remedy = 'Use --as sidecar, or leave it out.';
  const idle = ['--interval', '--listen']
    .filter((flag) => flags.has(flag))
    .map((flag) => usage(flag, 'expected a sidecar, got --as init: an init container runs once', remedy));
  const message =
    'expected a sidecar, got --as init: the application does not run yet when an init container does';
  return signals ? [...idle, usage('--notify-signal', message, remedy)] : idle;
}

/** The kubelet is the one who asks `/readyz`, from outside the pod. */
function unprobed({ as, listen }: InjectOptions): Problem | undefined {
  if (as !== 'sidecar' || probedPort(listen) !== undefined) return undefined;
  const got = listen === 'off' ? 'off' : `${listen.host}:${listen.port}`;
  return usage(
    '--listen',
    `expected an address that the kubelet's startupProbe reaches, got ${got}`,
    'Listen on 0.0.0.0:PORT, or use --as init+sidecar, which needs no probe to start.',
  );
}

function ownerOfNothing({ flags, syncSecrets }: InjectOptions): Problem | undefined {
  if (!flags.has('--secret-owner') || syncSecrets) return undefined;
  return usage(
    '--secret-owner',
    'expected --sync-secrets beside it, got none: no Secret is made',
    'Add --sync-secrets, or leave it out.',
  );
}

function tellingNobody({ flags }: InjectOptions): Problem | undefined {
  const flag = ['--notify-on-start', '--notify-splay'].find((name) => flags.has(name));
  const ways = ['--notify-signal', '--notify-exec', '--notify-url', '--notify-touch'];
  if (flag === undefined || ways.some((way) => flags.has(way))) return undefined;
  return usage(
    flag,
    `expected a way to tell beside it (${ways.join(', ')}), got none`,
    'Add one, or leave it out.',
  );
}

/** What was asked for, and is given to no pod of these: it works, and surprises. */
export function ineffectiveOptions(
  assignments: readonly Assignment<PlannedBinding>[],
  { as, dir, flags, syncSecrets, initArguments }: InjectOptions,
): readonly Problem[] {
  const bindings = assignments.flatMap((assignment) => assignment.bindings);
  const found: Problem[] = [];
  if (flags.has('--dir') && bindings.length > 0 && !bindings.some((binding) => binding.dir === dir)) {
    found.push(
      usage(
        '--dir',
        'expected a config that needs a directory, got none: volumes keep their mount paths, and FILE=DIR names its own',
        'Leave it out.',
      ),
    );
  }
  if (syncSecrets && bindings.length > 0 && bindings.every(({ plan }) => plan.secretObjects.length === 0)) {
    found.push(
      usage(
        '--sync-secrets',
        'expected secretObjects in a config, got none: no Secret is made',
        'Leave it out.',
      ),
    );
  }
  const tells = initArguments.some((argument) => argument.startsWith('--notify-'));
  if (as === 'init' && tells && !initArguments.includes('--notify-on-start')) {
    found.push(
      usage(
        '--notify-on-start',
        'expected it beside --as init, got none: a first publish is told only with it',
        'Add it, or use --as sidecar.',
      ),
    );
  }
  return found;
}

function usage(subject: string, message: string, remedy: string): Problem {
  return new Problem({ code: 'usage.value', subject, message, remedy });
}
