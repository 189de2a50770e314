/**
 * Anti-entropy in the background: now and then, and when it is asked for, each store path is compared with each peer of ours, and what
 * differs is repaired. Of two storages the one with the lower id begins; whoever is asked, or has lost something, compares with all.
 * Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { type Horizons, settledHorizon } from "#filestore/inventory/horizons.ts";
import type { StorageId } from "#model/storage-id.ts";
import { type Clock, delay, nowSeconds, type Timer } from "#platform/clock.ts";
import { compareAndRepair, newProgress } from "#sync/anti-entropy/compare-round.ts";
import type { InventorySide } from "#sync/anti-entropy/inventory-side.ts";
import {
  backgroundShare,
  firstRoundMs,
  longestRestMs,
  maxUnsettledRetries,
  repairLanes,
  restingRetryMs,
  retryRoundMs,
  unsettledRetryMs,
} from "#sync/anti-entropy/limits.ts";
import type { LocalInventories } from "#sync/anti-entropy/local-inventories.ts";
import type { RepairedStore, RepairPeer } from "#sync/anti-entropy/peer-file.ts";
import { RepairRunner, type RepairTally } from "#sync/anti-entropy/repair-runner.ts";

/** Why a round is made. */
export type RoundReason = "scheduled" | "asked" | LossReason | "retried";
/** Files that were here, or should be, may be missing: all peers are asked, again and again until nothing was left to be mended. */
export type LossReason = "binlog-lost" | "power-cut" | "recovered" | "filled";

export interface ComparedPeer {
  readonly id: StorageId;
  readonly files: RepairPeer;
  readonly side: (storePathIndex: number) => InventorySide;
}

export interface AntiEntropyParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly ownId: () => StorageId | undefined;
  /** The peers of ours that can be asked now. */
  readonly peers: () => readonly ComparedPeer[];
  /** Members that are, or may be, of ours, and cannot be asked now. */
  readonly absent: () => readonly StorageId[];
  /** Those of this storage that are served, and not being rebuilt. */
  readonly storePaths: () => readonly number[];
  readonly inventories: LocalInventories;
  /** Words in names of files that this storage made (`sourceWordInName`). */
  readonly ownSources: () => readonly number[];
  readonly store: RepairedStore;
  /** Between two rounds; 0: only when asked. */
  readonly intervalMs: number;
  readonly rest: () => Promise<void>;
  /** Whether a scheduled round may read there now, without waking a disk; always, where it is left out. */
  readonly mayRead?: (storePathIndex: number) => boolean;
  /** Smaller in tests. */
  readonly firstMs?: number;
  readonly recheckMs?: number;
}

export interface AntiEntropyReport {
  readonly state: "waiting" | "running";
  /** Rounds that came to their end since the start. */
  readonly rounds: number;
  readonly reason: RoundReason | undefined;
  readonly storePath: number | undefined;
  readonly peer: string | undefined;
  /** Of the own inventory, in percent. */
  readonly progressPercent: number;
  readonly files: number;
  /** Of this round, or the last one. */
  readonly found: number;
  readonly repaired: number;
  readonly failed: number;
  /** Packed files whose names nobody knows. */
  readonly nameless: number;
  /** Unix seconds; 0 where there was none. */
  readonly lastEnded: number;
  /** Unix seconds; 0 where none is planned. */
  readonly next: number;
  readonly lastProblem: string | undefined;
  readonly repairedTotal: number;
}

const leaves = 65_536;

