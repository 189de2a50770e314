/**
 * The file store of this node: names lead to store paths, each served by its own worker thread, so that a disk delays
 * nobody but its own operations. Main thread; does no disk I/O itself.
 */
import { type AppError, describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { blockSizeFor, largeBlockBytes } from "#filestore/block-pool.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import type {
  FileFacts,
  FileStore,
  LinkRequest,
  MetadataMode,
  OpenedFile,
  Range,
  SlaveRequest,
  StorePathReport,
  UploadRequest,
} from "#filestore/file-store.ts";
import { type HowToStore, settleUpload } from "#filestore/held-upload.ts";
import { slotFields } from "#filestore/packing.ts";
import { hasRoom, type StorePathPolicy, selectPath } from "#filestore/path-selector.ts";
import { lookPeriodMs } from "#filestore/path-watch.ts";
import { ReadSource } from "#filestore/read-source.ts";
import { ServedPath } from "#filestore/served-path.ts";
import type { ReservedSpace, StorePathSettings } from "#filestore/settings.ts";
import { storeInSlot } from "#filestore/slot-source.ts";
import { StorePacking } from "#filestore/store-packing.ts";
import { StorePathClient } from "#filestore/store-path-client.ts";
import { TrunkLogClient } from "#filestore/trunk-log-client.ts";
import { UploadSink } from "#filestore/upload-sink.ts";
import {
  flagComputeCrc,
  flagEmptyIsFine,
  flagMerge,
  request,
  targetShift,
  writeFlag,
  writeTarget,
} from "#filestore/worker-messages.ts";
import type { FileSource } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { ByteFlow } from "#net/byte-flow.ts";
import { type Clock, delay, type Timer } from "#platform/clock.ts";
import type { Workers } from "#platform/workers.ts";

/** Free space moves slowly against the reserve; what is stored in between is subtracted as it goes. */
const spacePeriodMs = 1000;
/** A path that takes longer to open, having much to recover or hanging, does not keep the node from being served. */
const openLimitMs = 10_000;

export interface LocalFileStoreOptions {
  readonly paths: readonly StorePathSettings[];
  readonly workers: Workers;
  readonly clock: Clock;
  readonly log: Log;
  /** These come from the tracker's parameters and may change while we run. */
  readonly reserved: () => ReservedSpace;
  readonly policy: () => StorePathPolicy;
  /** How long a disk may stand still before its path is quarantined. */
  readonly diskTimeoutMs: number;
}

export class LocalFileStore implements FileStore {
  readonly #options: LocalFileStoreOptions;
  readonly #paths: readonly ServedPath[];
  /** The last change of each name that is under way or waits for its turn. */
  readonly #changing = new Map<string, Promise<void>>();
  /** For paths that open later. */
  #source: FileSource | undefined;
  #start = 0;
  #timers: readonly Timer[] = [];
  #closing = false;
  /** What the paths are told about trunk files. */
  readonly packing: StorePacking;
  /** The trunk binlog of the group, on the first path. */
  readonly trunkLog: TrunkLogClient;
  /** Something about a store path changed; the tracker is told. */
  onPathChange: () => void = () => {};

