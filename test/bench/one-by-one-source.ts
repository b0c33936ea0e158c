/** Replaces src/aws/secret-source.ts in the program for comparison: it requests one value after another. */

import {
  type AwsSource,
  openSecretSource as openAllAtOnce,
  type SourceOptions,
} from '../../src/aws/secret-source.ts';
import type { FetchResult, SecretRefKey } from '../../src/config/secret-ref.ts';

/** doctor's. */
export { openCredentials } from '../../src/aws/secret-source.ts';

export function openSecretSource(options: SourceOptions): AwsSource {
  const source = openAllAtOnce(options);
  return {
    ...source,
    async read(reads, signal) {
      const outcomes = new Map<SecretRefKey, FetchResult>();
      for (const read of reads) {
        for (const [key, outcome] of await source.read([read], signal)) outcomes.set(key, outcome);
      }
      return outcomes;
    },
  };
}
