/**
 * The life of a store-path worker: takes requests off the ring, stages what changes files, commits a batch of changes
 * together so that they share their flushes, and answers. Long work is done in bounded steps between requests. Runs on the worker's
 * thread and blocks it; touches one disk only.
 */
import { AppError } from "#base/app-error.ts";
import { blockView } from "#filestore/block-pool.ts";
import type { RingReader, RingRecord, RingWriter } from "#filestore/ring.ts";
import { failureOf } from "#filestore/worker/failure.ts";
import type {
  Change,
  ReadHandle,
  StorePathEngine,
  WriteHandle,
  WriteTarget,
} from "#filestore/worker/store-path-engine.ts";
import {
  completion,
  flagComputeCrc,
  flagEmptyIsFine,
  flagMerge,
  request,
  targetShift,
  writeFlag,
  writeTarget,
} from "#filestore/worker-messages.ts";
import type { FileSource } from "#model/file-id.ts";
import { StorageId } from "#model/storage-id.ts";

/** Changes that share one commit; more only delays those that came first. */
const maxBatch = 64;

/** An upload under way: open, waiting for another change of the same name, or failed and only to be answered. */
type Upload =
  | { readonly state: "open"; readonly handle: WriteHandle }
  | { readonly state: "deferred"; readonly records: RingRecord[] }
  | { readonly state: "failed"; readonly error: unknown };

type OpenUpload = Exclude<Upload, { readonly state: "deferred" }>;

/** What waits for a name: a request, or an upload with all of its pieces. */
type Deferred = { readonly record: RingRecord } | { readonly upload: number };

interface LongWork {
  /** Belongs to a committed change, and is done even when the path is to be closed. */
  readonly committed: boolean;
  readonly steps: Generator<void, unknown>;
  readonly done: (result: unknown) => void;
  readonly failed: (error: unknown) => void;
}

export interface WorkerLoopParts {
  readonly engine: StorePathEngine;
  readonly requests: RingReader;
  readonly completions: RingWriter;
  readonly blocks: SharedArrayBuffer;
}

export class WorkerLoop {
  readonly #engine: StorePathEngine;
  readonly #requests: RingReader;
  readonly #completions: RingWriter;
  readonly #blocks: SharedArrayBuffer;
  readonly #views: (Uint8Array | undefined)[] = [];
  readonly #uploads = new Map<number, Upload>();
  readonly #reads = new Map<number, ReadHandle>();
  #nextRead = 1;
  #changes: Change[] = [];
  #changeIds: number[] = [];
  /** By name, in the order in which they came. */
  readonly #deferred = new Map<string, Deferred[]>();
  readonly #longWork = new Set<LongWork>();
  #closeId: number | undefined;
  #closed = false;

  constructor(parts: WorkerLoopParts) {
    this.#engine = parts.engine;
    this.#requests = parts.requests;
    this.#completions = parts.completions;
    this.#blocks = parts.blocks;
  }

  /** The store path was closed; there are no further turns. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Returns when the store path was closed. */
  run(): void {
    while (!this.#closed) {
      if (!this.turn() && !this.#closed) this.#requests.sleep();
    }
  }

  /** One round; true when there may be more to do at once. */
  turn(): boolean {
    let handled = 0;
    while (handled < maxBatch && this.#changes.length < maxBatch) {
      const record = this.#requests.take();
      if (record === undefined) break;
      this.#handle(record);
      handled += 1;
    }
    if (this.#changes.length > 0) {
      this.#completions.wake();
      this.#commit();
    }
    this.#stepLongWork();
    if (this.#deferred.size > 0) this.#retryDeferred();
    const busy = this.#longWork.size > 0 || this.#changes.length > 0;
    if (this.#closeId !== undefined && !busy) this.#close(this.#closeId);
    this.#completions.wake();
    return handled > 0 || busy;
  }

  #handle(record: RingRecord): void {
    if (record.kind === request.write) {
      this.#attempt(record, () => this.#write(record));
      return;
    }
    if (changesName(record.kind) && this.#isTaken(record.text)) {
      this.#defer(record.text, { record });
      return;
    }
    this.#attempt(record, () => this.#perform(record));
  }

  #attempt(record: RingRecord, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(record.id, error);
    }
  }

