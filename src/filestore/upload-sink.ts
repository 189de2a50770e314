/**
 * Carries a payload from its flow to a store-path worker: fills blocks, keeps a few of them in flight, and slows the
 * flow down when there are no more. A payload that fits one block is one request. Main thread.
 */
import type { AppError } from "#base/app-error.ts";
import { type BlockHolder, type BlockSize, blockSizeFor } from "#filestore/block-pool.ts";
import { type FileStoreErrorCode, fileStoreError } from "#filestore/errors.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { RequestFields, StorePathClient } from "#filestore/store-path-client.ts";
import { request, writeFlag } from "#filestore/worker-messages.ts";
import type { ByteFlow, ByteSink } from "#net/byte-flow.ts";

/** When the worker has so many pieces of one upload, its flow pauses; the rest of what was received goes into one more. */
const maxPiecesInFlight = 4;

export class UploadSink implements ByteSink, BlockHolder {
  readonly #client: StorePathClient;
  readonly #flow: ByteFlow;
  readonly #begin: RequestFields;
  readonly #upload: number;
  #received = 0;
  #sent = 0;
  #inFlight = 0;
  #block = -1;
  #view: Uint8Array = emptyView;
  #filled = 0;
  /** What came while no block was free. */
  #spill: Uint8Array | undefined;
  /** Waiting in the pool's line, which is done once at a time. */
  #standing = false;
  #begun = false;
  /** The flow has come to its end. */
  #ended = false;
  #failure: Error | undefined;
  #lastSent = false;
  /** The answer to the last piece. */
  #last: RingRecord | undefined;
  #resolve: (last: RingRecord) => void = ignore;
  #reject: (error: Error) => void = ignore;

  /** `begin` carries the target's fields of the first piece (see `worker-messages.ts`, `write`). */
  constructor(client: StorePathClient, flow: ByteFlow, begin: RequestFields) {
    this.#client = client;
    this.#flow = flow;
    this.#begin = begin;
    this.#upload = client.newUpload();
  }

