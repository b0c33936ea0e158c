/**
 * A secret source with its own fake AWS, log and metrics.
 *
 *   const world = await openWorld({ seed, fetch: 'batch', awsTimeout: 200 });
 *   await world.read(secret('db'));                     // 'found v', or the problem as one line
 *   await world.close();
 *
 * It authenticates by Pod Identity as the identity `app`, which is allowed everything unless the seed denies it.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuthMethod } from '../../src/aws/auth-method.ts';
import { readAwsEnvironment } from '../../src/aws/environment.ts';
import type { SecretSource } from '../../src/aws/fetcher.ts';
import { openSecretSource } from '../../src/aws/secret-source.ts';
import { createTransport } from '../../src/aws/transport.ts';
import type { FetchMode } from '../../src/cli/options.ts';
import {
  type FetchResult,
  type FetchResults,
  type SecretRef,
  secretRef,
} from '../../src/config/secret-ref.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Environment } from '../../src/core/environment.ts';
import type { Log, LogFields } from '../../src/core/log.ts';
import { events } from '../../src/core/log-events.ts';
import { type Problem, problemLine } from '../../src/core/problem.ts';
import type { Identity } from '../fake-aws/identities.ts';
import type { Seed } from '../fake-aws/seed.ts';
import { type FakeAws, startFakeAws } from '../fake-aws/server.ts';

export const REGION = 'eu-west-1';
export const POD_TOKEN = 'pod.token.canary';
const WEB_TOKEN = 'web.token.canary';
export const ROLE = 'arn:aws:iam::111122223333:role/app';

export const secret = (id: string, more: Partial<SecretRef> = {}): SecretRef =>
  secretRef({ service: 'secretsmanager', region: REGION, id, ...more });
export const parameter = (id: string, more: Partial<SecretRef> = {}): SecretRef =>
  secretRef({ service: 'ssmparameter', region: REGION, id, ...more });

export interface World {
  readonly aws: FakeAws;
  readonly source: SecretSource;
  /** Log lines: `event field=value …`. */
  readonly logged: string[];
  /** Counted calls: `service Operation region result`. */
  readonly counted: string[];
  readonly tokenFile: string;
  /** The outcomes of these reads, as texts, in order. */
  read(...reads: SecretRef[]): Promise<string[]>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly seed?: Pick<Seed, 'regions' | 'faults'>;
  readonly identity?: Identity;
  readonly fetch?: FetchMode;
  readonly awsTimeout?: number;
  readonly clock?: Clock;
  readonly auth?: 'pod-identity' | 'irsa';
  readonly env?: Environment;
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const {
    seed = {},
    identity = {},
    fetch = 'auto',
    awsTimeout = 20_000,
    clock = realClock,
    env = {},
  } = options;
  const app = { role: ROLE, podIdentityTokens: [POD_TOKEN], webIdentityTokens: [WEB_TOKEN], ...identity };
  const aws = await startFakeAws({ seed: { ...seed, identities: { app } } });
  const directory = mkdtempSync(join(tmpdir(), 'podsecrets-aws-'));
  const tokenFile = join(directory, 'token');
  const environment = readAwsEnvironment({ AWS_ENDPOINT_URL: aws.url, ...env });
  const logged: string[] = [];
  const counted: string[] = [];
  const authentication: AuthMethod =
    options.auth === 'irsa'
      ? { kind: 'irsa', roleArn: ROLE, tokenFile, sessionName: 'podsecrets-test' }
      : { kind: 'pod-identity', addresses: [aws.agentUrl], tokenFile, injected: true };
  writeFileSync(tokenFile, `${options.auth === 'irsa' ? WEB_TOKEN : POD_TOKEN}\n`);
  const source = openSecretSource({
    authentication,
    environment,
    transport: createTransport({ environment, awsTimeout, clock }),
    fetch,
    awsTimeout,
    clock,
    log: recordingLog(logged),
    meter: { apiCall: (...words) => counted.push(words.join(' ')) },
  });
  return {
    aws,
    source,
    logged,
    counted,
    tokenFile,
    async read(...reads) {
      const outcomes = await source.read(reads, new AbortController().signal);
      return reads.map((read) => outcomeText(outcomes.get(read.key)));
    },
    async close() {
      rmSync(directory, { recursive: true });
      await aws.close();
    },
  };
}

/** `found <value> <version>`, or the problem as one line. */
export function outcomeText(outcome: FetchResult | undefined): string {
  if (outcome === undefined) return 'no outcome';
  if (outcome.kind === 'failed') return problemLine(outcome.problem);
  return `found ${new TextDecoder().decode(outcome.value.reveal())} ${outcome.version}`;
}

/** The problems among the outcomes. */
export function problemsIn(outcomes: FetchResults): Problem[] {
  return [...outcomes.values()].flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.problem] : []));
}

export function recordingLog(lines: string[]): Log {
  const fieldsText = (fields: LogFields = {}): string =>
    Object.entries(fields)
      .map(([name, value]) => ` ${name}=${value}`)
      .join('');
  return {
    write: (event, message, fields) =>
      lines.push(`${events[event].level} ${event}${fieldsText(fields)}: ${message}`),
    problem: (event, problem, fields) =>
      lines.push(`${events[event].level} ${event}${fieldsText(fields)}: ${problemLine(problem)}`),
  };
}

/** Time as it passes. */
export const realClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};
