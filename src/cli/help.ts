/**
 * `--help`, laid out by yargs from the option table. Loaded only when somebody asks for it.
 */

import yargs from 'yargs';
import { type CommandName, flagOf, optionEntries, optionFor } from './options.ts';
import { commands } from './parse.ts';

/** The help page of a command, or of the program, `width` columns wide. */
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
    page.epilogue(
      'podsecrets COMMAND --help lists the flags of a command. Each can be set by the variable named beside it.\npodsecrets --version prints the version.',
    );
    return await page.getHelp();
  }
  page.usage(`podsecrets ${name}: ${commands[name]}\n\nUsage: podsecrets ${name} [flags]`);
  for (const [option] of optionEntries()) {
    const row = optionFor(option, name);
    if (!row.commands.includes(name)) continue;
    // Yargs would have only a type here.
    const form = row.placeholder === undefined ? '' : `${row.placeholder}: `;
    const choices = row.choices === undefined ? '' : ` (${row.choices.join(', ')})`;
    const byDefault = row.default === undefined || row.kind === 'flag' ? '' : `, default ${row.default}`;
    page.option(flagOf(option).slice(2), {
      ...(row.alias === undefined ? {} : { alias: row.alias }),
      describe: `${form}${row.description}${choices} [${row.env}${byDefault}]`,
      group: `${row.group}:`,
    });
  }
  return await page.getHelp();
}
