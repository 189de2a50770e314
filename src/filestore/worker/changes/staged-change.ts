/**
 * A change of one file that has been prepared and waits to be committed. Nothing of it is visible yet. `batch-commit.ts` calls
 * the steps below in the order in which they stand here; a step that throws ends this change and no other. What a change wants on
 * stable storage it says as flush targets, which the commit flushes for all of its changes together. Worker thread.
 */
import type { BinlogPosition } from "#filestore/binlog/position.ts";
import type { SlotRegion } from "#filestore/trunk/packed-files.ts";
import type { FileStoreError } from "#filestore/worker/disk-failure.ts";
import type { FlushSteps } from "#filestore/worker/flush-steps.ts";
import type { FlushTarget } from "#platform/flusher.ts";

/** What the owner of the engine sees of a change. */
export interface Change {
  /** After a successful commit: the logical name that the change made, or "". */
  readonly result: string | undefined;
  /** After a failed one: why. The file is as it was. */
  readonly error: FileStoreError | undefined;
  /** It made a further name of a file that was there. */
  readonly linked: boolean;
}

/** Stages what changes of one batch can do better together, such as writing bodies that lie side by side in one call. */
export interface BatchStager {
  /**
   * Called once at the begin of a commit with those changes of the batch that name this stager, in their order, before anything of
   * them is bound, flushed or recorded. Answers which of them failed, and why; these are discarded. What it writes is to be
   * covered by the changes' `contentTargets`.
   */
  stageTogether(changes: readonly StagedChange[]): ReadonlyMap<StagedChange, unknown>;
}

const nothing: readonly FlushTarget[] = [];

export abstract class StagedChange implements Change {
  /** What it excludes other changes by, see `lockKey`. */
  readonly key: string;
  /** Another file that it keeps away, such as the one of a new name. */
  readonly secondKey: string | undefined;
  /** Its records: whole lines. Empty where there is nothing to do. */
  readonly lines: string;
  /** For error messages: completes "cannot …". */
  readonly doing: string;
  readonly linked: boolean;
  /** The time of the new name that it makes, as it was taken from `NameTimes`. */
  readonly namedMs: number | undefined;
  result: string | undefined = undefined;
  error: FileStoreError | undefined = undefined;
  /** Where its first record stands, from the commit on. */
  position: BinlogPosition | undefined = undefined;
  readonly #made: string;

  constructor(what: {
    readonly key: string;
    readonly secondKey?: string;
    readonly lines: string;
    readonly doing: string;
    /** The new logical name, where the change makes one. */
    readonly made?: string;
    readonly linked?: boolean;
    readonly namedMs?: number | undefined;
  }) {
    this.key = what.key;
    this.secondKey = what.secondKey;
    this.lines = what.lines;
    this.doing = what.doing;
    this.linked = what.linked === true;
    this.namedMs = what.namedMs;
    this.#made = what.made ?? "";
  }

  /** False where it gives room back, or changes nothing: such changes may use what a full disk keeps for them (`RoomReserve`). */
  get needsRoom(): boolean {
    return this.lines !== "";
  }

  /** Equal objects stand for one `stageTogether` a batch. */
  get stager(): BatchStager | undefined {
    return undefined;
  }

  /** `position` is known. Called again where another change of the batch dropped out and moved it. */
  bind(_position: BinlogPosition): void {}

  /**
   * What must be on stable storage before the record is, or with it (`bytesCheckedAtStart`): staged content, and the names it is found
   * by after a crash.
   */
  contentTargets(): readonly FlushTarget[] {
    return nothing;
  }

  /**
   * Bytes of content, at most, that a start after a crash looks at, so that they may reach stable storage together with the record;
   * undefined where they must be there before it.
   */
  get bytesCheckedAtStart(): number | undefined {
    return undefined;
  }

  /** Where that content stands, if in a slot of a trunk file: the journal may take it instead of a flush (`journal/flush-records.ts`). */
  get slotWritten(): SlotRegion | undefined {
    return undefined;
  }

  /** Never committed: removes what is staged. Must not throw. */
  discard(): void {}

  /** The records stand: makes the file what they say. Leaves it as it was where it throws; may be called again then. */
  abstract apply(): void;

  /** Lines that make the records true again after `apply` threw; empty where they are to stand, see `isOwed`. */
  abstract amends(): string;

  /** Changed content and directories, which must be on stable storage before the change counts. */
  appliedTargets(): readonly FlushTarget[] {
    return nothing;
  }

  /**
   * Applied, and a flush of the batch failed: it is not acknowledged. Undoes it where it can; the lines that make the records true
   * again, empty where they are to stand. Must not throw.
   */
  giveUp(): string {
    return "";
  }

  /** Removes what is staged and not needed any more. Must not throw. */
  cleanUp(): void {}

  /** The records stand and the disk refused to carry them out in full: the next start is to try again. */
  get isOwed(): boolean {
    return false;
  }

  /** Work that is too long for a commit, in steps; the change is done, and its name free, when they are. */
  remainder(): FlushSteps<void> | undefined {
    return undefined;
  }

  succeed(): void {
    this.result = this.#made;
  }
}

/** Something that turned out to need nothing, such as appending no bytes. */
export class EmptyChange extends StagedChange {
  constructor(key: string) {
    super({ key, lines: "", doing: "do nothing" });
  }

  apply(): void {}

  amends(): string {
    return "";
  }
}
