/**
 * Checks the file of NODE_EXTRA_CA_CERTS. Node ignores one that it cannot read, and TLS then fails with an error that does not
 * name it.
 */

import type { CommandName } from '../cli/option-kinds.ts';
import type { Environment } from '../core/environment.ts';
import { Problem } from '../core/problem.ts';
import { readRegularFile } from '../core/regular-file.ts';
import { escapeControl } from '../core/text.ts';

/** The commands that connect to AWS. */
const CONNECTING: ReadonlySet<CommandName> = new Set(['init', 'sidecar', 'exec', 'doctor']);

/** Bytes. The certificates that Node itself contains have 200 KiB. */
const MAX_SIZE = 4 * 1024 * 1024;

/** A warning if the variable names a file without certificates; empty if it is not set, or has no effect on the command. */
export function extraCertificatesWarnings(
  command: CommandName,
  { NODE_EXTRA_CA_CERTS: file }: Environment,
): readonly Problem[] {
  if (!file || !CONNECTING.has(command)) return [];
  const content = readRegularFile(file, MAX_SIZE);
  const isRead = content.kind === 'read';
  const hasCertificates = isRead && Buffer.from(content.bytes).includes('-----BEGIN CERTIFICATE-----');
  if (hasCertificates) return [];
  const found = isRead ? 'a file without one' : (content.found ?? content.code);
  return [
    new Problem({
      code: 'usage.environment',
      subject: 'NODE_EXTRA_CA_CERTS',
      message: `expected a PEM file with certificates, got ${found} for ${escapeControl(file)}: no CA is added`,
      remedy: 'Mount the file into this container, or remove the variable.',
    }),
  ];
}
