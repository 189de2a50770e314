/**
 * Bodies that are being received, piece by piece, until their change is staged. One that changes a file which something else changes
 * waits with all of its pieces; one that failed is answered with its failure until its last piece came. Worker thread.
 */
import { AppError } from "#base/app-error.ts";
import { fileStoreError } from "#filestore/errors.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { Answers } from "#filestore/worker/answers.ts";
import type { FileStoreError } from "#filestore/worker/disk-failure.ts";
import { targetOf } from "#filestore/worker/request-fields.ts";
import type {
  Change,
  StorePathEngine,
  WriteHandle,
  WriteTarget,
} from "#filestore/worker/store-path-engine.ts";
import { completionFlag, writeFlag } from "#filestore/worker-messages.ts";
import type { FileError } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";

interface Open {
  readonly state: "open";
  readonly handle: WriteHandle;
  /** What came of a long body is being flushed. */
  isFlushing: boolean;
  /** The last piece, which waits for that. */
  last: RingRecord | undefined;
}

/** An upload under way: open, waiting for another change of the same name, or failed and only to be answered. */
type Upload =
  | Open
  | { readonly state: "deferred"; readonly records: RingRecord[] }
  | { readonly state: "failed"; readonly error: unknown };

type OpenUpload = Exclude<Upload, { readonly state: "deferred" }>;

export interface UploadParts {
  readonly engine: StorePathEngine;
  readonly answers: Answers;
  /** A change of this name has to wait. */
  readonly isTaken: (name: string) => boolean;
  /** The upload of this number waits for the name. */
  readonly wait: (name: string, number: number) => void;
  /** Nobody waits for this request any more. */
  readonly isAbandoned: (id: number) => boolean;
  /** Throws where no change is taken now. */
  readonly requireChanges: () => void;
  readonly flush: (target: FlushTarget, ended: (error: FileError | undefined) => void) => void;
  readonly stage: (id: number, change: Change) => void;
}

export class Uploads {
  readonly #parts: UploadParts;
  readonly #uploads = new Map<number, Upload>();

  constructor(parts: UploadParts) {
    this.#parts = parts;
  }

