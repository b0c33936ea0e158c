/**
 * `--exec`: containers start their command by `podsecrets exec`, with the program from an image volume.
 *
 * An image volume is the root of the image (Kubernetes 1.33+ for the subPath), and the program works at /podsecrets only. The
 * entrypoint of an image is not in a pod spec, so a container needs a `command`.
 */

import { flagOf } from '../cli/options.ts';
import type { Problem } from '../core/problem.ts';
import { PROGRAM, PROGRAM_DIRECTORY } from '../core/program-path.ts';
import { quote } from '../core/text.ts';
import { asObjects } from '../core/unknown.ts';
import { type KubeObject, manifestProblem } from './manifest.ts';
import { containerOptions, type InjectOptions } from './options.ts';
import { appContainers, isNamed } from './own-names.ts';
import { hasVariables } from './variables.ts';
import { isConfigPath, type PlannedBinding, type VolumeBinding } from './volumes.ts';
import type { Workload } from './workload.ts';

const VOLUME = 'podsecrets-program';

/** The container with the program before its command; unchanged without `--exec`. */
export function withExec(
  container: KubeObject,
  bindings: readonly VolumeBinding[],
  options: InjectOptions,
): KubeObject {
  if (!options.exec || !isNamed(container, options.containers)) return container;
  const own = mountsOf(bindings);
  const others = asObjects(container.volumeMounts).filter(({ name }) =>
    own.every((one) => one.name !== name),
  );
  const configs = bindings.map(({ configDir }) => `--config=${configDir}/config.yaml`);
  const command = [PROGRAM, 'exec', ...configs, ...options.execArguments, '--', ...commandOf(container)];
  const changed: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(container)) changed[key] = key === 'command' ? command : value;
  return { ...changed, volumeMounts: [...others, ...own] };
}

/** The volumes that it needs. */
export function programVolumes({ exec, image }: InjectOptions): readonly KubeObject[] {
  return exec ? [{ name: VOLUME, image: { reference: image, pullPolicy: 'IfNotPresent' } }] : [];
}

/** The problems. */
export function execProblems(
  { subject }: Workload,
  pod: KubeObject,
  bindings: readonly PlannedBinding[],
  options: InjectOptions,
): readonly Problem[] {
  if (!options.exec) return [];
  const files = options.as === 'none' ? bindings.filter(({ userDefined }) => userDefined) : [];
  const containers = appContainers(pod).filter((container) => isNamed(container, options.containers));
  const unset = bindings
    .filter(({ plan }) => !hasVariables(plan))
    .map(({ plan }) =>
      manifestProblem(
        plan.file,
        'expected env in an object for --exec, got none',
        'Write env: NAME, or remove --exec.',
      ),
    );
  return [
    ...unset,
    ...files.map(({ volume }) =>
      manifestProblem(
        `${subject} volume ${volume}`,
        'containers mount files of this volume, and with --as none no container publishes them',
        'Remove the volume and its mounts, or leave --as out.',
      ),
    ),
    ...containers.flatMap((container) => {
      const place = `${subject} container ${String(container.name)}`;
      const taken = asObjects(container.volumeMounts).find(({ name, mountPath }) =>
        mountsOf(bindings).some((own) => own.mountPath === mountPath && own.name !== name),
      );
      const foreign = foreignWord(container);
      return [
        ...(foreign === undefined
          ? []
          : [
              manifestProblem(
                place,
                `expected the command of the application for --exec, got one that starts podsecrets itself, with ${quote(String(foreign))}`,
                'Remove podsecrets exec from the command; --containers leaves a container as it is.',
              ),
            ]),
        ...(commandOf(container).length === 0
          ? [
              manifestProblem(
                place,
                "expected command for --exec, got none: the image's entrypoint is not in the manifest",
                'Write command: with the entrypoint of the image, and args: with its arguments; --containers chooses the containers.',
              ),
            ]
          : []),
        ...(taken === undefined
          ? []
          : [
              manifestProblem(
                place,
                `${String(taken.mountPath)} is the mount path of ${String(taken.name)}, and --exec needs it`,
                'Mount that volume at another path.',
              ),
            ]),
      ];
    }),
  ];
}

function mountsOf(bindings: readonly VolumeBinding[]): readonly KubeObject[] {
  return [
    { name: VOLUME, mountPath: PROGRAM_DIRECTORY, subPath: 'podsecrets', readOnly: true },
    ...bindings.map(({ configVolume, configDir }) => ({
      name: configVolume,
      mountPath: configDir,
      readOnly: true,
    })),
  ];
}

/** The command without what an earlier injection put before it. */
function commandOf({ command }: KubeObject): readonly unknown[] {
  if (!Array.isArray(command)) return [];
  return isExec(command) ? command.slice(command.indexOf('--') + 1) : command;
}

/** A word before the command that no injection writes, such as `--set`; undefined: none. */
function foreignWord({ command }: KubeObject): unknown {
  if (!Array.isArray(command) || !isExec(command)) return undefined;
  return command.slice(2, command.indexOf('--')).find((word) => !isInjectedWord(String(word)));
}

function isExec(command: readonly unknown[]): boolean {
  return command[0] === PROGRAM && command[1] === 'exec' && command.includes('--');
}

function isInjectedWord(word: string): boolean {
  const [flag = '', value = ''] = word.split('=');
  const isConfig = flag === flagOf('config') && isConfigPath(value);
  return isConfig || containerOptions('exec').some((name) => flagOf(name) === flag);
}
