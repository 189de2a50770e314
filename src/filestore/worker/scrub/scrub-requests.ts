/** Requests about the scrub of a store path, and about what is known of single files. Worker thread. */
import { fileStoreError } from "#filestore/errors.ts";
import type { FileRecord } from "#filestore/file-record.ts";
import { formatNew } from "#filestore/formats/staged-name.ts";
import type { RingRecord } from "#filestore/ring.ts";
import { parseTrunkPlace, placeOfName } from "#filestore/scrub/damaged-place.ts";
import { emptyTally } from "#filestore/scrub/findings.ts";
import { readContent } from "#filestore/scrub/read-content.ts";
import {
  type Judgement,
  type Settlement,
  scrubOrders,
  settlements,
} from "#filestore/scrub/scrub-report.ts";
import { SideRecords } from "#filestore/scrub/side-records.ts";
import type { Answers } from "#filestore/worker/answers.ts";
import { onDisk, stepsOnDisk } from "#filestore/worker/disk-failure.ts";
import type { FilePlace } from "#filestore/worker/file-layout.ts";
import type { LongWork } from "#filestore/worker/long-work.ts";
import { settlingMs } from "#filestore/worker/recheck/settling.ts";
import { toldBy } from "#filestore/worker/replicas/replica-content.ts";
import { isPackedWell, judgeNamed, judgeNameless } from "#filestore/worker/scrub/judge-damaged.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { slotPlace } from "#filestore/worker/trunk-slot.ts";
import { flagComputeCrc, request } from "#filestore/worker-messages.ts";
import { decodeBase, type FileSource, isTrunkBase, sourceInName } from "#model/file-id.ts";
import { directoryName } from "#model/remote-filename.ts";
import { nowSeconds } from "#platform/clock.ts";

/** Of one damaged file in a report, in bytes of JSON. */
const bytesPerDamaged = 512;
const reserveBytes = 4096;
const nsPerSecond = 1_000_000_000n;

export interface ScrubRequestParts {
  readonly engine: StorePathEngine;
  readonly answers: Answers;
  readonly longWork: LongWork;
  /** Throws where no changes are taken. */
  readonly requireChanges: () => void;
}

export class ScrubRequests {
  readonly #parts: ScrubRequestParts;

  constructor(parts: ScrubRequestParts) {
    this.#parts = parts;
  }

  /** Throws `file-invalid`, `file-missing`, `disk-failed`. */
  perform(record: RingRecord): void {
    switch (record.kind) {
      case request.scrubReport:
        this.#report(record);
        break;
      case request.scrubOrder:
        this.#order(record);
        break;
      case request.scrubJudge:
        this.#judge(record);
        break;
      case request.scrubSettle:
        this.#settle(record);
        break;
      case request.fileRecord:
        this.#fileRecord(record);
        break;
      default:
        throw fileStoreError("file-invalid", "unknown request");
    }
  }