  /** A piece. Answers it, or throws what it is to be answered with; the last one is answered when its change is committed. */
  write(record: RingRecord): void {
    if ((record.flags & writeFlag.first) !== 0) {
      const target = targetOf(record);
      if ("name" in target && this.#parts.isTaken(target.name)) {
        this.#uploads.set(record.a, { state: "deferred", records: [record] });
        this.#parts.wait(target.name, record.a);
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

  /** The name that this upload waited for is free. One that was given up meanwhile is passed over. */
  goOn(number: number): void {
    const upload = this.#uploads.get(number);
    if (upload?.state !== "deferred") return;
    this.#uploads.delete(number);
    const [first, ...rest] = upload.records;
    if (first === undefined) return;
    const { answers } = this.#parts;
    if (this.#parts.isAbandoned(first.id)) {
      for (const { id } of upload.records) answers.fail(id, abandoned());
      return;
    }
    answers.attempt(first.id, () => this.#begin(first, targetOf(first)));
    for (const record of rest) answers.attempt(record.id, () => this.write(record));
  }

  abort(record: RingRecord): void {
    this.drop(record.a);
    this.#parts.answers.done(record.id);
  }

  /** Gives an upload up, if it has begun. */
  drop(number: number): void {
    const upload = this.#uploads.get(number);
    this.#uploads.delete(number);
    if (upload?.state === "open") this.#giveUp(upload, "the upload was given up");
    // Its place in the line is passed over when its turn comes.
    if (upload?.state === "deferred") this.#failAll(upload.records, "the upload was given up");
  }

  /** The content of an upload that is held is nowhere else. Throws what the request is to be answered with. */
  storeHeld(record: RingRecord): void {
    const upload = this.#uploads.get(record.a);
    if (upload?.state !== "open") throw new AppError("file-invalid", "no upload is held");
    this.#uploads.delete(record.a);
    try {
      this.#parts.requireChanges();
      this.#parts.stage(record.id, upload.handle.finish());
    } catch (error) {
      upload.handle.abort();
      throw error;
    }
  }

  /** The path is closed. */
  giveUpAll(): void {
    for (const upload of this.#uploads.values()) {
      if (upload.state === "open") this.#giveUp(upload, "the node is stopping");
      if (upload.state === "deferred") this.#failAll(upload.records, "the node is stopping");
    }
    this.#uploads.clear();
  }

  /** The first piece, whose target is free. */
  #begin(record: RingRecord, target: WriteTarget): void {
    const isWhole = (record.flags & writeFlag.last) !== 0;
    const exact = isWhole || (record.flags & writeFlag.estimate) === 0;
    // A body of unknown length that turned out to be empty has no piece of its own.
    const whole = record.block >= 0 ? record.blockLength : 0;
    const length = isWhole ? whole : record.b;
    let upload: OpenUpload;
    try {
      this.#parts.requireChanges();
      upload = opened(this.#parts.engine.startWrite(target, length, exact));
    } catch (error) {
      upload = { state: "failed", error };
    }
    // A whole file in one piece needs no place in the table.
    if (!isWhole) this.#uploads.set(record.a, upload);
    this.#go(record, upload);
  }

  #go(record: RingRecord, upload: OpenUpload): void {
    const last = (record.flags & writeFlag.last) !== 0;
    if (last && upload.state === "open" && upload.isFlushing) {
      upload.last = record;
      return;
    }
    if (last) this.#uploads.delete(record.a);
    if (upload.state === "failed") throw upload.error;
    const { handle } = upload;
    const { answers, stage, requireChanges } = this.#parts;
    try {
      requireChanges();
      if (record.block >= 0) receive(handle, record, answers.payload(record));
      if (!last) {
        answers.done(record.id);
        this.#flushLong(upload);
      } else if (!this.#hold(record, handle)) stage(record.id, handle.finish());
    } catch (error) {
      if (!last) this.#uploads.set(record.a, { state: "failed", error });
      handle.abort();
      throw error;
    }
  }

  #flushLong(upload: Open): void {
    const { body } = upload.handle;
    const target = body?.takeFlush();
    if (body === undefined || target === undefined) return;
    upload.isFlushing = true;
    this.#parts.flush(target, (error) => {
      upload.isFlushing = false;
      body.flushed(error);
      const { last } = upload;
      upload.last = undefined;
      if (last !== undefined) this.#parts.answers.attempt(last.id, () => this.#go(last, upload));
    });
  }

  #giveUp(upload: Open, why: string): void {
    upload.handle.abort();
    if (upload.last !== undefined) this.#failAll([upload.last], why);
    upload.last = undefined;
  }

  /** True where the whole has come and is not to be stored before others have been asked for it. */
  #hold(record: RingRecord, handle: WriteHandle): boolean {
    const content = handle.held?.();
    if (content === undefined) return false;
    this.#uploads.set(record.a, opened(handle));
    this.#parts.answers.done(record.id, {
      flags: completionFlag.held,
      text: Buffer.from(content.hash).toString("hex"),
      a: content.sizeBytes,
      b: content.crc32,
      c: record.a,
    });
    return true;
  }

  #failAll(records: readonly RingRecord[], why: string): void {
    for (const { id } of records) this.#parts.answers.fail(id, new AppError("store-closing", why));
  }
}

function opened(handle: WriteHandle): Open {
  return { state: "open", handle, isFlushing: false, last: undefined };
}

/** The block of the last piece is the worker's until the upload is answered, at its change's end. */
function receive(handle: WriteHandle, record: RingRecord, bytes: Uint8Array): void {
  const whole = writeFlag.first | writeFlag.last;
  if ((record.flags & whole) === whole && handle.writeWhole !== undefined) handle.writeWhole(bytes);
  else handle.write(bytes);
}

/** What a request is answered with that was given up before it began; nobody hears it. */
export function abandoned(): FileStoreError {
  return fileStoreError("store-path-offline", "the request was given up before it was begun");
}
