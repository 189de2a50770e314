/** An engine that packs and has a journal, small enough to be filled again and again, over a disk in memory that forgets what was not flushed. */
import { expect } from "vitest";
import type { LogRecord } from "#base/log.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { type FlushSteps, nothingFlushed } from "#filestore/worker/flush-steps.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { type FileDescriptor, FileError, type OpenMode } from "#platform/files.ts";
import { stage } from "./engine-fixture.ts";
import { MemoryFiles } from "./memory-files.ts";
import { openPacking, putPacked, smallPacking } from "./packed-fixture.ts";

export const directory = "/disk";
/** Of which one commit of a small file takes a block of 4 KiB. */
export const journalBytes = 64 * 1024;
const warmUp = 64;

/** Fails flushes on command, with or without doing what they are to do, and then writes over the journal's records as well. */
export class FailingFiles extends MemoryFiles {
  failing: false | "flush" | "flush-done" | "flush-done-and-zeros" = false;

  override flush(descriptor: FileDescriptor): void {
    if (this.failing === false || this.failing.startsWith("flush-done")) super.flush(descriptor);
    if (this.failing !== false) throw new FileError("EIO", "EIO: flush failed on command");
  }

  override write(descriptor: FileDescriptor, bytes: Uint8Array, position?: number): void {
    const isZeros = this.failing === "flush-done-and-zeros" && bytes.every((byte) => byte === 0);
    if (isZeros) throw new FileError("EIO", "EIO: write failed on command");
    super.write(descriptor, bytes, position);
  }
}

/**
 * Flushes of all but the journal fail on command, and what they were to bring to the disk is gone for good, though it can be read still,
 * or, once its memory was used for something else, not even that.
 */
export class LosingFiles extends FailingFiles {
  losing: false | "cached" | "evicted" = false;
  /** Flushes that failed so. */
  lost = 0;
  readonly #paths = new Map<FileDescriptor, string>();

  override open(path: string, mode: OpenMode): FileDescriptor {
    const descriptor = super.open(path, mode);
    this.#paths.set(descriptor, path);
    return descriptor;
  }

  override flush(descriptor: FileDescriptor): void {
    const isJournal = this.#paths.get(descriptor)?.includes("/journal.") === true;
    if (this.losing === false || isJournal) {
      super.flush(descriptor);
      return;
    }
    this.lost += 1;
    this.drop(descriptor, this.losing === "evicted");
    throw new FileError("EIO", "EIO: flush failed on command, and nothing is dirty any more");
  }
}

export interface Opened {
  readonly engine: StorePathEngine;
  readonly settle: () => void;
}

let lastNumber = 0;

export function open(
  files: MemoryFiles,
  logs: LogRecord[] = [],
  settings: Partial<StorePathSettings> = {},
): Opened {
  lastNumber += 100;
  return openPacking({
    ...{ files, directory, logs, settings: { journalBytes, ...settings } },
    ...{ packing: { ...smallPacking, trunkFileBytes: 64 * 1024 }, firstNumber: lastNumber },
  });
}

/** With its journal made. */
export function openJournaled(files: MemoryFiles, logs: LogRecord[] = []): Opened {
  const opened = open(files, logs);
  for (let count = 0; count < warmUp; count += 1) {
    opened.engine.commit([opened.engine.prepareRemove(putPacked(opened.engine, "x"))]);
  }
  opened.settle();
  expect(files.stat(`${directory}/data/.cairn/journal.1`, false)?.sizeBytes).toBe(journalBytes / 2);
  return opened;
}

/** What each step of a commit flushes. */
export function flushesOf(steps: FlushSteps<void>): string[][] {
  const flushes: string[][] = [];
  for (let outcome = nothingFlushed; ; ) {
    const step = steps.next(outcome);
    if (step.done === true) return flushes;
    flushes.push((step.value ?? []).map(({ path }) => path));
    outcome = (step.value ?? []).map(() => undefined);
  }
}

export function staged(engine: StorePathEngine, content: string) {
  return stage(engine, { kind: "normal", extension: "txt" }, { content });
}
