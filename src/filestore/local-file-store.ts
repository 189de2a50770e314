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
  MetadataMode,
  OpenedFile,
  Range,
  SlaveRequest,
  StorePathReport,
  UploadRequest,
} from "#filestore/file-store.ts";
import {
  hasRoom,
  type PathSpace,
  type StorePathPolicy,
  selectPath,
} from "#filestore/path-selector.ts";
import { ReadSource } from "#filestore/read-source.ts";
import type { ReservedSpace, StorePathSettings } from "#filestore/settings.ts";
import { StorePathClient } from "#filestore/store-path-client.ts";
import { UploadSink } from "#filestore/upload-sink.ts";
import {
  flagComputeCrc,
  flagEmptyIsFine,
  flagMerge,
  request,
  targetShift,
  writeTarget,
} from "#filestore/worker-messages.ts";
import type { FileSource } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import type { ByteFlow } from "#net/byte-flow.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import type { Workers } from "#platform/workers.ts";

/** Free space moves slowly against the reserve; what is stored in between is subtracted as it goes. */
const spacePeriodMs = 1000;
/** A worker that has not ended by then hangs in a call to its disk, and is left behind. */
const closeDeadlineMs = 20_000;

export interface LocalFileStoreOptions {
  readonly paths: readonly StorePathSettings[];
  readonly workers: Workers;
  readonly clock: Clock;
  readonly log: Log;
  /** These come from the tracker's parameters and may change while we run. */
  readonly reserved: () => ReservedSpace;
  readonly policy: () => StorePathPolicy;
}

interface ServedPath {
  readonly client: StorePathClient;
  totalBytes: number;
  freeBytes: number;
}

export class LocalFileStore implements FileStore {
  readonly #options: LocalFileStoreOptions;
  readonly #paths: readonly ServedPath[];
  /** The last change of each name that is under way or waits for its turn. */
  readonly #changing = new Map<string, Promise<void>>();
  #start = 0;
  #spaceTimer: Timer | undefined;
  #closing = false;
  /** Something about a store path changed; the tracker is told. */
  onPathChange: () => void = () => {};

