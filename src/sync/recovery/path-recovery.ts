/**
 * Rebuilds one store path from the peers of the group, while the node serves its other paths, and this one as far as it has got: what is
 * missing is fetched from several peers at a time, at full speed where nobody else wants the disk. A note on the path says that this is
 * under way; after a crash it goes on, and what is there is not fetched again. Ends when a pass over what a peer has found everything
 * here. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { settledHorizon } from "#filestore/inventory/horizons.ts";
import { leafCount } from "#filestore/inventory/inventory-table.ts";
import type { ReplicaStore } from "#filestore/replica-store.ts";
import { crcInName } from "#model/file-id.ts";
import type { StorageId } from "#model/storage-id.ts";
import { type Clock, delay, nowSeconds } from "#platform/clock.ts";
import { fetchCopy } from "#sync/anti-entropy/fetch-copy.ts";
import type { InventorySide } from "#sync/anti-entropy/inventory-side.ts";
import type { RepairedStore, RepairPeer } from "#sync/anti-entropy/peer-file.ts";
import { inLanes } from "#sync/lanes.ts";
import { ForegroundYield } from "#sync/recovery/foreground-yield.ts";
import {
  maxPasses,
  rateWindowMs,
  retryPassMs,
  savePeriodMs,
  sourcePeriodMs,
} from "#sync/recovery/limits.ts";
import { ProgressRate } from "#sync/recovery/progress-rate.ts";
import {
  formatRecoveryState,
  parseRecoveryState,
  recoveryMark,
} from "#sync/recovery/recovery-state.ts";
import {
  type WantedFile,
  type WantedFrom,
  wantedByInventory,
  wantedByList,
} from "#sync/recovery/wanted-files.ts";

export interface RecoveryPeer {
  readonly id: StorageId;
  readonly isCairn: boolean;
  readonly files: RepairPeer;
  readonly side: (storePathIndex: number) => InventorySide;
  /** The pieces of its list (protocol §2.7/26). */
  readonly list: (storePathIndex: number) => Promise<readonly Buffer[]>;
}

export interface RecoveredStore
  extends RepairedStore,
    Pick<ReplicaStore, "linkReplica" | "readMark" | "writeMark" | "removeMark"> {}

export interface PathRecoveryParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly storePathIndex: number;
  readonly store: RecoveredStore;
  readonly here: InventorySide;
  /** Those that are ACTIVE; the first one's files are listed, all are fetched from in turn. */
  readonly peers: () => readonly RecoveryPeer[];
  /** Grows with each request of a client. */
  readonly foreground: () => number;
  /** Files that are fetched at the same time, while nobody else wants the disk. */
  readonly lanes: number;
  /** Sources of names in this group, whatever of them is held: for the number of files. */
  readonly sources: () => readonly number[];
}

export interface RecoveryReport {
  readonly storePath: number;
  readonly state: "waiting" | "listing" | "fetching" | "done";
  /** From whom, in words. */
  readonly source: string;
  /** Unix seconds. */
  readonly began: number;
  readonly files: number;
  readonly bytes: number;
  /** That the source has; 0 while not known. */
  readonly filesTotal: number;
  readonly failed: number;
  readonly bytesPerSecond: number;
  /** Seconds; undefined while nothing can be said. */
  readonly remainingSeconds: number | undefined;
  readonly lastProblem: string | undefined;
}

/** Of the peer's thread, for counting its files. */
const countingShare = 50;

export class PathRecovery {
  readonly #parts: PathRecoveryParts;
  readonly #yield: ForegroundYield;
  readonly #rate = new ProgressRate(rateWindowMs);
  #state: RecoveryReport["state"] = "waiting";
  #source = "";
  #began = 0;
  #files = 0;
  #bytes = 0;
  #filesTotal = 0;
  #failed = 0;
  #turn = 0;
  #savedMs = Number.NEGATIVE_INFINITY;
  #lastProblem: string | undefined;

  constructor(parts: PathRecoveryParts) {
    this.#parts = parts;
    this.#yield = new ForegroundYield(parts.clock, parts.foreground);
  }

