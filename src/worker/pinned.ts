/**
 * Objects with a pinned version: a version never changes, so it is fetched once.
 *
 * The values are not kept between syncs, only the identities of the files that were created from them. A later sync takes the
 * contents from the current generation, and fetches the object again if one of the files has changed.
 */

import type { Plan, PlannedObject } from '../config/plan.ts';
import { isPinned } from '../config/secret-ref.ts';
import { type FilePath, filePath } from '../core/file-path.ts';
import type { KeptFiles } from '../publish/kept-files.ts';
import type { OutputFile } from '../render/object-files.ts';
import type { KeptValue, Rendered } from '../render/render.ts';
import type { PinnedObject } from './report.ts';

/** The objects of the plan that need not be fetched again, with their files. `isVerified`: as in the request. */
export function reusePinned(
  plan: Plan,
  recorded: readonly PinnedObject[],
  isVerified: boolean,
  files: KeptFiles,
): ReadonlyMap<PlannedObject, KeptValue> {
  const known = new Map(recorded.map((entry) => [entry.description, entry]));
  const kept = new Map<PlannedObject, KeptValue>();
  for (const object of plan.objects) {
    const entry = known.get(describe(object));
    // Until a plan is verified, the failover region is fetched too.
    if (entry === undefined || (object.failover !== undefined && !isVerified)) continue;
    const contents = readAll(entry, files);
    if (contents !== undefined)
      kept.set(object, { files: contents, region: entry.region, version: entry.version });
  }
  return kept;
}

function readAll(entry: PinnedObject, files: KeptFiles): readonly OutputFile[] | undefined {
  const contents: OutputFile[] = [];
  for (const { path, mode, variable, written } of entry.files) {
    const checked = filePath(path);
    const content = checked === path ? files.read(path as FilePath, written) : undefined;
    if (content === undefined) return undefined;
    contents.push({ path: path as FilePath, mode, variable, content });
  }
  return contents;
}

/** The pinned objects of this publish to keep: those with a value of their own region. */
export function recordPinned(
  { objects }: Pick<Rendered, 'objects'>,
  files: KeptFiles,
): readonly PinnedObject[] {
  return objects.flatMap(({ object, region, version, files: made }) => {
    if (!isPinned(object.primary) || region !== object.primary.region) return [];
    const written = made.flatMap(({ path, mode, variable }) => {
      const identity = files.identify(path);
      return identity === undefined ? [] : [{ path, mode, variable, written: identity }];
    });
    if (written.length < made.length) return [];
    return [{ description: describe(object), region, version, files: written }];
  });
}

/** Everything that the files depend on. */
function describe({ primary, decode, outputs }: PlannedObject): string {
  return JSON.stringify([primary.key, decode, outputs]);
}
