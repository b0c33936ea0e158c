/**
 * An error as an AWS service reports it: a code, an HTTP status and a sentence.
 *
 * The operations throw it; each service writes it in its own protocol. Anything else that is thrown is a bug of the
 * fake AWS and becomes an InternalServerError that names it, so that a test fails at once.
 */

export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** `message` may be empty: some AWS errors carry a code and nothing else. */
  constructor(code: string, message: string, status = 400, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
    this.headers = headers;
  }
}

/** Any thrown value as an AwsError. */
export function asAwsError(thrown: unknown): AwsError {
  if (thrown instanceof AwsError) return thrown;
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return new AwsError('InternalServerError', `a bug of the fake AWS: ${text}`, 500);
}
