/**
 * Makes the segments of a journal in the background, a step at a time, or takes those of the last run: they are filled with zeros, so that
 * writing to them later allocates nothing. Where the disk has little room there is none, and nobody misses it but for speed. Worker thread.
 */
import type { Log } from "#base/log.ts";
import type { BackgroundWork } from "#filestore/worker/background-turns.ts";
import { isFull } from "#filestore/worker/disk-failure.ts";
import type { FileLayout } from "#filestore/worker/file-layout.ts";
import { stepBytes } from "#filestore/worker/limits.ts";
import { type FileDescriptor, FileError, type Files } from "#platform/files.ts";

/** Between two steps, each of which writes and flushes 1 MiB at most. */
const pauseMs = 10;
/** With less free room than this many times the journal's size there is none. */
const roomPerByte = 16;

/** While one waits for its commits to be on the disk by themselves, the other one is written. */
export const segmentCount = 2;

export function segmentPath(layout: FileLayout, segment: number): string {
  return `${layout.own}/journal.${segment}`;
}

/** While it is being filled with zeros. */
function newSegmentPath(layout: FileLayout, segment: number): string {
  return `${segmentPath(layout, segment)}.new`;
}

/** Of a journal that is not wanted any more, nothing of which counts. What cannot be removed takes room, that is all. */
export function removeSegments({
  files,
  layout,
  log,
}: {
  readonly files: Files;
  readonly layout: FileLayout;
  readonly log: Log;
}): void {
  try {
    let removed = 0;
    for (let segment = 0; segment < segmentCount; segment += 1) {
      if (files.remove(segmentPath(layout, segment))) removed += 1;
      files.remove(newSegmentPath(layout, segment));
    }
    if (removed > 0) log.notice("journal-removed", { segments: removed });
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    log.warn("journal-not-removed", { problem: error.message });
  }
}

export interface MadeSegment {
  readonly descriptor: FileDescriptor;
  readonly sizeBytes: number;
}

interface Unfinished {
  readonly descriptor: FileDescriptor;
  written: number;
}

export class SegmentMaker implements BackgroundWork {
  readonly #parts: {
    readonly files: Files;
    readonly layout: FileLayout;
    readonly log: Log;
    readonly bytes: number;
  };
  readonly #made: (segments: readonly MadeSegment[] | undefined) => void;
  readonly #done: MadeSegment[] = [];
  #unfinished: Unfinished | undefined;
  #isAtWork = false;

  /** `made` gets the segments, whose descriptors are its from then on, or undefined where there can be none. */
  constructor(
    parts: {
      readonly files: Files;
      readonly layout: FileLayout;
      readonly log: Log;
      readonly bytes: number;
    },
    made: (segments: readonly MadeSegment[] | undefined) => void,
  ) {
    this.#parts = parts;
    this.#made = made;
  }

  /** The first segment is there, and so most likely is the other one. Throws `FileError`. */
  get isThere(): boolean {
    const { files, layout } = this.#parts;
    return files.stat(segmentPath(layout, 0), false)?.sizeBytes === this.#segmentBytes;
  }

  begin(): void {
    this.#isAtWork = true;
  }

  /** As `BackgroundWork` has it. */
  step(): number | undefined {
    if (!this.#isAtWork) return undefined;
    try {
      return this.#step();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (!isFull(error)) this.#parts.log.warn("journal-not-made", { problem: error.message });
      this.stop();
      this.#made(undefined);
      return undefined;
    }
  }

  stop(): void {
    const { files } = this.#parts;
    this.#isAtWork = false;
    const open = [...this.#done.splice(0), ...(this.#unfinished ? [this.#unfinished] : [])];
    this.#unfinished = undefined;
    for (const { descriptor } of open) files.close(descriptor);
  }

  get #segmentBytes(): number {
    return Math.floor(this.#parts.bytes / segmentCount);
  }

  #step(): number | undefined {
    const { files, layout } = this.#parts;
    const number = this.#done.length;
    const sizeBytes = this.#segmentBytes;
    if (this.#unfinished === undefined) {
      const path = segmentPath(layout, number);
      if (files.stat(path, false)?.sizeBytes === sizeBytes) {
        return this.#finish({ descriptor: files.open(path, "read-write"), sizeBytes });
      }
      if (files.space(layout.data).freeBytes < this.#parts.bytes * roomPerByte) {
        throw new FileError("ENOSPC", "ENOSPC: there is too little room for a journal");
      }
      this.#unfinished = {
        descriptor: files.open(newSegmentPath(layout, number), "write"),
        written: 0,
      };
      return pauseMs;
    }
    return this.#fill(this.#unfinished, { number, sizeBytes });
  }

  #fill(
    unfinished: Unfinished,
    { number, sizeBytes }: { readonly number: number; readonly sizeBytes: number },
  ): number | undefined {
    const { files, layout } = this.#parts;
    const length = Math.min(stepBytes, sizeBytes - unfinished.written);
    if (length > 0) {
      files.write(unfinished.descriptor, Buffer.alloc(length), unfinished.written);
      unfinished.written += length;
    }
    files.flush(unfinished.descriptor);
    if (unfinished.written < sizeBytes) return pauseMs;
    files.rename(newSegmentPath(layout, number), segmentPath(layout, number));
    files.flushDirectory(layout.own);
    this.#unfinished = undefined;
    return this.#finish({ descriptor: unfinished.descriptor, sizeBytes });
  }

  #finish(segment: MadeSegment): number | undefined {
    this.#done.push(segment);
    if (this.#done.length < segmentCount) return pauseMs;
    this.#isAtWork = false;
    this.#made(this.#done.splice(0));
    return undefined;
  }
}
