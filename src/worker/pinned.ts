/**
 * Objects whose version is pinned: a version never changes, so it is read once.
 *
 * The values are not remembered between syncs. What is remembered is which files were made of them; a later sync takes the
 * contents from the current generation, and reads the object again if one of the files is not as it was written.
 */

import type { Plan, PlannedObject } from '../config/plan.ts';
import { isPinned } from '../config/secret-ref.ts';
import { type FilePath, filePath } from '../core/file-path.ts';
import type { KeptFiles } from '../publish/kept-files.ts';
import type { OutputFile } from '../render/object-files.ts';
import type { KeptValue, Rendered } from '../render/render.ts';
import type { PinnedObject } from './report.ts';

/** The objects of the plan that need not be read again, with their files. `isVerified`: as in the request. */
export function takePinned(
  plan: Plan,
  remembered: readonly PinnedObject[],
  isVerified: boolean,
  files: KeptFiles,
): ReadonlyMap<PlannedObject, KeptValue> {
  const known = new Map(remembered.map((entry) => [entry.description, entry]));
  const kept = new Map<PlannedObject, KeptValue>();
  for (const object of plan.objects) {
    const entry = known.get(describe(object));
    // Until a plan is verified, the failover region is read as well.
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

/** What to remember of what was just published: the pinned objects that their own region served. */
export function rememberPinned(
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
