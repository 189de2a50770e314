/**
 * Which trunk files have slots that are not on stable storage yet: zeros over deleted ones, and new ones of which the journal has a copy. A
 * deletion is its record: as long as that stands behind the checkpoint, a start after a crash makes the zeros again, as it writes the new
 * ones again from the journal. So nobody waits for them; they are flushed before the checkpoint moves
 * beyond the records, a trunk file once for all that happened in it. Where that fails, or another flush of the path did, nobody knows
 * which of them the disk has, and the checkpoint stays before the first of them until the next start. Without flushes nothing is
 * remembered. Worker thread.
 */
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { maxUnflushedFiles } from "#filestore/trunk/limits.ts";
import type { LentDescriptor, TrunkDescriptors } from "#filestore/trunk/trunk-descriptors.ts";
import { type FlushSteps, flushAll } from "#filestore/worker/flush-steps.ts";
import type { FileError } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";

export interface UnflushedSlotsParts {
  readonly descriptors: TrunkDescriptors;
  readonly flushed: boolean;
  readonly onFlushFailed: (error: FileError) => void;
  /** Everything before it is carried out. */
  readonly settled: () => BinlogPosition;
}

export class UnflushedSlots {
  readonly #parts: UnflushedSlotsParts;
  /** By path; kept open, because a failed write is told through descriptors that were open. */
  readonly #files = new Map<string, LentDescriptor>();
  /** Of trunk files that were removed: with their names the slots would come back. */
  readonly #directories = new Set<string>();
  /** Before the records of all that is remembered. */
  #since: BinlogPosition | undefined;
  #isSuspect = false;

  constructor(parts: UnflushedSlotsParts) {
    this.#parts = parts;
  }

  /** Where the checkpoint must stay before; undefined where it need not. */
  get owedSince(): BinlogPosition | undefined {
    return this.#isSuspect ? this.#since : undefined;
  }

  /** Zeros are about to be written there, or the journal is about to be given what was. False where there are too many such files: then it is the caller's to flush. Throws `FileError`. */
  add(path: string): boolean {
    if (!this.#parts.flushed) return true;
    const known = this.#files.get(path);
    if (known === undefined && this.#files.size >= maxUnflushedFiles) return false;
    const { descriptors, settled } = this.#parts;
    const lent = descriptors.lend(path);
    if (lent === undefined) return false;
    this.#since ??= settled();
    // Where the name means another file by now, that one has no such zeros but these.
    if (known !== undefined) descriptors.giveBack(known);
    this.#files.set(path, lent);
    return true;
  }

  /** The trunk file has no name any more. */
  removed(path: string): void {
    const known = this.#files.get(path);
    if (known === undefined) return;
    this.#files.delete(path);
    this.#parts.descriptors.giveBack(known);
    this.#directories.add(path.slice(0, path.lastIndexOf("/")));
  }

  /** A flush of the path failed: the kernel may have dropped zeros that the next flush says nothing of. */
  distrust(): void {
    if (this.#since !== undefined) this.#isSuspect = true;
  }

  /** Everything that was added before is on stable storage afterwards. Throws `FileError` where it is not. */
  *flush(): FlushSteps<void> {
    if (this.#since === undefined) return;
    const since = this.#parts.settled();
    const files = [...this.#files];
    const directories = [...this.#directories];
    this.#files.clear();
    this.#directories.clear();
    const targets: readonly FlushTarget[] = [
      ...files.map(([path, { descriptor }]) => ({ kind: "file", path, descriptor }) as const),
      ...directories.map((path) => ({ kind: "directory", path }) as const),
    ];
    try {
      const error = yield* flushAll(this.#parts, targets);
      if (error !== undefined) {
        this.#isSuspect = true;
        throw error;
      }
    } finally {
      for (const [, lent] of files) this.#parts.descriptors.giveBack(lent);
    }
    if (!this.#isSuspect) this.#since = this.#files.size > 0 ? since : undefined;
  }

  /** As `flush`, ahead of it and with `others`, so that it has little left to do; nothing is forgotten. */
  *flushEarly(others: readonly FlushTarget[]): FlushSteps<void> {
    const lent = [...this.#files.keys()].flatMap(
      (path) => this.#parts.descriptors.lend(path) ?? [],
    );
    try {
      const targets = lent.map((each) => ({ kind: "file", ...each }) as const);
      yield* flushAll(this.#parts, [...targets, ...others]);
    } finally {
      for (const each of lent) this.#parts.descriptors.giveBack(each);
    }
  }

  close(): void {
    for (const lent of this.#files.values()) this.#parts.descriptors.giveBack(lent);
    this.#files.clear();
  }
}
