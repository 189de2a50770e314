/**
 * A FastDFS client for trackers and storages of any release: it keeps connections, asks the next tracker or storage when one
 * fails and that is safe, streams in both directions with back pressure, and reads both address widths. It knows no
 * operating system: sockets and time come in. Everything rejects with `AppError<ClientErrorCode>`, or with the reason of the
 * `signal` that was aborted.
 */
import { Log, type LogSink } from "#base/log.ts";
import type { ClientParts } from "#client/client-parts.ts";
import { chooseTrunkServer, type Removal, removeStorage } from "#client/cluster-changes.ts";
import {
  type GroupStat,
  groupsOf,
  locationsOf,
  type StorageStat,
  statusOfTrackers,
  storagesOf,
  type TrackerStatus,
  writersOf,
} from "#client/cluster-queries.ts";
import type { Content } from "#client/content.ts";
import { type Download, openDownload } from "#client/download.ts";
import { clientError } from "#client/errors.ts";
import {
  appendContent,
  modifyContent,
  readMetadata,
  regenerateName,
  removeFile,
  storeSlave,
  truncateContent,
  writeMetadata,
} from "#client/file-changes.ts";
import {
  type FileInformation,
  fileInformation,
  type InformationOptions,
} from "#client/file-information.ts";
import {
  checkedBytes,
  checkedExtension,
  checkedGroup,
  checkedMetadata,
  checkedPrefix,
  crc32ByName,
  knownFile,
} from "#client/file-names.ts";
import { type ClientLimits, defaultClientLimits } from "#client/limits.ts";
import { storeFile } from "#client/store-file.ts";
import { TrackerRing } from "#client/tracker-ring.ts";
import type { Endpoint } from "#model/endpoint.ts";
import { formatFileId } from "#model/file-id.ts";
import type { MetadataEntry } from "#model/file-metadata.ts";
import type { StorageId } from "#model/storage-id.ts";
import { collect } from "#net/byte-flow.ts";
import { ConnectionPool } from "#net/connection-pool.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import type { StoredFile } from "#protocol/fastdfs/storage-files.ts";

export interface FastdfsClientOptions {
  /** At least one; any of them can answer. */
  readonly trackers: readonly Endpoint[];
  readonly network: Network;
  readonly clock: Clock;
  readonly log?: Log;
  readonly limits?: Partial<ClientLimits>;
}

export interface CallOptions {
  /** Ends the call; what was under way is cut off. */
  readonly signal?: AbortSignal;
}

export interface UploadOptions extends CallOptions {
  /** Becomes the end of the file id; with or without dot, at most 6 characters. */
  readonly extension?: string;
  /** Undefined lets the tracker choose. */
  readonly group?: string;
  /** Set at once; when that fails the file is deleted again and the upload fails. */
  readonly metadata?: Iterable<MetadataEntry>;
}

export interface SlaveOptions extends CallOptions {
  readonly prefix: string;
  readonly extension?: string;
  readonly metadata?: Iterable<MetadataEntry>;
}

export interface DownloadOptions extends CallOptions {
  /** Bytes from the start; 0 by default. */
  readonly offset?: number;
  /** Bytes; up to the end by default. A range that reaches past the end is cut off there. */
  readonly length?: number;
  /**
   * Compares the CRC-32 of a whole normal file with the one in its id; `drainTo` then rejects with `crc-mismatch` after the
   * last byte. Off by default: ids of a FastDFS that deduplicates carry a random one (protocol §13.2).
   */
  readonly verify?: boolean;
}

export class FastdfsClient implements AsyncDisposable {
  readonly #parts: ClientParts;

  /** Only stores: the first call connects. Throws `argument-invalid` without trackers. */
  constructor(options: FastdfsClientOptions) {
    if (options.trackers.length === 0) {
      throw clientError("argument-invalid", "a client needs the address of at least one tracker");
    }
    const { network, clock } = options;
    const limits = { ...defaultClientLimits, ...options.limits };
    const log = options.log ?? new Log("client", discard);
    const pool = new ConnectionPool({ network, clock, limits });
    const trackers = new TrackerRing({ trackers: options.trackers, pool, clock, log, limits });
    this.#parts = { pool, trackers, clock, log, limits };
  }

