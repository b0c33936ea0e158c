/**
 * The directory /podsecrets, from which `podsecrets exec` starts in the images of applications.
 */

import { Problem } from '../core/problem.ts';
import { PROGRAM } from '../core/program-path.ts';
import type { FileKind } from '../exec/program.ts';
import type { Check } from './report.ts';

/** Checks whether the program can be started; no check if the directory is missing. `kind`: that of the program. */
export function programCheck(kind: FileKind): readonly Check[] {
  if (kind === 'missing') return [];
  if (kind === 'program')
    return [{ subject: 'program', status: 'ok', text: `${PROGRAM} can be started by exec`, problems: [] }];
  const cause =
    kind === 'forbidden'
      ? ': its volume is mounted noexec, or a security module forbids it'
      : ': its mode does not allow this user to execute it';
  const problem = new Problem({
    code: 'exec.start',
    subject: PROGRAM,
    message: `podsecrets exec cannot be started (EACCES)${cause}`,
    remedy:
      'Copy the directory into the image of the application: COPY --from=podsecrets /podsecrets /podsecrets.',
  });
  return [{ subject: 'program', status: 'warning', text: 'cannot be started', problems: [problem] }];
}