  report(): RecoveryReport {
    const now = this.#now;
    const { filesPerSecond, bytesPerSecond } = this.#rate.rates(now);
    const left = Math.max(0, this.#filesTotal - this.#files);
    const known = this.#state === "fetching" && this.#filesTotal > 0 && filesPerSecond > 0;
    return {
      storePath: this.#parts.storePathIndex,
      state: this.#state,
      source: this.#source,
      began: this.#began,
      files: this.#files,
      bytes: this.#bytes,
      filesTotal: this.#filesTotal,
      failed: this.#failed,
      bytesPerSecond,
      remainingSeconds: known ? left / filesPerSecond : undefined,
      lastProblem: this.#lastProblem,
    };
  }

  /**
   * Resolves when everything is here but what nobody has a good copy of, which is told, and found again by comparisons. Rejects with the
   * signal's reason.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, store, storePathIndex } = this.#parts;
    await this.takeUp();
    let passes = 0;
    for (;;) {
      signal.throwIfAborted();
      const source = this.#chooseSource();
      if (source === undefined) {
        this.#state = "waiting";
        await delay(clock, sourcePeriodMs, signal);
        continue;
      }
      try {
        passes += 1;
        const isWhole = await this.#pass(source, signal);
        if (isWhole || passes >= maxPasses) {
          await this.#askOthers(source, signal);
          break;
        }
      } catch (error) {
        signal.throwIfAborted();
        // Only passes that came to their end are counted.
        passes -= 1;
        this.#problem(`from ${source.files.title}`, error);
      }
      this.#turn += 1;
      await delay(clock, retryPassMs, signal);
    }
    await store.removeMark(storePathIndex, recoveryMark);
    this.#state = "done";
    const { files, bytes, failed } = this.report();
    log.notice("store-path-recovered", { storePath: storePathIndex, files, bytes, failed });
  }

  /** Notes on the path that it is being rebuilt; from now on every start goes on with that. Done once. */
  async takeUp(): Promise<void> {
    if (this.#began > 0) return;
    const { clock, store, storePathIndex, log } = this.#parts;
    const text = await store.readMark(storePathIndex, recoveryMark);
    const before = text === undefined ? undefined : parseRecoveryState(text);
    this.#began = before?.began ?? nowSeconds(clock);
    this.#files = before?.files ?? 0;
    this.#bytes = before?.bytes ?? 0;
    log.notice("store-path-recovery", { storePath: storePathIndex, goesOn: before !== undefined });
    await this.#save();
  }

  /** The list of a C storage lacks what it got in the second before it was killed, which other C storages have. Once each. */
  async #askOthers(source: RecoveryPeer, signal: AbortSignal): Promise<void> {
    if (source.isCairn) return;
    const others = this.#parts.peers().filter(({ id, isCairn }) => !isCairn && id !== source.id);
    for (const other of others) {
      try {
        await this.#pass(other, signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#problem(`from ${other.files.title}`, error);
      }
    }
  }

  /** One of ours where there is one; another one at each try. */
  #chooseSource(): RecoveryPeer | undefined {
    const peers = this.#parts.peers();
    const ours = peers.filter(({ isCairn }) => isCairn);
    const candidates = ours.length > 0 ? ours : peers;
    return candidates[this.#turn % Math.max(1, candidates.length)];
  }

  /** True when everything that the source has is here. */
  async #pass(source: RecoveryPeer, signal: AbortSignal): Promise<boolean> {
    const { storePathIndex, here, clock } = this.#parts;
    this.#state = "listing";
    this.#source = source.files.title;
    this.#failed = 0;
    const ended = new AbortController();
    const counting = this.#count(source, AbortSignal.any([signal, ended.signal]));
    const from: WantedFrom = {
      ...{ storePathIndex, here },
      there: source.side(storePathIndex),
      list: () => source.list(storePathIndex),
      isHere: (name) => this.#isHere(name),
    };
    const wanted = source.isCairn ? wantedByInventory(from) : wantedByList(from);
    const links: WantedFile[] = [];
    try {
      await inLanes(wanted, this.#parts.lanes, async (file) => {
        signal.throwIfAborted();
        this.#state = "fetching";
        if (file.target !== undefined) links.push(file);
        else await this.#yield.run(signal, () => this.#fetch(file, source));
        this.#rate.note(this.#now);
        if (clock.monotonicMs() - this.#savedMs > savePeriodMs) await this.#save();
      });
      // What they mean is here by now.
      for (const link of links) await this.#link(link, source);
    } finally {
      ended.abort(new Error("the pass has ended"));
      await counting;
    }
    return this.#failed === 0;
  }

