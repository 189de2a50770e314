/**
 * What this storage does with changes that peers send, whatever the messages are called: applies them, counts, notes up to which time it has
 * heard of each sender, and keeps what was deleted here from coming back. Main thread.
 */
import { crc32 } from "node:zlib";
import { hasCode } from "#base/app-error.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import type { ReplicaOutcome, ReplicaRange, StoredOutcome } from "#filestore/replica-store.ts";
import { sizeInName } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { StorageId } from "#model/storage-id.ts";
import { type ByteFlow, flowOfBytes } from "#net/byte-flow.ts";
import { type Clock, nowSeconds } from "#platform/clock.ts";
import { type SyncRecord, syncRecords, syncStatus } from "#protocol/peer/sync-record.ts";
import { wireStatus } from "#protocol/wire-status.ts";
import { IncomingBatch } from "#storage/incoming-batch.ts";
import type { StorageCounters } from "#storage/storage-statistics.ts";
import { wireStatusOf } from "#storage/wire-statuses.ts";
import type { SyncStore } from "#sync/push.ts";
import { isGivenOnce } from "#sync/sync-record.ts";
import type { Tombstones } from "#sync/tombstones.ts";

export interface ReplicaReceiverParts {
  readonly store: SyncStore;
  readonly clock: Clock;
  readonly counters: StorageCounters;
  readonly tombstones: Tombstones;
  /** What is here may be older than what a change by this sender was made of, though as large: a disk was lost, and not all was compared. */
  readonly isOutdated: (sender: StorageId) => boolean;
  /** The file comes or came as a whole where another version may be, or was refused for a later one. Resolves when that outlasts a restart. */
  readonly onContest?: (name: string) => Promise<void>;
}

export interface WholeFile {
  readonly name: string;
  readonly timestamp: number;
  readonly mode: "create" | "replace";
  readonly crc32: number | undefined;
  /** See `ReplicaFile.versioned`. */
  readonly versioned?: boolean;
}

const statuses: Readonly<Record<ReplicaOutcome, number>> = {
  done: syncStatus.done,
  already: syncStatus.already,
  missing: syncStatus.missing,
  differs: syncStatus.differs,
  later: syncStatus.later,
};

export class ReplicaReceiver {
  readonly #parts: ReplicaReceiverParts;
  /** For each sender the latest time of its changes (protocol §6.5). */
  readonly #received = new Map<StorageId, number>();
  #revision = 0;
  #files = 0;

  constructor(parts: ReplicaReceiverParts) {
    this.#parts = parts;
  }

  get received(): ReadonlyMap<StorageId, number> {
    return this.#received;
  }

  /** Grows with every change of `received`. */
  get revision(): number {
    return this.#revision;
  }

  /** Changes that came since the start. */
  get changes(): number {
    return this.#files;
  }

