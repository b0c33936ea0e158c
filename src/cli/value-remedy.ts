/** What to write instead of an option's value that has the wrong form, where the mistake is a usual one. */

import { escapedJson } from '../core/text.ts';
import type { Kind } from './option-kinds.ts';
import { durationText, MAX_DURATION, readDuration } from './values.ts';

const DAY = 24 * 3_600_000;

const remedies: Partial<Readonly<Record<Kind, (text: string) => string | undefined>>> = {
  duration: (text) => {
    const [, amount, days] = /^(\d+(?:\.\d+)?)(d?)$/.exec(text) ?? [];
    const written = days === 'd' ? durationText(Number(amount) * DAY) : `${amount}s`;
    if (readDuration(written) !== undefined)
      return days === 'd' ? `Write days as hours: ${written}.` : `Write the unit: ${written} for seconds.`;
    const hasForm = amount !== undefined || /^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text);
    return hasForm ? `Use at most ${durationText(MAX_DURATION)}.` : undefined;
  },
  mode: (text) => (/^(0o)?[0-7]{3}$/.test(text) ? `Write 0${text.slice(-3)}.` : undefined),
  owner: (text) =>
    /[A-Za-z]/.test(text)
      ? 'Write numbers: id -u NAME prints that of a user, id -g NAME that of its group.'
      : undefined,
  quantity: (text) => {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)([kmg])(?:i?b)?$/i.exec(text) ?? [];
    return unit === undefined ? undefined : `Write ${amount}${unit.toUpperCase()}i.`;
  },
  signal: (text) => (/^\d{1,2}$/.test(text) ? `Write its name, which kill -l ${text} prints.` : undefined),
  listen: (text) => (/^\d+$/.test(text) && Number(text) <= 65_535 ? `Write 0.0.0.0:${text}.` : undefined),
  command: (text) =>
    /^[^[\s"'\\$|&;<>]+(\s+[^\s"'\\$|&;<>]+)+$/.test(text)
      ? `Write '${escapedJson(text.split(/\s+/))}'.`
      : 'Write a list such as \'["nginx","-s","reload"]\'; a shell command needs a shell: \'["sh","-c","…"]\'.',
  url: (text) => (/^[\w.-]+:\d+(\/\S*)?$/.test(text) ? `Write http://${text}.` : undefined),
};

/** An instruction; the text is printed in it only if it has nothing but characters of usual values. */
export function valueRemedy(kind: Kind, text: string): string {
  return remedies[kind]?.(text) ?? 'Correct the value.';
}
