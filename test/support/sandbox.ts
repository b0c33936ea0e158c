/**
 * A place for one run of the program: a directory on a real tmpfs, a config, tokens, and the variables that EKS would inject,
 * pointing at the fake AWS.
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

export interface Sandbox {
  /** The root; everything of the run is below it. */
  readonly root: string;
  /** Where the program publishes. */
  readonly dir: string;
  readonly config: string;
  /** Writes a file below the root; returns its path. */
  write(name: string, text: string): string;
  /** Writes a SecretProviderClass with these parameters; `objects` may be a list. */
  writeConfig(
    parameters: Readonly<Record<string, unknown>>,
    spec?: Readonly<Record<string, unknown>>,
  ): string;
  /** The content of one published file; undefined without it. Unlike `files`, it may be called during a publish. */
  text(path: string): string | undefined;
  /** The published files: path to content. */
  files(): Readonly<Record<string, string>>;
  /** The published files: path to four octal digits. */
  modes(): Readonly<Record<string, string>>;
  remove(): void;
}

/** Linux mounts a tmpfs here, in containers too. */
const TMPFS = '/dev/shm';

export function makeSandbox(): Sandbox {
  const root = mkdtempSync(join(TMPFS, 'podsecrets-test-'));
  const dir = join(root, 'secrets');
  const config = join(root, 'config.yaml');
  mkdirSync(dir);

  function write(name: string, text: string): string {
    const path = join(root, name);
    writeFileSync(path, text);
    return path;
  }

  return {
    root,
    dir,
    config,
    write,
    writeConfig(parameters, spec = {}) {
      const { objects, ...others } = parameters;
      const text = typeof objects === 'string' || objects === undefined ? objects : stringify(objects);
      const document = {
        apiVersion: 'secrets-store.csi.x-k8s.io/v1',
        kind: 'SecretProviderClass',
        metadata: { name: 'app' },
        spec: {
          provider: 'aws',
          parameters: { ...others, ...(text === undefined ? {} : { objects: text }) },
          ...spec,
        },
      };
      return write('config.yaml', stringify(document));
    },
    text(path) {
      try {
        return readFileSync(join(dir, path), 'utf8');
      } catch {
        return undefined;
      }
    },
    files: () =>
      Object.fromEntries(published(dir).map((path) => [path, readFileSync(join(dir, path), 'utf8')])),
    modes: () =>
      Object.fromEntries(
        published(dir).map((path) => [
          path,
          (statSync(join(dir, path)).mode & 0o7777).toString(8).padStart(4, '0'),
        ]),
      ),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Every file that an application can see below the directory. */
function published(dir: string, below = ''): readonly string[] {
  return readdirSync(join(dir, below))
    .filter((name) => !name.startsWith('..'))
    .sort()
    .flatMap((name) => {
      const path = below === '' ? name : `${below}/${name}`;
      return statSync(join(dir, path)).isDirectory() ? published(dir, path) : [path];
    });
}

export interface FakeAwsAddress {
  readonly url: string;
  readonly agentUrl: string;
}

/** What EKS injects for Pod Identity, with this token; and the fake AWS in the place of AWS. */
export function podIdentityEnv(sandbox: Sandbox, aws: FakeAwsAddress, token: string): Record<string, string> {
  return {
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL: aws.url,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.agentUrl,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: sandbox.write('pod-identity-token', token),
  };
}

/** What EKS injects for IRSA, with this role and token; and the fake AWS in the place of AWS. */
export function irsaEnv(
  sandbox: Sandbox,
  aws: FakeAwsAddress,
  role: string,
  token: string,
): Record<string, string> {
  return {
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL: aws.url,
    AWS_ROLE_ARN: role,
    AWS_WEB_IDENTITY_TOKEN_FILE: sandbox.write('web-identity-token', token),
  };
}
