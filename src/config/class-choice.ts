/**
 * `FILE#NAME` in `--config`: the SecretProviderClass of that name, in a file with several.
 */

/** A file and the name of the class to read; without a name the file has one class for AWS. */
export interface ClassChoice {
  readonly path: string;
  readonly className: string | undefined;
}

/** The name of a Kubernetes object after the last `#`. Any other text after it belongs to the path. */
const CHOICE = /^(.+)#([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?)$/;

/** Splits the text of `--config`, without `=DIR`. */
export function classChoice(file: string): ClassChoice {
  const [, path = file, className] = CHOICE.exec(file) ?? [];
  return { path, className };
}
