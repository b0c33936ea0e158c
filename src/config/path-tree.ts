/**
 * Who holds which path, and whether one path stands below another.
 *
 * Its cost grows with the length of the paths, not with the number of the directories in them, so that no config can make
 * the comparison of all with all expensive.
 */

import type { FilePath } from '../core/file-path.ts';

interface Node<Holder> {
  holder: Holder | undefined;
  readonly below: Map<string, Node<Holder>>;
}

/** Paths with their holders. */
export class PathTree<Holder> {
  readonly #root: Node<Holder> = { holder: undefined, below: new Map() };

  /** Gives the path to the holder; when it is taken already, it stays so, and its holder is returned. */
  claim(path: FilePath, holder: Holder): Holder | undefined {
    let node = this.#root;
    for (const segment of path.split('/')) {
      const next = node.below.get(segment) ?? { holder: undefined, below: new Map() };
      node.below.set(segment, next);
      node = next;
    }
    if (node.holder !== undefined) return node.holder;
    node.holder = holder;
    return undefined;
  }

  /** The holder of a directory that the path stands in, if it is held. */
  above(path: FilePath): Holder | undefined {
    let node: Node<Holder> | undefined = this.#root;
    for (const segment of path.split('/').slice(0, -1)) {
      node = node?.below.get(segment);
      if (node?.holder !== undefined) return node.holder;
    }
    return undefined;
  }
}
