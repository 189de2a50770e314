/**
 * The engine's note to its next start: from where on the binlog has to be looked at. Moved on now and then, so that a start
 * after a crash is quick however long the path was served. Worker thread.
 */
import type { Log } from "#base/log.ts";
import { readSmallFile, replaceFile } from "#filestore/binlog/binlog-files.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { fileStoreError } from "#filestore/errors.ts";
import {
  type EngineState,
  engineStateVersion,
  formatEngineState,
  parseEngineState,
} from "#filestore/formats/engine-state.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { type FlushSteps, flushAll } from "#filestore/worker/flush-steps.ts";
import { checkpointBytes } from "#filestore/worker/limits.ts";
import type { NameTimes } from "#filestore/worker/name-times.ts";
import type { Settling } from "#filestore/worker/recheck/settling.ts";
import { FileError, type Files } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";

const maxStateBytes = 4096;

/** Undefined on the first start. Throws `store-path-unfit` for what a later release wrote, and `FileError`. */
export function readEngineState(
  files: Files,
  layout: FileLayout,
): EngineState | "damaged" | undefined {
  const text = readSmallFile(files, layout.state, maxStateBytes);
  if (text === undefined) return undefined;
  const state = parseEngineState(text);
  if (state === undefined) return "damaged";
  if (state.version <= engineStateVersion) return state;
  const problem = `was written by a newer release (format ${state.version}): use that release`;
  throw fileStoreError("store-path-unfit", `${layout.state} ${problem}`);
}

/** What else has to be known from a position on; noted before the position is. Both may throw `FileError`. */
export interface OtherNotes {
  note(position: BinlogPosition): void;
  noteSteps(position: BinlogPosition): FlushSteps<void>;
}

/** The journal and the binlog, of which the former may be ahead on stable storage. */
export interface JournaledBinlog {
  /** What the journal holds makes a note worth while. */
  readonly isCheckpointDue: boolean;
  /** Of the binlog. */
  readonly flushTarget: FlushTarget;
  checkpointBegins(): void;
  /** The note stands. */
  checkpointed(position: BinlogPosition): void;
}

export class Checkpoint {
  readonly #files: Files;
  readonly #layout: FileLayout;
  readonly #log: Log;
  readonly #others: OtherNotes | undefined;
  readonly #journaled: JournaledBinlog | undefined;
  readonly #names: NameTimes | undefined;
  readonly #settling: Settling | undefined;
  /** What the last note says of it. */
  #settledSince = 0;
  readonly #flushed: boolean;
  readonly #onFlushFailed: (error: FileError) => void;
  readonly #subdirCount: number;
  #position: BinlogPosition;
  /** Of the last note that was tried. */
  #tried: BinlogPosition;

  constructor(
    parts: {
      readonly files: Files;
      readonly layout: FileLayout;
      readonly log: Log;
      readonly others?: OtherNotes;
      /** Without it the binlog is always as flushed as its records are. */
      readonly journaled?: JournaledBinlog;
      /** Whose limit is noted as well. */
      readonly names?: NameTimes;
      /** Where nothing is flushed, or was not until lately: noted as well. */
      readonly settling?: Settling;
      /** As of the store path; without them notes are flushed, and nobody is told of a flush that fails. */
      readonly flushed?: boolean;
      readonly onFlushFailed?: (error: FileError) => void;
    },
    state: { readonly subdirCount: number; readonly position: BinlogPosition },
  ) {
    this.#files = parts.files;
    this.#layout = parts.layout;
    this.#log = parts.log;
    this.#others = parts.others;
    this.#journaled = parts.journaled;
    this.#names = parts.names;
    this.#settling = parts.settling;
    this.#flushed = parts.flushed ?? true;
    this.#onFlushFailed = parts.onFlushFailed ?? (() => {});
    this.#subdirCount = state.subdirCount;
    this.#position = state.position;
    this.#tried = state.position;
  }

