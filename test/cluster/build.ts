/**
 * Builds Kubernetes' programs, etcd and kubectl from the Go module proxy.
 *
 * Kubernetes' own go.mod names its staging modules as folders of its repository; here they are the published modules of the
 * same release (v0.X.Y for v1.X.Y). Some minutes on two cores, once: the programs stay in a cache folder.
 */

import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGoProgram, go } from './go.ts';

const RELEASE = '1.36.3';

/** What can be built, and from which package. */
const packages = {
  etcd: 'go.etcd.io/etcd/server/v3',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  kubelet: 'k8s.io/kubernetes/cmd/kubelet',
} as const;

/** The path of the program. Builds it if it is missing. Throws if Go is missing or the proxy does not respond. */
export function built(program: keyof typeof packages): string {
  return buildGoProgram({
    directory: kubernetesModule,
    name: program,
    from: packages[program],
    linkerFlags: `-X k8s.io/component-base/version.gitVersion=v${RELEASE}`,
    prepare: writeKubernetesModule,
  });
}

/** The folder of a Go module that requires Kubernetes. */
export const kubernetesModule = join(tmpdir(), `podsecrets-cluster-${RELEASE}`);

export function writeKubernetesModule(directory: string): void {
  if (existsSync(join(directory, 'go.mod'))) return;
  const module = go(directory, ['mod', 'download', '-json', `k8s.io/kubernetes@v${RELEASE}`]);
  const { Dir: source } = JSON.parse(module) as { readonly Dir: string };
  const staging = `v0${RELEASE.slice(1)}`;
  const text = readFileSync(join(source, 'go.mod'), 'utf8')
    .replace(/^module .*$/m, 'module podsecrets.test/cluster')
    .replace(/=> \.\/staging\/src\/(\S+)/g, `=> $1 ${staging}`);
  copyFileSync(join(source, 'go.sum'), join(directory, 'go.sum'));
  chmodSync(join(directory, 'go.sum'), 0o644);
  writeFileSync(join(directory, 'go.mod'), `${text}\nrequire k8s.io/kubernetes v${RELEASE}\n`);
}
