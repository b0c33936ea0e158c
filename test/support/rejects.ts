/** Like uvu's `assert.throws`, but for promises; returns the error. */

/** The error that the promise rejects with; fails when it resolves. */
export async function rejects(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection, got a value');
}
