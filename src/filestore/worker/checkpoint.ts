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
import { checkpointBytes } from "#filestore/worker/limits.ts";
import { FileError, type Files } from "#platform/files.ts";

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

export class Checkpoint {
  readonly #files: Files;
  readonly #layout: FileLayout;
  readonly #log: Log;
  readonly #beforeNote: (position: BinlogPosition) => void;
  readonly #subdirCount: number;
  #position: BinlogPosition;

  constructor(
    parts: {
      readonly files: Files;
      readonly layout: FileLayout;
      readonly log: Log;
      /** Notes what else has to be known from `position` on. May throw `FileError`. */
      readonly beforeNote?: (position: BinlogPosition) => void;
    },
    state: { readonly subdirCount: number; readonly position: BinlogPosition },
  ) {
    this.#files = parts.files;
    this.#layout = parts.layout;
    this.#log = parts.log;
    this.#beforeNote = parts.beforeNote ?? (() => {});
    this.#subdirCount = state.subdirCount;
    this.#position = state.position;
  }

  /** What the last note says. */
  get position(): BinlogPosition {
    return this.#position;
  }

  /** Notes `position` where the last note is far behind it. An old note is only slower, so failures are logged alone. */
  advance(position: BinlogPosition): void {
    const near =
      position.index === this.#position.index &&
      position.offset - this.#position.offset < checkpointBytes;
    if (near) return;
    this.#position = position;
    try {
      this.write(position, false);
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
  }

  /** Everything before `position` is as it says; `clean` at an orderly end. Throws `FileError`. */
  write(position: BinlogPosition, clean: boolean): void {
    this.#beforeNote(position);
    const state: EngineState = {
      version: engineStateVersion,
      subdirCount: this.#subdirCount,
      checkpoint: position,
      clean,
    };
    const text = formatEngineState(state);
    replaceFile(this.#files, this.#layout.state, {
      temporary: `${this.#layout.state}.new`,
      text,
    });
    this.#files.flushDirectory(this.#layout.own);
    this.#position = position;
  }
}
