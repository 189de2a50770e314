/**
 * What replication sees of the files: changes that happened at another storage first, with the time they had there, and the record
 * of what happened here. A change that comes from a peer is written to the binlog in lower case, and passed on to nobody but a new
 * member. Main thread; the work is done by the store path's worker, in the same commits as uploads. Names are logical names without
 * group. Rejections are `AppError<FileStoreErrorCode>`; nothing is left of a change that was rejected.
 */
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import type { ByteFlow } from "#net/byte-flow.ts";

/** A file, or the metadata of one (`…-m`), as a whole. */
export interface ReplicaFile {
  readonly name: string;
  /** Of the change at its source, Unix seconds; becomes the file's modification time. */
  readonly timestamp: number;
  /**
   * `create`: a file that is here stays where its content is the same, or fits its name; one that can be changed (appender, slave, metadata)
   * also where it is not shorter and was changed later than `timestamp`. What was removed here does not come back: `already`, too.
   * `replace`: whatever is there is overwritten, unless it is identical and not older; also brings back what was removed. Of a packed
   * file, where the name says its slot: with `already` where a file that was made later has the slot. Rejects with `file-exists` where
   * something unknown is in the slot, and with `store-path-unready` while another change of the slot is under way: try again later.
   */
  readonly mode: "create" | "replace";
  /**
   * CRC-32 that the content must have, checked before anything becomes visible: `content-damaged` otherwise, and where the size is not
   * the one in the name. Undefined: the one in the name, where the name has one. It counts more than the name (names of C's links, and of
   * old releases, say another one), but for packed files.
   */
  readonly crc32: number | undefined;
  /**
   * `timestamp` is the time that the file has there, and the later version counts (`file-version.ts`): one that is here and later stays,
   * whatever `mode` says, and the outcome is `later`. Only for files that can be changed.
   */
  readonly versioned?: boolean;
}

/** Bytes that were appended, or overwritten, from `offset` on. */
export interface ReplicaRange {
  readonly name: string;
  readonly offset: number;
  readonly timestamp: number;
  /**
   * Whoever sends it sends the whole file where this `differs`: then a modification that comes after a later one does, or after another
   * one of its time, and `already` is what has these bytes.
   */
  readonly versioned?: boolean;
  /** Of a modification that comes in pieces: the one before it is here, with the same time. */
  readonly goesOn?: boolean;
}

export interface ReplicaTruncation {
  readonly name: string;
  readonly oldSize: number;
  readonly newSize: number;
  readonly timestamp: number;
  /** As above: it `differs` where the file was changed later, and `already` is what has the size since then. */
  readonly versioned?: boolean;
}

export interface ReplicaName {
  readonly name: string;
  /** The name that it was made from, or means. */
  readonly source: string;
  readonly timestamp: number;
}

/**
 * `done`; `already`: nothing needed to be done; `missing`: there is no such file; `differs`: what is here does not fit the change, and
 * the file must be sent as a whole.
 */
export type ReplicaOutcome = StoredOutcome | "missing" | "differs";
/** `later`: the version that is here is a later one, and stays. */
export type StoredOutcome = "done" | "already" | "later";

export interface BinlogPage {
  /** Whole lines, as they are in the binlog; records of changes that are carried out and as durable as the settings promise. */
  readonly lines: Uint8Array;
  /** Where the next page begins. */
  readonly next: BinlogPosition;
  /** There was nothing more when this was read. */
  readonly atEnd: boolean;
}

/** Room for a batch of changes, in memory that the store path's worker sees. */
export interface ReplicaBatch {
  /** To be filled before `store`. */
  readonly bytes: Uint8Array;
  /**
   * Stores new files of the batch, of `records` records (`protocol/peer/sync-record.ts`), as `storeReplica` does, versioned. Whatever else is
   * in it, or goes wrong, is left to the caller. Never rejects.
   */
  store(records: number): Promise<BatchOutcome>;
  /** The room is not needed any more; once. */
  release(): void;
}

export interface BatchOutcome {
  /** In the order of the records; undefined for those that are to be carried out one by one. */
  readonly outcomes: readonly (StoredOutcome | undefined)[];
  /** Of the records with an outcome: the latest time, in Unix seconds, and the bytes of all contents. */
  readonly latest: number;
  readonly bytes: number;
}

