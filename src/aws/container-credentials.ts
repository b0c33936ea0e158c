/**
 * Credentials over HTTP, as the EKS Pod Identity agent and the ECS agent give them: one GET, with a token.
 *
 * Not by the SDK's own provider for it: of an agent's refusal that one keeps the status alone, and throws away the sentence
 * which says whether the association, the role or the token is wrong. The requests go through the same transport as all
 * others, but without its proxy and its private authorities: an agent is on this machine.
 */

import type { Clock } from '../core/clock.ts';
import type { AgentFailure } from './agent-error.ts';
import { type AwsCredentials, areUsable } from './credential-cache.ts';
import { openTransport, wasConnecting } from './transport.ts';

/** Asks one address; `authorization` is the header that proves who asks. */
export type AskContainer = (
  address: string,
  authorization: string | undefined,
) => Promise<AwsCredentials | AgentFailure>;

/** Milliseconds to connect to what is on the same machine. */
const CONNECT = 1000;

/** Characters of a refusal that are looked at. */
const REFUSAL = 4000;

/** `timeout`: milliseconds for one answer. */
export function containerClient(timeout: number, clock: Clock): AskContainer {
  const transport = openTransport({
    environment: { caBundle: undefined, httpsProxy: undefined, noProxy: undefined },
    awsTimeout: timeout,
    connectTimeout: CONNECT,
    clock,
  });
  return async (address, authorization) => {
    const url = new URL(address);
    const request = {
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: {
        accept: 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
      },
    };
    try {
      const { response } = await transport.handle(request);
      const text = new TextDecoder().decode(response.body);
      if (response.statusCode === 200) return credentialsIn(text) ?? { kind: 'answer' };
      return { kind: 'refused', status: response.statusCode, body: text.slice(0, REFUSAL) };
    } catch (error) {
      return failureOf(error, timeout);
    }
  };
}

function failureOf(error: unknown, timeout: number): AgentFailure {
  const { name, code } = error as NodeJS.ErrnoException;
  if (wasConnecting(error)) return { kind: 'unreachable', code: 'ETIMEDOUT' };
  if (name === 'TimeoutError') return { kind: 'timeout', ms: timeout };
  if (code === undefined) throw error;
  // What is no HTTP, or has no end, is an answer all the same.
  return code.startsWith('HPE_') || code === 'ERR_ANSWER_TOO_LARGE'
    ? { kind: 'answer' }
    : { kind: 'unreachable', code };
}

/** The credentials that an answer holds, undefined when it does not, whatever else it is. */
function credentialsIn(text: string): AwsCredentials | undefined {
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = fieldsOf(text);
  const fields = [AccessKeyId, SecretAccessKey, Token, Expiration];
  if (!fields.every((field) => typeof field === 'string' && field !== '')) return undefined;
  const credentials = {
    accessKeyId: String(AccessKeyId),
    secretAccessKey: String(SecretAccessKey),
    sessionToken: String(Token),
    expiration: new Date(String(Expiration)),
  };
  return areUsable(credentials) ? credentials : undefined;
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // The parser's error would quote the keys.
    return {};
  }
}