  async #fetch({ name, timestamp }: WantedFile, source: RecoveryPeer): Promise<void> {
    const peers = this.#inTurn(source).map(({ files }) => files);
    try {
      const copied = await fetchCopy(this.#parts.store, peers, { name, timestamp });
      if (copied.outcome !== "stored") return;
      this.#files += 1;
      this.#bytes += copied.bytes;
    } catch (error) {
      this.#problem(name, error);
    }
  }

  /** A C storage's link: another name of a file that is here, or the file itself under that name. */
  async #link({ name, timestamp, target }: WantedFile, source: RecoveryPeer): Promise<void> {
    const { store } = this.#parts;
    try {
      const outcome = await store.linkReplica({ name, timestamp, source: target ?? "" });
      if (outcome === "done" || outcome === "already") {
        this.#files += 1;
        return;
      }
      // The CRC-32 in a link's name is a random number.
      const facts = await source.files.factsOf(name);
      if (facts === undefined) return;
      const { crc32 } = facts;
      await fetchCopy(store, [source.files], { name, timestamp, crc32 });
      this.#files += 1;
    } catch (error) {
      this.#problem(name, error);
    }
  }

  /** The next peer first, so that all share the work; those that lack a file are passed over by who fetches. */
  #inTurn(source: RecoveryPeer): readonly RecoveryPeer[] {
    const peers = this.#parts.peers().filter(({ isCairn }) => isCairn === source.isCairn);
    const others = peers.length === 0 ? [source] : peers;
    this.#turn += 1;
    const first = this.#turn % others.length;
    return [...others.slice(first), ...others.slice(0, first)];
  }

  async #isHere(name: string): Promise<boolean> {
    try {
      const { sizeBytes } = await this.#parts.store.facts(name, { computeCrc: false });
      return sizeBytes > 0 || crcInName(name.slice(name.lastIndexOf("/") + 1)) !== undefined;
    } catch {
      // Not here, or illegible: either way it is to be fetched.
      return false;
    }
  }

  /** How many files the source has, for the estimate; where that fails there is none. */
  async #count(source: RecoveryPeer, signal: AbortSignal): Promise<void> {
    if (!source.isCairn) return;
    const { clock, storePathIndex, sources, log } = this.#parts;
    const everything = new Map(sources().map((word) => [word, settledHorizon]));
    try {
      const side = source.side(storePathIndex);
      const begun = await side.begin(everything, { share: countingShare, patient: false });
      if (begun === undefined || begun === "asleep") return;
      for (;;) {
        const { leavesDone, files } = await side.nodes(begun.walk, -1);
        this.#filesTotal = Math.max(this.#filesTotal, files);
        if (leavesDone === leafCount) return;
        await delay(clock, 1000, signal);
      }
    } catch (error) {
      log.debug("files-not-counted", { why: describeError(error) });
    }
  }

  async #save(): Promise<void> {
    const { clock, store, storePathIndex } = this.#parts;
    this.#savedMs = clock.monotonicMs();
    const text = formatRecoveryState({
      began: this.#began,
      files: this.#files,
      bytes: this.#bytes,
    });
    await store.writeMark(storePathIndex, recoveryMark, text);
  }

  #problem(what: string, error: unknown): void {
    this.#failed += 1;
    this.#lastProblem = `${what}: ${describeError(error)}`;
    this.#parts.log.warn("recovery-problem", { what, why: describeError(error) });
  }

  get #now() {
    return { atMs: this.#parts.clock.monotonicMs(), files: this.#files, bytes: this.#bytes };
  }
}
