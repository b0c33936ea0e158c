/**
 * `--help`, laid out by yargs from the option table. Loaded only for help.
 */

import yargs from 'yargs';
import { version } from '../core/version.ts';
import type { CommandName } from './option-kinds.ts';
import { flagOf, optionEntries, optionFor } from './options.ts';
import { commands } from './parse.ts';

const footer = `podsecrets ${version}, https://github.com/podsecrets/podsecrets`;

/** At most 78 characters each. */
const examples: Readonly<Record<CommandName | 'program', readonly string[]>> = {
  program: [
    'podsecrets check secret-provider-class.yaml',
    'podsecrets inject -f deployment.yaml --config secret-provider-class.yaml',
    'podsecrets doctor secret-provider-class.yaml',
    'kubectl exec POD -c podsecrets -- podsecrets status',
  ],
  init: ['podsecrets init --config app.yaml=/mnt/podsecrets/files'],
  sidecar: [
    'podsecrets sidecar --config app.yaml --interval 5m',
    'podsecrets sidecar --notify-signal HUP --notify-process nginx',
  ],
  exec: [
    'podsecrets exec --config app.yaml -- /app/server --port 8080',
    'podsecrets exec --set TOKEN=/shop/token -- /app/server',
  ],
  check: [
    'podsecrets check app.yaml',
    'podsecrets check manifests/ --strict',
    'helm template . | podsecrets check -',
  ],
  doctor: ['podsecrets doctor app.yaml', 'podsecrets doctor --policy app.yaml'],
  inject: [
    'podsecrets inject -f deployment.yaml --config class.yaml | kubectl apply -f -',
    'podsecrets inject -f deployment.yaml --diff',
  ],
  status: ['kubectl exec POD -c podsecrets -- podsecrets status'],
  install: ['podsecrets install /install'],
};

/** What the flags alone do not show. */
const notes: Partial<Record<CommandName, string>> = {
  inject: 'The flags that init, sidecar and exec also have are written into the pod spec.\n\n',
};

/** The usage after the name of a command; commands that are not listed take only flags. */
const usages: Partial<Record<CommandName, string>> = {
  check: '[FILE...] [flags]',
  doctor: '[FILE...] [flags]',
  exec: '[flags] -- CMD [ARG...]',
  install: '[DIR] [flags]',
};

/** The help of a command, or of the program, `width` columns wide. */
export async function helpText(name: CommandName | undefined, width: number): Promise<string> {
  const page = yargs([])
    .scriptName('podsecrets')
    .help(false)
    .version(false)
    .wrap(Math.min(width, 110))
    .exitProcess(false);
  if (name === undefined) {
    page.usage(
      'podsecrets: AWS secrets as files in your pod, without a DaemonSet\n\nUsage: podsecrets COMMAND [flags]',
    );
    for (const [command, does] of Object.entries(commands)) page.command(command, does);
    page.command('help [COMMAND]', 'show the flags of a command, and examples');
    page.command('version', 'print the version');
    const precedence = 'Each flag has an environment variable too. Precedence: flag, variable, default.';
    page.epilogue(`${exampleText('program')}\n\n${precedence}\n${footer}`);
    return await page.getHelp();
  }
  const usage = usages[name] ?? '[flags]';
  page.usage(`podsecrets ${name}: ${commands[name]}\n\nUsage: podsecrets ${name} ${usage}`);
  page.epilogue(`${notes[name] ?? ''}${exampleText(name)}\n\n${footer}`);
  for (const [option] of optionEntries()) {
    const row = optionFor(option, name);
    if (!row.commands.includes(name)) continue;
    // Yargs alone would show only the type.
    const form = row.placeholder === undefined ? '' : `${row.placeholder}: `;
    const repeatable = row.repeatable ? '; repeatable' : '';
    const choices = row.choices === undefined ? '' : ` (${row.choices.join(', ')})`;
    const byDefault = row.default === undefined || row.kind === 'flag' ? '' : `, default ${row.default}`;
    page.option(flagOf(option).slice(2), {
      ...(row.alias === undefined ? {} : { alias: row.alias }),
      describe: `${form}${row.description}${repeatable}${choices} [${row.env}${byDefault}]`,
      group: `${row.group}:`,
    });
  }
  return await page.getHelp();
}

function exampleText(name: CommandName | 'program'): string {
  return `Examples:\n${examples[name].map((line) => `  ${line}`).join('\n')}`;
}
