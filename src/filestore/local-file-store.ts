/**
 * The file store of this node: names lead to store paths, each served by its own worker thread, so that a disk delays
 * nobody but its own operations. Main thread; does no disk I/O itself.
 */
import { type AppError, describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { blockSizeFor, largeBlockBytes } from "#filestore/block-pool.ts";
import type { BriefAbsences } from "#filestore/brief-absences.ts";
import { type DiskFile, writeDiskFile } from "#filestore/disk-file.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import type {
  FileFacts,
  FileStore,
  LinkRequest,
  MetadataMode,
  OpenedFile,
  OpenOptions,
  Range,
  SlaveRequest,
  StorePathReport,
  UploadRequest,
} from "#filestore/file-store.ts";
import { type HowToStore, settleUpload } from "#filestore/held-upload.ts";
import { StoreInventories } from "#filestore/inventory/store-inventories.ts";
import { LocalReplicaStore } from "#filestore/local-replica-store.ts";
import { NameClock } from "#filestore/name-clock.ts";
import { NameTurns } from "#filestore/name-turns.ts";
import { findPath, notHere } from "#filestore/named-path.ts";
import { openRead } from "#filestore/open-read.ts";
import { slotFields } from "#filestore/packing.ts";
import { hasRoom, type StorePathPolicy, selectPath } from "#filestore/path-selector.ts";
import type { LatencySummary } from "#filestore/request-watch.ts";
import type { ServedPath } from "#filestore/served-path.ts";
import type { ReservedSpace, StorePathSettings } from "#filestore/settings.ts";
import { storeInSlot } from "#filestore/slot-source.ts";
import { StorePacking } from "#filestore/store-packing.ts";
import { StorePaths } from "#filestore/store-paths.ts";
import { StoreScrubs } from "#filestore/store-scrubs.ts";
import { TrunkLogClient } from "#filestore/trunk-log-client.ts";
import { UploadSink } from "#filestore/upload-sink.ts";
import {
  flagComputeCrc,
  flagMerge,
  request,
  targetShift,
  writeFlag,
  writeTarget,
} from "#filestore/worker-messages.ts";
import type { FileSource } from "#model/file-id.ts";
import type { ByteFlow } from "#net/byte-flow.ts";
import type { Clock } from "#platform/clock.ts";
import type { ResidentFiles } from "#platform/resident-files.ts";
import type { Workers } from "#platform/workers.ts";

export interface LocalFileStoreOptions {
  /** By index, without gaps. */
  readonly paths: readonly StorePathSettings[];
  /** Those of them that have no disk now, and why. */
  readonly absent?: ReadonlyMap<number, string>;
  readonly workers: Workers;
  readonly clock: Clock;
  readonly log: Log;
  /** These come from the tracker's parameters and may change while we run. */
  readonly reserved: () => ReservedSpace;
  readonly policy: () => StorePathPolicy;
  /** How long a disk may stand still before its path is quarantined. */
  readonly diskTimeoutMs: number;
  /** Left out: every read is the worker's. */
  readonly resident?: ResidentFiles | undefined;
  /** Starts also where no store path can be served: somebody else has the files. */
  readonly startsUnserved?: boolean;
}

export class LocalFileStore implements FileStore {
  readonly #options: LocalFileStoreOptions;
  readonly #served: StorePaths;
  readonly #paths: readonly ServedPath[];
  readonly #turns = new NameTurns();
  /** For paths that open later. */
  #source: FileSource | undefined;
  #start = 0;
  #closing = false;
  /** Paths that take no new files, and why; and those of them that do where no other one does. */
  #closed: ReadonlyMap<number, string> = new Map();
  #lastResorts: ReadonlySet<number> = new Set();
  /** What the paths are told about trunk files. */
  readonly packing: StorePacking;
  /** The trunk binlog of the group, on the first path. */
  readonly trunkLog: TrunkLogClient;
  /** The same files, as replication sees them. */
  readonly replicas: LocalReplicaStore;
  readonly inventories: StoreInventories;
  readonly scrubs: StoreScrubs;
  /** Something about a store path changed; and: a client deleted or renamed this file. */
  onPathChange: () => void = () => {};
  onGone: (name: string) => void = () => {};
  /** A store path began to be served while the others were; `isOther`: another disk than the one that had its index before. */
  onPathAdded: (index: number, isOther: boolean) => void = () => {};
  /** Whether background work may read there now: not where that would wake a disk that sleeps. */
  mayReadInBackground: (index: number) => boolean = () => true;

