/**
 * Builds a Kubernetes API server, its etcd and kubectl from the Go module proxy.
 *
 * Needs Go and nothing else: no registry of images, no download site. Kubernetes' own go.mod names its staging modules as
 * folders of its repository; here they are the published modules of the same release (v0.X.Y for v1.X.Y). About three
 * minutes on two cores, once: the binaries stay in a cache folder.
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

export interface Binaries {
  readonly apiserver: string;
  readonly etcd: string;
  readonly kubectl: string;
}

/** The binaries, built if they are not there yet. Throws when Go is missing or the proxy does not answer. */
export function buildCluster(): Binaries {
  const directory = join(tmpdir(), `podsecrets-cluster-${RELEASE}`);
  const binaries = {
    apiserver: join(directory, 'bin', 'kube-apiserver'),
    etcd: join(directory, 'bin', 'etcd'),
    kubectl: join(directory, 'bin', 'kubectl'),
  };
  mkdirSync(join(directory, 'bin'), { recursive: true });
  const missing = Object.values(binaries).some((file) => !existsSync(file));
  if (missing) {
    process.stderr.write(`building Kubernetes ${RELEASE} into ${directory}\n`);
    writeModule(directory);
    build(directory, 'go.etcd.io/etcd/server/v3', binaries.etcd);
    build(directory, 'k8s.io/kubernetes/cmd/kubectl', binaries.kubectl);
    build(directory, 'k8s.io/kubernetes/cmd/kube-apiserver', binaries.apiserver);
  }
  return binaries;
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

function build(directory: string, pack: string, target: string): void {
  go(directory, [
    'build',
    '-mod=mod',
    `-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=v${RELEASE}`,
    '-o',
    `${target}.new`,
    pack,
  ]);
  renameSync(`${target}.new`, target);
}

function go(directory: string, words: readonly string[]): string {
  const env = { ...process.env, CGO_ENABLED: '0' };
  return execFileSync('go', words, {
    cwd: directory,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
