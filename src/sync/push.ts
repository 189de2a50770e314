/**
 * What the parts of a sender say to each other: a record that is to be pushed, what became of it, and the two ways to push it, to storages
 * of ours and to those of C. Pure.
 */
import type { BinlogEntry } from "#filestore/binlog/entry.ts";
import type { FileFacts, FileStore, OpenedFile, Range } from "#filestore/file-store.ts";
import type { ReplicaStore } from "#filestore/replica-store.ts";
import { wireStatus } from "#protocol/wire-status.ts";
import { maxRecordTries } from "#sync/limits.ts";

/** What replication needs of the files of this node. */
export interface SyncStore extends Omit<ReplicaStore, "onBinlogGrowth"> {
  open(
    name: string,
    range: Range,
    options?: { readonly emptyIsFine?: boolean; readonly sizeInName?: number | undefined },
  ): Promise<OpenedFile>;
  facts(name: string, options: { readonly computeCrc: boolean }): Promise<FileFacts>;
  readonly paths: FileStore["paths"];
}

/** A record on its way to one peer. */
export interface PushedRecord {
  readonly entry: BinlogEntry;
  /** As it stands in the binlog, without its end. */
  readonly line: string;
  /** Set where the file as a whole is to be sent in place of the change. */
  whole: "create" | "replace" | undefined;
  /** Tries that failed for a reason of the record's own. */
  tries: number;
  /** It was set aside before, and is tried again. */
  readonly wasAside: boolean;
  /** It may have been sent to the peer before, by another storage or under a mark that is lost. */
  readonly mayBeThere?: boolean;
}

export type PushOutcome =
  /** The peer has it, or does not need it. */
  | { readonly kind: "done"; readonly bytes: number }
  /** The change does not fit what the peer has: the file is to be sent as a whole. */
  | { readonly kind: "whole" }
  /** For a reason of the record's own, such as a file that cannot be read here. */
  | { readonly kind: "failed"; readonly why: string; readonly unreadable: boolean }
  /** For a reason that concerns all records of the store path, such as a full disk. */
  | { readonly kind: "later"; readonly why: string };

export const pushed: PushOutcome = { kind: "done", bytes: 0 };

/** One connection to a peer that records of one store path go through. Rejects where the connection fails. */
export interface PushLane {
  /** At most so many records at a time. */
  readonly maxRecords: number;
  /** False when another connection is needed for the next records. */
  readonly usable: boolean;
  push(records: readonly PushedRecord[]): Promise<readonly PushOutcome[]>;
  /** A sign of life where nothing was sent for a while. */
  keepAlive(): Promise<void>;
  close(): void;
}

/** Nothing is wrong with the record: the peer, or its disk, cannot take anything just now. */
const laterStatuses: readonly number[] = [
  ...([wireStatus.interrupted, wireStatus.tryAgain, wireStatus.outOfMemory] as const),
  ...([wireStatus.accessDenied, wireStatus.busy, wireStatus.tooManyFiles] as const),
  ...([wireStatus.noSpace, wireStatus.readOnly, wireStatus.timedOut] as const),
];

const words: ReadonlyMap<number, string> = new Map([
  [wireStatus.noSpace, "it has no room"],
  [wireStatus.readOnly, "its store path is read-only"],
  [wireStatus.tryAgain, "its store path is not ready"],
  [wireStatus.busy, "it is busy"],
  [wireStatus.interrupted, "it is stopping"],
  [wireStatus.ioError, "its disk failed"],
  [wireStatus.invalid, "it calls the name or the request invalid"],
]);

/** What a refusal of the peer means for the record. */
export function refusal(status: number): PushOutcome {
  const why = `the peer answered ${status}${words.has(status) ? `: ${words.get(status)}` : ""}`;
  if (laterStatuses.includes(status)) return { kind: "later", why };
  return { kind: "failed", why, unreadable: false };
}

/** True where another try makes sense before the record is set aside. */
export function mayTryAgain(record: PushedRecord): boolean {
  return record.tries < maxRecordTries && !record.wasAside;
}
