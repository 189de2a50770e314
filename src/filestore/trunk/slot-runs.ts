/**
 * Writes slots that lie side by side in one call: the packed files of a batch are received into one buffer, as they will stand in the
 * trunk file, and written when the next one lies elsewhere, when the buffer is full, or when the batch is committed. Worker thread.
 */

import { type TrunkHeaderFields, writeTrunkHeader } from "#filestore/formats/trunk-header.ts";
import type { TrunkDescriptors } from "#filestore/trunk/trunk-descriptors.ts";
import type { BatchStager, StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";
import { FileError, type Files } from "#platform/files.ts";

/** What is written at a time at most; a larger slot is written by itself. */
export const maxRunBytes = 1024 * 1024;
/** The buffer is as large as the largest run so far, and at first this. */
const firstRunBytes = 64 * 1024;

/** Slots that are written together; they have the same fate. */
export interface SlotRun {
  readonly path: string;
  readonly offset: number;
  length: number;
  state: "open" | "written" | FileError;
}

/** A change whose slot is in a run. */
export interface RunChange extends StagedChange {
  readonly run: SlotRun | undefined;
}

export interface SlotContent {
  /** Of the trunk file. */
  readonly path: string;
  /** Of the slot. */
  readonly offset: number;
  readonly slotSize: number;
  /** Its first bytes are those of the slot. */
  readonly header: TrunkHeaderFields;
  readonly content: Uint8Array;
}

export class SlotRuns implements BatchStager {
  readonly #files: Files;
  readonly #descriptors: TrunkDescriptors;
  #buffer = Buffer.alloc(0);
  #run: SlotRun | undefined;

  constructor(files: Files, descriptors: TrunkDescriptors) {
    this.#files = files;
    this.#descriptors = descriptors;
  }

  /** Takes a slot; its bytes are copied. What goes wrong while it is written shows in the run's state. */
  add(slot: SlotContent): SlotRun {
    const { path, offset, slotSize } = slot;
    const open = this.#run;
    const isNext = open !== undefined && open.path === path && open.offset + open.length === offset;
    const run = isNext && open.length + slotSize <= maxRunBytes ? open : this.#begin(path, offset);
    const start = run.length;
    this.#grow(start + slotSize);
    const buffer = this.#buffer;
    writeTrunkHeader(buffer, start, slot.header);
    buffer.set(slot.content, start + trunkHeaderSize);
    const end = start + trunkHeaderSize + slot.content.length;
    run.length = start + slotSize;
    if (end < run.length) buffer.fill(0, end, run.length);
    if (run.length >= maxRunBytes) this.settle(run);
    return run;
  }

  stageTogether(changes: readonly StagedChange[]): ReadonlyMap<StagedChange, unknown> {
    let failures = noFailures;
    for (const change of changes as readonly RunChange[]) {
      const { run } = change;
      if (run === undefined) continue;
      this.settle(run);
      if (!(run.state instanceof FileError)) continue;
      if (failures === noFailures) failures = new Map<StagedChange, unknown>();
      (failures as Map<StagedChange, unknown>).set(change, run.state);
    }
    return failures;
  }

  /** The run is written, or has failed, when this returns. */
  settle(run: SlotRun): void {
    if (run.state !== "open") return;
    if (this.#run === run) this.#run = undefined;
    try {
      const descriptor = this.#descriptors.peek(run.path);
      if (descriptor === undefined)
        throw new FileError("ENOENT", "ENOENT: the trunk file is gone", run.path);
      this.#files.write(descriptor, this.#buffer.subarray(0, run.length), run.offset);
      run.state = "written";
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      run.state = error;
    }
  }

  #begin(path: string, offset: number): SlotRun {
    if (this.#run !== undefined) this.settle(this.#run);
    const run: SlotRun = { path, offset, length: 0, state: "open" };
    this.#run = run;
    return run;
  }

  #grow(length: number): void {
    if (length <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(length, this.#buffer.length * 2, firstRunBytes));
    this.#buffer.copy(grown);
    this.#buffer = grown;
  }
}

const noFailures: ReadonlyMap<StagedChange, unknown> = new Map();
