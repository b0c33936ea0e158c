/**
 * The keys of ours that the AWS provider ignores: optional, expand, decode.
 *
 * They are read like all others, in any case and with or without quotes, but their values are taken at their word.
 */

import { quote } from '../core/text.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { TextField } from './fields.ts';
import type { ObjectFields } from './object-keys.ts';

/** The three keys; absent, they are false and undefined. */
export interface Extensions {
  readonly optional: boolean;
  readonly expand: boolean;
  readonly decode: 'base64' | undefined;
}

/** Reads the keys of one object; what is wrong with them goes to the findings. */
export function readExtensions(fields: ObjectFields, findings: Diagnostics): Extensions {
  return {
    optional: readFlag(fields, 'optional', findings),
    expand: readFlag(fields, 'expand', findings),
    decode: readDecode(fields, findings),
  };
}

function readFlag(fields: ObjectFields, name: 'optional' | 'expand', findings: Diagnostics): boolean {
  const flag = fields.scalar(name);
  if (flag === undefined || flag.text === 'false') return false;
  if (flag.text === 'true') return true;
  refuse(fields, name, 'true or false', flag, findings);
  return false;
}

function readDecode(fields: ObjectFields, findings: Diagnostics): 'base64' | undefined {
  const decode = fields.scalar('decode');
  if (decode === undefined || decode.text === 'base64') return decode && 'base64';
  refuse(fields, 'decode', '"base64"', decode, findings);
  return undefined;
}

function refuse(
  fields: ObjectFields,
  name: keyof Extensions,
  expected: string,
  found: TextField,
  findings: Diagnostics,
): void {
  findings.error({
    code: 'config.object',
    subject: `${fields.subject}.${name}`,
    line: found.line,
    message: `expected ${expected}, got ${quote(found.text)}`,
    remedy: `Write ${name}: ${expected}, or remove it.`,
  });
}
