/**
 * Dividing the trunk files of the group, while a tracker has made this storage its trunk server (protocol §4.5, §4.6). The free list is
 * loaded from the trunk binlog when the role begins; nothing is given out before that is done and a tracker has told the newest number of a
 * trunk file. A slot that is given, and one that is kept, is in the binlog before that is answered: a trunk server that had forgotten it
 * would give parts of it to others, where they may not notice. What is freed goes there once a second. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import { GroupAllocator, type SlotEvent } from "#filestore/trunk/group-allocator.ts";
import { maxTrunkLogPieceBytes, type TrunkLogClient } from "#filestore/trunk-log-client.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";
import { type Clock, delay, nowSeconds, type Timer } from "#platform/clock.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { compressionIsDue } from "#storage/trunk-compression-times.ts";
import { loadFreeSpace } from "#storage/trunk-free-space.ts";
import type { TrunkParameters } from "#storage/trunk-parameters.ts";

const flushPeriodMs = 1000;
const loadRetryMs = 5000;
const compressionCheckMs = 60_000;
/** Trunk files whose neighbours are joined before others have their turn. */
const filesAtOnce = 64;
/** Lines that wait for a store path that is away; beyond them nothing is given out or taken back. */
const maxWaitingBytes = 16 * 1024 * 1024;
const mebibyte = 1024 * 1024;

export interface TrunkServerParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly binlog: TrunkLogClient;
  readonly subdirCount: number;
  readonly storePathCount: number;
  /** The newest number of a trunk file or the free space is another one: trackers are told. */
  readonly onNews: () => void;
  /** The binlog has grown. */
  readonly onGrown: () => void;
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
  changed: boolean;
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
      changed: false,
      timers: [],
      ended: false,
    };
    this.#term = term;
    log.notice("trunk-server-begins");
    void this.#load(term);
  }

  /** Resolves when what was written down has reached the binlog, or cannot. */
  async end(): Promise<void> {
    const term = this.#term;
    if (term === undefined) return;
    this.#term = undefined;
    term.ended = true;
    for (const timer of term.timers) timer.cancel();
    this.#parts.log.notice("trunk-server-ends");
    await this.flush();
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
    const events = slots.free(location);
    if (events === undefined) throw new WireStatusError(wireStatus.exists, "it is free already");
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
    if (term.parameters.mergesFreeSpace) {
      let files = 0;
      for (const events of slots.merge()) {
        this.#write(term, events);
        files += 1;
        if (files % filesAtOnce === 0) await delay(clock, 0);
        if (this.#lineBytes >= maxTrunkLogPieceBytes) await this.flush();
        if (term.ended) return;
      }
    }
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
    if (index >= this.#parts.storePathCount) throw invalid(`there is no store path ${index}`);
  }

  async #load(term: Term): Promise<void> {
    const { clock, log, binlog, subdirCount } = this.#parts;
    try {
      // The end of the last term may still be on its way.
      await this.flush();
      const slots = new GroupAllocator(term.parameters.rules, subdirCount);
      const problems = await loadFreeSpace(binlog, slots, {
        useSnapshot: !term.parameters.reloadsFromBinlog,
        isWanted: () => !term.ended,
      });
      if (term.ended) return;
      if (problems.invalid + problems.contradicting > 0)
        log.warn("trunk-binlog-damaged", { ...problems });
      term.slots = slots;
    } catch (error) {
      if (term.ended) return;
      log.warn("trunk-binlog-not-loaded", { why: describeError(error) });
      term.timers.push(clock.after(loadRetryMs, () => void this.#load(term)));
      return;
    }
    term.timers.push(
      clock.every(flushPeriodMs, () => void this.flush()),
      clock.every(compressionCheckMs, () => this.#checkCompression(term)),
    );
    // Asks a tracker for the newest number.
    this.#parts.onNews();
  }

  #checkCompression(term: Term): void {
    const { clock, log } = this.#parts;
    const nowMs = clock.monotonicMs();
    const local = new Date(clock.nowMs());
    const state = {
      secondOfDay: local.getHours() * 3600 + local.getMinutes() * 60 + local.getSeconds(),
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
