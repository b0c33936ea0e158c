/**
 * Takes the published Kubernetes schemas from the PyPI package kubernetes-validate into test/fixtures/kubernetes-schemas.
 *
 * The package contains the schemas of every release, which reject unknown fields. This file keeps the kinds that podsecrets prints or
 * read, and what they refer to, without descriptions. Run by hand, when a Kubernetes release is added (needs pip):
 *
 *   node test/kubernetes/fetch-schemas.ts
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const PACKAGE = 'kubernetes-validate==1.37.0';
const RELEASES = ['1.29', '1.34', '1.36'];
const KINDS = [
  'ConfigMap CronJob DaemonSet Deployment Job Pod PodTemplate ReplicaSet ReplicationController Role RoleBinding Secret',
  'Namespace Service ServiceAccount StatefulSet MutatingAdmissionPolicy MutatingAdmissionPolicyBinding',
  'ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding',
].flatMap((line) => line.split(' '));

type Schema = Readonly<Record<string, unknown>>;
type Definitions = Readonly<Record<string, Schema>>;

const directory = mkdtempSync(join(tmpdir(), 'schemas-'));
try {
  execFileSync('pip', ['download', '--no-deps', '--quiet', '--dest', directory, PACKAGE]);
  const wheel = execFileSync('find', [directory, '-name', '*.whl'], { encoding: 'utf8' }).trim();
  execFileSync('python3', ['-m', 'zipfile', '-e', wheel, directory]);
  for (const release of RELEASES) {
    const file = join(
      directory,
      `kubernetes_validate/kubernetes-json-schema/v${release}.0-local-strict/_definitions.json`,
    );
    const { $defs } = JSON.parse(readFileSync(file, 'utf8')) as { readonly $defs: Definitions };
    const kept = JSON.stringify({ from: PACKAGE, release, $defs: reachable($defs) });
    const target = join(import.meta.dirname, '../fixtures/kubernetes-schemas', `${release}.json.gz`);
    writeFileSync(target, gzipSync(kept, { level: 9 }));
  }
} finally {
  rmSync(directory, { recursive: true });
}

/** The definitions of our kinds and all that they refer to. */
function reachable(all: Definitions): Definitions {
  const queue = Object.keys(all).filter((name) => KINDS.includes(kindOf(all[name])));
  const kept: Record<string, Schema> = {};
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const schema = all[name];
    if (schema === undefined || kept[name] !== undefined) continue;
    kept[name] = bare(schema) as Schema;
    for (const [, reference = ''] of JSON.stringify(schema).matchAll(/#\/\$defs\/([^"]+)"/g))
      queue.push(reference);
  }
  return Object.fromEntries(Object.entries(kept).sort(([left], [right]) => (left < right ? -1 : 1)));
}

function kindOf(schema: Schema | undefined): string {
  const [first] = (schema?.['x-kubernetes-group-version-kind'] ?? []) as readonly { readonly kind: string }[];
  return first?.kind ?? '';
}

/** Without descriptions (nine tenths of the text), and with references inside the file. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value === 'string') return value.replace(/^.*#\/\$defs\//, '#/$defs/');
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([key, inner]) =>
          key !== '$schema' && key !== '$id' && !(key === 'description' && typeof inner === 'string'),
      )
      .map(([key, inner]) => [key, bare(inner)]),
  );
}
