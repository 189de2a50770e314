/** The inventories of a peer, asked for by commands 186 to 190. */
import type { Horizons } from "#filestore/inventory/horizons.ts";
import { parseEntry } from "#filestore/inventory/inventory-entry.ts";
import type { LeafPage } from "#filestore/inventory/path-inventory.ts";
import { parseAnswer, type SearchAnswer } from "#filestore/worker/binlog-search.ts";
import type { StorageId } from "#model/storage-id.ts";
import {
  inventoryBegin,
  inventoryLeaf,
  inventoryNodes,
  inventorySearch,
  maxInventoryKeys,
} from "#protocol/peer/inventory.ts";
import type {
  BegunInventory,
  InventorySide,
  SideNodes,
  WalkManners,
} from "#sync/anti-entropy/inventory-side.ts";
import { searchTimeoutMs } from "#sync/anti-entropy/limits.ts";
import type { PeerExchange } from "#sync/anti-entropy/peer-exchange.ts";

export interface RemoteInventoryParts {
  readonly exchange: PeerExchange;
  readonly group: string;
  /** Of this storage. */
  readonly id: StorageId;
  readonly storePathIndex: number;
}

export class RemoteInventory implements InventorySide {
  readonly #parts: RemoteInventoryParts;

  constructor(parts: RemoteInventoryParts) {
    this.#parts = parts;
  }

  async begin(
    horizons: Horizons,
    { share, patient }: WalkManners,
  ): Promise<BegunInventory | "asleep" | undefined> {
    const { exchange, group, id, storePathIndex } = this.#parts;
    const entries = [...horizons].map(([source, heldUntil]) => ({ source, heldUntil }));
    const request = { group, id, storePathIndex, share, patient, horizons: entries };
    const begun = await exchange.call(inventoryBegin, request);
    if (begun.asleep) return "asleep";
    if (begun.walk === 0) return undefined;
    const agreed = begun.horizons.map(({ source, heldUntil }) => [source, heldUntil] as const);
    return { walk: begun.walk, horizons: new Map(agreed) };
  }

  nodes(walk: number, upper: number): Promise<SideNodes> {
    const { exchange, group, storePathIndex } = this.#parts;
    return exchange.call(inventoryNodes, { group, storePathIndex, walk, upper });
  }

  async leaf(walk: number, leaf: number, after: string): Promise<LeafPage> {
    const { exchange, group, storePathIndex } = this.#parts;
    const request = { group, storePathIndex, walk, leaf, after };
    const { more, listing } = await exchange.call(inventoryLeaf, request);
    const entries = listing.split("\n").map(parseEntry);
    return { more, entries: entries.filter((entry) => entry !== undefined) };
  }

  async search(keys: readonly string[]): Promise<readonly SearchAnswer[]> {
    const { exchange, group, storePathIndex } = this.#parts;
    const found: SearchAnswer[] = [];
    for (let at = 0; at < keys.length; at += maxInventoryKeys) {
      const part = keys.slice(at, at + maxInventoryKeys);
      const request = { group, storePathIndex, keys: part };
      const { answers } = await exchange.call(inventorySearch, request, searchTimeoutMs);
      for (const index of part.keys()) found.push(parseAnswer(answers[index] ?? ""));
    }
    return found;
  }
}
