/** The two manifests of README.md, both from the example for EKS Pod Identity. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, isMap, isSeq, parseAllDocuments, visit, Document as YamlDocument } from 'yaml';
import { fenced } from './markdown.ts';

const example = (file: string) =>
  readFileSync(join(import.meta.dirname, '../../examples/pod-identity', file), 'utf8');

export function secretProviderClass(): string {
  return fenced('yaml', example('secret-provider-class.yaml'));
}

/** The pod of the example after `podsecrets inject`, which a test runs; inner objects stand on one line. */
export function podSpec(): string {
  const workload = parseAllDocuments(example('injected.yaml'))
    .map((document) => document.toJS() as Workload)
    .find(({ kind }) => kind === 'Deployment');
  const document = new YamlDocument(workload?.spec?.template.spec);
  compact(document);
  return fenced('yaml', document.toString({ lineWidth: 0, flowCollectionPadding: false }));
}

interface Workload {
  readonly kind: string;
  readonly spec?: { readonly template: { readonly spec: unknown } };
}

/** Containers, volumes and mounts stay a line for each field; what is in them becomes one line. */
function compact(document: Document): void {
  visit(document, {
    Collection: (_key, node, path) => {
      const depth = path.filter((ancestor) => isMap(ancestor) || isSeq(ancestor)).length;
      const listOfMaps = isSeq(node) && node.items.every((item) => isMap(item));
      const short = JSON.stringify(node).length <= WIDTH;
      if (depth > 2 && short && !listOfMaps) node.flow = true;
    },
  });
}

/** Characters of JSON, which is a little longer than the YAML. */
const WIDTH = 110;
