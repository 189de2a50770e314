/** Files of a peer, and what this storage does with them: the words of repair and recovery for what replication offers. */
import type { FileFacts } from "#filestore/file-store.ts";
import type { ReplicaStore } from "#filestore/replica-store.ts";
import type { ByteFlow } from "#net/byte-flow.ts";
import type { InventoryRepair } from "#protocol/peer/inventory.ts";

/** A file on its way from a peer. */
export interface PeerFile {
  /** Unix seconds; undefined where the peer did not tell. */
  readonly modifiedSeconds: number | undefined;
  /** Of the content; undefined where the peer did not tell, or the name's holds. */
  readonly crc32: number | undefined;
  readonly body: ByteFlow;
}

export interface FileSourcePeer {
  /** For people: its id, or address. */
  readonly title: string;
  /** Gives the file to `use` as the peer itself has it. Rejects with `file-missing` where it has not. */
  fetch<Result>(name: string, use: (file: PeerFile) => Promise<Result>): Promise<Result>;
}

export interface RepairPeer extends FileSourcePeer {
  /** With the CRC-32 of the content; undefined where it has no such file. */
  factsOf(name: string): Promise<FileFacts | undefined>;
  /** Has the peer mend what is wrong there: a status for each. */
  mend(repairs: readonly InventoryRepair[]): Promise<readonly number[]>;
}

/** What repair needs of the own store. */
export interface RepairedStore extends Pick<ReplicaStore, "storeReplica" | "removeReplica"> {
  facts(name: string, options: { readonly computeCrc: boolean }): Promise<FileFacts>;
}

/** A copy that does not have its CRC-32 is fetched again so often in all, from another peer where there is one. */
export const maxFetchTries = 3;