  constructor(options: LocalFileStoreOptions) {
    this.#options = options;
    this.#paths = options.paths.map(
      (settings) => new ServedPath(new StorePathClient(settings, options.log), options),
    );
    this.packing = new StorePacking(this.#paths, options.log);
    this.trunkLog = new TrunkLogClient(() => this.#paths[0]?.client);
  }

  /**
   * Starts every store path. A path that cannot be served stays offline and is reported; only when none can be is that
   * an error, since then there is nothing to serve. One that takes long is not waited for: it joins when its disk answers.
   */
  async start(): Promise<void> {
    const failures: unknown[] = [];
    const opened = this.#paths.map((path) =>
      this.#open(path).catch((error: unknown) => {
        failures.push(error);
      }),
    );
    await this.#untilServing(opened);
    if (failures.length === this.#paths.length) throw failures[0];
    const { clock } = this.#options;
    this.#timers = [
      clock.every(spacePeriodMs, () => this.#measureAll()),
      clock.every(lookPeriodMs, () => {
        for (const path of this.#paths) path.look();
      }),
    ];
  }

  async #open(path: ServedPath): Promise<void> {
    path.onChange = () => this.onPathChange();
    path.onOpen = () => {
      if (this.#source !== undefined) this.#tellSource(path, this.#source);
      this.packing.tell(path.index);
    };
    try {
      await path.open();
      for (const each of this.#paths) each.learnNeighbours(this.#paths);
    } catch (error) {
      const { index, directory } = path.client.settings;
      const why = describeError(error);
      this.#options.log.error("store-path-unusable", { path: index, directory, why });
      throw error;
    }
  }

  /** Until each path has been opened or has failed, or a while has passed. */
  async #untilServing(opened: readonly Promise<void>[]): Promise<void> {
    const { clock, log } = this.#options;
    const ended = new AbortController();
    const limit = delay(clock, openLimitMs, ended.signal).catch(() => undefined);
    await Promise.race([Promise.all(opened), limit]);
    ended.abort();
    for (const { client } of this.#paths) {
      if (client.state !== "opening") continue;
      const { index, directory } = client.settings;
      log.warn("store-path-opens-slowly", { path: index, directory });
    }
  }

  get paths(): readonly StorePathReport[] {
    return this.#paths.map((path) => path.report);
  }

  upload(wanted: UploadRequest, body: ByteFlow): Promise<string> {
    let path: ServedPath;
    try {
      path = this.#choosePath(wanted.storePathIndex, body.length);
    } catch (error) {
      return Promise.reject(error);
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
    const path = this.#pathOf(wanted.master);
    this.#needRoom(path, body.length);
    const text2 = `${wanted.prefix}\0${wanted.extension}`;
    return this.#store(path, body, { target: writeTarget.slave, text: wanted.master, text2 });
  }

  async link({ source, extension, slaveOf }: LinkRequest): Promise<string> {
    const path = this.#pathOf(source);
    if (slaveOf !== undefined && this.#pathOf(slaveOf.master) !== path) {
      throw fileStoreError("file-invalid", "a link and its master lie on different store paths");
    }
    const text2 = `${extension}\0${slaveOf?.prefix ?? ""}\0${slaveOf?.master ?? ""}`;
    return (await path.client.send({ kind: request.link, text: source, text2 })).text;
  }

  async append(name: string, body: ByteFlow): Promise<void> {
    const path = this.#pathOf(name);
    await this.#inTurn(name, () => {
      this.#needRoom(path, body.length);
      return this.#store(path, body, { target: writeTarget.append, text: name });
    });
  }

  async modify(name: string, offset: number, body: ByteFlow): Promise<void> {
    const path = this.#pathOf(name);
    await this.#inTurn(name, () => {
      this.#needRoom(path, body.length);
      return this.#store(path, body, { target: writeTarget.modify, text: name, offset });
    });
  }

  async truncate(name: string, sizeBytes: number): Promise<void> {
    const { client } = this.#pathOf(name);
    await client.send({ kind: request.truncate, text: name, a: sizeBytes });
  }

  async regenerate(name: string): Promise<string> {
    const { client } = this.#pathOf(name);
    return (await client.send({ kind: request.regenerate, text: name })).text;
  }

  async remove(name: string): Promise<void> {
    await this.#pathOf(name).client.send({ kind: request.remove, text: name });
    this.packing.freed(name);
  }

  open(
    name: string,
    range: Range,
    options: { readonly emptyIsFine?: boolean; readonly sizeInName?: number | undefined } = {},
  ): Promise<OpenedFile> {
    const client = this.#clientOf(name);
    if (client instanceof Error) return Promise.reject(client);
    const expected = range.length === 0 ? (options.sizeInName ?? largeBlockBytes) : range.length;
    const size = blockSizeFor(expected);
    const flags = options.emptyIsFine === true ? flagEmptyIsFine : 0;
    const how = { client, name, range, flags, named: options.sizeInName ?? 0 };
    const block = client.blocks.tryTake(size);
    if (block !== undefined) return openInto(block, how);
    return client.blocks.take(size).then((late) => openInto(late, how));
  }

  facts(name: string, options: { readonly computeCrc: boolean }): Promise<FileFacts> {
    const client = this.#clientOf(name);
    if (client instanceof Error) return Promise.reject(client);
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
    const { client } = this.#pathOf(name);
    if (text.length > largeBlockBytes) {
      throw fileStoreError("file-invalid", `metadata is limited to ${largeBlockBytes} bytes`);
    }
    await this.#inTurn(name, async () => {
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
    for (const timer of this.#timers) timer.cancel();
    await Promise.all(
      this.#paths.map(async ({ client }) => {
        try {
          await client.close();
        } catch (error) {
          const path = client.settings.index;
          this.#options.log.error("store-path-not-closed", { path, why: describeError(error) });
        }
      }),
    );
  }

  /**
   * Changes of one name that carry a payload come one after the other already here, where they hold no blocks while they
   * wait: enough of them would otherwise keep every block from the one whose end they wait for.
   */
  async #inTurn<Result>(name: string, change: () => Promise<Result>): Promise<Result> {
    const before = this.#changing.get(name);
    let finished = (): void => {};
    const turn = new Promise<void>((resolve) => {
      finished = resolve;
    });
    this.#changing.set(name, turn);
    try {
      if (before !== undefined) await before;
      return await change();
    } finally {
      finished();
      if (this.#changing.get(name) === turn) this.#changing.delete(name);
    }
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

  async #store(path: ServedPath, body: ByteFlow, how: HowToStore): Promise<string> {
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

  /** The path of an existing name; its index is part of it. */
  #pathOf(name: string): ServedPath {
    const path = this.#find(name);
    if (path === undefined) throw notHere(name);
    return path;
  }

  /** As `#pathOf`, for those whose callers expect promises only. */
  #clientOf(name: string): StorePathClient | Error {
    return this.#find(name)?.client ?? notHere(name);
  }

  #find(name: string): ServedPath | undefined {
    const index = parseRemoteFilename(name)?.storePathIndex;
    return index === undefined ? undefined : this.#paths[index];
  }

  #choosePath(index: number | undefined, sizeBytes: number): ServedPath {
    if (this.#closing) throw fileStoreError("store-closing", "the node is stopping");
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
    const unready = this.#paths.find(({ isServing }) => !isServing);
    if (unready !== undefined && !this.#paths.some(({ isWritable }) => isWritable)) {
      throw unready.refusal;
    }
    const error = this.#noRoom(sizeBytes);
    for (const each of this.#paths) this.#noteReserve(each, error);
    throw error;
  }

  #select(sizeBytes: number): ServedPath | undefined {
    const spaces = this.#paths.map((path) => path.space);
    const found = selectPath(spaces, sizeBytes, {
      policy: this.#options.policy(),
      start: this.#start,
      reserved: this.#options.reserved(),
    });
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

  #measureAll(): void {
    for (const path of this.#paths) {
      if (!path.isOnline) continue;
      path.measure().then(
        () => path.learnNeighbours(this.#paths),
        (error: unknown) => {
          this.#options.log.debug("space-unknown", { why: describeError(error) });
        },
      );
    }
  }
}

