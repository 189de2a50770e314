/**
 * Carries the binlog of one store path to one peer: reads it from where the mark says, keeps a window of records that are not acknowledged,
 * hands ready ones to its lanes, and moves the mark. What cannot be sent for a reason of its own is set aside, and the rest goes on. Woken by
 * the growth of the binlog; under load records gather while a lane is busy. Main thread.
 */
import { describeError, hasCode } from "#base/app-error.ts";
import { ignore } from "#base/log.ts";
import { type BinlogEntry, decodeEntry } from "#filestore/binlog/entry.ts";
import { type BinlogPosition, binlogStart, comparePositions } from "#filestore/binlog/position.ts";
import type { BinlogPage } from "#filestore/replica-store.ts";
import { delay, type Timer } from "#platform/clock.ts";
import { syncBatchContentBytes } from "#protocol/peer/sync-record.ts";
import { AsideList } from "#sync/aside-list.ts";
import { linesOfPage } from "#sync/binlog-page.ts";
import { Gathering } from "#sync/gathering.ts";
import { LanePool } from "#sync/lane-pool.ts";
import {
  binlogPageBytes,
  firstRetryMs,
  markPeriodMs,
  maxWindowRecords,
  worthALaneBytes,
  worthALaneRecords,
} from "#sync/limits.ts";
import { MarkKeeper } from "#sync/mark-keeper.ts";
import { pumpBeginning } from "#sync/pump-beginning.ts";
import {
  backlog,
  expectedBytes,
  isSplice,
  type PathPumpParts,
  type PumpReport,
  type PumpStart,
  unknownSizeBytes,
  wholeMode,
} from "#sync/pump-parts.ts";
import { PumpPause } from "#sync/pump-pause.ts";
import { mayTryAgain, type PushedRecord, type PushOutcome } from "#sync/push.ts";
import { ClockPlaces, type SyncMark } from "#sync/sync-cursor.ts";
import type { SyncPlan } from "#sync/sync-machine.ts";
import { heldNameTime, isPushed, touchesOf } from "#sync/sync-record.ts";
import { SyncWindow, type WindowEntry } from "#sync/sync-window.ts";
import { WaitingBacklog } from "#sync/waiting-backlog.ts";

type Entry = WindowEntry<PushedRecord>;

export class PathPump {
  readonly #parts: PathPumpParts;
  readonly #aside: AsideList;
  readonly #lanes: LanePool;
  readonly #busy = new Set<number>();
  readonly #marks: MarkKeeper;
  readonly #waiting: WaitingBacklog;
  readonly #gathering: Gathering;
  #window = new SyncWindow<PushedRecord>(binlogStart);
  #places = new ClockPlaces();
  #plan: SyncPlan = { needSyncOld: false, oldDone: false, until: 0 };
  #peerHolds = 0;
  /** Records of earlier times are passed over, until the first that is not. */
  #skipUntil = 0;
  /** The peer is asked what it has of the records before it. */
  #askBefore: BinlogPosition = binlogStart;
  #readTo: BinlogPosition = binlogStart;
  #knownEnd: BinlogPosition = binlogStart;
  #atEnd = false;
  #running = false;
  /** The window that a page is being read for. */
  #reading: SyncWindow<PushedRecord> | undefined;
  #grown = true;
  #markTimer: Timer | undefined;
  #prepared = false;
  readonly #waits: PumpPause;
  /** Where the store path could not be read yet. */
  #prepareAgain = (): void => {};

  constructor(parts: PathPumpParts) {
    this.#parts = parts;
    this.#lanes = new LanePool(parts.openLane);
    this.#aside = new AsideList(parts);
    this.#marks = new MarkKeeper({ ...parts, aside: this.#aside });
    this.#waiting = new WaitingBacklog(parts.store, parts.storePathIndex);
    this.#waits = new PumpPause(parts);
    this.#gathering = new Gathering(parts.clock, () => this.#go());
  }

  get storePathIndex(): number {
    return this.#parts.storePathIndex;
  }

  /** The position in name times up to which the peer has what this path made. */
  get reached(): number {
    return this.#places.reached;
  }

  /** New files among what is set aside. */
  get gaps(): number {
    return this.#aside.gaps;
  }

  get loaded(): boolean {
    return this.#marks.loaded;
  }

