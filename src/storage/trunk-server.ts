/**
 * Dividing the trunk files of the group, while a tracker has made this storage its trunk server (protocol §4.5, §4.6). The free list is
 * loaded from the trunk binlog when the role begins; nothing is given out before that is done and a tracker has told the newest number of a
 * trunk file. A slot that is given, and one that is kept, is in the binlog before that is answered: a trunk server that had forgotten it
 * would give parts of it to others, where they may not notice. What is freed goes there once a second. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import { maxSlotsLookedInto } from "#filestore/store-packing.ts";
import { GroupAllocator, type SlotEvent } from "#filestore/trunk/group-allocator.ts";
import { maxTrunkLogPieceBytes, type TrunkLogClient } from "#filestore/trunk-log-client.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";
import { type Clock, delay, nowSeconds, type Timer } from "#platform/clock.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { advanceIsDue, filesToMake } from "#storage/trunk-advance.ts";
import { compressionIsDue } from "#storage/trunk-compression-times.ts";
import { loadFreeSpace } from "#storage/trunk-free-space.ts";
import type { TrunkParameters } from "#storage/trunk-parameters.ts";
import { writeSnapshot } from "#storage/trunk-snapshot.ts";

const flushPeriodMs = 1000;
const loadRetryMs = 5000;
const compressionCheckMs = 60_000;
/** At one time; the rest comes with the next. */
const maxFilesInAdvance = 1000;
/** A stop is not held up by a snapshot for longer. */
const snapshotLimitMs = 3000;
/** Trunk files whose neighbours are joined before others have their turn. */
const filesAtOnce = 64;
/** Lines that wait for a store path that is away; beyond them nothing is given out or taken back. */
const maxWaitingBytes = 16 * 1024 * 1024;
/** Slots that rest at a time; the oldest are given out earlier then. */
const maxRestingSlots = 100_000;
const mebibyte = 1024 * 1024;

export interface TrunkServerParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly binlog: TrunkLogClient;
  readonly subdirCount: number;
  readonly storePathCount: () => number;
  /** The newest number of a trunk file or the free space is another one: trackers are told. */
  readonly onNews: () => void;
  /** The binlog has grown. */
  readonly onGrown: () => void;
  /** Those of these slots, of one store path, in which a file stands; without it none is looked for. Rejects where the path is away. */
  readonly slotsInUse?: (slots: readonly TrunkLocation[]) => Promise<readonly TrunkLocation[]>;
  /** A store path with room for another trunk file beside so many bytes each that were promised; without it none has. */
  readonly pathForFile?: (
    promised: ReadonlyMap<number, number>,
    fileBytes: number,
  ) => number | undefined;
  /**
   * A freed slot is given out again after so long; left out: at once. C storages make zeros of all of a slot whenever its deletion reaches
   * them, also of a file that another member has put there meanwhile.
   */
  readonly restMs?: number;
  /** Nobody reads the binlog until `resume`; those who do begin anew then. */
  readonly readers: { pause(): Promise<void>; resume(): void };
}

/** One time of being the trunk server, from beginning to end. */
interface Term {
  readonly parameters: TrunkParameters;
  slots: GroupAllocator | undefined;
  /** A tracker has told the newest number of a trunk file. */
  numberKnown: boolean;
  servingSinceMs: number;
  compressedAtMs: number | undefined;
  advancedAtMs: number | undefined;
  changed: boolean;
  /** The binlog has more than the snapshot holds for. */
  unsaved: boolean;
  /** Freed slots that are not given out yet, the oldest first. */
  readonly resting: { readonly location: TrunkLocation; readonly dueMs: number }[];
  readonly timers: Timer[];
  ended: boolean;
}

export type TrunkServerState = "off" | "loading" | "waiting-for-number" | "serving";

export class TrunkServer {
  readonly #parts: TrunkServerParts;
  #term: Term | undefined;
  #lines: string[] = [];
  #lineBytes = 0;
  #flushing: Promise<boolean> | undefined;

  constructor(parts: TrunkServerParts) {
    this.#parts = parts;
  }

  get state(): TrunkServerState {
    const term = this.#term;
    if (term === undefined) return "off";
    if (term.slots === undefined) return "loading";
    return term.numberKnown ? "serving" : "waiting-for-number";
  }

  /** Of the last trunk file; 0 while nothing is known. */
  get currentFileId(): number {
    return this.#term?.slots?.currentFileId ?? 0;
  }