  constructor(options: LocalFileStoreOptions) {
    this.#options = options;
    this.#paths = options.paths.map((settings) => ({
      client: new StorePathClient(settings, options.log),
      totalBytes: 0,
      freeBytes: 0,
    }));
  }

  /**
   * Starts every store path. A path that cannot be served stays offline and is reported; only when none can be is that
   * an error, since then there is nothing to serve.
   */
  async start(): Promise<void> {
    const opened = await Promise.allSettled(
      this.#paths.map(async (path) => {
        path.client.onStateChange = () => this.onPathChange();
        await path.client.start(this.#options.workers);
        await this.#measure(path);
      }),
    );
    const failures = opened.filter((outcome) => outcome.status === "rejected");
    for (const [index, outcome] of opened.entries()) {
      if (outcome.status === "fulfilled") continue;
      const directory = this.#paths[index]?.client.settings.directory;
      this.#options.log.error("store-path-unusable", {
        path: index,
        directory,
        why: describeError(outcome.reason),
      });
    }
    const first = failures[0];
    if (first !== undefined && failures.length === this.#paths.length) throw first.reason;
    this.#spaceTimer = this.#options.clock.every(spacePeriodMs, () => this.#measureAll());
  }

  get paths(): readonly StorePathReport[] {
    return this.#paths.map((path) => ({
      index: path.client.settings.index,
      directory: path.client.settings.directory,
      state: path.client.state,
      problem: path.client.problem,
      readOnly: path.client.settings.readOnly,
      totalBytes: path.totalBytes,
      freeBytes: path.freeBytes,
    }));
  }

  async upload(wanted: UploadRequest, body: ByteFlow): Promise<string> {
    const path = this.#choosePath(wanted.storePathIndex, body.length);
    const target = wanted.kind === "appender" ? writeTarget.appender : writeTarget.normal;
    return this.#store(path, body, { target, text: wanted.extension });
  }

  async uploadSlave(wanted: SlaveRequest, body: ByteFlow): Promise<string> {
    const path = this.#pathOf(wanted.master);
    this.#needRoom(path, body.length);
    const text2 = `${wanted.prefix}\0${wanted.extension}`;
    return this.#store(path, body, { target: writeTarget.slave, text: wanted.master, text2 });
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
  }

  async open(
    name: string,
    range: Range,
    options: { readonly emptyIsFine?: boolean; readonly expectedBytes?: number } = {},
  ): Promise<OpenedFile> {
    const { client } = this.#pathOf(name);
    const expected = range.length === 0 ? (options.expectedBytes ?? largeBlockBytes) : range.length;
    const size = blockSizeFor(expected);
    const block = client.blocks.tryTake(size) ?? (await client.blocks.take(size));
    try {
      const opened = await client.send({
        kind: request.read,
        text: name,
        a: range.offset,
        b: range.length,
        flags: options.emptyIsFine === true ? flagEmptyIsFine : 0,
        block,
        blockLength: client.blocks.view(block).length,
      });
      const rest = opened.a - range.offset;
      const body = new ReadSource(client, {
        handle: opened.c,
        offset: range.offset,
        length: range.length === 0 ? rest : Math.min(range.length, rest),
        firstBlock: block,
        firstLength: opened.blockLength,
      });
      return { sizeBytes: opened.a, modifiedSeconds: opened.b, body };
    } catch (error) {
      client.blocks.give(block);
      throw error;
    }
  }

  async facts(name: string, options: { readonly computeCrc: boolean }): Promise<FileFacts> {
    const { client } = this.#pathOf(name);
    const flags = options.computeCrc ? flagComputeCrc : 0;
    const found = await client.send({ kind: request.facts, text: name, flags });
    return { sizeBytes: found.a, modifiedSeconds: found.b, crc32: found.c };
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
    const text2 = source.kind === "id" ? source.id : source.address;
    for (const { client } of this.#paths) {
      if (client.state !== "online") continue;
      client.send({ kind: request.setSource, text: source.kind, text2 }).catch((error: unknown) => {
        this.#options.log.warn("source-not-set", { why: describeError(error) });
      });
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#spaceTimer?.cancel();
    await Promise.all(this.#paths.map((path) => this.#closePath(path)));
  }

  async #closePath({ client }: ServedPath): Promise<void> {
    const { clock, log } = this.#options;
    const path = client.settings.index;
    await new Promise<void>((resolve) => {
      const deadline = clock.after(closeDeadlineMs, () => {
        log.error("store-path-hangs", { path, afterMs: closeDeadlineMs });
        resolve();
      });
      client
        .close()
        .catch((error: unknown) => {
          log.error("store-path-not-closed", { path, why: describeError(error) });
        })
        .finally(() => {
          deadline.cancel();
          resolve();
        });
    });
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

  async #store(
    path: ServedPath,
    body: ByteFlow,
    how: {
      readonly target: number;
      readonly text: string;
      readonly text2?: string;
      readonly offset?: number;
    },
  ): Promise<string> {
    const begin = {
      kind: request.write,
      flags: how.target << targetShift,
      text: how.text,
      text2: how.text2 ?? "",
      c: how.offset ?? 0,
    };
    const last = await new UploadSink(path.client, body, begin).run();
    path.freeBytes -= body.length;
    return last.text;
  }

  /** The path of an existing name; its index is part of it. */
  #pathOf(name: string): ServedPath {
    const index = parseRemoteFilename(name)?.storePathIndex;
    const path = index === undefined ? undefined : this.#paths[index];
    if (path === undefined) {
      throw fileStoreError("file-invalid", `"${printable(name)}" names no store path of this node`);
    }
    return path;
  }

  #choosePath(index: number | undefined, sizeBytes: number): ServedPath {
    if (this.#closing) throw fileStoreError("store-closing", "the node is stopping");
    const asked = index === undefined ? undefined : this.#paths[index];
    if (index !== undefined && asked === undefined) {
      throw fileStoreError("file-invalid", `there is no store path ${index}`);
    }
    // A path that takes no new files is passed over, as the original does (protocol §2.6/11).
    if (asked !== undefined && isWritable(asked)) {
      this.#needRoom(asked, sizeBytes);
      return asked;
    }
    const found = selectPath(this.#spaces(), sizeBytes, {
      policy: this.#options.policy(),
      start: this.#start,
      reserved: this.#options.reserved(),
    });
    const path = found === undefined ? undefined : this.#paths[found.chosen.index];
    if (found === undefined || path === undefined) {
      throw this.#noRoom(sizeBytes);
    }
    this.#start = found.nextStart;
    return path;
  }

  #needRoom(path: ServedPath, sizeBytes: number): void {
    const limit = { reserved: this.#options.reserved(), pathCount: this.#paths.length };
    if (!hasRoom(spaceOf(path), sizeBytes, limit)) throw this.#noRoom(sizeBytes);
  }

  #noRoom(sizeBytes: number): AppError<FileStoreErrorCode> {
    return fileStoreError(
      "store-full",
      `no store path has room for ${sizeBytes} bytes above the reserved space; add a disk or lower tracker.reserved_space`,
    );
  }

  #spaces(): PathSpace[] {
    return this.#paths.map(spaceOf);
  }

  #measureAll(): void {
    for (const path of this.#paths) {
      if (path.client.state !== "online") continue;
      this.#measure(path).catch((error: unknown) => {
        this.#options.log.debug("space-unknown", { why: describeError(error) });
      });
    }
  }

  async #measure(path: ServedPath): Promise<void> {
    const space = await path.client.send({ kind: request.space });
    path.totalBytes = space.a;
    path.freeBytes = space.b;
  }
}

function isWritable(path: ServedPath): boolean {
  return path.client.state === "online" && !path.client.settings.readOnly;
}

function spaceOf(path: ServedPath): PathSpace {
  return {
    index: path.client.settings.index,
    writable: isWritable(path),
    totalBytes: path.totalBytes,
    freeBytes: path.freeBytes,
  };
}

/** A foreign name in a message: no control characters, bounded. */
function printable(name: string): string {
  return JSON.stringify(name.slice(0, 80)).slice(1, -1);
}