  get report(): PumpReport {
    const { storePathIndex } = this.#parts;
    const common = { storePathIndex, aside: this.#aside.records, problem: this.#waits.problem };
    if (!this.#prepared) return { ...common, ...this.#waiting.report };
    const ends = [this.#knownEnd, this.#waiting.end];
    return {
      ...common,
      pending: this.#window.size,
      backlogBytes: Math.max(...ends.map((end) => backlog(this.#readTo, end))),
      oldestTimestamp: this.#window.oldest?.entry.timestamp,
      isKnown: true,
    };
  }

  /** Looks at what waits, also while nothing is sent. Rejects where the store path cannot be read. */
  async look(plan: SyncPlan | undefined, startOver: boolean): Promise<void> {
    if (this.#prepared) await this.#waiting.lookAtEnd();
    else if (this.loaded) await this.#waiting.look(startOver ? undefined : this.#marks.mark, plan);
  }

  /** Reads the mark; undefined where there is none that can be used. Rejects where the store path cannot be read. */
  load(): Promise<SyncMark | undefined> {
    return this.#marks.load();
  }

  /** Sends from now on, as soon as the store path can be read. */
  start(how: PumpStart): void {
    this.#running = true;
    this.#prepared = false;
    this.#beginAt(binlogStart);
    this.#markTimer?.cancel();
    this.#markTimer = this.#parts.clock.every(markPeriodMs, () => this.#tick());
    ignore(this.#prepare(how, this.#window), this.#parts.log, "it says why");
  }

  async #prepare(how: PumpStart, window: SyncWindow<PushedRecord>): Promise<void> {
    const { store, storePathIndex, clock } = this.#parts;
    try {
      if (!this.#marks.loaded) await this.#marks.load();
      const nameClock = store.nameClock();
      const end = await store.binlogEnd(storePathIndex);
      if (!this.#isCurrent(window)) return;
      this.#beginAs(how, end);
      this.#knownEnd = end;
      this.#places.note(nameClock, end);
    } catch (error) {
      if (!this.#isCurrent(window)) return;
      const ms = this.#pause(`the store path cannot be read here: ${describeError(error)}`);
      const again = (): void => {
        if (this.#prepareAgain !== again) return;
        this.#prepareAgain = () => {};
        if (!this.#isCurrent(window)) return;
        ignore(this.#prepare(how, window), this.#parts.log, "it says why");
      };
      this.#prepareAgain = again;
      clock.after(ms, again);
      return;
    }
    this.#prepared = true;
    this.#waiting.forget();
    this.#go();
  }

  #beginAs(how: PumpStart, end: BinlogPosition): void {
    const begin = pumpBeginning(how, this.#marks.mark, this.#aside.gaps);
    this.#plan = begin.plan;
    this.#peerHolds = begin.peerHolds;
    this.#beginAt(begin.position);
    this.#skipUntil = begin.skipUntil;
    this.#askBefore = begin.asksFirst ? end : binlogStart;
  }

  /** Ends sending at once; what is under way is given up. Resolves when the mark is written, unless another disk has the place of its own. */
  async stop(writes = true): Promise<void> {
    const wasPrepared = this.#prepared && writes;
    this.#running = false;
    this.#prepared = false;
    this.#markTimer?.cancel();
    this.#gathering.stop();
    this.#lanes.closeAll();
    if (wasPrepared) await this.#saveMark();
  }

  /** The store path is served again, which it was not when it was read last. */
  resume(): void {
    this.#waits.cutShort();
    this.#prepareAgain();
    this.wake();
  }

  /** The binlog has grown. */
  wake(): void {
    this.#grown = true;
    this.#go();
  }

  savePlan(plan: SyncPlan): void {
    this.#plan = plan;
  }

  #beginAt(position: BinlogPosition): void {
    this.#window = new SyncWindow(position);
    this.#places = new ClockPlaces();
    this.#aside.interrupted();
    this.#readTo = position;
    this.#atEnd = false;
    this.#busy.clear();
    this.#waits.restart();
  }

  /** Reads and sends what can be, now. */
  #go(): void {
    if (!this.#running || !this.#prepared) return;
    this.#dispatch();
    if (this.#reading === this.#window) return;
    const wants = this.#grown || !this.#atEnd;
    if (!wants || this.#waits.isOn || !this.#hasRoom()) return;
    if (this.#atEnd && this.#gathering.waits()) return;
    const window = this.#window;
    this.#reading = window;
    ignore(
      this.#read(window).finally(() => {
        if (this.#reading !== window) return;
        this.#reading = undefined;
        if (this.#atEnd && this.#grown) this.#go();
      }),
      this.#parts.log,
      "a page of the binlog",
    );
  }

  #hasRoom(): boolean {
    const { maxLanes } = this.#parts;
    const enough = this.#window.readyCount >= worthALaneRecords * 4 * maxLanes();
    return this.#window.size < maxWindowRecords && !enough;
  }

  async #read(window: SyncWindow<PushedRecord>): Promise<void> {
    const { store, storePathIndex } = this.#parts;
    do {
      this.#grown = false;
      const nameClock = store.nameClock();
      let page: BinlogPage;
      try {
        page = await store.readBinlog(storePathIndex, this.#readTo, binlogPageBytes);
      } catch (error) {
        if (this.#isCurrent(window)) this.#readingFailed(error);
        return;
      }
      if (!this.#isCurrent(window)) return;
      const before = this.#readTo;
      if (!this.#take(page)) return;
      this.#atEnd = page.atEnd;
      // Part of a line: the rest of it will be told.
      if (!page.atEnd && comparePositions(before, this.#readTo) === 0) return;
      if (page.atEnd) {
        this.#skipUntil = 0;
        this.#knownEnd = page.next;
        if (page.lines.length > 0) this.#gathering.found();
        this.#places.note(nameClock, page.next);
      }
      if (this.#atEnd && this.#window.size === 0) this.#waits.forget();
      this.#advanced();
      this.#dispatch();
    } while (this.#isCurrent(window) && !this.#atEnd && this.#hasRoom());
  }

  /** False once sending has ended, or begun anew, since. */
  #isCurrent(window: SyncWindow<PushedRecord>): boolean {
    return this.#running && this.#window === window;
  }

  #readingFailed(error: unknown): void {
    if (hasCode(error, "binlog-gone")) {
      this.#parts.log.notice("sync-starts-over", {
        peer: this.#parts.peer,
        path: this.#parts.storePathIndex,
      });
      this.#parts.onBinlogGone();
      this.#beginAt(binlogStart);
      this.#grown = true;
      this.#parts.clock.after(firstRetryMs, () => this.#go());
      return;
    }
    this.#pause(`the binlog cannot be read: ${describeError(error)}`);
  }

  /** False where an invalid line ends the reading. */
  #take(page: BinlogPage): boolean {
    for (const { line, entry, end } of linesOfPage(this.#readTo, page)) {
      if (entry === undefined && !this.#parts.skipsInvalid) {
        this.#pause(`the binlog has a line that is no record: ${line.slice(0, 100)}`);
        return false;
      }
      this.#marks.scanned += 1;
      if (entry === undefined) {
        this.#parts.log.warn("binlog-line-skipped", { line: line.slice(0, 100) });
      } else if (this.#isWanted(entry)) {
        const mayBeThere = comparePositions(end, this.#askBefore) <= 0;
        const item = { entry, line, whole: undefined, tries: 0, wasAside: false, mayBeThere };
        this.#window.add(item, touchesOf(entry), end);
        this.#readTo = end;
        continue;
      }
      this.#window.skip(end);
      this.#readTo = end;
    }
    this.#readTo = page.next;
    this.#window.skip(page.next);
    return true;
  }

  #isWanted(entry: BinlogEntry): boolean {
    if (this.#skipUntil > 0) {
      if (entry.timestamp < this.#skipUntil) return false;
      this.#skipUntil = 0;
    }
    const { needSyncOld, oldDone, until } = this.#plan;
    if (!isPushed(entry, { sendsOld: needSyncOld && !oldDone, until })) return false;
    // After a start over: the peer has told that it has these.
    if (entry.kind !== "create" || entry.replica || this.#peerHolds === 0) return true;
    const nameTime = heldNameTime(entry.name);
    return nameTime === undefined || nameTime >= this.#peerHolds;
  }

  /** Milliseconds until the next try. */
  #pause(why: string): number {
    return this.#waits.begin(why, () => {
      this.#grown = true;
      this.#go();
    });
  }

  #dispatch(): void {
    if (!this.#running || this.#waits.isOn) return;
    const maxLanes = this.#parts.maxLanes();
    for (let lane = 0; lane < maxLanes && this.#window.readyCount > 0; lane += 1) {
      if (this.#busy.has(lane)) continue;
      if (this.#busy.size > 0 && !this.#isWorthALane()) return;
      const batch = this.#nextBatch(this.#lanes.idle(lane)?.maxRecords ?? worthALaneRecords * 4);
      this.#busy.add(lane);
      ignore(this.#send(lane, batch), this.#parts.log, "failures end the link");
    }
  }

  #isWorthALane(): boolean {
    const { readyCount } = this.#window;
    return readyCount >= worthALaneRecords || readyCount * unknownSizeBytes >= worthALaneBytes;
  }

  #nextBatch(maxRecords: number): Entry[] {
    const batch: Entry[] = [];
    let bytes = 0;
    while (batch.length < maxRecords) {
      const next = this.#window.take(() => bytes < syncBatchContentBytes);
      if (next === undefined) break;
      const { entry } = next.item;
      // Made without the change that is set aside, the next one would give the peer's file the time and size of ours.
      if (isSplice(entry) && this.#aside.holds(entry.name)) next.item.whole = wholeMode(entry);
      bytes += expectedBytes(entry);
      batch.push(next);
    }
    return batch;
  }

  async #send(lane: number, batch: readonly Entry[]): Promise<void> {
    const window = this.#window;
    try {
      const connected = await this.#lanes.at(lane);
      for (let at = 0; at < batch.length; at += connected.maxRecords) {
        const part = batch.slice(at, at + connected.maxRecords);
        const outcomes = await connected.push(part.map(({ item }) => item));
        if (!this.#isCurrent(window)) return;
        await this.#settle(part, outcomes);
      }
    } catch (error) {
      if (!this.#isCurrent(window)) return;
      for (const entry of batch) if (entry.state === "sent") window.retry(entry);
      this.#busy.delete(lane);
      this.#parts.onFailure(error);
      return;
    }
    this.#busy.delete(lane);
    this.#advanced();
    this.#go();
  }

  async #settle(batch: readonly Entry[], outcomes: readonly PushOutcome[]): Promise<void> {
    let bytes = 0;
    let done = 0;
    let later: string | undefined;
    for (const [at, entry] of batch.entries()) {
      const outcome = outcomes[at];
      if (outcome === undefined || outcome.kind === "later") {
        this.#window.retry(entry);
        later ??= outcome?.why ?? "the peer did not answer for every record";
        continue;
      }
      if (outcome.kind === "done") {
        bytes += outcome.bytes;
        done += 1;
        if (entry.item.wasAside) this.#aside.remove(entry.item.line);
        this.#window.finish(entry);
      } else if (outcome.kind === "whole" && entry.item.whole === undefined) {
        entry.item.whole = wholeMode(entry.item.entry);
        this.#window.retry(entry);
      } else {
        await this.#failed(entry, outcome);
      }
    }
    this.#marks.synced += done;
    if (later !== undefined) {
      this.#pause(later);
    } else if (done > 0 && !this.#waits.isOn) this.#waits.forget();
    if (done > 0) this.#parts.onProgress(done, bytes);
    const { clock, fileIntervalMs } = this.#parts;
    if (fileIntervalMs > 0) await delay(clock, fileIntervalMs * done);
  }

  /** For a reason of its own: it is tried a few times, then set aside. */
  async #failed(entry: Entry, outcome: PushOutcome): Promise<void> {
    const { item } = entry;
    item.tries += 1;
    const why = outcome.kind === "failed" ? outcome.why : "the peer wants the file again and again";
    const unreadable = outcome.kind === "failed" && outcome.unreadable;
    if (mayTryAgain(item)) {
      if (unreadable && item.tries > 1) await this.#parts.heal(item.entry.name);
      this.#window.retry(entry);
      return;
    }
    if (!this.#aside.add(item, { why, unreadable })) {
      this.#window.retry(entry);
      this.#pause(`too many files could not be sent; the last one: ${why}`);
      return;
    }
    this.#window.finish(entry);
  }

  #advanced(): void {
    this.#places.advance(this.#window.acknowledged);
    if (this.#atEnd && !this.#grown && this.#window.size === 0) this.#parts.onCaughtUp();
  }

  /** A sign of life on a connection that was silent for a while. */
  keepAlive(): void {
    if (!this.#running || this.#busy.size > 0) return;
    const lane = this.#lanes.idle(0);
    if (lane === undefined) return;
    this.#busy.add(0);
    const window = this.#window;
    lane
      .keepAlive()
      .then(() => {
        if (!this.#isCurrent(window)) return;
        this.#busy.delete(0);
        this.#go();
      })
      .catch((error: unknown) => {
        if (!this.#isCurrent(window)) return;
        this.#busy.delete(0);
        this.#parts.onFailure(error);
      });
  }

  #tick(): void {
    if (!this.#prepared) return;
    ignore(this.#saveMark(), this.#parts.log, "an old mark sends records twice");
    // Whatever a wake-up missed.
    this.#grown = true;
    const now = this.#parts.clock.monotonicMs();
    for (const record of this.#aside.due(now, this.#window.size === 0)) {
      ignore(this.#tryAside(record), this.#parts.log, "it stays set aside");
    }
    this.#go();
  }

  /** Once more through the window, so that it keeps out of the way of what touches the same. */
  async #tryAside(record: { readonly line: string; readonly unreadable: boolean }): Promise<void> {
    const entry = decodeEntry(record.line);
    if (entry === undefined) return;
    if (record.unreadable) await this.#parts.heal(entry.name);
    if (!this.#running) return;
    const whole = entry.kind === "delete" ? undefined : wholeMode(entry);
    const item = { entry, line: record.line, whole, tries: 0, wasAside: true };
    this.#window.add(item, touchesOf(entry), this.#readTo);
    this.#dispatch();
  }

  #saveMark(): Promise<void> {
    const { needSyncOld, oldDone, until } = this.#plan;
    const position = this.#window.acknowledged;
    return this.#marks.save({ position, needSyncOld, oldDone, until });
  }
}