interface Opening {
  readonly client: StorePathClient;
  readonly name: string;
  readonly range: Range;
  readonly flags: number;
  /** The size that the name says, or 0. */
  readonly named: number;
}

/** Opens a file and reads its beginning, or all of it, into `block`. Without further promises: every download comes through. */
function openInto(block: number, how: Opening): Promise<OpenedFile> {
  const { client, name, range, flags, named } = how;
  const { offset, length } = range;
  const blockLength = client.blocks.view(block).length;
  return new Promise((resolve, reject) => {
    client.ask(
      { kind: request.read, text: name, a: offset, b: length, c: named, flags, block, blockLength },
      (opened) => {
        const rest = opened.a - offset;
        const body = new ReadSource(client, {
          handle: opened.c,
          offset,
          length: length === 0 ? rest : Math.min(length, rest),
          firstBlock: block,
          firstLength: opened.blockLength,
        });
        resolve({ sizeBytes: opened.a, modifiedSeconds: opened.b, body });
      },
      (error) => {
        client.blocks.give(block);
        reject(error);
      },
    );
  });
}

function notHere(name: string): AppError<FileStoreErrorCode> {
  return fileStoreError("file-invalid", `"${printable(name)}" names no store path of this node`);
}

/** A foreign name in a message: no control characters, bounded. */
function printable(name: string): string {
  return JSON.stringify(name.slice(0, 80)).slice(1, -1);
}
