/**
 * Looks at files again that may have been lost or cut off: first at those of the binlog's tail, then, where records may be lost as well,
 * at all of the store path, a bounded step at a time and at a pace. Until a file's turn has come nobody is served it unseen. How far it is
 * lies in `.cairn/recheck`, which stays until the main thread says that what was lost is back (`settle`). Worker thread.
 */

import { readSmallFile, replaceFile } from "#filestore/binlog/binlog-files.ts";
import { BinlogReader, type BinlogRecord } from "#filestore/binlog/binlog-reader.ts";
import { type BinlogPosition, comparePositions } from "#filestore/binlog/position.ts";
import { fileStoreError } from "#filestore/errors.ts";
import {
  formatRecheckNote,
  parseRecheckNote,
  type RecheckNote,
} from "#filestore/formats/recheck-note.ts";
import { fanOut, leafCount } from "#filestore/inventory/inventory-table.ts";
import type { RecheckFacts } from "#filestore/recheck-facts.ts";
import type { BackgroundWork } from "#filestore/worker/background-turns.ts";
import { directoryNumbers } from "#filestore/worker/directory-tree.ts";
import { type FilePlace, lockKey } from "#filestore/worker/file-layout.ts";
import { judgeFile } from "#filestore/worker/recheck/judge-file.ts";
import {
  maxProved,
  maxRecheckPauseMs,
  maxTailBytes,
  noteEveryMs,
  recheckShare,
  recheckStepMs,
  tellEveryMs,
} from "#filestore/worker/recheck/limits.ts";
import { LostFiles } from "#filestore/worker/recheck/lost-files.ts";
import { recheckSlots } from "#filestore/worker/recheck/recheck-slots.ts";
import { toldBy } from "#filestore/worker/replicas/replica-content.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { directoryName } from "#model/remote-filename.ts";
import { FileError, type Files } from "#platform/files.ts";

const maxNoteBytes = 4096;
/** Of the tail, between two looks at what was lost. */
const namesPerRecord = 256;
const trunkPattern = /^\d{6,10}$/;

/** What an earlier start was not done with. Throws `FileError`. */
export function readRecheckNote(files: Files, own: string): RecheckNote | "damaged" | undefined {
  const text = readSmallFile(files, `${own}/recheck`, maxNoteBytes);
  return text === undefined ? undefined : (parseRecheckNote(text) ?? "damaged");
}

/** Throws `FileError`. */
export function writeRecheckNote(files: Files, own: string, note: RecheckNote): void {
  const path = `${own}/recheck`;
  replaceFile(files, path, { temporary: `${path}.new`, text: formatRecheckNote(note) });
}

/** `lost`: this start found it to be missing, or not whole. `gone`: an earlier one did, and the power may have brought it back. */
type LastRecord = "there" | "lost" | "gone";

