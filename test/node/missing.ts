/** A part that a node needs and this machine cannot provide: nothing is tested then, which must not look like success. */

/** The message is a sentence that names the part and the reason. */
export class MissingPart extends Error {}

/** The result of `get`; if it throws, the part is missing. */
export async function part<T>(what: string, get: () => T | Promise<T>): Promise<T> {
  try {
    return await get();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MissingPart(`${what}: ${reason}`, { cause });
  }
}

/** The exit code of a run that has tested nothing. */
export const MISSING = 3;
