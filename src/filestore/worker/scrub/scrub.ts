/**
 * The scrub of a store path that is served: reads everything from the disk, beside the requests, a bounded step at a time. Where nobody asks
 * for files it goes as fast as the disk or its limit lets it, else it takes a small share of the time. How far it is lies in `.cairn/scrub`,
 * so that a restart goes on; when each directory was verified in `.cairn/scrub-times`. It changes no file: what becomes of damaged ones is
 * decided by whoever asks for the report. Worker thread.
 */
import { readSmallFile, replaceFile } from "#filestore/binlog/binlog-files.ts";
import {
  formatScrubNote,
  formatScrubTimes,
  neverScrubbed,
  parseScrubNote,
  parseScrubTimes,
  type ScrubNote,
} from "#filestore/formats/scrub-note.ts";
import { fanOut, leafCount } from "#filestore/inventory/inventory-table.ts";
import { emptyTally, type ScrubTally } from "#filestore/scrub/findings.ts";
import {
  maxPauseMs,
  maxStepMs,
  minPieceBytes,
  noteEveryMs,
  quietMs,
  stepMs,
} from "#filestore/scrub/limits.ts";
import { type ScrubWorld, scrubDirectory } from "#filestore/scrub/scrub-directory.ts";
import type { ScrubOrder, ScrubPaceSettings, ScrubReport } from "#filestore/scrub/scrub-report.ts";
import { SideRecords } from "#filestore/scrub/side-records.ts";
import { SlotSums } from "#filestore/scrub/slot-sums.ts";
import type { BackgroundWork } from "#filestore/worker/background-turns.ts";
import { directoryNumbers } from "#filestore/worker/directory-tree.ts";
import type { FilePlace } from "#filestore/worker/file-layout.ts";
import { slotLockKey } from "#filestore/worker/replicas/replica-slot.ts";
import { compareHeaders } from "#filestore/worker/scrub/compare-headers.ts";
import { DamagedFiles } from "#filestore/worker/scrub/damaged-files.ts";
import type { StorePath } from "#filestore/worker/store-path.ts";
import { directoryName } from "#model/remote-filename.ts";
import { nowSeconds } from "#platform/clock.ts";
import { type DiskReads, maxDiskRead } from "#platform/disk-reads.ts";
import { FileError } from "#platform/files.ts";

const maxNoteBytes = 4096;
const metadataSuffix = /-m$/;
/** After something of the machine was in the way. */
const retryMs = 60_000;

export class Scrub implements BackgroundWork {
  readonly #store: StorePath;
  readonly #disk: () => DiskReads;
  readonly #side: SideRecords;
  readonly damaged: DamagedFiles;
  /** Undefined until it was read. */
  #known: ScrubNote | undefined;
  #times: Uint32Array | undefined;
  #steps: Generator<undefined, void> | undefined;
  #directories = { done: 0, total: 0 };
  /** What was counted when the present directory was begun: whoever goes on begins it anew. */
  #counted: ScrubTally | undefined;
  #problem: string | undefined;
  #healed = 0;
  /** Of what is noted. */
  #isAhead = false;
  #notedMs = Number.NEGATIVE_INFINITY;
  #foregroundMs = Number.NEGATIVE_INFINITY;
  #pieceBytes = maxDiskRead;
  #pieceBeganMs = 0;
  #stepBytes = 0;
  /** Nobody waits for the disk in this step. */
  #isAlone = false;
  #opened: DiskReads | undefined;
  /** Of the trunk files that this run has looked through in this process. */
  #sums = new SlotSums();

  constructor(store: StorePath, disk: () => DiskReads) {
    this.#store = store;
    this.#disk = disk;
    this.#side = new SideRecords(store.files, store.layout.own);
    this.damaged = new DamagedFiles(store.files, store.layout.own);
  }

  get isRunning(): boolean {
    return this.#note.state === "running";
  }