  constructor(options: LocalFileStoreOptions) {
    this.#options = options;
    const names = new NameClock(options.clock);
    this.#served = new StorePaths({
      ...options,
      names: names.memory,
      closed: (index) => this.#closedFor(index),
      onPlaced: (path) => {
        this.replicas.serve(path);
        this.packing.serve(path);
      },
      onOpen: (path) => {
        if (this.#source !== undefined) this.#tellSource(path, this.#source);
        this.packing.tell(path.index);
      },
      onAdded: (index, isOther) => this.onPathAdded(index, isOther),
      onChange: () => this.onPathChange(),
    });
    this.#paths = this.#served.all;
    this.replicas = new LocalReplicaStore(this.#paths, names);
    this.inventories = new StoreInventories(this.#paths);
    this.scrubs = new StoreScrubs(this.#paths);
    this.packing = new StorePacking(this.#paths, options.log);
    this.trunkLog = new TrunkLogClient(() => this.#paths[0]?.client);
    for (const settings of options.paths) {
      const why = options.absent?.get(settings.index);
      if (why === undefined) this.#served.place(settings);
      else this.#served.placeAbsent(settings, why);
    }
  }

  /** See `StorePaths.start`. */
  async start(): Promise<void> {
    await this.#served.start();
  }

  /** See `StorePaths.add`. */
  addPath(settings: StorePathSettings): Promise<void> {
    if (this.#closing) return Promise.reject(closing());
    return this.#served.add(settings);
  }

  /** See `StorePaths.take`. */
  takePath(index: number, why: string): Promise<void> {
    return this.#served.take(index, why);
  }

  /** See `StorePaths.takeBriefly`. */
  takePathBriefly(index: number, why: string): Promise<void> {
    return this.#served.takeBriefly(index, why);
  }

  /** Paths that are back in a moment. Changes wait for them; reads are refused, so that a peer may be asked first. */
  get absences(): BriefAbsences {
    return this.#served.absences;
  }

  /**
   * New files go to other paths than these from now on, and trackers are told of no room in them; the reasons are for people. Of these, the
   * last resorts go on taking files as long as there is no other path that does.
   */
  closeForNew(paths: ReadonlyMap<number, string>, lastResorts: ReadonlySet<number>): void {
    this.#closed = paths;
    this.#lastResorts = lastResorts;
    this.onPathChange();
  }

  #closedFor(index: number): string | undefined {
    const why = this.#closed.get(index);
    if (why === undefined || !this.#lastResorts.has(index)) return why;
    const isOpen = ({ index: other, isServing, client }: ServedPath): boolean =>
      !this.#closed.has(other) && isServing && !client.settings.readOnly;
    return this.#paths.some(isOpen) ? why : undefined;
  }

  /** Somebody waits for the disk of this path. */
  isBusy(index: number): boolean {
    return this.#paths[index]?.client.isBusy === true;
  }

  /** Puts a file beside the store paths of the disk that this path lies on. Rejects with `AppError<FileStoreErrorCode>`. */
  writeDiskFile(storePathIndex: number, file: DiskFile): Promise<void> {
    const client = this.#paths[storePathIndex]?.client;
    if (client === undefined) return Promise.reject(noDisk());
    return writeDiskFile(client, file);
  }

  /** The kernel's numbers of the file systems that are served. */
  get devices(): ReadonlySet<number> {
    return new Set(this.#paths.flatMap(({ device }) => device ?? []));
  }

  get paths(): readonly StorePathReport[] {
    return this.#paths.map((path) => path.report);
  }

  /** How long clients' requests of a store path take; undefined while too little is known. */
  latencyOf(index: number): LatencySummary | undefined {
    return this.#paths.find((path) => path.index === index)?.latency;
  }

  upload(wanted: UploadRequest, body: ByteFlow): Promise<string> {
    let path: ServedPath;
    try {
      path = this.#choosePath(wanted.storePathIndex, body.length);
    } catch (error) {
      return this.absences.outlast(error, undefined).then(() => this.upload(wanted, body));
    }
    const target = wanted.kind === "appender" ? writeTarget.appender : writeTarget.normal;
    const how = { target, text: wanted.extension };
    if (target === writeTarget.appender) return this.#store(path, body, how);
    if (path.client.settings.dedup) return this.#store(path, body, this.#once(path, wanted));
    const slots = this.packing.slotsFor(path.index, body);
    if (slots === undefined) return this.#store(path, body, how);
    return storeInSlot(slots, { storePathIndex: path.index, sizeBytes: body.length }, (slot) =>
      slot === undefined
        ? this.#store(path, body, how)
        : this.#store(path, body, { ...how, target: writeTarget.slot, text2: slotFields(slot) }),
    );
  }

  async uploadSlave(wanted: SlaveRequest, body: ByteFlow): Promise<string> {
    const path = this.#here(wanted.master) ?? (await this.#back(wanted.master));
    this.#needRoom(path, body.length);
    const text2 = `${wanted.prefix}\0${wanted.extension}`;
    return this.#store(path, body, { target: writeTarget.slave, text: wanted.master, text2 });
  }

  async link({ source, extension, slaveOf }: LinkRequest): Promise<string> {
    const path = this.#here(source) ?? (await this.#back(source));
    if (slaveOf !== undefined && this.#pathOf(slaveOf.master) !== path) {
      throw fileStoreError("file-invalid", "a link and its master lie on different store paths");
    }
    const text2 = `${extension}\0${slaveOf?.prefix ?? ""}\0${slaveOf?.master ?? ""}`;
    return (await path.client.send({ kind: request.link, text: source, text2 })).text;
  }

  async append(name: string, body: ByteFlow): Promise<void> {
    await this.#turns.run(name, async () => {
      const path = this.#here(name) ?? (await this.#back(name));
      this.#needRoom(path, body.length);
      return await this.#store(path, body, { target: writeTarget.append, text: name });
    });
  }

  async modify(name: string, offset: number, body: ByteFlow): Promise<void> {
    await this.#turns.run(name, async () => {
      const path = this.#here(name) ?? (await this.#back(name));
      this.#needRoom(path, body.length);
      return await this.#store(path, body, { target: writeTarget.modify, text: name, offset });
    });
  }

  async truncate(name: string, sizeBytes: number): Promise<void> {
    const { client } = this.#here(name) ?? (await this.#back(name));
    await client.send({ kind: request.truncate, text: name, a: sizeBytes });
  }

  async regenerate(name: string): Promise<string> {
    const { client } = this.#here(name) ?? (await this.#back(name));
    const { text } = await client.send({ kind: request.regenerate, text: name });
    this.onGone(name);
    return text;
  }

  async remove(name: string): Promise<void> {
    const { client } = this.#here(name) ?? (await this.#back(name));
    await client.send({ kind: request.remove, text: name });
    this.packing.freed(name);
    this.onGone(name);
  }

  open(name: string, range: Range, options: OpenOptions = {}): Promise<OpenedFile> {
    const path = this.#find(name);
    if (path === undefined) return Promise.reject(notHere(name));
    return openRead(path.client, name, { ...options, range, resident: path.resident });
  }

  facts(name: string, options: { readonly computeCrc: boolean }): Promise<FileFacts> {
    const path = this.#find(name);
    if (path === undefined) return Promise.reject(notHere(name));
    const resident = path.resident?.facts(name);
    if (resident !== undefined) return Promise.resolve(resident);
    const { client } = path;
    const flags = options.computeCrc ? flagComputeCrc : 0;
    return new Promise((resolve, reject) => {
      client.ask(
        { kind: request.facts, text: name, flags },
        ({ a, b, c }) => resolve({ sizeBytes: a, modifiedSeconds: b, crc32: c }),
        reject,
      );
    });
  }

  async readMetadata(name: string): Promise<Uint8Array> {
    const { client } = this.#pathOf(name);
    for (const size of ["small", "large"] as const) {
      const block = await client.blocks.take(size);
      try {
        const found = await client.send({ kind: request.readMetadata, text: name, block });
        const view = client.blocks.view(block);
        if (found.a <= view.length) return Buffer.from(view.subarray(0, found.a));
      } finally {
        client.blocks.give(block);
      }
    }
    throw fileStoreError("disk-failed", "the metadata file is larger than any client could write");
  }

  async writeMetadata(name: string, mode: MetadataMode, text: Uint8Array): Promise<void> {
    if (text.length > largeBlockBytes) {
      throw fileStoreError("file-invalid", `metadata is limited to ${largeBlockBytes} bytes`);
    }
    await this.#turns.run(name, async () => {
      const { client } = this.#here(name) ?? (await this.#back(name));
      const block = await client.blocks.take(blockSizeFor(text.length));
      try {
        client.blocks.view(block).set(text);
        const flags = mode === "merge" ? flagMerge : 0;
        const fields = { text: name, block, blockLength: text.length, flags };
        await client.send({ kind: request.writeMetadata, ...fields });
      } finally {
        client.blocks.give(block);
      }
    });
  }