export class AntiEntropy {
  readonly #parts: AntiEntropyParts;
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #asked: RoundReason | undefined;
  #running: Promise<void> | undefined;
  #now = idle;
  #progress = newProgress();
  #totals = { found: 0, repaired: 0, failed: 0, nameless: 0 };
  #rounds = 0;
  #repairedTotal = 0;
  #lastEnded = 0;
  /** Something was left out of the last round that a peer has to tell about. */
  #unsettled = false;
  #retries = 0;
  #next = 0;
  #lastProblem: string | undefined;
  /** Losses that no series of rounds has mended yet. */
  #losses: readonly Loss[] = [];
  /**
   * What is left of a scheduled round: paths whose disks slept when their turn came, with the peers where they did, or undefined where the
   * own one did. Empty where the next round is of all paths.
   */
  #resting: ReadonlyMap<number, ReadonlySet<StorageId> | undefined> = new Map();
  /** Since when, by the monotonic clock, something is left of it. */
  #restingSinceMs: number | undefined;
  /** Who was away when one was mended, and may have what nobody else had. */
  #missed: ReadonlyMap<StorageId, LossReason> = new Map();

  constructor(parts: AntiEntropyParts) {
    this.#parts = parts;
  }

  start(): void {
    const { intervalMs, firstMs } = this.#parts;
    if (intervalMs > 0) this.#plan(Math.min(firstMs ?? firstRoundMs, intervalMs), "scheduled");
  }

