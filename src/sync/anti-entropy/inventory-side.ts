/** One store path of one storage, this one or a peer, as a comparison sees it. Implementations reject where the disk, or the peer, fails. */
import type { Horizons } from "#filestore/inventory/horizons.ts";
import type { InventoryNode } from "#filestore/inventory/inventory-table.ts";
import type { LeafPage } from "#filestore/inventory/path-inventory.ts";
import type { SearchAnswer } from "#filestore/worker/binlog-search.ts";

export interface BegunInventory {
  readonly walk: number;
  /** What counts for both. */
  readonly horizons: Horizons;
}

export interface SideNodes {
  readonly leavesDone: number;
  readonly files: number;
  /** Empty until all leaves are done. */
  readonly nodes: readonly InventoryNode[];
}

/** No inventory: leaves are listed with everything that is in them. */
export const wholeListing = 0;

/** What an inventory may cost. */
export interface WalkManners {
  /** Of the thread's time, in percent. */
  readonly share: number;
  /** Its disk is to be left alone while it sleeps. */
  readonly patient: boolean;
}

export interface InventorySide {
  /** Undefined while another inventory is under way there; `asleep` where the disk sleeps, or may, and somebody patient asks. */
  begin(horizons: Horizons, manners: WalkManners): Promise<BegunInventory | "asleep" | undefined>;
  /** The directories in `upper`, or the sums of all of these with −1. Of `wholeListing` no hashes, and the count is 0 where nothing is there. */
  nodes(walk: number, upper: number): Promise<SideNodes>;
  /** As it is now, behind the key `after`; by the horizons of an inventory, or `wholeListing`. */
  leaf(walk: number, leaf: number, after: string): Promise<LeafPage>;
  /** One answer for each name or slot key. */
  search(keys: readonly string[]): Promise<readonly SearchAnswer[]>;
}