  /** Somebody waits for the disk. */
  noteForeground(): void {
    if (this.#known?.state === "running") this.#foregroundMs = this.#store.clock.monotonicMs();
  }

  /** False where it changes nothing, such as starting what runs. Throws `FileError`. */
  order(order: ScrubOrder, pace: ScrubPaceSettings): boolean {
    const { state } = this.#note;
    switch (order) {
      case "start":
        if (state !== "idle") return this.#setState("running", pace);
        this.#known = {
          ...this.#note,
          ...{ state: "running", begunAt: this.#nowSeconds, leavesDone: 0, activeMs: 0, ...pace },
          tally: emptyTally(),
        };
        this.#steps = undefined;
        this.#isAhead = true;
        this.save();
        return true;
      case "resume":
        return state === "paused" && this.#setState("running", pace);
      case "pause":
        return state === "running" && this.#setState("paused", pace);
      case "stop":
        return state !== "idle" && this.#setState("idle", pace);
    }
  }

  step(): number | undefined {
    if (!this.isRunning) return undefined;
    const { clock } = this.#store;
    const beganMs = clock.monotonicMs();
    const isBusy = beganMs - this.#foregroundMs < quietMs;
    this.#isAlone = !isBusy;
    this.#stepBytes = 0;
    this.#isAhead = true;
    const waits = this.#goOn(beganMs, isBusy ? 0 : stepMs);
    if (!this.isRunning) return undefined;
    if (waits) return retryMs;
    const usedMs = clock.monotonicMs() - beganMs;
    this.#known = { ...this.#note, activeMs: this.#note.activeMs + usedMs };
    if (clock.monotonicMs() - this.#notedMs >= noteEveryMs) this.save();
    const { busyShare, rateBytes } = this.#note;
    const shareMs = isBusy ? (usedMs * (100 - busyShare)) / busyShare : 0;
    const rateMs = rateBytes > 0 ? (this.#stepBytes * 1000) / rateBytes - usedMs : 0;
    const pauseMs = Math.min(maxPauseMs, Math.max(0, shareMs, rateMs));
    this.#known = { ...this.#note, activeMs: this.#note.activeMs + pauseMs };
    return pauseMs;
  }

  /** Notes how far it is, and what it found. What cannot be noted is told, and noted later. */
  save(): void {
    const { files, layout, log, clock } = this.#store;
    this.#notedMs = clock.monotonicMs();
    try {
      this.damaged.save();
      if (this.#known === undefined || !this.#isAhead) return;
      this.#side.save();
      const times = formatScrubTimes(this.#allTimes).toString("latin1");
      const path = `${layout.own}/scrub`;
      replaceFile(files, `${path}-times`, { temporary: `${path}-times.new`, text: times });
      const note = { ...this.#known, tally: this.#counted ?? this.#known.tally };
      replaceFile(files, path, { temporary: `${path}.new`, text: formatScrubNote(note) });
      this.#isAhead = false;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      log.warn("scrub-not-noted", { problem: error.message });
    }
  }

  /** Waits for what the disk has begun to read. */
  close(): void {
    this.#steps?.return();
    this.#steps = undefined;
    this.#opened?.close?.();
    this.#opened = undefined;
  }

  report(maxListed: number): ScrubReport {
    const { state, begunAt, endedAt, activeMs, tally } = this.#note;
    const isWaiting = state === "running" && this.#problem !== undefined;
    return {
      state: isWaiting ? "waiting" : state,
      ...{ begunAt, endedAt, activeMs: Math.floor(activeMs), tally: { ...tally } },
      directoriesDone: this.#directories.done,
      directoriesTotal: this.#directories.total,
      damaged: this.damaged.all.slice(0, maxListed),
      damagedTotal: this.damaged.total,
      healed: this.#healed,
      problem: this.#problem,
    };
  }

  /** Unix seconds; 0 where it was not verified since it last changed, or is damaged. */
  verifiedAt({ high, low, base }: FilePlace, changedSeconds: number): number {
    const place = `${directoryName(high)}/${directoryName(low)}/${base}`;
    if (this.damaged.get(place) !== undefined) return 0;
    const verified = this.#allTimes[high * fanOut + low] ?? 0;
    return changedSeconds < verified ? verified : 0;
  }

  noteHealed(): void {
    this.#healed += 1;
  }

  get #note(): ScrubNote {
    if (this.#known !== undefined) return this.#known;
    const { files, layout, log } = this.#store;
    try {
      const text = readSmallFile(files, `${layout.own}/scrub`, maxNoteBytes);
      this.#known = text === undefined ? neverScrubbed() : parseScrubNote(text);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
    }
    if (this.#known === undefined) {
      log.warn("scrub-note-damaged", { path: layout.own });
      this.#known = neverScrubbed();
    }
    return this.#known;
  }

  get #allTimes(): Uint32Array {
    this.#times ??= this.#readTimes() ?? new Uint32Array(leafCount);
    return this.#times;
  }

  #readTimes(): Uint32Array | undefined {
    const { files, layout } = this.#store;
    const most = 2 * leafCount * Uint32Array.BYTES_PER_ELEMENT;
    try {
      const text = readSmallFile(files, `${layout.own}/scrub-times`, most);
      return text === undefined ? undefined : parseScrubTimes(Buffer.from(text, "latin1"));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return undefined;
    }
  }

  #setState(state: ScrubNote["state"], pace: ScrubPaceSettings): boolean {
    const isNew = this.#note.state !== state;
    this.#known = { ...this.#note, state, ...pace };
    if (state !== "running") this.#leave();
    this.#isAhead = true;
    if (isNew) this.save();
    return isNew;
  }

  #leave(): void {
    this.#steps?.return();
    this.#steps = undefined;
    if (this.#counted !== undefined) Object.assign(this.#note.tally, this.#counted);
    this.#counted = undefined;
    this.#problem = undefined;
  }

  /** True where something of the machine is in the way. */
  #goOn(beganMs: number, limitMs: number): boolean {
    const { clock, log } = this.#store;
    try {
      this.#steps ??= this.#run();
      do {
        if (this.#steps.next().done === true) this.#finish();
      } while (
        this.isRunning &&
        this.#stepBytes < this.#pieceBytes &&
        clock.monotonicMs() - beganMs < limitMs
      );
      this.#problem = undefined;
      return false;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#leave();
      this.#problem = error.message;
      log.warn("scrub-waits", { problem: error.message });
      return true;
    }
  }

  #finish(): void {
    const { log } = this.#store;
    const { tally } = this.#note;
    this.#counted = undefined;
    this.#known = {
      ...this.#note,
      state: "idle",
      endedAt: this.#nowSeconds,
      leavesDone: leafCount,
    };
    this.#steps = undefined;
    log.notice("scrub-ended", { ...tally });
    this.save();
  }

  *#run(): Generator<undefined, void> {
    this.#opened ??= this.#disk();
    const first = this.#note.leavesDone;
    if (first === 0) this.#sums = new SlotSums();
    const world = this.#world(this.#opened);
    const leaves = yield* this.#leaves(world);
    const rest = leaves.filter((leaf) => leaf >= first);
    this.#directories = { done: leaves.length - rest.length, total: leaves.length };
    for (const leaf of rest) {
      const beganSeconds = this.#nowSeconds;
      this.#counted = { ...this.#note.tally };
      const { closedDirectories } = this.#counted;
      yield* scrubDirectory(world, Math.floor(leaf / fanOut), leaf % fanOut);
      if (this.#note.tally.closedDirectories === closedDirectories) {
        this.#allTimes[leaf] = beganSeconds;
      }
      this.#known = { ...this.#note, leavesDone: leaf + 1 };
      this.#directories.done += 1;
      yield undefined;
    }
    const { files, layout } = this.#store;
    const binlog = { files, directory: layout.sync, scratch: layout.tmp };
    yield* compareHeaders({ world, layout, binlog, sums: this.#sums });
  }

  *#leaves(world: ScrubWorld): Generator<undefined, readonly number[]> {
    const { files, layout } = this.#store;
    const found: number[] = [];
    for (const upper of directoryNumbers(files, layout.data)) {
      try {
        const path = `${layout.data}/${directoryName(upper)}`;
        for (const lower of directoryNumbers(files, path)) found.push(upper * fanOut + lower);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        world.tally.closedDirectories += 1;
      }
      yield undefined;
    }
    return found;
  }

  #world(disk: DiskReads): ScrubWorld {
    const { files, layout, locks } = this.#store;
    return {
      ...{ disk, files, data: layout.data, side: this.#side, tally: this.#note.tally },
      pace: this.#pace(),
      sums: this.#sums,
      readsAhead: () => this.#isAlone,
      nowSeconds: () => this.#nowSeconds,
      isBusy: (place) => locks.has(place.replace(metadataSuffix, "")),
      isSlotBusy: (path, offset) => locks.has(slotLockKey({ path, offset })),
      found: (finding) => this.damaged.add(finding, this.#nowSeconds),
    };
  }

  /** Pieces as large as the disk gives them in time. */
  #pace() {
    const { clock } = this.#store;
    const current = () => this.#pieceBytes;
    return {
      get pieceBytes() {
        return current();
      },
      began: () => {
        this.#pieceBeganMs = clock.monotonicMs();
      },
      ended: (bytes: number) => {
        this.#stepBytes += bytes;
        const tookMs = clock.monotonicMs() - this.#pieceBeganMs;
        if (tookMs > maxStepMs) this.#pieceBytes = Math.max(minPieceBytes, this.#pieceBytes / 2);
        else if (tookMs < maxStepMs / 4 && bytes >= this.#pieceBytes) {
          this.#pieceBytes = Math.min(maxDiskRead, this.#pieceBytes * 2);
        }
      },
    };
  }

  get #nowSeconds(): number {
    return nowSeconds(this.#store.clock);
  }
}
