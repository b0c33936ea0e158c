/**
 * The settings of `inject` in the words of pod specs, and the flags that it passes on.
 *
 * Whatever `init` and `sidecar` understand may be said to inject, and becomes an argument of the container, as it was
 * written. What the pod spec itself says (the config, the directory, the user) is not passed on but put there.
 */

import { flagOf, type OptionName, optionEntries, options } from '../cli/options.ts';
import type { Context } from '../commands/context.ts';
import type { InjectOptions } from './options.ts';

/** What was chosen. */
export function readInjectOptions(context: Context): InjectOptions {
  const { settings } = context;
  return {
    as: settings.as,
    image: settings.image,
    containers: settings.containers ?? [],
    dir: settings.dir,
    dirIsChosen: context.origins.dir !== 'default',
    flags: new Set(
      optionEntries()
        .filter(([name]) => context.origins[name] === 'flag')
        .map(([name]) => flagOf(name)),
    ),
    // The application does not run yet when the init container of a pair does: its sidecar tells.
    initArguments: passedOn(context, 'init').filter(
      (argument) => settings.as === 'init' || !argument.startsWith('--notify-'),
    ),
    sidecarArguments: passedOn(context, 'sidecar'),
    listen: settings.listen,
    mode: settings.mode,
    startTimeout: settings.startTimeout,
    owner: settings.owner,
    auth: settings.auth,
    signals: settings.notifySignal !== undefined,
    syncSecrets: settings.syncSecrets,
    secretOwner: settings.secretOwner,
    namespace: settings.namespace,
  };
}

function passedOn({ origins, raw: written }: Context, command: 'init' | 'sidecar'): readonly string[] {
  return containerOptions(command)
    .filter((name) => origins[name] !== 'default')
    .flatMap((name) => written[name].map((text) => argumentOf(name, text)));
}

/** The options that a container of ours takes as arguments, in the order of the table. */
export function containerOptions(command: 'init' | 'sidecar'): readonly OptionName[] {
  return optionEntries()
    .filter(
      ([name, { commands }]) =>
        commands.includes(command) && commands.includes('inject') && !IN_SPEC.has(name),
    )
    .map(([name]) => name);
}

const IN_SPEC: ReadonlySet<OptionName> = new Set(['config', 'dir', 'owner']);

function argumentOf(name: OptionName, text: string): string {
  return options[name].kind === 'flag' && text === 'true' ? flagOf(name) : `${flagOf(name)}=${text}`;
}