/** A batch of changes for a peer, in memory of the store path's worker. */
export interface FilledBatch {
  /** Records of `protocol/peer/sync-record.ts`, and behind them room. */
  readonly bytes: Uint8Array;
  readonly lengthBytes: number;
  /** Of the lines that were asked for, which have a record. */
  readonly isIn: readonly boolean[];
  /** The bytes are not needed any more; once. */
  release(): void;
}

export interface ReplicaStore {
  /** The body's length must be exact. Nothing is recorded of what is `already` here. */
  storeReplica(file: ReplicaFile, body: ByteFlow): Promise<StoredOutcome>;
  /**
   * Room for a batch of changes of the store path that `name` lies on. Undefined where there is none just now, as where many batches are
   * under way: then their records are to be carried out one by one.
   */
  receiveBatch(name: string, lengthBytes: number): ReplicaBatch | undefined;
  /**
   * Reads new files for a peer, which binlog `lines` tell of, all of the store path that `name` lies on, and compares each with the CRC-32 of
   * its name. What is not simply read is left out; undefined where nothing can be read in this way just now. Never rejects.
   */
  readBatch(name: string, lines: readonly string[]): Promise<FilledBatch | undefined>;
  /** A peer says that we have it: only the record is written (protocol §2.7/16, status ≠ 0). Rejects with `file-missing` where we do not. */
  recordReplica(file: Pick<ReplicaFile, "name" | "timestamp" | "mode">): Promise<void>;
  appendReplica(range: ReplicaRange, body: ByteFlow): Promise<ReplicaOutcome>;
  modifyReplica(range: ReplicaRange, body: ByteFlow): Promise<ReplicaOutcome>;
  /** `already` where it has the new size; `differs` where it has neither. */
  truncateReplica(change: ReplicaTruncation): Promise<ReplicaOutcome>;
  /** Of a file, with its metadata staying: that has a record of its own; or of metadata (`…-m`). */
  removeReplica(change: Pick<ReplicaFile, "name" | "timestamp">): Promise<"done" | "missing">;
  /**
   * An appender file became `name`; `source` is its old name, and gone afterwards whatever the outcome is: with `missing` and `differs` the
   * new file must be sent.
   */
  renameReplica(change: ReplicaName): Promise<ReplicaOutcome>;
  /** `missing` where the source is not here; `differs` where no further name can be had: it must be sent as a file. */
  linkReplica(change: ReplicaName): Promise<ReplicaOutcome>;

  /**
   * Reads the binlog of a store path from a place where a record begins; at most `maxBytes` (up to 64 KiB are used). Rejects with
   * `binlog-gone` where there is no such place, as after the loss of a disk.
   */
  readBinlog(storePathIndex: number, from: BinlogPosition, maxBytes: number): Promise<BinlogPage>;
  /** The end of what `readBinlog` gives now: behind all changes that were answered before, and of names that `nameClock` passed before. */
  binlogEnd(storePathIndex: number): Promise<BinlogPosition>;
  /** `data/sync/<name>` of the store path; undefined where there is none. Only plain names that end in `.mark`. */
  readMark(storePathIndex: number, name: string): Promise<string | undefined>;
  /**
   * Replaces it atomically. Not flushed by itself: after a power cut it may be an old one, which sends records twice, or empty. But for
   * `….aside.mark`: what was set aside is durable before a mark passes over it.
   */
  writeMark(storePathIndex: number, name: string, text: string): Promise<void>;
  removeMark(storePathIndex: number, name: string): Promise<void>;
  /**
   * A change that was made here first was added to the binlog of this store path; of peers' changes, which wait for nobody but a new member,
   * nothing is said. Called often; must return at once.
   */
  onBinlogGrowth: (storePathIndex: number) => void;
  /**
   * Unix seconds: every file made here from now on, on any store path, has at least this time in its name. Never runs backwards, also
   * over restarts and steps of the clock; goes on by a second a second where the clock is behind it. Waits for names that are given and not
   * recorded yet, and stays within seconds of the newest name while nothing is stored. 0 as long as no store path was opened.
   */
  nameClock(): number;
}
