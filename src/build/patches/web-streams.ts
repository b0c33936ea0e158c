/**
 * The SDK checks whether the answer of the Pod Identity agent is a Blob or a web stream, and Node loads both when they are
 * first named. Answers here are Node's own streams, so the patch checks for these first.
 */

import type { Patch } from './patch.ts';

export const webStreams: Patch = {
  file: '@smithy/core/dist-es/submodules/serde/util-stream/stream-collector.js',
  changes: [
    ['import { Writable } from "node:stream";', 'import { Readable, Writable } from "node:stream";'],
    [
      'if (isBlob(stream)) {',
      'const isNodes = stream instanceof Readable; if (!isNodes && isBlob(stream)) {',
    ],
    ['if (isReadableStream(stream)) {', 'if (!isNodes && isReadableStream(stream)) {'],
  ],
};