  get freeMb(): number {
    return Math.floor((this.#term?.slots?.freeBytes ?? 0) / mebibyte);
  }

  begin(parameters: TrunkParameters): void {
    if (this.#term !== undefined) return;
    const { clock, log } = this.#parts;
    const term: Term = {
      parameters,
      slots: undefined,
      numberKnown: false,
      servingSinceMs: clock.monotonicMs(),
      compressedAtMs: undefined,
      advancedAtMs: undefined,
      changed: false,
      unsaved: false,
      resting: [],
      timers: [],
      ended: false,
    };
    this.#term = term;
    log.notice("trunk-server-begins");
    void this.#load(term);
  }

  /** Resolves when what was written down has reached the binlog, and a snapshot what is free, or cannot. */
  async end(): Promise<void> {
    const term = this.#term;
    if (term === undefined) return;
    this.#term = undefined;
    term.ended = true;
    for (const timer of term.timers) timer.cancel();
    this.#parts.log.notice("trunk-server-ends");
    const written = await this.flush();
    if (written && term.unsaved) await this.#saveSnapshot(term);
  }

  /** What a tracker has on record; the higher number counts. */
  learnFileId(fileId: number): void {
    const term = this.#term;
    if (term?.slots === undefined) return;
    term.slots.noteFileId(fileId);
    if (term.numberKnown) return;
    term.numberKnown = true;
    const { log } = this.#parts;
    log.notice("trunk-server-serves", { freeMb: this.freeMb, fileId: this.currentFileId });
    this.#parts.onNews();
  }

  /** A slot for a file with its header. Rejects with status 22 where it cannot be, 5 where the binlog cannot be written. */
  async allocate(storePathIndex: number, sizeBytes: number): Promise<TrunkLocation> {
    const { term, slots } = this.#serving();
    const { slotMaxBytes } = term.parameters.rules;
    if (sizeBytes < 1 || sizeBytes > slotMaxBytes) throw invalid(`a slot of ${sizeBytes} bytes`);
    this.#requirePath(storePathIndex);
    const given = slots.allocate(storePathIndex, sizeBytes);
    if (given === undefined) throw new WireStatusError(wireStatus.noSpace, "no more trunk files");
    this.#write(term, given.events);
    if (given.isNewFile) this.#parts.onNews();
    if (await this.flush()) return given.location;
    slots.confirm(given.location, false);
    throw unwritten();
  }

  /**
   * `status` is what became of the slot: 0 and 17 keep it, others free it. Rejects with status 2 where it was not held, 5 where that is
   * not in the binlog yet.
   */
  async confirm(location: TrunkLocation, status: number): Promise<void> {
    const { term, slots } = this.#serving();
    const kept = status === wireStatus.ok || status === wireStatus.exists;
    const events = slots.confirm(location, kept);
    if (events === undefined) {
      throw new WireStatusError(wireStatus.notFound, "the slot is not held");
    }
    this.#write(term, events);
    if (!(await this.flush())) throw unwritten();
  }

  /** Throws with status 17 where it overlaps what is free or held. */
  free(location: TrunkLocation): void {
    const { term, slots } = this.#serving();
    this.#requirePath(location.storePathIndex);
    if (
      location.fileId < 1 ||
      location.size < 1 ||
      location.size > term.parameters.rules.trunkFileBytes
    ) {
      throw invalid("such a slot cannot be");
    }
    const { clock, restMs = 0 } = this.#parts;
    // What is larger than any slot was never in use.
    const rests = restMs > 0 && location.size <= term.parameters.rules.slotMaxBytes;
    const events = slots.free(location, rests);
    if (events === undefined) throw new WireStatusError(wireStatus.exists, "it is free already");
    if (rests) term.resting.push({ location, dueMs: clock.monotonicMs() + restMs });
    this.#write(term, events);
    this.#parts.onNews();
  }

  /** Resolves when everything up to now is in the binlog; to false when it cannot be written just now. Those that wait share a write. */
  async flush(): Promise<boolean> {
    while (this.#flushing !== undefined) await this.#flushing;
    if (this.#lines.length === 0) return true;
    this.#flushing = this.#flushNow();
    return this.#flushing;
  }

  /** Joins neighbours if wanted, and rewrites the binlog with what is free; also asked for by the clock. Rejects when it cannot. */
  async compress(): Promise<void> {
    const { term, slots } = this.#serving();
    const { binlog, clock, readers } = this.#parts;
    if (term.parameters.mergesFreeSpace) await this.#writeAll(term, slots.merge());
    await this.#leaveUnused(term, slots);
    if (term.ended) return;
    await this.flush();
    term.changed = false;
    term.compressedAtMs = clock.monotonicMs();
    await readers.pause();
    try {
      await binlog.compress(term.parameters.maxBackups, nowSeconds(clock));
    } finally {
      readers.resume();
    }
  }

  /** The trunk files themselves go where the last file in them is deleted (`filestore/trunk/unused-files.ts`). */
  async #leaveUnused(term: Term, slots: GroupAllocator): Promise<void> {
    const { deletesUnused, advance } = term.parameters;
    // Those that were made in advance are unused as well.
    if (deletesUnused && !advance.enabled) await this.#writeAll(term, slots.leaveUnused());
  }

  #releaseRested({ resting, slots }: Term): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const left = resting.findIndex(({ dueMs }) => dueMs > nowMs);
    const rested = left < 0 ? resting.length : left;
    const count = Math.max(rested, resting.length - maxRestingSlots);
    for (const { location } of resting.splice(0, count)) slots?.confirm(location, false);
  }

  async #writeAll(term: Term, steps: Iterable<readonly SlotEvent[]>): Promise<void> {
    let files = 0;
    for (const events of steps) {
      this.#write(term, events);
      files += 1;
      if (files % filesAtOnce === 0) await delay(this.#parts.clock, 0);
      if (this.#lineBytes >= maxTrunkLogPieceBytes) await this.flush();
      if (term.ended) return;
    }
  }

  #serving(): { readonly term: Term; readonly slots: GroupAllocator } {
    const term = this.#term;
    if (term?.slots === undefined || !term.numberKnown) {
      throw invalid("this storage is not the trunk server, or not ready yet");
    }
    if (this.#lineBytes > maxWaitingBytes) {
      throw unwritten();
    }
    return { term, slots: term.slots };
  }

  #requirePath(index: number): void {
    if (index >= this.#parts.storePathCount()) throw invalid(`there is no store path ${index}`);
  }

  async #load(term: Term): Promise<void> {
    const { clock, log, binlog, subdirCount } = this.#parts;
    try {
      // The end of the last term may still be on its way.
      await this.flush();
      const slots = new GroupAllocator(term.parameters.rules, subdirCount);
      const { replayedBytes, ...problems } = await loadFreeSpace(binlog, slots, {
        useSnapshot: !term.parameters.reloadsFromBinlog,
        isWanted: () => !term.ended,
      });
      if (term.parameters.checksOccupying) await this.#leaveOutOccupied(term, slots);
      await this.#leaveUnused(term, slots);
      if (term.ended) return;
      if (problems.invalid + problems.contradicting > 0)
        log.warn("trunk-binlog-damaged", { ...problems });
      term.slots = slots;
      term.unsaved = replayedBytes > 0;
    } catch (error) {
      if (term.ended) return;
      log.warn("trunk-binlog-not-loaded", { why: describeError(error) });
      term.timers.push(clock.after(loadRetryMs, () => void this.#load(term)));
      return;
    }
    term.timers.push(
      clock.every(flushPeriodMs, () => {
        this.#releaseRested(term);
        void this.flush();
      }),
      clock.every(compressionCheckMs, () => {
        this.#checkAdvance(term);
        this.#checkCompression(term);
      }),
    );
    // Asks a tracker for the newest number.
    this.#parts.onNews();
  }

  /** What the binlog calls free and holds a file all the same, as a trunk server that was killed may leave it, is in use from now on. */
  async #leaveOutOccupied(term: Term, slots: GroupAllocator): Promise<void> {
    const { slotsInUse, log } = this.#parts;
    if (slotsInUse === undefined) return;
    let occupied = 0;
    for (const piece of piecesOf(slots)) {
      if (term.ended) return;
      // Where the path is away nobody can look; who writes into a slot later does.
      const found = await slotsInUse(piece).catch((error: unknown) => {
        log.warn("trunk-slots-not-looked-into", { why: describeError(error) });
        return [];
      });
      for (const location of found) {
        this.#write(term, slots.confirm(location, true) ?? []);
        occupied += 1;
      }
    }
    if (occupied > 0) log.warn("trunk-slots-occupied", { slots: occupied });
  }

  #checkAdvance(term: Term): void {
    const { clock, log, pathForFile } = this.#parts;
    const { advance, rules } = term.parameters;
    const nowMs = clock.monotonicMs();
    const lastMs = term.advancedAtMs;
    const sinceLastSeconds = lastMs === undefined ? undefined : (nowMs - lastMs) / 1000;
    const now = { secondOfDay: secondOfDay(clock), sinceLastSeconds };
    const { slots } = term;
    if (slots === undefined || this.state !== "serving" || pathForFile === undefined) return;
    if (!advanceIsDue(advance, now, compressionCheckMs / 1000)) return;
    term.advancedAtMs = nowMs;
    const { trunkFileBytes } = rules;
    const wanted = filesToMake(advance.thresholdBytes, slots.freeBytes, trunkFileBytes);
    const promised = new Map<number, number>();
    let made = 0;
    for (; made < Math.min(wanted, maxFilesInAdvance); made += 1) {
      const index = pathForFile(promised, trunkFileBytes);
      const events = index === undefined ? undefined : slots.addFile(index);
      if (index === undefined || events === undefined) break;
      promised.set(index, (promised.get(index) ?? 0) + trunkFileBytes);
      this.#write(term, events);
    }
    if (wanted > 0) log.notice("trunk-files-in-advance", { wanted, made });
    if (made > 0) this.#parts.onNews();
  }

  #checkCompression(term: Term): void {
    const { clock, log } = this.#parts;
    const nowMs = clock.monotonicMs();
    const state = {
      secondOfDay: secondOfDay(clock),
      servingSeconds: (nowMs - term.servingSinceMs) / 1000,
      sinceLastSeconds:
        term.compressedAtMs === undefined ? undefined : (nowMs - term.compressedAtMs) / 1000,
      changed: term.changed,
    };
    if (!compressionIsDue(term.parameters.compression, state, compressionCheckMs / 1000)) return;
    if (this.state !== "serving") return;
    this.compress().then(
      () => log.notice("trunk-binlog-compressed"),
      (error: unknown) => log.warn("trunk-binlog-not-compressed", { why: describeError(error) }),
    );
  }

  #write(term: Term, events: readonly SlotEvent[]): void {
    const seconds = nowSeconds(this.#parts.clock);
    for (const { kind, location } of events) {
      const line = trunkLogLine(kind, seconds, location);
      this.#lines.push(line);
      this.#lineBytes += line.length;
      term.changed = true;
      term.unsaved = true;
    }
  }

  /** A restart need not read the whole binlog then. Never rejects. */
  async #saveSnapshot({ slots }: Term): Promise<void> {
    const { binlog, clock, log } = this.#parts;
    if (slots === undefined) return;
    const endMs = clock.monotonicMs() + snapshotLimitMs;
    const isWanted = (): boolean => clock.monotonicMs() < endMs && this.#term === undefined;
    try {
      const options = { nowSeconds: nowSeconds(clock), isWanted };
      const done = await writeSnapshot(binlog, slots, options);
      log.notice("trunk-snapshot", { done, slots: slots.slotCount });
    } catch (error) {
      log.warn("trunk-snapshot-not-written", { why: describeError(error) });
    }
  }

