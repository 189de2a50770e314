/**
 * Finds the free space of all trunk files of a store path again, from the files themselves, because somebody asked for it: in bounded steps,
 * while the path serves. A file that slots are taken from rests for the time of its walk; what is deleted meanwhile is counted afterwards.
 * Tells as well which slots no record names; those stay as they are. Worker thread.
 */
import type { Log } from "#base/log.ts";
import { maxSlotsAtOnce, restPatienceMs } from "#filestore/trunk/limits.ts";
import {
  type SlotNamesParts,
  unnamedSlots,
  type WalkedSlots,
} from "#filestore/trunk/slot-names.ts";
import type { RebuildFacts } from "#filestore/trunk/trunk-facts.ts";
import type { TrunkFileSpace, TrunkSpace } from "#filestore/trunk/trunk-space.ts";
import type { TrunkUpkeep } from "#filestore/trunk/trunk-upkeep.ts";
import type { Clock } from "#platform/clock.ts";
import { FileError } from "#platform/files.ts";

export interface TrunkRebuildParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly space: TrunkSpace;
  readonly upkeep: Pick<TrunkUpkeep, "walk">;
  readonly names: SlotNamesParts;
  /** A slot of the file is given out, and neither recorded nor given back. */
  readonly isClaimed: (space: TrunkFileSpace) => boolean;
}

type Progress = { -readonly [Key in keyof RebuildFacts]: RebuildFacts[Key] };

/** Logged at most so often in one rebuild. */
const maxToldSlots = 20;

export class TrunkRebuild {
  readonly #parts: TrunkRebuildParts;
  #progress: Progress | undefined;
  #told = 0;

  constructor(parts: TrunkRebuildParts) {
    this.#parts = parts;
  }

  /** Of the one that runs, or was the last one. */
  get facts(): RebuildFacts | undefined {
    return this.#progress;
  }

  get isRunning(): boolean {
    return this.#progress?.state === "running";
  }

  /** Begins one; to be run to its end, or ended with `return`. An error of the disk ends it as well. */
  begin(): Generator<undefined, RebuildFacts> {
    const files = [...this.#parts.space.files];
    this.#told = 0;
    const progress: Progress = {
      id: this.#parts.clock.nowMs(),
      state: "running",
      filesTotal: files.length,
      files: 0,
      skipped: 0,
      slots: 0,
      freeBytesBefore: 0,
      freeBytes: 0,
      damagedBytes: 0,
      unnamed: 0,
    };
    this.#progress = progress;
    const steps = this.#run(progress, files);
    // So that it notices its end also where no step of it is ever asked for.
    steps.next();
    return steps;
  }

  *#run(progress: Progress, files: readonly TrunkFileSpace[]): Generator<undefined, RebuildFacts> {
    const { log } = this.#parts;
    log.notice("trunk-rebuild-begins", { files: files.length });
    try {
      yield undefined;
      let walked: WalkedSlots[] = [];
      let slots = 0;
      for (const [at, space] of files.entries()) {
        const found = yield* this.#walk(progress, space);
        if (found !== undefined) walked.push(found);
        slots += found?.offsets.length ?? 0;
        yield undefined;
        if (slots < maxSlotsAtOnce && at < files.length - 1) continue;
        yield* this.#lookForNames(progress, walked);
        walked = [];
        slots = 0;
      }
      progress.state = "done";
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      log.error("trunk-rebuild-failed", { problem: error.message });
    } finally {
      if (progress.state === "running") progress.state = "stopped";
      log.notice("trunk-rebuild-ends", { ...progress });
    }
    return progress;
  }

  *#walk(progress: Progress, space: TrunkFileSpace): Generator<undefined, WalkedSlots | undefined> {
    const { file, path } = space;
    if (!(yield* this.#untilResting(space))) {
      progress.skipped += 1;
      return undefined;
    }
    const before = (space.free?.bytes ?? 0) + space.late.bytes;
    const offsets: number[] = [];
    const steps = this.#parts.upkeep.walk(space, (offset) => offsets.push(offset));
    let step = steps.next();
    try {
      for (; step.done !== true; step = steps.next()) yield undefined;
    } finally {
      if (step.done !== true) steps.return(undefined);
    }
    const result = step.value;
    if (result === undefined) {
      progress.skipped += 1;
      return undefined;
    }
    progress.files += 1;
    progress.slots += result.slots;
    progress.freeBytesBefore += before;
    progress.freeBytes += result.free.bytes;
    progress.damagedBytes += result.damagedBytes;
    return { fileId: file.id, path, offsets: Uint32Array.from(offsets) };
  }

  /** True once nobody takes slots from it; false where that takes long. */
  *#untilResting(space: TrunkFileSpace): Generator<undefined, boolean> {
    const { space: all, clock, isClaimed } = this.#parts;
    const endMs = clock.monotonicMs() + restPatienceMs;
    if (space.use === "active") space.use = "ending";
    try {
      while (all.find(space.file.id) === space && clock.monotonicMs() < endMs) {
        if (space.use === "ending" && !isClaimed(space)) all.rest(space);
        if (space.use === "resting") return true;
        yield undefined;
      }
    } finally {
      if (space.use === "ending") space.use = "active";
    }
    return false;
  }

  *#lookForNames(progress: Progress, walked: readonly WalkedSlots[]): Generator<undefined, void> {
    const unnamed = yield* unnamedSlots(this.#parts.names, walked);
    if (unnamed === undefined || progress.unnamed === undefined) {
      progress.unnamed = undefined;
      return;
    }
    progress.unnamed += unnamed.length;
    for (const slot of unnamed.slice(0, maxToldSlots - this.#told)) {
      this.#parts.log.warn("slot-without-name", { ...slot });
      this.#told += 1;
    }
  }
}
