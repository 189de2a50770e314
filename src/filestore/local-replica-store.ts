/**
 * What replication does to the files of this node: sends each change to the worker of its store path, as uploads are. Main thread;
 * does no disk I/O itself.
 */

import { BatchBlock, fillBatch } from "#filestore/batch-block.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { batchBlockBytes, blockSizeFor, largeBlockBytes } from "#filestore/block-pool.ts";
import { fileStoreError } from "#filestore/errors.ts";
import type { NameClock } from "#filestore/name-clock.ts";
import { NameTurns } from "#filestore/name-turns.ts";
import { findPathOfRecord, notHereYet } from "#filestore/named-path.ts";
import type {
  BinlogPage,
  FilledBatch,
  ReplicaBatch,
  ReplicaFile,
  ReplicaName,
  ReplicaOutcome,
  ReplicaRange,
  ReplicaStore,
  ReplicaTruncation,
  StoredOutcome,
} from "#filestore/replica-store.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { ServedPath } from "#filestore/served-path.ts";
import type { RequestFields, StorePathClient } from "#filestore/store-path-client.ts";
import { UploadSink } from "#filestore/upload-sink.ts";
import {
  flagAtEnd,
  flagReplaces,
  flagVersioned,
  replicaFields,
  request,
  targetShift,
  type WriteTargetNumber,
  writeTarget,
} from "#filestore/worker-messages.ts";
import type { ByteFlow } from "#net/byte-flow.ts";

/** Of a page of the binlog, in bytes. */
export const maxPageBytes = 64 * 1024;
/** Marks are longer nowhere. */
const maxMarkBytes = largeBlockBytes;

export class LocalReplicaStore implements ReplicaStore {
  readonly #paths: readonly ServedPath[];
  readonly #names: NameClock;
  readonly #turns = new NameTurns();
  onBinlogGrowth: (storePathIndex: number) => void = () => {};

  constructor(paths: readonly ServedPath[], names: NameClock) {
    this.#paths = paths;
    this.#names = names;
  }

  /** Follows a path that was put into the list. */
  serve({ client, index }: ServedPath): void {
    client.onBinlogGrowth = () => this.onBinlogGrowth(index);
  }