  /** Stores a file; resolves to its id. An upload is offered to another storage as long as nothing can be stored twice. */
  upload(content: Content, options: UploadOptions = {}): Promise<string> {
    return this.#store(content, options, false);
  }

  /** Stores a file that `append`, `modify` and `truncate` can change. */
  uploadAppender(content: Content, options: UploadOptions = {}): Promise<string> {
    return this.#store(content, options, true);
  }

  /** Stores a file under a name made of another one's; `file-exists` when there is one. */
  async uploadSlave(masterId: string, content: Content, options: SlaveOptions): Promise<string> {
    const master = knownFile(masterId);
    const metadata = checkedMetadata(options.metadata ?? []);
    const stored = await storeSlave(this.#parts, master, {
      prefix: checkedPrefix(options.prefix),
      extension: checkedExtension(options.extension ?? ""),
      content,
      signal: options.signal,
    });
    return await this.#finish(stored, metadata, options.signal);
  }

  /** Adds bytes at the end of an appender file; `outcome-unknown` when the connection broke after the last one. */
  async append(fileId: string, content: Content, options: CallOptions = {}): Promise<void> {
    await appendContent(this.#parts, knownFile(fileId), { content, signal: options.signal });
  }

  /** Overwrites bytes of an appender file from `offset` on, which may be at most its size. */
  async modify(
    fileId: string,
    content: Content,
    options: CallOptions & { readonly offset: number },
  ): Promise<void> {
    const offset = checkedBytes(options.offset, "the offset");
    const { signal } = options;
    await modifyContent(this.#parts, knownFile(fileId), { content, offset, signal });
  }

  /** Sets the size of an appender file; a larger one is filled with zeros. */
  async truncate(fileId: string, sizeBytes: number, options: CallOptions = {}): Promise<void> {
    checkedBytes(sizeBytes, "the size");
    await truncateContent(this.#parts, knownFile(fileId), { sizeBytes, signal: options.signal });
  }

  /** Makes a normal file of an appender file; resolves to its new id. Its metadata stays with the old one. */
  async regenerate(fileId: string, options: CallOptions = {}): Promise<string> {
    const file = await regenerateName(this.#parts, knownFile(fileId), options);
    return formatFileId(file.group, file.filename);
  }

  /** Opens a file for reading; resolves when the first storage begins to deliver. The result is drained or closed. */
  async download(fileId: string, options: DownloadOptions = {}): Promise<Download> {
    const file = knownFile(fileId);
    const offset = checkedBytes(options.offset ?? 0, "the offset");
    const length =
      options.length === undefined ? undefined : checkedBytes(options.length, "the length");
    const isWhole = offset === 0 && length === undefined;
    if (length === 0) return nothingOf(this.#parts.trackers.trackers[0]);
    return await openDownload(this.#parts, {
      file,
      offset,
      length: length ?? 0,
      emptyByName: file.decoded.size === 0,
      resumable: !file.decoded.isAppender,
      crc32: isWhole && options.verify === true ? crc32ByName(file) : undefined,
      signal: options.signal,
    });
  }

  /** The bytes of a file in memory; rejects with `argument-invalid` when it is larger than the limit for that. */
  async downloadBytes(fileId: string, options: DownloadOptions = {}): Promise<Buffer> {
    const download = await this.download(fileId, options);
    const limit = this.#parts.limits.maxBytesInMemory;
    if (download.length > limit) {
      download.close();
      throw clientError(
        "argument-invalid",
        `${fileId} has ${download.length} bytes, more than the ${limit} that may be kept in memory: use download`,
      );
    }
    return await collect(download);
  }

  /** Deletes a file and its metadata; slaves of it stay. `outcome-unknown` where a server may have done it without our hearing so. */
  async remove(fileId: string, options: CallOptions = {}): Promise<void> {
    await removeFile(this.#parts, knownFile(fileId), options);
  }

  /** By default normal files are decoded and the others asked for (protocol §12.3). */
  async fileInfo(fileId: string, options: InformationOptions = {}): Promise<FileInformation> {
    return await fileInformation(this.#parts, knownFile(fileId), options);
  }

  /** Replaces all metadata, or merges entries into it. Replacing by nothing removes it. */
  async setMetadata(
    fileId: string,
    entries: Iterable<MetadataEntry>,
    options: CallOptions & { readonly mode?: "overwrite" | "merge" } = {},
  ): Promise<void> {
    await writeMetadata(this.#parts, knownFile(fileId), {
      entries: checkedMetadata(entries),
      mode: options.mode ?? "overwrite",
      signal: options.signal,
    });
  }

  /** Sorted by name; undefined where the file has none or is not there, which servers do not tell apart. */
  async getMetadata(
    fileId: string,
    options: CallOptions = {},
  ): Promise<readonly MetadataEntry[] | undefined> {
    return await readMetadata(this.#parts, knownFile(fileId), options);
  }

  /** By name. */
  listGroups(options: CallOptions = {}): Promise<readonly GroupStat[]> {
    return groupsOf(this.#parts, options.signal);
  }

  /** By id. */
  async listStorages(group: string, options: CallOptions = {}): Promise<readonly StorageStat[]> {
    checkedGroup(group);
    return await storagesOf(this.#parts, group, options.signal);
  }

  /** The storages that take new files now, of a group or of one that the tracker chooses. */
  async listWriters(
    options: CallOptions & { readonly group?: string } = {},
  ): Promise<readonly Endpoint[]> {
    return await writersOf(this.#parts, checkedGroup(options.group), options.signal);
  }

  /** The storages that may serve a file. */
  async locate(fileId: string, options: CallOptions = {}): Promise<readonly Endpoint[]> {
    return await locationsOf(this.#parts, knownFile(fileId), options.signal);
  }

  /** Every tracker asked by itself; does not reject when one is away. */
  trackerStatus(options: CallOptions = {}): Promise<readonly TrackerStatus[]> {
    return statusOfTrackers(this.#parts, options.signal);
  }

  /** Takes a storage that does not run out of its group, at every tracker; see `Removal` for what each did. */
  async removeStorage(
    group: string,
    id: StorageId,
    options: CallOptions = {},
  ): Promise<readonly Removal[]> {
    checkedGroup(group);
    return await removeStorage(this.#parts, { group, id }, options.signal);
  }

  /** Without `id` who it is, or is chosen now; needs a tracker that packs small files. */
  async setTrunkServer(
    group: string,
    id: StorageId | undefined,
    options: CallOptions = {},
  ): Promise<StorageId> {
    checkedGroup(group);
    return await chooseTrunkServer(this.#parts, { group, id }, options.signal);
  }

  /** Closes idle connections; calls under way end by themselves. The process can then end. */
  close(): void {
    this.#parts.pool.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  async #store(content: Content, options: UploadOptions, appender: boolean): Promise<string> {
    const extension = checkedExtension(options.extension ?? "");
    const group = checkedGroup(options.group);
    const metadata = checkedMetadata(options.metadata ?? []);
    const { signal } = options;
    const stored = await storeFile(this.#parts, { content, extension, appender, group, signal });
    return await this.#finish(stored, metadata, signal);
  }

  /** Metadata goes to the storage that has the file for sure; a file without the metadata it came with is none. */
  async #finish(
    stored: { readonly file: StoredFile; readonly server: Endpoint },
    entries: readonly MetadataEntry[],
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { file, server } = stored;
    const fileId = formatFileId(file.group, file.filename);
    if (entries.length === 0) return fileId;
    const known = knownFile(fileId);
    try {
      await writeMetadata(this.#parts, known, { entries, mode: "overwrite", server, signal });
    } catch (error) {
      await this.#takeBack(fileId, error);
      throw error;
    }
    return fileId;
  }

  async #takeBack(fileId: string, cause: unknown): Promise<void> {
    try {
      await removeFile(this.#parts, knownFile(fileId), {});
    } catch (error) {
      throw clientError(
        "outcome-unknown",
        `${fileId} was stored, but its metadata was not, and deleting it again failed: delete it when the storage is back`,
        { cause: new AggregateError([cause, error]), details: { fileId } },
      );
    }
  }
}

const discard: LogSink = () => {};

/** A range without bytes; nobody has to be asked for it. */
function nothingOf(server: Endpoint | undefined): Download {
  return {
    length: 0,
    server: server ?? { address: "", port: 0 },
    drainTo: async () => {},
    resume: () => {},
    close: () => {},
  };
}