  /** Changes of a name happen one after the other, in the order in which they came. */
  #isTaken(name: string): boolean {
    return this.#deferred.has(name) || this.#engine.isLocked(name);
  }

  #defer(name: string, waiting: Deferred): void {
    const line = this.#deferred.get(name);
    if (line === undefined) this.#deferred.set(name, [waiting]);
    else line.push(waiting);
  }

  #perform(record: RingRecord): void {
    switch (record.kind) {
      case request.abort:
        this.#abort(record);
        return;
      case request.read:
        this.#read(record);
        return;
      case request.readMore:
        this.#readMore(record);
        return;
      case request.readEnd:
        this.#reads.get(record.a)?.close();
        this.#reads.delete(record.a);
        this.#done(record.id);
        return;
      case request.facts:
        this.#facts(record);
        return;
      case request.remove:
        this.#stage(record.id, this.#engine.prepareRemove(record.text));
        return;
      case request.truncate:
        this.#stage(record.id, this.#engine.prepareTruncate(record.text, record.a));
        return;
      case request.regenerate:
        this.#startLong(record.id, this.#engine.regenerate(record.text), {
          committed: false,
          done: (change) => this.#stage(record.id, change),
        });
        return;
      case request.readMetadata: {
        const text = this.#engine.readMetadata(record.text);
        const view = this.#view(record.block);
        // Too long for this block: the length alone is answered, and asked again with a larger one.
        if (text.length <= view.length) view.set(text);
        this.#done(record.id, { a: text.length });
        return;
      }
      case request.writeMetadata: {
        const text = this.#view(record.block).subarray(0, record.blockLength);
        const mode = (record.flags & flagMerge) === 0 ? "overwrite" : "merge";
        this.#stage(record.id, this.#engine.prepareMetadata(record.text, mode, text));
        return;
      }
      case request.space: {
        const space = this.#engine.space();
        this.#done(record.id, { a: space.totalBytes, b: space.freeBytes, c: space.device });
        return;
      }
      case request.setSource:
        this.#engine.setSource(sourceOf(record));
        this.#done(record.id);
        return;
      case request.close:
        this.#closeId = record.id;
        this.#dropLongWork();
        return;
      default:
        throw new AppError("file-invalid", `unknown request ${record.kind}`);
    }
  }

  #write(record: RingRecord): void {
    if ((record.flags & writeFlag.first) !== 0) {
      const target = targetOf(record);
      if ("name" in target && this.#isTaken(target.name)) {
        this.#uploads.set(record.a, { state: "deferred", records: [record] });
        this.#defer(target.name, { upload: record.a });
      } else {
        this.#begin(record, target);
      }
      return;
    }
    const upload = this.#uploads.get(record.a);
    if (upload === undefined) throw new AppError("file-invalid", "piece of an unknown upload");
    if (upload.state === "deferred") upload.records.push(record);
    else this.#go(record, upload);
  }

  /** The first piece, whose target is free. */
  #begin(record: RingRecord, target: WriteTarget): void {
    let upload: OpenUpload;
    try {
      upload = { state: "open", handle: this.#engine.startWrite(target, record.b) };
    } catch (error) {
      upload = { state: "failed", error };
    }
    // A whole file in one piece needs no place in the table.
    if ((record.flags & writeFlag.last) === 0) this.#uploads.set(record.a, upload);
    this.#go(record, upload);
  }

  #go(record: RingRecord, upload: OpenUpload): void {
    const last = (record.flags & writeFlag.last) !== 0;
    if (last) this.#uploads.delete(record.a);
    if (upload.state === "failed") throw upload.error;
    const { handle } = upload;
    try {
      if (record.block >= 0) {
        handle.write(this.#view(record.block).subarray(0, record.blockLength));
      }
      if (last) this.#stage(record.id, handle.finish());
      else this.#done(record.id);
    } catch (error) {
      if (!last) this.#uploads.set(record.a, { state: "failed", error });
      handle.abort();
      throw error;
    }
  }

  #abort(record: RingRecord): void {
    const upload = this.#uploads.get(record.a);
    this.#uploads.delete(record.a);
    if (upload?.state === "open") upload.handle.abort();
    // Its place in the line is passed over when its turn comes.
    if (upload?.state === "deferred") this.#failAll(upload.records, "the upload was given up");
    this.#done(record.id);
  }

  #failAll(records: readonly RingRecord[], why: string): void {
    for (const record of records) this.#fail(record.id, new AppError("store-closing", why));
  }

  #read(record: RingRecord): void {
    const handle = this.#engine.openRead(record.text);
    let keep = false;
    try {
      const size = handle.sizeBytes;
      const offset = record.a;
      const mayBeEmpty = (record.flags & flagEmptyIsFine) !== 0 && offset === size;
      if (offset >= size && !mayBeEmpty) {
        throw new AppError("file-invalid", `offset ${offset} is not inside of ${size} bytes`);
      }
      const rest = size - offset;
      const wanted = record.b === 0 ? rest : Math.min(record.b, rest);
      const view = this.#view(record.block);
      const first = Math.min(wanted, record.blockLength, view.length);
      const got = first === 0 ? 0 : handle.read(view.subarray(0, first), offset);
      if (got < first) throw new AppError("disk-failed", "the file is shorter than it was");
      keep = first < wanted;
      const number = keep ? this.#nextRead++ : 0;
      if (keep) this.#reads.set(number, handle);
      this.#done(record.id, { a: size, b: handle.modifiedSeconds, c: number, length: first });
    } finally {
      if (!keep) handle.close();
    }
  }

  #readMore(record: RingRecord): void {
    const handle = this.#reads.get(record.a);
    if (handle === undefined) throw new AppError("file-invalid", "unknown read");
    const view = this.#view(record.block);
    const length = Math.min(record.c, view.length);
    const got = handle.read(view.subarray(0, length), record.b);
    if (got < length) throw new AppError("disk-failed", "the file is shorter than it was");
    this.#done(record.id, { length });
  }

  #facts(record: RingRecord): void {
    const facts = this.#engine.facts(record.text);
    const fields = { a: facts.sizeBytes, b: facts.modifiedSeconds };
    if (facts.crc32 !== undefined || (record.flags & flagComputeCrc) === 0) {
      this.#done(record.id, { ...fields, c: facts.crc32 ?? 0 });
      return;
    }
    this.#startLong(record.id, this.#engine.crc(record.text), {
      committed: false,
      done: (crc) => this.#done(record.id, { ...fields, c: crc }),
    });
  }

  #stage(id: number, change: Change | undefined): void {
    if (change === undefined) {
      this.#done(id);
      return;
    }
    this.#changes.push(change);
    this.#changeIds.push(id);
  }

  #commit(): void {
    const changes = this.#changes;
    const ids = this.#changeIds;
    this.#changes = [];
    this.#changeIds = [];
    this.#engine.commit(changes);
    for (const [index, change] of changes.entries()) {
      const id = ids[index] as number;
      if (change.error !== undefined) {
        this.#fail(id, change.error);
        continue;
      }
      const steps = this.#engine.remainder(change);
      const text = change.result ?? "";
      if (steps === undefined) this.#done(id, { text });
      else this.#startLong(id, steps, { committed: true, done: () => this.#done(id, { text }) });
    }
  }

  /** Names may have become free: what waits for one goes on until something takes it again. */
  #retryDeferred(): void {
    for (const [name, line] of this.#deferred) {
      while (line.length > 0 && !this.#engine.isLocked(name)) {
        const next = line.shift();
        if (next === undefined) break;
        if ("upload" in next) this.#beginDeferred(next.upload);
        else this.#attempt(next.record, () => this.#perform(next.record));
      }
      if (line.length === 0) this.#deferred.delete(name);
    }
  }

  #beginDeferred(number: number): void {
    const upload = this.#uploads.get(number);
    if (upload?.state !== "deferred") return;
    this.#uploads.delete(number);
    const [first, ...rest] = upload.records;
    if (first === undefined) return;
    this.#attempt(first, () => this.#begin(first, targetOf(first)));
    for (const record of rest) this.#attempt(record, () => this.#write(record));
  }

  #startLong<Result>(
    id: number,
    steps: Generator<void, Result>,
    how: { readonly committed: boolean; readonly done: (result: Result) => void },
  ): void {
    this.#longWork.add({
      committed: how.committed,
      steps,
      done: how.done as (result: unknown) => void,
      failed: (error) => this.#fail(id, error),
    });
  }

  /** One step of one work a turn: requests that come meanwhile wait for no more than that. */
  #stepLongWork(): void {
    const [work] = this.#longWork;
    if (work === undefined) return;
    this.#longWork.delete(work);
    try {
      const step = work.steps.next();
      if (step.done === true) work.done(step.value);
      else this.#longWork.add(work);
    } catch (error) {
      work.failed(error);
    }
  }

  /** What only reads is not worth waiting for when the path is to be closed. */
  #dropLongWork(): void {
    for (const work of this.#longWork) {
      if (work.committed) continue;
      this.#longWork.delete(work);
      work.steps.return(undefined);
      work.failed(new AppError("store-closing", "the node is stopping"));
    }
  }

  #close(id: number): void {
    this.#closed = true;
    for (const line of this.#deferred.values()) {
      for (const waiting of line) {
        if ("record" in waiting) this.#failAll([waiting.record], "the node is stopping");
      }
    }
    for (const upload of this.#uploads.values()) {
      if (upload.state === "open") upload.handle.abort();
      if (upload.state === "deferred") this.#failAll(upload.records, "the node is stopping");
    }
    for (const handle of this.#reads.values()) handle.close();
    try {
      this.#engine.close();
      this.#done(id);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #view(block: number): Uint8Array {
    this.#views[block] ??= blockView(this.#blocks, block);
    return this.#views[block];
  }

  #done(
    id: number,
    fields: { a?: number; b?: number; c?: number; length?: number; text?: string } = {},
  ): void {
    this.#completions.push({
      id,
      kind: completion.done,
      flags: 0,
      block: -1,
      blockLength: fields.length ?? 0,
      a: fields.a ?? 0,
      b: fields.b ?? 0,
      c: fields.c ?? 0,
      text: fields.text ?? "",
      text2: "",
    });
  }

  #fail(id: number, error: unknown): void {
    const failure = failureOf(error);
    this.#completions.push({
      id,
      kind: completion.failed,
      flags: 0,
      block: -1,
      blockLength: 0,
      a: 0,
      b: 0,
      c: 0,
      text: failure.code,
      text2: `${failure.errno}\0${failure.message}`,
    });
  }
}

/** Requests other than writes that change what a name stands for. */
function changesName(kind: number): boolean {
  return (
    kind === request.remove ||
    kind === request.truncate ||
    kind === request.regenerate ||
    kind === request.writeMetadata
  );
}

function targetOf(record: RingRecord): WriteTarget {
  switch (record.flags >> targetShift) {
    case writeTarget.normal:
      return { kind: "normal", extension: record.text };
    case writeTarget.appender:
      return { kind: "appender", extension: record.text };
    case writeTarget.slave: {
      const [prefix = "", extension = ""] = record.text2.split("\0");
      return { kind: "slave", master: record.text, prefix, extension };
    }
    case writeTarget.append:
      return { kind: "append", name: record.text };
    default:
      return { kind: "modify", name: record.text, offset: record.c };
  }
}

function sourceOf(record: RingRecord): FileSource {
  if (record.text === "address") return { kind: "address", address: record.text2 };
  return { kind: "id", id: StorageId(record.text2) };
}
