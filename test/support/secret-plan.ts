/** Plans and snapshots for the tests of Kubernetes Secrets. */

import type { Plan, PlannedObject, SecretObject } from '../../src/config/plan.ts';
import { secretRef } from '../../src/config/secret-ref.ts';
import type { FilePath } from '../../src/core/file-path.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Snapshot } from '../../src/publish/snapshot.ts';

/** A `secretObjects` entry: keys to objectNames. */
export function secretObject(
  secretName: string,
  data: Readonly<Record<string, string>>,
  more: Partial<SecretObject> = {},
): SecretObject {
  return {
    subject: 'secretObjects[0]',
    line: 7,
    secretName,
    type: 'Opaque',
    labels: {},
    annotations: {},
    data: Object.entries(data).map(([key, objectName]) => ({ key, objectName })),
    ...more,
  };
}

export function secretPlan(secretObjects: readonly SecretObject[], more: Partial<Plan> = {}): Plan {
  return {
    file: '/etc/podsecrets/config.yaml',
    name: 'app',
    region: 'eu-west-1',
    regionFrom: 'parameters.region',
    failoverRegion: undefined,
    usePodIdentity: undefined,
    preferredAddressType: 'auto',
    objects: [],
    envFile: undefined,
    ignored: [],
    secretObjects,
    ...more,
  };
}

export function optionalObject(path: string): PlannedObject {
  return {
    subject: 'objects[0]',
    line: 3,
    name: path,
    service: 'secretsmanager',
    primary: secretRef({ service: 'secretsmanager', region: 'eu-west-1', id: path }),
    failover: undefined,
    optional: true,
    decode: undefined,
    outputs: [{ kind: 'whole', path: path as FilePath, mode: 0o644, env: undefined }],
  };
}

export function published(files: Readonly<Record<string, string>>): Snapshot {
  return {
    files: Object.entries(files).map(([path, text]) => ({
      path: path as FilePath,
      mode: 0o644,
      content: new Secret(text),
    })),
  };
}