export class Recheck implements BackgroundWork {
  readonly #store: StorePath;
  readonly #lost: LostFiles;
  /** Where the binlog ended when it was opened, and where this run begins to store: what is between them this start found out. */
  readonly #found: BinlogPosition;
  readonly #end: BinlogPosition;
  /** Unix seconds: names of this run are not earlier. */
  readonly #namedBefore: number;
  readonly #tell: (facts: RecheckFacts | undefined) => void;
  readonly #steps: Generator<undefined, void>;
  #note: RecheckNote;
  /** Paths of files that were found in order. */
  #proved = new Set<string>();
  #isDone: boolean;
  #isStopped = false;
  #notedMs: number;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(
    store: StorePath,
    note: RecheckNote,
    how: {
      /** Where the binlog ended when it was opened. */
      readonly found: BinlogPosition;
      readonly tell: (facts: RecheckFacts | undefined) => void;
    },
  ) {
    this.#store = store;
    this.#note = note;
    this.#found = how.found;
    this.#end = store.binlog.position;
    this.#namedBefore = store.names.lastLimit;
    this.#tell = how.tell;
    this.#lost = new LostFiles(store);
    this.#notedMs = store.clock.monotonicMs();
    this.#isDone = note.isTailDone && (!note.walks || note.leavesDone === leafCount);
    this.#steps = this.#all();
    this.#tellNow();
  }

  get facts(): RecheckFacts {
    const { why, walks, leavesDone, lost } = this.#note;
    const part = walks ? leavesDone / leafCount : 0;
    return {
      why,
      state: this.#isDone ? "done" : "running",
      percent: this.#isDone ? 100 : Math.floor(100 * part),
      lost,
      examples: this.#lost.examples,
    };
  }

  /** It was not seen yet that the file of this size is what its name says, and the name says another size. */
  isCutOff(place: FilePlace, sizeBytes: number): boolean {
    if (this.#isDone || !this.#isAwaited(place)) return false;
    const told = toldBy(place.base);
    return told !== undefined && told.size !== sizeBytes && !this.#proved.has(place.path);
  }

  /**
   * What is to be done before the file can be served, in steps of at most 1 MiB, which throw `file-missing` where it is not what its name
   * says; undefined where its turn has been.
   */
  proof(name: string): Generator<undefined, void> | undefined {
    if (this.#isDone) return undefined;
    const place = this.#store.layout.find(name);
    if (place === undefined || !this.#isAwaited(place)) return undefined;
    return this.#proved.has(place.path) ? undefined : this.#prove(place);
  }

  step(): number | undefined {
    if (this.#isDone || this.#isStopped) return undefined;
    const { clock, log } = this.#store;
    const beganMs = clock.monotonicMs();
    if (beganMs - this.#toldMs >= tellEveryMs) this.#tellNow();
    try {
      do {
        if (this.#steps.next().done === true) this.#finish();
      } while (!this.#isDone && clock.monotonicMs() - beganMs < recheckStepMs);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      // The next start begins again; until then each file is looked at when it is asked for.
      this.#isStopped = true;
      log.error("recheck-stopped", { problem: error.message });
    }
    if (this.#isDone || this.#isStopped) return undefined;
    if (clock.monotonicMs() - this.#notedMs >= noteEveryMs) this.save();
    const usedMs = clock.monotonicMs() - beganMs;
    return Math.min(maxRecheckPauseMs, (usedMs * (100 - recheckShare)) / recheckShare);
  }

  /** Notes how far it is. */
  save(): void {
    const { files, layout, log } = this.#store;
    this.#notedMs = this.#store.clock.monotonicMs();
    try {
      writeRecheckNote(files, layout.own, this.#note);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      log.warn("recheck-not-noted", { problem: error.message });
    }
  }

  /** What was lost is back, or nobody has it: nothing is in doubt any more. Does nothing before the end. Throws `FileError`. */
  settle(): void {
    if (!this.#isDone) return;
    const { files, layout, log } = this.#store;
    this.#lost.dropReplaced();
    const lost = this.#lost.stillLost;
    files.remove(`${layout.own}/recheck`);
    this.#store.recheck = undefined;
    this.#store.packed.space.release();
    if (lost > 0)
      log.error("files-lost-for-good", { count: lost, list: `${layout.own}/lost-files` });
    this.#tell(lost === 0 ? undefined : { ...this.facts, state: "settled", lost });
  }

  #isAwaited({ high, low }: FilePlace): boolean {
    const { isTailDone, leavesDone } = this.#note;
    return !isTailDone || high * fanOut + low >= leavesDone;
  }

  *#prove(place: FilePlace): Generator<undefined, void> {
    const verdict = yield* judgeFile(this.#store, place, this.#note.since);
    if (verdict === "wrong" || verdict === "doubtful") {
      throw fileStoreError("file-missing", `${place.name} was lost in a power cut`);
    }
    if (verdict === "well") this.#noteProved(place);
  }

  #noteProved({ path }: FilePlace): void {
    if (this.#proved.size >= maxProved) this.#proved = new Set();
    this.#proved.add(path);
  }

  *#all(): Generator<undefined, void> {
    if (!this.#note.isTailDone) {
      yield* this.#tail();
      this.#note = { ...this.#note, isTailDone: true };
      this.save();
    }
    if (this.#note.walks) yield* this.#walk();
  }

  #finish(): void {
    this.#isDone = true;
    this.#proved = new Set();
    const { why, walks, lost } = this.#note;
    const all = walks ? "all" : "latest";
    this.#store.log.notice("files-rechecked", { why, files: all, lost });
    this.save();
    if (!walks && lost === 0) this.settle();
    else this.#tellNow();
  }

  #tellNow(): void {
    this.#toldMs = this.#store.clock.monotonicMs();
    this.#tell(this.facts);
  }

  /** What was stored last, by its records: there also what is missing shows. */
  *#tail(): Generator<undefined, void> {
    const last = yield* this.#lastRecords();
    let met = 0;
    for (const [name, what] of last) {
      met += 1;
      if (met % namesPerRecord === 0) this.#flushLost();
      const place = this.#store.layout.find(name);
      if (place === undefined || this.#store.locks.has(lockKey(name))) continue;
      if (what === "lost") this.#lost.missing(place, true);
      else yield* this.#judge(place, what === "there");
      yield undefined;
    }
    this.#flushLost();
  }

  /** Of files that are there by their last records, and of those that were found not to be whole. */
  *#lastRecords(): Generator<undefined, ReadonlyMap<string, LastRecord>> {
    const { files, layout } = this.#store;
    const last = new Map<string, LastRecord>();
    const parts = { files, directory: layout.sync, scratch: layout.tmp };
    const reader = new BinlogReader(parts, this.#tailStart());
    try {
      while (comparePositions(reader.cursor, this.#end) < 0) {
        const { records, invalid } = reader.read();
        if (records.length === 0 && invalid.length === 0) break;
        for (const record of records) this.#follow(last, record);
        yield undefined;
      }
    } finally {
      reader.close();
    }
    return last;
  }

  #follow(last: Map<string, LastRecord>, { entry, start }: BinlogRecord): void {
    const { name, kind, replica, timestamp } = entry;
    const wasThere = last.delete(name);
    if (kind !== "delete" && kind !== "link") last.set(name, "there");
    if (kind === "rename") last.delete(entry.oldName);
    if (kind !== "delete" || !replica || timestamp !== 0) return;
    const isNew = comparePositions(start, this.#found) >= 0;
    last.set(name, wasThere && isNew ? "lost" : "gone");
  }

  /** Where the tail is too long, all files are looked at. */
  #tailStart(): BinlogPosition {
    const { tail } = this.#note;
    const end = this.#end;
    if (tail.index === end.index && end.offset - tail.offset <= maxTailBytes) return tail;
    this.#note = { ...this.#note, walks: true };
    return { ...end, offset: Math.max(0, end.offset - maxTailBytes) };
  }

  *#walk(): Generator<undefined, void> {
    const { files, layout } = this.#store;
    const first = this.#note.leavesDone;
    for (let upper = Math.floor(first / fanOut); upper < fanOut; upper += 1) {
      const path = `${layout.data}/${directoryName(upper)}`;
      for (const lower of directoryNumbers(files, path)) {
        const leaf = upper * fanOut + lower;
        if (leaf < first) continue;
        yield* this.#directoryOrNone(upper, lower);
        this.#flushLost();
        this.#note = { ...this.#note, leavesDone: leaf + 1 };
        yield undefined;
      }
      this.#note = { ...this.#note, leavesDone: (upper + 1) * fanOut };
    }
  }

  /** What cannot be read is not served either. */
  *#directoryOrNone(high: number, low: number): Generator<undefined, void> {
    try {
      yield* this.#directory(high, low);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#store.log.error("directory-not-rechecked", { high, low, problem: error.message });
    }
  }

  *#directory(high: number, low: number): Generator<undefined, void> {
    const { files, layout } = this.#store;
    const path = `${layout.data}/${directoryName(high)}/${directoryName(low)}`;
    for (const base of files.list(path) ?? []) {
      if (trunkPattern.test(base)) {
        const suspect = { fileId: Number(base), namedBefore: this.#namedBefore };
        const { since } = this.#note;
        yield* recheckSlots(this.#store, this.#lost, {
          path: `${path}/${base}`,
          since,
          ...suspect,
        });
      } else {
        yield* this.#judge(layout.placeOf({ high, low, base }), false);
      }
      yield undefined;
    }
  }

  *#judge(place: FilePlace, isRecorded: boolean): Generator<undefined, void> {
    const { locks, removed } = this.#store;
    const key = lockKey(place.name);
    if (locks.has(key) || this.#proved.has(place.path)) return;
    const verdict = yield* judgeFile(this.#store, place, this.#note.since);
    if (verdict === "well" && !this.#note.isTailDone) this.#noteProved(place);
    // A peer's copy may be on its way.
    if (verdict === "well" || locks.has(key)) return;
    if (verdict === "missing") {
      const isLost = isRecorded && !removed.covers(place, { timestamp: 0 });
      if (isLost) this.#lost.missing(place, false);
    } else if (verdict === "doubtful") {
      this.#lost.doubtful(place);
    } else {
      this.#lost.wrong(place);
    }
  }

  #flushLost(): void {
    const found = this.#lost.flush();
    if (found > 0) this.#note = { ...this.#note, lost: this.#note.lost + found };
  }
}