  /** Changes of `sender` are here now, of which `timestamp` is the latest time. */
  note(sender: StorageId | undefined, timestamp: number, changes = 1): void {
    const { counters, clock } = this.#parts;
    this.#files += changes;
    counters.syncUpdated(nowSeconds(clock));
    if (sender === undefined || timestamp <= (this.#received.get(sender) ?? 0)) return;
    this.#received.set(sender, timestamp);
    this.#revision += 1;
  }

  /** The sender has become `to`. */
  rename(from: StorageId, to: StorageId): void {
    const known = this.#received.get(from);
    if (known === undefined) return;
    this.#received.delete(from);
    this.#received.set(to, Math.max(known, this.#received.get(to) ?? 0));
    this.#revision += 1;
  }

  /** Counts the bytes of `body` beside. */
  async whole(file: WholeFile, body: ByteFlow): Promise<StoredOutcome> {
    // Whoever deleted it here will tell the sender, which may have sent all of it because a change of it found nothing here.
    if (this.#wasDeleted(file.name)) return "already";
    const mayReplace = file.versioned === true && file.mode === "replace";
    // Before: after a crash in between the sender is told that it is here.
    if (mayReplace) await this.#parts.onContest?.(file.name);
    const outcome = await this.#counted(body.length, () =>
      this.#parts.store.storeReplica(file, body),
    );
    // Once more: a large file has taken its time.
    const met = outcome === "later" || (mayReplace && outcome === "done");
    if (met) await this.#parts.onContest?.(file.name);
    return outcome;
  }

  range(kind: "append" | "modify", range: ReplicaRange, body: ByteFlow): Promise<ReplicaOutcome> {
    const { store } = this.#parts;
    return this.#counted(body.length, () =>
      kind === "append" ? store.appendReplica(range, body) : store.modifyReplica(range, body),
    );
  }

  async remove(change: {
    readonly name: string;
    readonly timestamp: number;
  }): Promise<"done" | "missing"> {
    const { store, tombstones, clock } = this.#parts;
    tombstones.add(change.name, clock.monotonicMs());
    return store.removeReplica(change);
  }

  /** `source` stands for nothing from then on, as after a deletion: changes of it that come late bring no file back. */
  renameFile(change: {
    readonly name: string;
    readonly source: string;
    readonly timestamp: number;
  }): Promise<ReplicaOutcome> {
    const { store, tombstones, clock } = this.#parts;
    tombstones.add(change.source, clock.monotonicMs());
    return store.renameReplica(change);
  }

  /** The status of one record of a batch. Never rejects. */
  async apply(record: SyncRecord, sender: StorageId): Promise<number> {
    // The sender then sends the file as a whole.
    if (isPartial(record) && this.#parts.isOutdated(sender)) return syncStatus.differs;
    try {
      const outcome = await this.#apply(record);
      if (outcome !== "missing" && outcome !== "differs") this.note(sender, record.timestamp);
      return statuses[outcome];
    } catch (error) {
      if (hasCode<FileStoreErrorCode>(error, "content-damaged")) return syncStatus.damaged;
      return peerStatusOf(error);
    }
  }

  /**
   * The statuses of the records of a batch. New files go to the worker together, as they came; what it leaves to us is carried out one by
   * one. Rejects with `ProtocolError` where the body is no such batch.
   */
  async applyBatch(records: number, body: ByteFlow, sender: StorageId): Promise<readonly number[]> {
    const batch = new IncomingBatch(this.#parts.store, body.length);
    try {
      await body.drainTo(batch);
      const { outcomes, latest, bytes } = await batch.store(records);
      const count = outcomes.reduce((sum, outcome) => sum + (outcome === undefined ? 0 : 1), 0);
      if (count > 0) {
        this.#parts.counters.attempt("syncInBytes", bytes);
        this.#parts.counters.succeed("syncInBytes", bytes);
        this.note(sender, latest, count);
      }
      if (count === records) return outcomes.map((outcome) => statuses[outcome ?? "done"]);
      const all = syncRecords(batch.bytes, records);
      return await Promise.all(
        all.map((record, at) => {
          const outcome = outcomes[at];
          return outcome === undefined ? this.apply(record, sender) : statuses[outcome];
        }),
      );
    } finally {
      batch.release();
    }
  }

  #apply(record: SyncRecord): Promise<ReplicaOutcome> {
    const { store } = this.#parts;
    const { kind, name, timestamp, other: source, content } = record;
    switch (kind) {
      case "create":
      case "replace":
        return this.whole(
          { name, timestamp, mode: kind, crc32: record.crc32, versioned: true },
          flowOfBytes(content),
        );
      case "append":
      case "modify": {
        if (crc32(content) !== record.crc32) return Promise.reject(damaged);
        const goesOn = kind === "modify" && record.second > 0;
        const range = { name, offset: record.first, timestamp, versioned: true, goesOn };
        return this.range(kind, range, flowOfBytes(content));
      }
      case "delete":
        return this.remove({ name, timestamp });
      case "truncate": {
        const sizes = { oldSize: record.first, newSize: record.second };
        return store.truncateReplica({ name, timestamp, ...sizes, versioned: true });
      }
      case "link":
        return store.linkReplica({ name, source, timestamp });
      case "rename":
        return this.renameFile({ name, source, timestamp });
      case "find":
        return this.#find(name);
    }
  }

  /** Whoever fills us asks before it sends, since another one may have begun. */
  async #find(name: string): Promise<ReplicaOutcome> {
    if (this.#wasDeleted(name)) return "already";
    try {
      const { sizeBytes } = await this.#parts.store.facts(name, { computeCrc: false });
      const named = sizeInName(parseRemoteFilename(name)?.base ?? "");
      return named === undefined || named === sizeBytes ? "already" : "missing";
    } catch (error) {
      if (hasCode<FileStoreErrorCode>(error, "file-missing")) return "missing";
      throw error;
    }
  }

  #wasDeleted(name: string): boolean {
    const { tombstones, clock } = this.#parts;
    return isGivenOnce(name) && tombstones.has(name, clock.monotonicMs());
  }

  async #counted<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    const { counters } = this.#parts;
    counters.attempt("syncInBytes", bytes);
    const result = await work();
    counters.succeed("syncInBytes", bytes);
    return result;
  }
}

/** A change that means something only where it meets the version that it was made of. */
function isPartial({ kind }: SyncRecord): boolean {
  return kind === "append" || kind === "modify" || kind === "truncate";
}

/** Where the whole store path is away, all of its records have to wait, which a disk's error does not say. */
export function peerStatusOf(error: unknown): number {
  if (hasCode<FileStoreErrorCode>(error, "store-path-offline")) return wireStatus.tryAgain;
  return wireStatusOf(error) ?? wireStatus.ioError;
}

const damaged = fileStoreError("content-damaged", "the bytes do not have their CRC-32");
