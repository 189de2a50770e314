/** Which path a FUSE node stands for: a tree of names, kept right over renames, forgotten when the kernel says so. */
import { rootNode } from "./wire.ts";

interface Entry {
  readonly id: number;
  parent: Entry | undefined;
  name: string;
  readonly children: Map<string, Entry>;
  lookups: number;
  /** The name is gone; who has the file open goes on. */
  removed: boolean;
}

export class NodeTable {
  readonly #entries = new Map<number, Entry>();
  #next = rootNode + 1;

  constructor() {
    this.#entries.set(rootNode, entry(rootNode, undefined, ""));
  }

  /** From the root, without a leading slash; undefined for a node whose name is gone. */
  path(node: number): string | undefined {
    const parts: string[] = [];
    for (let at = this.#entry(node); at.parent !== undefined; at = at.parent) {
      if (at.removed) return undefined;
      parts.unshift(at.name);
    }
    return parts.join("/");
  }

  /** The node of a name, one more time known to the kernel. */
  lookup(parent: number, name: string): number {
    const directory = this.#entry(parent);
    let found = directory.children.get(name);
    if (found === undefined) {
      found = entry(this.#next, directory, name);
      this.#next += 1;
      directory.children.set(name, found);
      this.#entries.set(found.id, found);
    }
    found.lookups += 1;
    return found.id;
  }

  forget(node: number, count: number): void {
    const known = this.#entries.get(node);
    if (known === undefined || node === rootNode) return;
    known.lookups -= count;
    if (known.lookups > 0) return;
    this.#entries.delete(node);
    if (!known.removed) known.parent?.children.delete(known.name);
  }

  remove(parent: number, name: string): void {
    const directory = this.#entry(parent);
    const gone = directory.children.get(name);
    if (gone === undefined) return;
    gone.removed = true;
    directory.children.delete(name);
  }

  rename(from: readonly [number, string], to: readonly [number, string]): void {
    const moved = this.#entry(from[0]).children.get(from[1]);
    this.remove(to[0], to[1]);
    this.#entry(from[0]).children.delete(from[1]);
    if (moved === undefined) return;
    const directory = this.#entry(to[0]);
    moved.parent = directory;
    moved.name = to[1];
    directory.children.set(to[1], moved);
  }

  #entry(node: number): Entry {
    const found = this.#entries.get(node);
    if (found === undefined) throw new Error(`the kernel asked for node ${node}, which is unknown`);
    return found;
  }
}

function entry(id: number, parent: Entry | undefined, name: string): Entry {
  return { id, parent, name, children: new Map(), lookups: 0, removed: false };
}
