/**
 * What the roles see of the files: logical names in, bytes and facts out, over however many store paths there are. The
 * FastDFS storage role and the HTTP gateway are both clients of this interface. Main thread; the work is done by one worker
 * thread a store path.
 */
import type { RecheckFacts } from "#filestore/recheck-facts.ts";
import type { TrunkFacts } from "#filestore/trunk/trunk-facts.ts";
import type { ByteFlow, ByteSource } from "#net/byte-flow.ts";
import type { DirectPeer } from "#net/direct-peer.ts";

export interface FileFacts {
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
  /** Of the content: from the name where it is there, else computed if asked for, else 0 (protocol §2.6/22). */
  readonly crc32: number;
}

/** A file opened for reading: its facts, and the range that was asked for as a source. */
export interface OpenedFile {
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
  readonly body: ByteSource;
}

export interface Range {
  /** Bytes from the start, 0 <= offset. */
  readonly offset: number;
  /** Bytes to read, clipped at the end of the file; 0 reads to the end. */
  readonly length: number;
}

export interface OpenOptions {
  readonly emptyIsFine?: boolean;
  /** The size that the name says; then the file's time is not asked for. */
  readonly sizeInName?: number | undefined;
  /** Who waits for the range and may be sent it directly, in part or whole: see `ByteSource.sent`. */
  readonly peer?: DirectPeer | undefined;
}

export interface UploadRequest {
  /** Undefined lets the store choose. */
  readonly storePathIndex: number | undefined;
  /** Without dot, at most 6 characters, may be empty. */
  readonly extension: string;
  readonly kind: "normal" | "appender";
  /** Called before the upload resolves where its content was here already and only got a further name. */
  readonly onLinked?: () => void;
}

export interface SlaveRequest {
  /** Logical name of the file that the new one belongs to. */
  readonly master: string;
  readonly prefix: string;
  readonly extension: string;
}

export interface LinkRequest {
  /** Logical name of the file that gets another name. */
  readonly source: string;
  readonly extension: string;
  /** Logical name of the file whose slave the new name is, on the same store path; undefined for a name of its own. */
  readonly slaveOf: { readonly master: string; readonly prefix: string } | undefined;
}

/**
 * `slow` is served, and passed over for new files; `read-only`, and `quarantined` and `checking` at times, serve reads alone; see
 * `path-machine.ts`.
 */
export const storePathConditions = [
  "opening",
  "online",
  "slow",
  "read-only",
  "quarantined",
  "checking",
  "offline",
] as const;
export type StorePathCondition = (typeof storePathConditions)[number];

/** New files can be stored there, as far as its disk goes. */
export function takesFiles(state: StorePathCondition): boolean {
  return state === "online" || state === "slow";
}

export interface StorePathReport {
  readonly index: number;
  readonly directory: string;
  readonly state: StorePathCondition;
  /** Why it is not simply online, in words. */
  readonly problem: string | undefined;
  readonly readOnly: boolean;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Trunk files of this node's own, as of the last measuring; undefined where there are none. */
  readonly trunkFiles?: TrunkFacts | undefined;
  /** How often it was quarantined since the start. */
  readonly quarantines: number;
  /** Requests that its disk did not answer in time, since the start. */
  readonly abandoned: number;
  /** Requests that failed because of its disk, since the start. */
  readonly failedRequests?: number;
  /** It has no disk now: nothing lies at its directory. */
  readonly isAbsent?: true;
  /** It is back in a moment by itself: whoever asks for its files meanwhile waits for that. */
  readonly isBrief?: true;
  /** Why new files go elsewhere although it is well; left out where they do not. */
  readonly takesNoFiles?: string;
  /** Looking at files again that may have been lost; left out where none is in doubt. */
  readonly recheck?: RecheckFacts | undefined;
}

export type MetadataMode = "overwrite" | "merge";

/** All names are logical names without group (protocol §3.1). Rejections are `AppError<FileStoreErrorCode>`. */
export interface FileStore {
  /** Resolves to the new logical name once the content is as durable as the settings promise. */
  upload(request: UploadRequest, body: ByteFlow): Promise<string>;
  uploadSlave(request: SlaveRequest, body: ByteFlow): Promise<string>;
  /** Resolves to another logical name for the same content (protocol §2.6/20). */
  link(request: LinkRequest): Promise<string>;
  append(name: string, body: ByteFlow): Promise<void>;
  /** Overwrites from `offset` on, which may be at most the present size. */
  modify(name: string, offset: number, body: ByteFlow): Promise<void>;
  truncate(name: string, sizeBytes: number): Promise<void>;
  /** Makes a normal file of an appender file; resolves to its new logical name. */
  regenerate(name: string): Promise<string>;
  remove(name: string): Promise<void>;
  /** `offset` at or past the end rejects with `file-invalid` unless `emptyIsFine` (protocol §2.6/14). */
  open(name: string, range: Range, options?: OpenOptions): Promise<OpenedFile>;
  /** `computeCrc` reads appender and slave files whole. */
  facts(name: string, options: { readonly computeCrc: boolean }): Promise<FileFacts>;
  /** The metadata text as stored (protocol §2.6/13). */
  readMetadata(name: string): Promise<Uint8Array>;
  writeMetadata(name: string, mode: MetadataMode, text: Uint8Array): Promise<void>;
  readonly paths: readonly StorePathReport[];
  /** Finishes what is under way, then ends the workers. */
  close(): Promise<void>;
}

/** What the store reports as it works, for the tracker's statistics, metrics and replication. */
export interface FileStoreObserver {
  /** A store path came or went. */
  pathChanged(report: StorePathReport): void;
  /** Something was appended to the binlog of this path. */
  binlogGrew(storePathIndex: number): void;
}