  #report(record: RingRecord): void {
    const { engine, answers } = this.#parts;
    const room = answers.view(record.block).length;
    const most = Math.floor(Math.max(0, room - reserveBytes) / bytesPerDamaged);
    const report = onDisk("read the scrub's notes", () => engine.scrub.report(most));
    this.#answer(record, report);
  }

  #order({ id, text, a: rateBytes, b: busyShare }: RingRecord): void {
    const { engine, answers, requireChanges } = this.#parts;
    const order = scrubOrders.find((each) => each === text);
    if (order === undefined) throw fileStoreError("file-invalid", `a scrub cannot ${text}`);
    if (order !== "pause" && order !== "stop") requireChanges();
    const pace = { rateBytes, busyShare: Math.min(100, Math.max(1, busyShare)) };
    answers.done(id, { a: engine.scrub.order(order, pace) ? 1 : 0 });
  }

  #judge({ id, text }: RingRecord): void {
    const { answers, longWork, requireChanges } = this.#parts;
    requireChanges();
    longWork.start(stepsOnDisk("look at a damaged file", this.#judgement(text)), {
      committed: false,
      done: (judgement) => answers.done(id, { text: judgement }),
      failed: (error) => answers.fail(id, error),
    });
  }

  *#judgement(text: string): Generator<undefined, Judgement> {
    const { engine } = this.#parts;
    const store = engine.judged;
    const { damaged } = engine.scrub;
    // A part of a trunk file reads like a name of releases that had no store paths.
    const place = parseTrunkPlace(text) === undefined ? store.layout.find(text) : undefined;
    const key = placeOfName(text);
    const finding = damaged.get(key);
    const parts = { store, disk: engine.diskReads, finding };
    if (place === undefined && parseTrunkPlace(key) === undefined) {
      throw fileStoreError("file-invalid", `"${text.slice(0, 160)}" is nothing of this store path`);
    }
    const judgement =
      place === undefined ? yield* judgeNameless(parts) : yield* judgeNamed(parts, place);
    if (judgement === "aside") damaged.setState(key, "aside");
    if (judgement === "kept") damaged.setState(key, "kept");
    damaged.save();
    return judgement;
  }

  #settle({ id, text: place, text2 }: RingRecord): void {
    const { engine, answers } = this.#parts;
    const settlement = settlements.find((each) => each === text2);
    if (settlement === undefined) throw fileStoreError("file-invalid", `nothing is ${text2}`);
    onDisk("note what became of a damaged file", () => {
      this.#note(place, settlement);
      engine.scrub.damaged.save();
    });
    answers.done(id);
  }

  #note(place: string, settlement: Settlement): void {
    const { engine } = this.#parts;
    const { damaged } = engine.scrub;
    if (settlement === "found") {
      const told = toldBy(place.slice(place.lastIndexOf("/") + 1));
      const what = {
        damage: "unreadable",
        sizeBytes: told?.size ?? 0,
        crc32: told?.crc32,
      } as const;
      damaged.add({ place, ...what, region: undefined }, nowSeconds(engine.judged.clock));
      return;
    }
    if (settlement === "lost" || settlement === "aside") {
      damaged.setState(place, settlement);
      return;
    }
    if (settlement === "healed") {
      if (damaged.get(place) !== undefined) engine.scrub.noteHealed();
      this.#dropAside(place);
    }
    damaged.remove(place);
  }

  /** What was kept of a file that is here again. */
  #dropAside(place: string): void {
    const { files, layout } = this.#parts.engine.world;
    const [high = "", low = "", base = ""] = place.split("/");
    const named = { high: Number.parseInt(high, 16), low: Number.parseInt(low, 16), base };
    files.remove(`${layout.own}/aside/${formatNew(named)}`);
  }

  #fileRecord(record: RingRecord): void {
    const { longWork, answers } = this.#parts;
    longWork.start(stepsOnDisk("look at a file", this.#recordOf(record)), {
      committed: false,
      done: (found) => answers.attempt(record.id, () => this.#answer(record, found)),
      failed: (error) => answers.fail(record.id, error),
    });
  }

  *#recordOf({ text: name, flags }: RingRecord): Generator<undefined, FileRecord> {
    const { engine } = this.#parts;
    const { files, layout } = engine.world;
    const place = layout.place(name);
    const { damaged } = engine.scrub;
    const key = placeOfName(place.name);
    const finding = damaged.get(key);
    if (finding?.state === "aside" || finding?.state === "lost") {
      const { sizeBytes, crc32, state } = finding;
      const crcFrom = crc32 === undefined ? "none" : "record";
      const none = { modifiedSeconds: 0, flushedAt: 0, verifiedAt: 0 };
      return { sizeBytes, crc32, crcFrom, ...none, damaged: state };
    }
    const facts = engine.facts(name);
    const isPacked = isTrunkBase(place.base);
    const decoded = decodeBase(place.base);
    const changed = isPacked
      ? (decoded?.timestamp ?? 0)
      : (files.stat(place.path, true)?.changedSeconds ?? 0);
    const told = toldBy(place.base)?.crc32 ?? (isPacked ? decoded?.crc32 : undefined);
    let found: Pick<FileRecord, "crc32" | "crcFrom"> =
      told === undefined ? { crc32: undefined, crcFrom: "none" } : { crc32: told, crcFrom: "name" };
    if ((flags & flagComputeCrc) !== 0) {
      const crc32 = isPacked ? yield* this.#crcOfPacked(place) : yield* this.#crcOf(place.path);
      found = { crc32, crcFrom: "read" };
    } else if (told === undefined) {
      const crc32 = yield* this.#recordedCrc(place, facts);
      if (crc32 !== undefined) found = { crc32, crcFrom: "record" };
    }
    return {
      sizeBytes: facts.sizeBytes,
      modifiedSeconds: facts.modifiedSeconds,
      ...found,
      flushedAt: this.#flushedAt(isPacked ? this.#slotWritten(place, changed) : changed),
      verifiedAt: engine.scrub.verifiedAt(place, changed),
      damaged: finding?.state,
    };
  }

  /** As the last scrub has read it, where it is the same since. */
  *#recordedCrc(
    { high, low, base }: FilePlace,
    facts: { readonly sizeBytes: number; readonly modifiedSeconds: number },
  ): Generator<undefined, number | undefined> {
    const { files, layout } = this.#parts.engine.world;
    const side = new SideRecords(files, layout.own, false);
    yield* side.enter(high);
    const record = side.get(`${directoryName(low)}/${base}`);
    const seconds = record === undefined ? Number.NaN : Number(record.modifiedNs / nsPerSecond);
    const isSame = record?.sizeBytes === facts.sizeBytes && seconds === facts.modifiedSeconds;
    return isSame ? record?.crc32 : undefined;
  }

  /**
   * A change is visible once it was flushed, within moments of the time that the file system notes (that of its last rename, link or write).
   * Where nothing is flushed, the kernel has written what is old enough.
   */
  #flushedAt(changedSeconds: number): number {
    const { flushed, clock } = this.#parts.engine.judged;
    if (flushed) return changedSeconds;
    const writtenSeconds = changedSeconds + settlingMs / 1000;
    return writtenSeconds * 1000 < clock.nowMs() ? writtenSeconds : 0;
  }

  /** What was uploaded here was packed in the second of its name; what came from elsewhere when its trunk file last changed, or sooner. */
  #slotWritten(place: FilePlace, namedSeconds: number): number {
    const { engine } = this.#parts;
    const { files, layout } = engine.world;
    const isOwn = isSource(engine.judged.source, place.base);
    const trunk = slotPlace(layout, place)?.path;
    if (isOwn || trunk === undefined) return namedSeconds;
    return files.stat(trunk, true)?.changedSeconds ?? namedSeconds;
  }

  *#crcOfPacked(place: FilePlace): Generator<undefined, number> {
    const { engine } = this.#parts;
    const slot = slotPlace(engine.world.layout, place);
    const finding = undefined;
    const parts = { store: engine.judged, disk: engine.diskReads, finding };
    if (slot !== undefined && (yield* isPackedWell(parts, slot))) return slot.decoded.crc32;
    throw fileStoreError("disk-failed", "the disk does not give the file as it was stored");
  }

  *#crcOf(path: string): Generator<undefined, number> {
    const world = { disk: this.#parts.engine.diskReads, tally: emptyTally() };
    const content = yield* readContent(world, path, undefined);
    if (content.state === "read") return content.crc32;
    if (content.state === "unreadable") {
      throw fileStoreError("disk-failed", "the disk does not give the file");
    }
    throw fileStoreError("file-missing", "the file went while it was read");
  }

  #answer(record: RingRecord, value: unknown): void {
    const { answers } = this.#parts;
    const view = answers.view(record.block);
    const text = Buffer.from(JSON.stringify(value));
    if (text.length > view.length) throw fileStoreError("file-invalid", "the block is too small");
    view.set(text);
    answers.done(record.id, { length: text.length });
  }
}

/** True where the name says that it was made by this storage. */
function isSource(own: FileSource, base: string): boolean {
  const source = sourceInName(base);
  if (source?.kind === "address") return own.kind === "address" && own.address === source.address;
  return source?.kind === own.kind && source.id === own.id;
}