  /** A round as soon as possible: at once, or after the one under way. */
  request(reason: RoundReason): void {
    if (this.#stopping.signal.aborted) return;
    this.#asked = isLossReason(reason) ? reason : (this.#asked ?? reason);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /**
   * Rounds as soon as possible, until everything was compared with all peers that can be asked and nothing was left to be mended; then `mended`
   * is called with these peers.
   */
  mend(reason: LossReason, mended: Mended): void {
    this.#losses = [...this.#losses, { reason, mended }];
    this.request(reason);
  }

  /** To be called about once a second: whoever was away when a loss was mended is compared with when it comes back. */
  look(): void {
    if (this.#missed.size === 0) return;
    const back = this.#parts.peers().find(({ id }) => this.#missed.has(id));
    const reason = back === undefined ? undefined : this.#missed.get(back.id);
    if (back === undefined || reason === undefined) return;
    this.#missed = new Map([...this.#missed].filter(([id]) => id !== back.id));
    this.request(reason);
  }

  report(): AntiEntropyReport {
    const { reason, storePath, peer } = this.#now;
    return {
      state: this.#running === undefined ? "waiting" : "running",
      rounds: this.#rounds,
      ...{ reason, storePath, peer },
      progressPercent: Math.floor((100 * this.#progress.leavesDone) / leaves),
      files: this.#progress.files,
      ...this.#totals,
      lastEnded: this.#lastEnded,
      next: this.#next,
      lastProblem: this.#lastProblem,
      repairedTotal: this.#repairedTotal,
    };
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#stopping.abort(new Error("the node is stopping"));
    await this.#running;
  }

  #plan(afterMs: number, reason: RoundReason): void {
    const { clock } = this.#parts;
    this.#timer?.cancel();
    this.#next = nowSeconds(clock) + Math.ceil(afterMs / 1000);
    this.#timer = clock.after(afterMs, () => this.request(reason));
  }

  async #run(): Promise<void> {
    const { clock, log, intervalMs } = this.#parts;
    while (this.#asked !== undefined && !this.#stopping.signal.aborted) {
      const reason = this.#asked;
      this.#asked = undefined;
      const isPatient = this.#isPatient(reason);
      const storePaths = this.#pathsOf(reason, isPatient);
      if (storePaths.size === 0 && this.#resting.size > 0) {
        this.#plan(restingRetryMs, reason);
        continue;
      }
      this.#totals = { found: 0, repaired: 0, failed: 0, nameless: 0 };
      this.#lastProblem = undefined;
      this.#unsettled = false;
      const losses = this.#losses;
      const { whole, compared, began } = await this.#round({ reason, isPatient }, storePaths);
      this.#now = idle;
      if (this.#stopping.signal.aborted) return;
      if (!began && whole && this.#resting.size > 0) {
        this.#plan(restingRetryMs, reason);
        continue;
      }
      this.#rounds += 1;
      this.#lastEnded = nowSeconds(clock);
      log.notice("files-compared", { reason, ...this.#totals, problem: this.#lastProblem ?? "" });
      const isLoss = isLossReason(reason);
      // Once more in any case: right after a start peers have not told yet what came last. And what one peer had may be what another one
      // lacks, to which nobody sends it now that the record is lost.
      const isOpen = this.#unsettled || this.#retries === 0 || this.#totals.repaired > 0;
      if (isLoss && isOpen && this.#retries < maxUnsettledRetries) {
        this.#retries += 1;
        this.#plan(unsettledRetryMs, reason);
        continue;
      }
      this.#retries = 0;
      if (isLossReason(reason) && !isOpen && whole) {
        this.#missed = new Map(this.#parts.absent().map((id) => [id, reason]));
        this.#endLosses(losses, compared);
      }
      const [loss] = this.#losses;
      const isWell = whole && loss === undefined;
      const wellMs = this.#resting.size > 0 ? restingRetryMs : intervalMs;
      const nextMs = isWell ? wellMs : Math.min(retryRoundMs, intervalMs || retryRoundMs);
      if (nextMs > 0) this.#plan(nextMs, loss?.reason ?? (whole ? "scheduled" : "retried"));
    }
  }

  #endLosses(ended: readonly Loss[], compared: readonly StorageId[]): void {
    this.#losses = this.#losses.filter((loss) => !ended.includes(loss));
    for (const { mended } of ended) mended(compared);
  }

  /** Whoever asks for a round wants all of it at once; a scheduled one wakes no disk, of whichever storage, for as long as it can wait. */
  #isPatient(reason: RoundReason): boolean {
    const nowMs = this.#parts.clock.monotonicMs();
    const isOwnIdea = reason === "scheduled" || reason === "retried";
    if (this.#resting.size === 0 || !isOwnIdea) this.#restingSinceMs = undefined;
    this.#restingSinceMs ??= nowMs;
    return isOwnIdea && nowMs - this.#restingSinceMs < longestRestMs;
  }

  /** With the peers that they are compared with; undefined for all. */
  #pathsOf(reason: RoundReason, isPatient: boolean): RoundPaths {
    const { storePaths, mayRead } = this.#parts;
    const before = this.#resting;
    this.#resting = new Map();
    const all = storePaths().map((index) => [index, before.get(index)] as const);
    if (reason !== "scheduled" && reason !== "retried") {
      return new Map(all.map(([index]) => [index, undefined]));
    }
    const due = all.filter(([index]) => before.size === 0 || before.has(index));
    if (!isPatient || mayRead === undefined) return new Map(due);
    this.#resting = new Map(due.filter(([index]) => !mayRead(index)));
    return new Map(due.filter(([index]) => !this.#resting.has(index)));
  }

  #leaveFor(storePath: number, peer: StorageId): void {
    const peers = new Set([...(this.#resting.get(storePath) ?? []), peer]);
    this.#resting = new Map([...this.#resting, [storePath, peers]]);
  }

  async #round(
    { reason, isPatient }: { readonly reason: RoundReason; readonly isPatient: boolean },
    storePaths: RoundPaths,
  ): Promise<Round> {
    const { ownId, peers, log } = this.#parts;
    const own = ownId();
    const begins = ({ id }: ComparedPeer): boolean =>
      reason !== "scheduled" || own === undefined || own < id;
    let whole = true;
    let began = false;
    let compared: readonly StorageId[] | undefined;
    if (peers().length === 0) this.#unsettled = true;
    for (const [storePath, wanted] of storePaths) {
      const asked = new Set<StorageId>();
      for (const peer of peers().filter(begins)) {
        if (wanted?.has(peer.id) === false) continue;
        if (this.#stopping.signal.aborted) return { whole: false, compared: [], began };
        this.#now = { reason, storePath, peer: peer.files.title };
        try {
          const found = await this.#compare(storePath, peer, isPatient);
          whole = found !== "failed" && whole;
          if (found === "asleep") {
            this.#leaveFor(storePath, peer.id);
            continue;
          }
          began = true;
          asked.add(peer.id);
        } catch (error) {
          whole = false;
          // It may be back in a moment.
          this.#unsettled = true;
          this.#lastProblem = `store path ${storePath} with ${peer.files.title}: ${describeError(error)}`;
          log.warn("files-not-compared", { why: this.#lastProblem });
        }
      }
      compared = compared?.filter((id) => asked.has(id)) ?? [...asked];
    }
    return { whole, compared: compared ?? [], began };
  }

  async #compare(
    storePathIndex: number,
    peer: ComparedPeer,
    patient: boolean,
  ): Promise<"compared" | "asleep" | "failed"> {
    const { clock, log, store, inventories, peers, rest, recheckMs } = this.#parts;
    const others = peers().filter(({ id }) => id !== peer.id);
    const runner = new RepairRunner({
      ...{ log, store, rest, lanes: repairLanes },
      peer: peer.files,
      others: others.map(({ files }) => files),
    });
    this.#progress = newProgress();
    try {
      const found = await compareAndRepair({
        ...{ clock, storePathIndex, runner, progress: this.#progress },
        signal: this.#stopping.signal,
        here: inventories.side(storePathIndex),
        there: peer.side(storePathIndex),
        horizons: this.#horizons(),
        manners: { share: backgroundShare, patient },
        ...(recheckMs === undefined ? {} : { recheckMs }),
      });
      if (found === "asleep") return found;
    } finally {
      if (this.#progress.unsettled > 0) this.#unsettled = true;
      this.#add(runner.tally);
      this.#lastProblem = runner.lastProblem ?? this.#lastProblem;
    }
    return runner.tally.failed === 0 ? "compared" : "failed";
  }

  /** Of our own files nothing is on its way where the log of them is lost, and peers may have some that we never told others about. */
  #horizons(): Horizons {
    const { inventories, ownSources } = this.#parts;
    const { reason } = this.#now;
    if (reason === undefined || !isLossReason(reason)) return inventories.horizons;
    const own = ownSources().map((word) => [word, settledHorizon] as const);
    return new Map([...inventories.horizons, ...own]);
  }

  #add(tally: RepairTally): void {
    const { copiedHere, copiedThere, deletedHere, deletedThere, failed } = tally;
    const repaired = copiedHere + copiedThere + deletedHere + deletedThere;
    const { found, nameless } = this.#progress;
    this.#totals = {
      found: this.#totals.found + found,
      repaired: this.#totals.repaired + repaired,
      failed: this.#totals.failed + failed,
      nameless: this.#totals.nameless + nameless,
    };
    this.#repairedTotal += repaired;
  }
}

type Mended = (compared: readonly StorageId[]) => void;

interface Loss {
  readonly reason: LossReason;
  readonly mended: Mended;
}

type RoundPaths = ReadonlyMap<number, ReadonlySet<StorageId> | undefined>;

interface Round {
  /** False where something could not be compared, or repaired. */
  readonly whole: boolean;
  /** Peers with which all store paths were compared. */
  readonly compared: readonly StorageId[];
  /** False where all disks that were asked for slept. */
  readonly began: boolean;
}

const lossReasons: readonly RoundReason[] = ["binlog-lost", "power-cut", "recovered", "filled"];

function isLossReason(reason: RoundReason): reason is LossReason {
  return lossReasons.includes(reason);
}

const idle: {
  readonly reason: RoundReason | undefined;
  readonly storePath: number | undefined;
  readonly peer: string | undefined;
} = { reason: undefined, storePath: undefined, peer: undefined };

/** Waits after each step of background work for as long as the foreground needs. */
export function restFor(clock: Clock, pauseMs: () => number): () => Promise<void> {
  return async () => {
    const ms = pauseMs();
    if (ms > 0) await delay(clock, ms);
  };
}