  async storeReplica(file: ReplicaFile, body: ByteFlow): Promise<StoredOutcome> {
    const target = file.mode === "create" ? writeTarget.replica : writeTarget.replicaReplace;
    const { name, timestamp, crc32, versioned } = file;
    const outcome = await this.#send(
      { target, name, text2: replicaFields(timestamp, crc32, versioned) },
      body,
    );
    return outcome === "already" || outcome === "later" ? outcome : "done";
  }

  receiveBatch(name: string, lengthBytes: number): ReplicaBatch | undefined {
    const path = findPathOfRecord(this.#paths, name);
    if (path === undefined || lengthBytes > batchBlockBytes) return undefined;
    const block = path.client.blocks.tryTake("batch");
    return block === undefined ? undefined : new BatchBlock(path, block, lengthBytes);
  }

  async readBatch(name: string, lines: readonly string[]): Promise<FilledBatch | undefined> {
    const path = findPathOfRecord(this.#paths, name);
    const block = path?.client.blocks.tryTake("batch");
    if (path === undefined || block === undefined) return undefined;
    return fillBatch(path.client, block, lines);
  }

  async recordReplica(file: Pick<ReplicaFile, "name" | "timestamp" | "mode">): Promise<void> {
    const flags = file.mode === "replace" ? flagReplaces : 0;
    await this.#ask(file.name, { kind: request.replicaRecord, a: file.timestamp, flags });
  }

  appendReplica(range: ReplicaRange, body: ByteFlow): Promise<ReplicaOutcome> {
    return this.#splice(writeTarget.replicaAppend, range, body);
  }

  modifyReplica(range: ReplicaRange, body: ByteFlow): Promise<ReplicaOutcome> {
    return this.#splice(writeTarget.replicaModify, range, body);
  }

  truncateReplica(change: ReplicaTruncation): Promise<ReplicaOutcome> {
    const { name, timestamp: a, oldSize: b, newSize: c } = change;
    const flags = change.versioned === true ? flagVersioned : 0;
    return this.#ask(name, { kind: request.replicaTruncate, a, b, c, flags });
  }

  async removeReplica(
    change: Pick<ReplicaFile, "name" | "timestamp">,
  ): Promise<"done" | "missing"> {
    const { name, timestamp: a } = change;
    const outcome = await this.#ask(name, { kind: request.replicaRemove, a });
    return outcome === "missing" ? "missing" : "done";
  }

  renameReplica({ name, source, timestamp: a }: ReplicaName): Promise<ReplicaOutcome> {
    return this.#ask(source, { kind: request.replicaRename, text2: name, a });
  }

  linkReplica({ name, source, timestamp: a }: ReplicaName): Promise<ReplicaOutcome> {
    return this.#ask(name, { kind: request.replicaLink, text2: source, a });
  }

  async readBinlog(
    storePathIndex: number,
    from: BinlogPosition,
    maxBytes: number,
  ): Promise<BinlogPage> {
    const client = this.#client(storePathIndex);
    const wanted = Math.min(maxBytes, maxPageBytes);
    return withBlock(client, wanted, async (block) => {
      const { index: a, offset: b } = from;
      const blockLength = Math.min(wanted, client.blocks.view(block).length);
      const page = await client.send({ kind: request.readBinlog, a, b, block, blockLength });
      return {
        lines: Buffer.from(client.blocks.view(block).subarray(0, page.blockLength)),
        next: { index: page.a, offset: page.b },
        atEnd: (page.flags & flagAtEnd) !== 0,
      };
    });
  }

  async binlogEnd(storePathIndex: number): Promise<BinlogPosition> {
    const end = await this.#client(storePathIndex).send({ kind: request.binlogEnd });
    return { index: end.a, offset: end.b };
  }

  async readMark(storePathIndex: number, name: string): Promise<string | undefined> {
    const client = this.#client(storePathIndex);
    return withBlock(client, maxMarkBytes, async (block) => {
      const found = await client.send({ kind: request.readMark, text: name, block });
      if (found.a < 0) return undefined;
      const bytes = client.blocks.view(block).subarray(0, Math.min(found.a, maxMarkBytes));
      return Buffer.from(bytes).toString("latin1");
    });
  }

  async writeMark(storePathIndex: number, name: string, text: string): Promise<void> {
    const client = this.#client(storePathIndex);
    const bytes = Buffer.from(text, "latin1");
    if (bytes.length > maxMarkBytes) {
      throw fileStoreError("file-invalid", `a mark is limited to ${maxMarkBytes} bytes`);
    }
    await withBlock(client, bytes.length, (block) => {
      client.blocks.view(block).set(bytes);
      const blockLength = bytes.length;
      return client.send({ kind: request.writeMark, text: name, block, blockLength });
    });
  }

  async removeMark(storePathIndex: number, name: string): Promise<void> {
    await this.#client(storePathIndex).send({ kind: request.removeMark, text: name });
  }

  nameClock(): number {
    const serving = this.#paths.filter(({ isServing }) => isServing);
    return this.#names.tell(serving.map(({ index }) => index));
  }

  #splice(target: WriteTargetNumber, range: ReplicaRange, body: ByteFlow): Promise<ReplicaOutcome> {
    const { name, offset, timestamp, versioned, goesOn } = range;
    const text2 = replicaFields(timestamp, undefined, goesOn === true ? "goes on" : versioned);
    return this.#send({ target, name, offset, text2 }, body);
  }

  #send(change: ReplicaBody, body: ByteFlow): Promise<ReplicaOutcome> {
    const path = findPathOfRecord(this.#paths, change.name);
    if (path === undefined) return Promise.reject(notHereYet(change.name));
    const isLong = body.length > largeBlockBytes || body.lengthIsEstimate === true;
    if (!isLong) return store(path, change, body);
    return this.#turns.run(change.name, () => store(path, change, body));
  }

  async #ask(name: string, fields: RequestFields): Promise<ReplicaOutcome> {
    const path = findPathOfRecord(this.#paths, name);
    if (path === undefined) throw notHereYet(name);
    try {
      return outcomeOf(await path.client.send({ ...fields, text: name }));
    } catch (error) {
      path.failed(error);
      throw error;
    }
  }

  #client(storePathIndex: number): StorePathClient {
    const path = this.#paths[storePathIndex];
    if (path !== undefined) return path.client;
    throw fileStoreError("file-invalid", `there is no store path ${storePathIndex}`);
  }
}

interface ReplicaBody {
  readonly target: WriteTargetNumber;
  readonly name: string;
  readonly text2: string;
  readonly offset?: number;
}

async function store(
  path: ServedPath,
  change: ReplicaBody,
  body: ByteFlow,
): Promise<ReplicaOutcome> {
  const begin = {
    kind: request.write,
    flags: change.target << targetShift,
    text: change.name,
    text2: change.text2,
    c: change.offset ?? 0,
  };
  try {
    const outcome = outcomeOf(await new UploadSink(path.client, body, begin).run());
    path.stored(outcome === "done" ? body.length : 0);
    return outcome;
  } catch (error) {
    path.failed(error);
    throw error;
  }
}

function outcomeOf({ text }: RingRecord): ReplicaOutcome {
  return text === "" ? "done" : (text as ReplicaOutcome);
}

async function withBlock<Result>(
  client: StorePathClient,
  lengthBytes: number,
  use: (block: number) => Promise<Result>,
): Promise<Result> {
  const block = await client.blocks.take(blockSizeFor(lengthBytes));
  try {
    return await use(block);
  } finally {
    client.blocks.give(block);
  }
}
