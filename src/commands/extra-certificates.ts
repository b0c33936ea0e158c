/**
 * Checks the file of NODE_EXTRA_CA_CERTS. Node adds no CA if it cannot read the file, and TLS then fails with an error that does
 * not name it.
 */

import type { CommandName } from '../cli/option-kinds.ts';
import type { Environment } from '../core/environment.ts';
import type { Problem } from '../core/problem.ts';
import { caFileProblem, readCaFile } from '../http/ca-file.ts';

/** The commands that connect to AWS. */
const CONNECTING: ReadonlySet<CommandName> = new Set(['init', 'sidecar', 'exec', 'doctor']);

/** A warning if the variable names a file without certificates; empty if it is not set, or has no effect on the command. */
export function extraCertificatesWarnings(
  command: CommandName,
  { NODE_EXTRA_CA_CERTS: file }: Environment,
): readonly Problem[] {
  if (!file || !CONNECTING.has(command)) return [];
  const content = readCaFile(file);
  if ('pem' in content) return [];
  return [caFileProblem('NODE_EXTRA_CA_CERTS', file, content.found)];
}
