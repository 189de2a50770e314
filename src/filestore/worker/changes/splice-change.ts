/**
 * Copies a staged body into an existing appender file: append and modify. The body was received whole before, so that a client
 * that stops, or a crash before the record, changes nothing; a crash after it is made good at the next start, which copies the
 * same bytes to the same place again. Large bodies are copied in steps after the commit, by `remainder`. Worker thread.
 */
import { recordLine } from "#filestore/binlog/entry.ts";
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import { formatBound } from "#filestore/formats/staged-name.ts";
import { amendBinlog } from "#filestore/worker/amend-binlog.ts";
import { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { diskFailure } from "#filestore/worker/disk-failure.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import { type FlushSteps, flushAll } from "#filestore/worker/flush-steps.ts";
import { stepBytes } from "#filestore/worker/limits.ts";
import { copySteps, runToEnd, type StagedFile } from "#filestore/worker/staged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { type FileDescriptor, FileError } from "#platform/files.ts";
import type { FlushTarget } from "#platform/flusher.ts";

export interface Splice {
  readonly kind: "append" | "modify";
  readonly place: FilePlace;
  readonly staged: StagedFile;
  readonly offset: number;
  readonly length: number;
  /** Of the file before. */
  readonly oldSize: number;
  /** Unix seconds, of the file before. */
  readonly modifiedSeconds: number;
  /** Unix seconds; the file's time afterwards, too. */
  readonly timestamp: number;
  /** A peer did it first. */
  readonly replica?: boolean;
}

export class SpliceChange extends StagedChange {
  /** What readers see until the change is whole. */
  readonly oldSize: number;
  readonly #store: StorePath;
  readonly #splice: Splice;
  /** The body could not be copied in full and stays for the next start to try again. */
  #keepStaged = false;

  constructor(store: StorePath, splice: Splice) {
    const { kind, place, offset, length } = splice;
    super({
      key: lockKey(place.name),
      lines: recordLine(kind, splice, `${place.name} ${offset} ${length}`),
      doing: `${kind === "append" ? "append to" : "modify"} ${place.name}`,
    });
    this.oldSize = splice.oldSize;
    this.#store = store;
    this.#splice = splice;
  }

  override bind(position: BinlogPosition): void {
    const { place, staged } = this.#splice;
    staged.rename(`${this.#store.layout.tmp}/${formatBound(place, position)}`);
  }

  override contentTargets(): readonly FlushTarget[] {
    return [this.#store.staged.directoryTarget, this.#splice.staged.flushTarget];
  }

  override discard(): void {
    this.#splice.staged.drop();
  }

  /** True where copying is left to `remainder`. */
  get isLong(): boolean {
    return this.#splice.length > stepBytes;
  }

  override get isOwed(): boolean {
    return this.#keepStaged;
  }

  apply(): void {
    if (!this.isLong) runToEnd(this.#copy());
  }

  amends(): string {
    const { place, offset, length } = this.#splice;
    // The body stays, and so does the record: the next start carries it out.
    if (this.#keepStaged) return "";
    return recordLine("truncate", this.#splice, `${place.name} ${offset + length} ${offset}`);
  }

  override appliedTargets(): readonly FlushTarget[] {
    return this.isLong ? [] : [this.#target];
  }

  /** Half an append is cut off again; a modification is tried again by the next start. */
  override giveUp(): string {
    if (this.isLong) return "";
    this.#keepStaged = !this.#isUndone();
    return this.amends();
  }

  override cleanUp(): void {
    if (!this.isLong) this.#dropBody();
  }

  override remainder(): FlushSteps<void> | undefined {
    return this.isLong ? this.#finish() : undefined;
  }

  get #target(): FlushTarget {
    return { kind: "file", path: this.#splice.place.path };
  }

  *#finish(): FlushSteps<void> {
    try {
      yield* this.#copy();
      if (this.#store.flushed) yield* this.#flushTarget();
      this.#dropBody();
    } catch (error) {
      const failure = diskFailure(error, this.doing);
      this.result = undefined;
      this.error = failure;
      this.#dropBody();
      yield* amendBinlog(this.#store, this.amends());
      throw failure;
    }
  }

  *#copy(): Generator<undefined, void> {
    const { files } = this.#store;
    const { kind, place, offset, length, timestamp, staged } = this.#splice;
    // What a modification overwrote is gone; an append can be undone.
    this.#keepStaged = kind === "modify";
    const target = files.open(place.path, "read-write");
    try {
      yield* copySteps(files, { from: staged.path, to: target, offset, length });
      files.setModified(place.path, timestamp);
      this.#keepStaged = false;
    } catch (error) {
      if (kind === "append") this.#keepStaged = !this.#cutOff(target);
      throw error;
    } finally {
      files.close(target);
    }
  }

  /**
   * Undoes a part of an append; false where the disk refuses that as well. The time goes back, too: by that of the attempt what is here would
   * be later than what the others have, and replace it.
   */
  #cutOff(target: FileDescriptor): boolean {
    const { files } = this.#store;
    const { place, offset, modifiedSeconds } = this.#splice;
    try {
      files.truncate(target, offset);
      files.setModified(place.path, modifiedSeconds);
      return true;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return false;
    }
  }

  *#flushTarget(): FlushSteps<void> {
    // Until the content is where it belongs for good, the body is kept for the next start.
    this.#keepStaged = true;
    const error = yield* flushAll(this.#store, [this.#target]);
    if (error === undefined) {
      this.#keepStaged = false;
      return;
    }
    this.#keepStaged = !this.#isUndone();
    throw error;
  }

  #isUndone(): boolean {
    const { kind, place } = this.#splice;
    if (kind === "modify") return false;
    const { files, staged } = this.#store;
    try {
      const target = files.open(place.path, "read-write");
      try {
        return this.#cutOff(target);
      } finally {
        staged.close(target);
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return false;
    }
  }

  #dropBody(): void {
    if (this.#keepStaged) this.#splice.staged.close();
    else this.discard();
  }
}