  /** What the last note says that surely stands: what it counts on was flushed. */
  get position(): BinlogPosition {
    return this.#position;
  }

  /**
   * Notes `position` where the last note is far behind it, or names have reached their limit; flushed only where changes are. An old note is only slower, so failures are
   * logged alone, and one that a power cut spoiled is read as damaged.
   */
  *advance(position: BinlogPosition): FlushSteps<void> {
    const near =
      position.index === this.#tried.index &&
      position.offset - this.#tried.offset < checkpointBytes;
    const journaled = this.#journaled;
    this.#settling?.look(position);
    const isNoteDue = this.#names?.isNoteDue === true || journaled?.isCheckpointDue === true;
    if (near && !isNoteDue && this.#settling?.isBefore(this.#settledSince) !== true) return;
    this.#tried = position;
    const limit = this.#names?.nextLimit ?? 0;
    // Whether it works out or not: the next try has time.
    this.#names?.skipNote(limit);
    journaled?.checkpointBegins();
    try {
      if (journaled !== undefined) yield* this.#flush(journaled.flushTarget);
      if (this.#others !== undefined) yield* this.#others.noteSteps(position);
      yield* this.#replace(this.#textFor(position, false, limit));
      this.#position = position;
      this.#names?.noted(limit);
      journaled?.checkpointed(position);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#log.warn("checkpoint-not-written", { problem: error.message });
    }
  }

  /**
   * Notes in the very bytes of the last note that the path is in use again, for a disk without room for a new one. Throws
   * `FileError`.
   */
  reuse(state: EngineState): void {
    const descriptor = this.#files.open(this.#layout.state, "read-write");
    try {
      const text = formatEngineState({ ...state, clean: false });
      this.#files.write(descriptor, Buffer.from(text), 0);
      this.#files.flush(descriptor);
    } finally {
      this.#files.close(descriptor);
    }
    this.#position = state.checkpoint;
    this.#tried = state.checkpoint;
    this.#names?.noted(state.nameLimit ?? 0);
  }

  /** Everything before `position` is as it says; `clean` at an orderly end. Throws `FileError`. */
  write(position: BinlogPosition, clean: boolean): void {
    this.#others?.note(position);
    this.#settling?.look(position);
    const limit = (clean ? this.#names?.lastLimit : this.#names?.nextLimit) ?? 0;
    replaceFile(this.#files, this.#layout.state, {
      temporary: this.#draft,
      text: this.#textFor(position, clean, limit),
    });
    this.#files.flushDirectory(this.#layout.own);
    this.#position = position;
    this.#tried = position;
    this.#names?.noted(limit);
  }

  get #draft(): string {
    return `${this.#layout.state}.new`;
  }

  #textFor(checkpoint: BinlogPosition, clean: boolean, nameLimit: number): string {
    const subdirCount = this.#subdirCount;
    const state = { version: engineStateVersion, subdirCount, checkpoint, clean };
    const settled = this.#settling?.mark;
    this.#settledSince = settled?.since ?? 0;
    return formatEngineState({
      ...state,
      ...(this.#names === undefined ? {} : { nameLimit }),
      ...(settled === undefined ? {} : { settled }),
    });
  }

  /** As `replaceFile`, in steps that wait for flushes. Throws `FileError`. */
  *#replace(text: string): FlushSteps<void> {
    const path = this.#draft;
    const descriptor = this.#files.open(path, "write");
    try {
      this.#files.write(descriptor, Buffer.from(text));
      yield* this.#flush({ kind: "file", path, descriptor });
    } finally {
      this.#files.close(descriptor);
    }
    this.#files.rename(path, this.#layout.state);
    yield* this.#flush({ kind: "directory", path: this.#layout.own });
  }

  *#flush(target: FlushTarget): FlushSteps<void> {
    if (!this.#flushed) return;
    const error = yield* flushAll({ onFlushFailed: this.#onFlushFailed }, [target]);
    if (error !== undefined) throw error;
  }
}
