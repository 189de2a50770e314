/**
 * Trunk files that this node does not divide: copies of those that a peer leased, and those of a group's trunk server. One in which nothing stands
 * any more is removed some time later, in the background and a bounded step at a time; whoever stores in it then makes it again. Every storage does so by
 * itself, as deletions reach it. Nothing but zeros from begin to end is nothing: what is damaged stays. A file in which somebody has a slot to
 * write into is left alone. Records of deletions are on stable storage before their zeros are made, so a crash brings back at most a file
 * of zeros, or slots that the start clears and looks at again. Worker thread.
 */
import type { Log } from "#base/log.ts";
import {
  maxFilesToLookAt,
  maxKnownToStand,
  unusedBeforeMs,
  upkeepPauseMs,
} from "#filestore/trunk/limits.ts";
import type { SlotRegion } from "#filestore/trunk/packed-files.ts";
import { zeroRun } from "#filestore/trunk/slot-walk.ts";
import type { LentDescriptor, TrunkDescriptors } from "#filestore/trunk/trunk-descriptors.ts";
import type { BackgroundWork } from "#filestore/worker/background-turns.ts";
import type { Clock } from "#platform/clock.ts";
import { FileError, type Files } from "#platform/files.ts";

export interface UnusedFilesParts {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly descriptors: TrunkDescriptors;
  /** This node divides the space of that trunk file. */
  readonly isOwn: (fileId: number) => boolean;
  /** The file of that path is gone. */
  readonly onRemoved: (path: string) => void;
}

type TrunkFilePlace = Pick<SlotRegion, "path" | "fileId">;

export class UnusedFiles implements BackgroundWork {
  readonly #parts: UnusedFilesParts;
  /** Undefined while nobody has told. */
  #removes: boolean | undefined;
  /** Files in which something was deleted, by their paths; where that was last, comes last. */
  readonly #toLook = new Map<string, { readonly fileId: number; readonly dueMs: number }>();
  /** Where something stands in a file: a deletion elsewhere in it needs no look. */
  readonly #stands = new Map<string, number>();
  /** Slots that somebody is about to write into, in number. */
  readonly #claims = new Map<string, number>();
  #steps: Generator<void, void> | undefined;
  /** The file that is being looked through, and whether a slot in it was claimed meanwhile. */
  #looked: { readonly path: string; isClaimed: boolean } | undefined;

  constructor(parts: UnusedFilesParts) {
    this.#parts = parts;
  }

  /** Whether files that are not used are to go. */
  set removes(removes: boolean) {
    this.#removes = removes;
    if (!removes) this.#toLook.clear();
  }

  /** There may be nothing in the file. */
  look({ path, fileId }: TrunkFilePlace): void {
    const { isOwn, clock } = this.#parts;
    if (this.#removes === false || isOwn(fileId)) return;
    this.#toLook.delete(path);
    if (this.#toLook.size >= maxFilesToLookAt) return;
    this.#toLook.set(path, { fileId, dueMs: clock.monotonicMs() + unusedBeforeMs });
  }

  /** That part of the file is being overwritten by zeros. */
  cleared(region: SlotRegion): void {
    const at = this.#stands.get(region.path);
    const stands = at !== undefined && (at < region.offset || at >= region.offset + region.size);
    if (!stands) this.look(region);
  }

  /** Somebody has a slot in the file, which must be there, until `release`. */
  claim(path: string): void {
    this.#claims.set(path, (this.#claims.get(path) ?? 0) + 1);
    if (this.#looked?.path === path) this.#looked.isClaimed = true;
  }

  release(path: string): void {
    const left = (this.#claims.get(path) ?? 0) - 1;
    if (left > 0) this.#claims.set(path, left);
    else this.#claims.delete(path);
  }

  step(): number | undefined {
    const waitMs = this.#steps === undefined ? this.#begin() : 0;
    if (this.#steps === undefined) return waitMs;
    try {
      if (this.#steps.next().done === true) this.#steps = undefined;
    } catch (error) {
      this.#steps = undefined;
      if (!(error instanceof FileError)) throw error;
      this.#parts.log.warn("unused-trunk-file-not-removed", { problem: error.message });
    }
    return upkeepPauseMs;
  }

  /** Leaves what is under way. */
  stop(): void {
    this.#toLook.clear();
    this.#steps?.return();
    this.#steps = undefined;
  }

  /** Begins to look through the next file, or returns when that is to be. Those in which a slot is claimed wait until that has ended. */
  #begin(): number | undefined {
    if (this.#removes !== true) return undefined;
    for (const [path, { fileId, dueMs }] of this.#toLook) {
      if (this.#claims.has(path)) continue;
      const leftMs = dueMs - this.#parts.clock.monotonicMs();
      if (leftMs > 0) return leftMs;
      this.#toLook.delete(path);
      this.#steps = this.#lookThrough({ path, fileId });
      return 0;
    }
    return undefined;
  }

  *#lookThrough(place: TrunkFilePlace): Generator<void, void> {
    const { files, descriptors, isOwn } = this.#parts;
    const { path, fileId } = place;
    const lent = descriptors.lend(path);
    if (lent === undefined) return;
    const looked = { path, isClaimed: false };
    this.#looked = looked;
    try {
      const { sizeBytes } = files.statDescriptor(lent.descriptor);
      // Most deletions go on from where the last ones were.
      const middle = Math.min(this.#stands.get(path) ?? 0, sizeBytes);
      const at =
        (yield* this.#firstByte(lent, middle, sizeBytes)) ??
        (yield* this.#firstByte(lent, 0, middle));
      if (at !== undefined) this.#note(path, at);
      else if (looked.isClaimed) this.look(place);
      else if (!isOwn(fileId)) this.#remove(path);
    } finally {
      this.#looked = undefined;
      descriptors.giveBack(lent);
    }
  }

  /** Where the first byte other than zero is; undefined where there is none. */
  *#firstByte(lent: LentDescriptor, from: number, to: number): Generator<void, number | undefined> {
    const { files } = this.#parts;
    const buffer = Buffer.allocUnsafe(Math.min(stepBytes, to - from));
    for (let at = from; at < to; ) {
      const wanted = buffer.subarray(0, Math.min(buffer.length, to - at));
      const got = files.read(lent.descriptor, wanted, at);
      if (got === 0) return undefined;
      const zeros = zeroRun(wanted.subarray(0, got), 0);
      if (zeros < got) return at + zeros;
      at += got;
      yield;
    }
    return undefined;
  }

  #note(path: string, at: number): void {
    this.#stands.delete(path);
    this.#stands.set(path, at);
    if (this.#stands.size <= maxKnownToStand) return;
    const [oldest] = this.#stands.keys();
    if (oldest !== undefined) this.#stands.delete(oldest);
  }

  #remove(path: string): void {
    const { files, log, descriptors, onRemoved } = this.#parts;
    this.#stands.delete(path);
    descriptors.drop(path);
    files.remove(path);
    onRemoved(path);
    log.debug("unused-trunk-file-removed", { path });
  }
}

/** Read in one step. */
const stepBytes = 1024 * 1024;