  /**
   * Drains the flow; resolves to the completion of the last piece. Rejects at the first failure, of a full disk for instance, and not
   * only after the rest of a long payload. Leaves nothing behind when it rejects.
   */
  run(): Promise<RingRecord> {
    const { blocks } = this.#client;
    blocks.payloads += 1;
    return new Promise((resolve, reject) => {
      this.#resolve = (last) => {
        blocks.payloads -= 1;
        resolve(last);
      };
      this.#reject = (error) => {
        blocks.payloads -= 1;
        reject(error);
      };
      if (this.#flow.length === 0 && !this.#isOpen) this.#submit(-1, 0, true);
      this.#flow.drainTo(this).then(
        () => this.#drained(),
        (error: Error) => this.#stop(error),
      );
    });
  }

  /** The flow has come to its end; bytes of it may still wait for blocks. */
  #drained(): void {
    this.#ended = true;
    if (this.#failure !== undefined) return;
    if (this.#isOpen) this.#endOpenFlow();
    else if (this.#received < this.#flow.length) this.#stop(this.#wrongLength());
    this.#finish();
  }

  #finish(): void {
    if (this.#last !== undefined && this.#ended && this.#failure === undefined) {
      this.#resolve(this.#last);
    }
  }

  write(chunk: Uint8Array): boolean {
    if (this.#failure !== undefined) return true;
    this.#received += chunk.length;
    if (this.#received > this.#flow.length && !this.#isOpen) {
      this.#stop(this.#wrongLength());
      return true;
    }
    const left = this.#spill === undefined ? this.#fill(chunk) : chunk;
    if (left.length > 0) this.#holdBack(left);
    this.#keepBlock();
    return this.#spill === undefined && this.#inFlight < maxPiecesInFlight;
  }

  /** A flow of unknown length. */
  get #isOpen(): boolean {
    return this.#flow.lengthIsEstimate === true;
  }

  #wrongLength(): AppError<FileStoreErrorCode> {
    const message = `the payload has ${this.#received} bytes, ${this.#flow.length} were announced`;
    return fileStoreError("file-invalid", message);
  }

  /** A partly filled block is kept for what comes next, unless others stand in line for one. */
  #keepBlock(): void {
    if (this.#block < 0) return;
    if (this.#client.blocks.crowded) this.yieldBlock();
    else this.#client.blocks.holders.add(this);
  }

  /** Copies into blocks as long as there are any; returns what found no room. */
  #fill(chunk: Uint8Array): Uint8Array {
    let rest = chunk;
    while (rest.length > 0) {
      // A piece may fail while it is handed over.
      if (this.#failure !== undefined) return emptyView;
      if (this.#block < 0 && !this.#takeBlock()) return rest;
      const count = Math.min(rest.length, this.#view.length - this.#filled);
      this.#view.set(count === rest.length ? rest : rest.subarray(0, count), this.#filled);
      this.#filled += count;
      rest = rest.subarray(count);
      const whole = this.#isWhole(this.#sent + this.#filled);
      if (whole || this.#filled === this.#view.length) this.#submitBlock();
    }
    return rest;
  }

  /** Only the end of a flow of unknown length tells which piece is the last. */
  #isWhole(bytes: number): boolean {
    return !this.#isOpen && bytes === this.#flow.length;
  }

  #endOpenFlow(): void {
    if (this.#spill !== undefined) return;
    const block = this.#block;
    this.#client.blocks.holders.delete(this);
    this.#block = -1;
    this.#submit(block, block < 0 ? 0 : this.#filled, true);
  }

  #takeBlock(): boolean {
    // One more than the worker may have, so that what was received when the flow paused needs no room of its own.
    if (this.#inFlight > maxPiecesInFlight) return false;
    const size = this.#wantedSize();
    const block = this.#client.blocks.tryTake(size);
    if (block === undefined) return false;
    this.#useBlock(block);
    return true;
  }

  #wantedSize(): BlockSize {
    if (this.#isOpen) return this.#sent === 0 ? "small" : "large";
    return blockSizeFor(this.#flow.length - this.#sent);
  }

  #useBlock(block: number): void {
    this.#block = block;
    this.#view = this.#client.blocks.view(block);
    this.#filled = 0;
  }

  /** Somebody needs a block while ours waits for a slow sender: send what there is. */
  yieldBlock(): void {
    if (this.#block >= 0 && this.#filled > 0) this.#submitBlock();
  }

  #submitBlock(): void {
    const block = this.#block;
    this.#client.blocks.holders.delete(this);
    this.#block = -1;
    this.#submit(block, this.#filled, this.#isWhole(this.#sent + this.#filled));
  }

  #submit(block: number, length: number, last: boolean): void {
    const first = !this.#begun;
    this.#begun = true;
    this.#sent += length;
    const estimate = first && this.#isOpen ? writeFlag.estimate : 0;
    const flags = (first ? writeFlag.first : 0) | (last ? writeFlag.last : 0) | estimate;
    this.#inFlight += 1;
    if (last) this.#lastSent = true;
    const begin = first ? this.#begin : noFields;
    this.#client.ask(
      {
        kind: request.write,
        a: this.#upload,
        b: first ? this.#flow.length : 0,
        c: begin.c ?? 0,
        block,
        blockLength: length,
        flags: flags | (begin.flags ?? 0),
        text: begin.text ?? "",
        text2: begin.text2 ?? "",
      },
      (answer) => {
        if (last) this.#last = answer;
        this.#pieceDone(block);
        if (last) this.#finish();
      },
      (error) => {
        this.#stop(error);
        this.#pieceDone(block);
      },
    );
  }

  #pieceDone(block: number): void {
    this.#inFlight -= 1;
    if (block >= 0) this.#client.blocks.give(block);
    this.#drainSpill();
    if (this.#spill === undefined && this.#inFlight < maxPiecesInFlight) this.#flow.resume();
  }

  /** The first failure ends the upload; what still comes is dropped. */
  #stop(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#spill = undefined;
    this.#client.blocks.holders.delete(this);
    if (this.#block >= 0) {
      this.#client.blocks.give(this.#block);
      this.#block = -1;
    }
    const fail = (): void => this.#reject(error);
    if (!this.#begun || this.#lastSent) fail();
    // Where that fails the path went away, and the upload with it.
    else this.#client.ask({ kind: request.abort, a: this.#upload }, fail, fail);
  }

  #holdBack(bytes: Uint8Array): void {
    this.#spill =
      this.#spill === undefined ? Buffer.from(bytes) : Buffer.concat([this.#spill, bytes]);
    if (this.#inFlight === 0) this.#waitForBlock();
  }

  /** Nothing of ours is in flight whose end would free a block: stand in line. */
  #waitForBlock(): void {
    if (this.#standing) return;
    this.#standing = true;
    const size = this.#wantedSize();
    this.#client.blocks.take(size).then(
      (block) => {
        this.#standing = false;
        if (this.#spill === undefined || this.#block >= 0) {
          this.#client.blocks.give(block);
          return;
        }
        this.#useBlock(block);
        this.#drainSpill();
        if (this.#spill === undefined) this.#flow.resume();
      },
      (error: Error) => this.#stop(error),
    );
  }

  #drainSpill(): void {
    const spill = this.#spill;
    if (spill === undefined) return;
    this.#spill = undefined;
    const left = this.#fill(spill);
    if (left.length > 0) this.#holdBack(left);
    else if (this.#ended && this.#isOpen) this.#endOpenFlow();
    this.#keepBlock();
  }
}

const noFields: Partial<RequestFields> = {};
const emptyView = new Uint8Array(0);

function ignore(): void {}