  async #flushNow(): Promise<boolean> {
    const { binlog, log } = this.#parts;
    try {
      while (this.#lines.length > 0) {
        const count = linesThatFit(this.#lines);
        const text = this.#lines.slice(0, count).join("");
        await binlog.append(Buffer.from(text, "latin1"));
        this.#lines.splice(0, count);
        this.#lineBytes -= text.length;
      }
      this.#parts.onGrown();
      return true;
    } catch (error) {
      log.warn("trunk-binlog-not-written", { bytes: this.#lineBytes, why: describeError(error) });
      return false;
    } finally {
      this.#flushing = undefined;
    }
  }
}

function secondOfDay(clock: Clock): number {
  const local = new Date(clock.nowMs());
  return local.getHours() * 3600 + local.getMinutes() * 60 + local.getSeconds();
}

/** Of one store path each. What is taken out meanwhile does not matter. */
function piecesOf(slots: GroupAllocator): readonly (readonly TrunkLocation[])[] {
  const byPath = new Map<number, TrunkLocation[]>();
  for (const { held: _held, ...location } of slots.slots()) {
    const path = byPath.get(location.storePathIndex) ?? [];
    byPath.set(location.storePathIndex, path);
    path.push(location);
  }
  return [...byPath.values()].flatMap((path) =>
    Array.from({ length: Math.ceil(path.length / maxSlotsLookedInto) }, (_, at) =>
      path.slice(at * maxSlotsLookedInto, (at + 1) * maxSlotsLookedInto),
    ),
  );
}

function linesThatFit(lines: readonly string[]): number {
  let bytes = 0;
  let count = 0;
  for (const line of lines) {
    bytes += line.length;
    if (bytes > maxTrunkLogPieceBytes) break;
    count += 1;
  }
  return count;
}

function unwritten(): WireStatusError {
  return new WireStatusError(wireStatus.ioError, "the trunk binlog cannot be written");
}

function invalid(problem: string): WireStatusError {
  return new WireStatusError(wireStatus.invalid, problem);
}
