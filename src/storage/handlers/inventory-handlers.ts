/**
 * What other storages ask about everything that this one has: those of ours compare (`protocol/peer/inventory.ts`), those of C ask for the
 * list of a store path that they lost (protocol §2.7/26). Main thread.
 */
import { binlogStart } from "#filestore/binlog/position.ts";
import { formatEntry } from "#filestore/inventory/inventory-entry.ts";
import type { NamesPage, PathInventory } from "#filestore/inventory/path-inventory.ts";
import { formatAnswer } from "#filestore/worker/binlog-search.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { ByteSource, Piece } from "#net/byte-flow.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import { storageSync } from "#protocol/fastdfs/storage-sync.ts";
import { endlessLength } from "#protocol/header.ts";
import type { inventory } from "#protocol/peer/inventory.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { StorageServices } from "#storage/storage-services.ts";
import type { LocalInventories } from "#sync/anti-entropy/local-inventories.ts";
import { mendFrom } from "#sync/anti-entropy/mend.ts";
import type { FileSourcePeer, RepairedStore } from "#sync/anti-entropy/peer-file.ts";

export interface InventoryHandlersParts {
  readonly services: Pick<StorageServices, "checkGroup">;
  readonly inventories: LocalInventories;
  readonly store: RepairedStore;
  /** Undefined where no such member is known. */
  readonly peerOf: (id: StorageId) => FileSourcePeer | undefined;
  readonly lanes: number;
}

export function inventoryHandlers(parts: InventoryHandlersParts): Handlers<typeof inventory> {
  const { services, inventories, store, peerOf, lanes } = parts;
  return {
    inventoryBegin: async ({ group, storePathIndex, share, patient, horizons }) => {
      services.checkGroup(group);
      const theirs = new Map(horizons.map(({ source, heldUntil }) => [source, heldUntil]));
      const begun = await inventories.beginFor(storePathIndex, theirs, { share, patient });
      if (begun === undefined || begun === "asleep") {
        return { walk: 0, asleep: begun === "asleep", horizons: [] };
      }
      const agreed = [...begun.horizons];
      return {
        walk: begun.walk,
        asleep: false,
        horizons: agreed.map(([source, heldUntil]) => ({ source, heldUntil })),
      };
    },
    inventoryNodes: ({ group, storePathIndex, walk, upper }) => {
      services.checkGroup(group);
      return inventories.nodes(storePathIndex, walk, upper);
    },
    inventoryLeaf: async ({ group, storePathIndex, walk, leaf, after }) => {
      services.checkGroup(group);
      const { entries, more } = await inventories.leaf(storePathIndex, walk, { leaf, after });
      return { more, listing: entries.map((entry) => `${formatEntry(entry)}\n`).join("") };
    },
    inventorySearch: async ({ group, storePathIndex, keys }) => {
      services.checkGroup(group);
      const answers = await inventories.search(storePathIndex, keys);
      return { answers: answers.map(formatAnswer) };
    },
    inventoryRepair: async ({ group, id, repairs }) => {
      services.checkGroup(group);
      const peer = peerOf(id);
      if (peer === undefined) {
        throw new WireStatusError(wireStatus.accessDenied, `${id} is no member that is known here`);
      }
      return { statuses: await mendFrom(store, peer, { repairs, lanes }) };
    },
  };
}

/** The message that a storage sends which lost a store path. */
export const pathLists = { fetchOnePathBinlog: storageSync.fetchOnePathBinlog } as const;

/** `find` is undefined where there is no such store path. */
export function pathListHandlers(
  services: Pick<StorageServices, "checkGroup" | "recoveringPeers">,
  find: (storePathIndex: number) => PathInventory | undefined,
): Handlers<typeof pathLists> {
  return {
    fetchOnePathBinlog: async ({ group, storePathIndex }, session) => {
      services.checkGroup(group);
      const path = find(storePathIndex);
      if (path === undefined) {
        throw new WireStatusError(wireStatus.invalid, `there is no store path ${storePathIndex}`);
      }
      // What can be refused is refused before the endless reply begins.
      const source = new PathListSource(path, await path.names(binlogStart));
      services.recoveringPeers.add(session.remoteAddress);
      return source;
    },
  };
}

/** The lines, then their length in eight bytes; the end of the connection says that this is all. */
class PathListSource implements ByteSource {
  readonly length = endlessLength;
  readonly #path: PathInventory;
  #page: NamesPage | undefined;
  #given = 0n;
  #isOver = false;

  constructor(path: PathInventory, first: NamesPage) {
    this.#path = path;
    this.#page = first;
  }

  async next(): Promise<Piece | undefined> {
    while (this.#page !== undefined) {
      const { lines, next, atEnd } = this.#page;
      this.#page = atEnd ? undefined : await this.#path.names(next);
      if (lines.length === 0) continue;
      this.#given += BigInt(lines.length);
      return pieceOf(lines);
    }
    if (this.#isOver) return undefined;
    this.#isOver = true;
    const trailer = Buffer.alloc(8);
    trailer.writeBigInt64BE(this.#given);
    return pieceOf(trailer);
  }

  close(): void {
    this.#page = undefined;
    this.#isOver = true;
  }
}

function pieceOf(bytes: Uint8Array): Piece {
  return { bytes, room: 0, release: () => {} };
}
