/**
 * The environment as a value: who reads a variable is given all of them, and never asks the process.
 */

/** Names to values, as the process got them. An empty value counts as absent nearly everywhere. */
export type Environment = Readonly<Record<string, string | undefined>>;