  /** Who file ids made from now on come from: a tracker has told what our address or id is. */
  setSource(source: FileSource): void {
    this.#source = source;
    for (const path of this.#paths) {
      if (path.isOnline) this.#tellSource(path, source);
    }
  }

  #tellSource({ client }: ServedPath, source: FileSource): void {
    const text2 = source.kind === "id" ? source.id : source.address;
    client.send({ kind: request.setSource, text: source.kind, text2 }).catch((error: unknown) => {
      this.#options.log.warn("source-not-set", { why: describeError(error) });
    });
  }

  /** Waits for every worker, however long its disk takes: limits are the caller's. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#served.close();
  }

  /** Content that one of the paths has is not stored again. */
  #once(path: ServedPath, { extension, onLinked }: UploadRequest): HowToStore {
    const others = this.#paths.filter(
      (each) => each !== path && each.client.settings.dedup && each.isWritable && !each.isAvoided,
    );
    const { clock, log } = this.#options;
    const held = { client: path.client, others: others.map(({ client }) => client), extension };
    return {
      target: writeTarget.normal,
      text: extension,
      flags: others.length === 0 ? 0 : writeFlag.hold,
      settle: async (last) => {
        const stored = await settleUpload(last, { ...held, clock, log });
        if (!stored.isNew) onLinked?.();
        return stored;
      },
    };
  }

  async #store(chosen: ServedPath, body: ByteFlow, how: HowToStore): Promise<string> {
    const path = chosen.isServing ? chosen : await this.#again(chosen);
    const begin = {
      kind: request.write,
      flags: (how.target << targetShift) | (how.flags ?? 0),
      text: how.text,
      text2: how.text2 ?? "",
      c: how.offset ?? 0,
    };
    try {
      const last = await new UploadSink(path.client, body, begin).run();
      const settled = how.settle === undefined ? undefined : await how.settle(last);
      path.stored(settled?.isNew === false ? 0 : body.length);
      return settled?.text ?? last.text;
    } catch (error) {
      path.failed(error);
      throw error;
    }
  }

  /** The path that is there now in place of one that was chosen and has gone meanwhile. */
  async #again(chosen: ServedPath): Promise<ServedPath> {
    const { index, refusal } = chosen;
    if (this.#paths[index]?.isServing !== true) await this.absences.outlast(refusal, index);
    return this.#paths[index] ?? chosen;
  }

  /** The path of an existing name; its index is part of it. */
  #pathOf(name: string): ServedPath {
    const path = this.#find(name);
    if (path === undefined) throw notHere(name);
    return path;
  }

  /** As `#pathOf`; undefined where it is worth waiting for. */
  #here(name: string): ServedPath | undefined {
    const path = this.#pathOf(name);
    return path.isServing || !this.absences.has(path.index) ? path : undefined;
  }

  async #back(name: string): Promise<ServedPath> {
    const { index, refusal } = this.#pathOf(name);
    await this.absences.outlast(refusal, index);
    return this.#pathOf(name);
  }

  #find(name: string): ServedPath | undefined {
    return findPath(this.#paths, name);
  }

  #choosePath(index: number | undefined, sizeBytes: number): ServedPath {
    if (this.#closing) throw closing();
    const asked = index === undefined ? undefined : this.#paths[index];
    if (index !== undefined && asked === undefined) {
      throw fileStoreError("file-invalid", `there is no store path ${index}`);
    }
    // A path that takes no new files is passed over, as the original does (protocol §2.6/11).
    if (asked?.isWritable === true && !asked.isAvoided) {
      this.#needRoom(asked, sizeBytes);
      return asked;
    }
    const path = this.#select(sizeBytes);
    if (path !== undefined) return path;
    if (this.#paths.length === 0) throw noDisk();
    const unready = this.#paths.find(({ isServing }) => !isServing);
    if (unready !== undefined && !this.#paths.some(({ isWritable }) => isWritable)) {
      throw unready.refusal;
    }
    const error = this.#noRoom(sizeBytes);
    for (const each of this.#paths) this.#noteReserve(each, error);
    throw error;
  }

  #select(sizeBytes: number): ServedPath | undefined {
    const { policy, reserved } = this.#options;
    const how = { policy: policy(), start: this.#start, reserved: reserved() };
    const spaces = this.#paths.map((path) => path.space);
    const found = selectPath(spaces, sizeBytes, how);
    if (found === undefined) return undefined;
    this.#start = found.nextStart;
    return this.#paths[found.chosen.index];
  }

  #needRoom(path: ServedPath, sizeBytes: number): void {
    if (!path.isServing) throw path.refusal;
    if (this.#hasRoom(path, sizeBytes)) return;
    const error = this.#noRoom(sizeBytes);
    this.#noteReserve(path, error);
    throw error;
  }

  #hasRoom(path: ServedPath, sizeBytes: number): boolean {
    const limit = { reserved: this.#options.reserved(), pathCount: this.#paths.length };
    return hasRoom(path.space, sizeBytes, limit);
  }

  /** A file that is too large says nothing about its path. */
  #noteReserve(path: ServedPath, error: AppError): void {
    if (!path.isWritable) return;
    if (this.#hasRoom(path, 0)) path.failed(error);
    else path.reachedReserve(error);
  }

  #noRoom(sizeBytes: number): AppError<FileStoreErrorCode> {
    return fileStoreError(
      "store-full",
      `no store path has room for ${sizeBytes} bytes above the reserved space; add a disk or lower tracker.reserved_space`,
    );
  }
}

function noDisk(): AppError<FileStoreErrorCode> {
  return fileStoreError(
    "store-path-unready",
    "this node has no disk yet: plug one in, and give it to the node",
  );
}

function closing(): AppError<FileStoreErrorCode> {
  return fileStoreError("store-closing", "the node is stopping");
}
