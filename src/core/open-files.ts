/**
 * The limit of open files: the error codes of the system, and the remedy.
 *
 * Any file, connection and process needs a descriptor, so the operation that fails is rarely the cause.
 */

/** Whether the code means that the limit of the process (EMFILE) or of the machine (ENFILE) is reached. */
export function isOpenFilesCode(code: string | undefined): boolean {
  return code === 'EMFILE' || code === 'ENFILE';
}

export const OPEN_FILES_REMEDY =
  'The limit of open files is reached: raise it (ulimit -n), or find out what keeps files or connections open in this container.';
