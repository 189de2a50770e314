/**
 * The inventories of this storage, for its own comparisons and for those of peers: which were begun, by which horizons, and the tables of
 * those that are done. A few are kept; the oldest goes for a new one. Main thread.
 */
import { fileStoreError } from "#filestore/errors.ts";
import { agreeHorizons, type Horizons } from "#filestore/inventory/horizons.ts";
import { fanOut, type InventoryTable, leafCount } from "#filestore/inventory/inventory-table.ts";
import type { LeafPage, PathInventory } from "#filestore/inventory/path-inventory.ts";
import type { SearchAnswer } from "#filestore/worker/binlog-search.ts";
import {
  type BegunInventory,
  type InventorySide,
  type SideNodes,
  type WalkManners,
  wholeListing,
} from "#sync/anti-entropy/inventory-side.ts";
import { maxKeptInventories } from "#sync/anti-entropy/limits.ts";

interface Kept {
  readonly storePathIndex: number;
  readonly horizons: Horizons;
  /** The worker's number. */
  readonly number: number;
  files: number;
  table: InventoryTable | undefined;
  taking: Promise<InventoryTable> | undefined;
}

export interface LocalInventoriesParts {
  readonly find: (storePathIndex: number) => PathInventory | undefined;
  /** What this storage holds of each source now. */
  readonly horizons: () => Horizons;
  /** Whether the disk may be read from without waking it; always, where it is left out. */
  readonly mayRead?: (storePathIndex: number) => boolean;
}

const everything: Horizons = new Map();

export class LocalInventories {
  readonly #find: (storePathIndex: number) => PathInventory | undefined;
  readonly #horizons: () => Horizons;
  readonly #kept = new Map<number, Kept>();
  readonly #mayRead: (storePathIndex: number) => boolean;
  #walks = 0;

  constructor({ find, horizons, mayRead }: LocalInventoriesParts) {
    this.#find = find;
    this.#horizons = horizons;
    this.#mayRead = mayRead ?? (() => true);
  }

  get horizons(): Horizons {
    return this.#horizons();
  }

  /** One store path, by horizons that were agreed already. */
  side(storePathIndex: number): InventorySide {
    return {
      begin: (horizons, manners) => this.#begin(storePathIndex, horizons, manners),
      nodes: (walk, upper) => this.nodes(storePathIndex, walk, upper),
      leaf: (walk, leaf, after) => this.leaf(storePathIndex, walk, { leaf, after }),
      search: (keys) => this.search(storePathIndex, keys),
    };
  }

  /** For a peer that holds `theirs`. */
  beginFor(
    storePathIndex: number,
    theirs: Horizons,
    manners: WalkManners,
  ): Promise<BegunInventory | "asleep" | undefined> {
    return this.#begin(storePathIndex, agreeHorizons(theirs, this.#horizons()), manners);
  }

  /** Rejects with `file-missing` where there is no such inventory any more. */
  async nodes(storePathIndex: number, walk: number, upper: number): Promise<SideNodes> {
    if (walk === wholeListing) {
      const counts = await this.#path(storePathIndex).counts(upper);
      const nodes = counts.map((count) => ({ count, low: 0, high: 0 }));
      return { leavesDone: leafCount, files: counts.reduce((sum, count) => sum + count, 0), nodes };
    }
    const kept = this.#keptOf(storePathIndex, walk);
    if (kept.table === undefined) {
      const { leavesDone, files } = await this.#path(storePathIndex).progress(kept.number);
      kept.files = files;
      if (leavesDone < leafCount) return { leavesDone, files, nodes: [] };
      kept.taking ??= this.#path(storePathIndex).take(kept.number);
      kept.table = await kept.taking;
    }
    const { table, files } = kept;
    const nodes = Array.from({ length: fanOut }, (_, at) =>
      upper < 0 ? table.upper(at) : table.leaf(upper * fanOut + at),
    );
    return { leavesDone: leafCount, files, nodes };
  }

  leaf(
    storePathIndex: number,
    walk: number,
    { leaf, after }: { readonly leaf: number; readonly after: string },
  ): Promise<LeafPage> {
    const horizons =
      walk === wholeListing ? everything : this.#keptOf(storePathIndex, walk).horizons;
    return this.#path(storePathIndex).leaf(leaf, after, horizons);
  }

  async search(storePathIndex: number, keys: readonly string[]): Promise<readonly SearchAnswer[]> {
    return await this.#path(storePathIndex).search(keys);
  }

  async #begin(
    storePathIndex: number,
    horizons: Horizons,
    { share, patient }: WalkManners,
  ): Promise<BegunInventory | "asleep" | undefined> {
    if (patient && !this.#mayRead(storePathIndex)) return "asleep";
    const number = await this.#path(storePathIndex).begin(horizons, share);
    if (number === undefined) return undefined;
    this.#walks = (this.#walks % 0x7fffffff) + 1;
    const kept = { storePathIndex, horizons, number, files: 0, table: undefined };
    this.#kept.set(this.#walks, { ...kept, taking: undefined });
    for (const walk of this.#kept.keys()) {
      if (this.#kept.size <= maxKeptInventories) break;
      this.#kept.delete(walk);
    }
    return { walk: this.#walks, horizons };
  }

  #keptOf(storePathIndex: number, walk: number): Kept {
    const kept = this.#kept.get(walk);
    if (kept?.storePathIndex === storePathIndex) return kept;
    throw fileStoreError("file-missing", `there is no inventory ${walk} of this store path`);
  }

  #path(storePathIndex: number): PathInventory {
    const path = this.#find(storePathIndex);
    if (path !== undefined) return path;
    throw fileStoreError("file-invalid", `there is no store path ${storePathIndex}`);
  }
}
