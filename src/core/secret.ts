/**
 * A value that may be written to a file and to nothing else.
 *
 * Every conversion of the object to text results in `[secret]`: the bytes are in a private field that neither `JSON.stringify`,
 * `util.inspect` (with `showHidden`), `structuredClone` nor spread can reach. The only access is `reveal()`, and the
 * architecture test lists the files that may call it. No method exposes the length or compares two values, so that a log line
 * cannot become an oracle.
 */

const HIDDEN = '[secret]';
const inspect = Symbol.for('nodejs.util.inspect.custom');

/** A secret value. Create it on the line that receives the value. */
export class Secret {
  readonly #bytes: Uint8Array;

  /** Takes ownership of the bytes: the caller must not keep or change them. Text is stored as UTF-8. */
  constructor(value: Uint8Array | string) {
    this.#bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  }

  /** The bytes themselves, not a copy. Only for the files that the architecture test names. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  /** Overwrites the bytes with zeros. Call it when the value is no longer needed. */
  wipe(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [Symbol.toPrimitive](): string {
    return HIDDEN;
  }

  [inspect](): string {
    return HIDDEN;
  }
}
