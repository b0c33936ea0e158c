/**
 * Builds Kubernetes' API server, its controllers, etcd and kubectl from the Go module proxy.
 *
 * Needs Go and nothing else: no registry of images, no download site. Kubernetes' own go.mod names its staging modules as
 * folders of its repository; here they are the published modules of the same release (v0.X.Y for v1.X.Y). Some minutes on
 * two cores, once: the binaries stay in a cache folder.
 */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RELEASE = '1.36.3';

/** What can be built, and from which package. */
const packages = {
  etcd: 'go.etcd.io/etcd/server/v3',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
} as const;

/** Where the program is, after it was built if it was not there yet. Throws when Go is missing or the proxy does not answer. */
export function built(program: keyof typeof packages): string {
  const directory = join(tmpdir(), `podsecrets-cluster-${RELEASE}`);
  const target = join(directory, 'bin', program);
  if (existsSync(target)) return target;
  process.stderr.write(`building ${program} ${RELEASE} into ${directory}\n`);
  mkdirSync(join(directory, 'bin'), { recursive: true });
  writeModule(directory);
  go(directory, [
    'build',
    '-mod=mod',
    `-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=v${RELEASE}`,
    '-o',
    `${target}.new`,
    packages[program],
  ]);
  renameSync(`${target}.new`, target);
  return target;
}

function writeModule(directory: string): void {
  const module = go(directory, ['mod', 'download', '-json', `k8s.io/kubernetes@v${RELEASE}`]);
  const { Dir: source } = JSON.parse(module) as { readonly Dir: string };
  const staging = `v0${RELEASE.slice(1)}`;
  const text = readFileSync(join(source, 'go.mod'), 'utf8')
    .replace(/^module .*$/m, 'module podsecrets.test/cluster')
    .replace(/=> \.\/staging\/src\/(\S+)/g, `=> $1 ${staging}`);
  writeFileSync(join(directory, 'go.mod'), `${text}\nrequire k8s.io/kubernetes v${RELEASE}\n`);
  copyFileSync(join(source, 'go.sum'), join(directory, 'go.sum'));
  chmodSync(join(directory, 'go.sum'), 0o644);
}

function go(directory: string, words: readonly string[]): string {
  const env = { ...process.env, CGO_ENABLED: '0' };
  try {
    return execFileSync('go', words, {
      cwd: directory,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    const message = 'expected Go, to build Kubernetes, got none; or give KUBECONFIG, and kubectl on the PATH';
    throw new Error(message, { cause });
  }
}
