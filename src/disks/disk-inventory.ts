/**
 * The disks of this machine, as the last look found them. Rounds are taken now and then, at once when something came or went, and when
 * somebody asks; each is bounded, whatever hangs. What hung is named, left out for a while, and then tried again. Main thread.
 */
import { describeError, hasCode } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { type DiskChange, diskChange, isNoChange } from "#disks/disk-change.ts";
import type { HealthLook } from "#disks/health/health-look.ts";
import { HungThings } from "#disks/hung-things.ts";
import { probeLimits } from "#disks/probe/limits.ts";
import { ProbeLink } from "#disks/probe/probe-link.ts";
import type { RoundAnswer } from "#disks/probe/probe-messages.ts";
import { type DiskFacts, diskKeyOf } from "#model/disk-facts.ts";
import type { Children } from "#platform/children.ts";
import type { Clock, Timer } from "#platform/clock.ts";

export interface DiskInventoryOptions {
  readonly children: Pick<Children, "startSelf">;
  readonly clock: Clock;
  readonly log: Log;
  /** Between two rounds that nothing asked for. */
  readonly periodMs: number;
  /** Where the node keeps its own state, absolute: their disks are of the system. */
  readonly ownDirectories: readonly string[];
}

export interface InventoryReport {
  /** Milliseconds since 1970; undefined until there was a round. */
  readonly lookedAtMs: number | undefined;
  readonly rounds: number;
  readonly failedRounds: number;
  /** Children that were given up because something hung. */
  readonly replaced: number;
  /** Of the last round: until the answer was here, and of this thread to read it. */
  readonly roundMs: number;
  readonly mainThreadMs: number;
  /** What somebody should know, in words. */
  readonly problems: readonly string[];
}

type Listener = (change: DiskChange) => void;

/** A probe that fails is started again after one of these. */
const firstRetryMs = 1000;
const lastRetryMs = 60_000;
/** Without anybody who asks, and without `start`, the child is ended after this. */
const idleMs = 60_000;
/** Somebody was silent in a round, and it is not known yet whether he hangs. */
const doubtMs = 1000;
/** News may come in a storm: rounds for their sake keep this distance. */
const newsPauseMs = 100;

export class DiskInventory {
  readonly #options: DiskInventoryOptions;
  readonly #link: ProbeLink;
  readonly #hung: HungThings;
  readonly #listeners = new Set<Listener>();
  readonly #lookInto = new Set<string>();
  #disks: readonly DiskFacts[] = [];
  #isWatching = false;
  #stopped = false;
  #underWay: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #timer: Timer | undefined;
  #idle: Timer | undefined;
  #retryMs = firstRetryMs;
  /** Monotonic. */
  #roundEndedMs = 0;
  #problem: string | undefined;
  #report = {
    ...{ lookedAtMs: undefined as number | undefined, rounds: 0, failedRounds: 0, replaced: 0 },
    ...{ roundMs: 0, mainThreadMs: 0 },
  };

  /** The probe child looks every few seconds at what speaks for or against disks. */
  onHealth: (look: HealthLook) => void = () => {};

  constructor(options: DiskInventoryOptions) {
    this.#options = options;
    this.#hung = new HungThings(options.clock);
    this.#link = new ProbeLink({
      ...{ children: options.children, clock: options.clock },
      onNews: (names) => this.#heard(names),
      onHealth: (look) => this.onHealth(look),
    });
  }

  /** Watches from now on, until `stop`. */
  start(): void {
    if (this.#stopped || this.#isWatching) return;
    this.#isWatching = true;
    this.#schedule(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#isWatching = false;
    this.#timer?.cancel();
    this.#idle?.cancel();
    this.#link.replace();
  }

  get isWatching(): boolean {
    return this.#isWatching;
  }

  /** As the last round found them; none before the first. */
  get disks(): readonly DiskFacts[] {
    return this.#disks;
  }

  get report(): InventoryReport {
    const problems = [
      ...(this.#problem === undefined ? [] : [this.#problem]),
      ...this.#disks.flatMap(({ name, problems: own }) => own.map((each) => `${name}: ${each}`)),
    ];
    return { ...this.#report, problems };
  }

  /** Told after each round that found something else than the one before. Returns how to end that. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * A round that begins after this call, for disks whose content changed by us (`lookInto`: their names, or `*`). Resolves with what is
   * known then, also where the round failed: `report.problems` says so.
   */
  async look(lookInto: readonly string[] = []): Promise<readonly DiskFacts[]> {
    for (const name of lookInto) this.#lookInto.add(name);
    await this.#soonest();
    this.#restSoon();
    return this.#disks;
  }

  /** One round is under way at most, and one more that all who ask meanwhile share. */
  #soonest(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    if (this.#underWay === undefined) return this.#begin();
    this.#next ??= this.#underWay.then(() => {
      this.#next = undefined;
      return this.#begin();
    });
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#timer?.cancel();
    this.#underWay = this.#round().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #round(): Promise<void> {
    if (this.#stopped) return;
    const { clock, log, periodMs, ownDirectories } = this.#options;
    const beginMs = clock.monotonicMs();
    const lookInto = [...this.#lookInto];
    this.#lookInto.clear();
    try {
      const avoidDisks = this.#hung.avoided();
      const answer = await this.#link.round({ avoidDisks, ownDirectories, lookInto });
      if (this.#stopped) return;
      const readMs = clock.monotonicMs();
      this.#take(answer);
      this.#report.lookedAtMs = clock.nowMs();
      this.#roundEndedMs = readMs;
      this.#report.rounds += 1;
      this.#report.roundMs = readMs - beginMs;
      this.#report.mainThreadMs = this.#link.readingMs + clock.monotonicMs() - readMs;
      this.#problem = undefined;
      this.#retryMs = firstRetryMs;
      this.#schedule(this.#hung.isInDoubt ? Math.min(doubtMs, periodMs) : periodMs);
    } catch (error) {
      if (this.#stopped) return;
      this.#failed(error);
      log.warn("probe-failed", { why: describeError(error), againMs: this.#retryMs });
      this.#schedule(this.#retryMs);
      this.#retryMs = Math.min(2 * this.#retryMs, lastRetryMs);
    }
  }

  #failed(error: unknown): void {
    this.#report.failedRounds += 1;
    this.#problem = `the disks are not looked at: ${describeError(error)}`;
    if (!hasCode(error, "probe-hung")) return;
    this.#report.replaced += 1;
    const { disk } = error.details;
    const known = this.#disks.find(({ name }) => name === disk);
    if (known !== undefined) this.#hung.disk(diskKeyOf(known), known);
  }

  #take(answer: RoundAnswer): void {
    const { log } = this.#options;
    if (answer.stuck > probeLimits.maxStuck) {
      // They may never come back.
      this.#report.replaced += 1;
      this.#link.replace();
      if (this.#isWatching) this.#link.start();
    }
    const { disks: present, hung, back } = this.#hung.settle(answer);
    for (const mount of hung) log.warn("mount-hangs", { mount });
    for (const mount of back) log.notice("mount-answers", { mount });
    const change = diskChange(this.#disks, present);
    this.#disks = present;
    if (isNoChange(change)) return;
    for (const listener of this.#listeners) listener(change);
  }

  #heard(names: readonly string[]): void {
    if (this.#stopped) return;
    this.#options.log.debug("disk-news", { names: names.join(" ") });
    const { clock } = this.#options;
    if (this.#underWay !== undefined) void this.#soonest();
    else {
      const sinceMs = clock.monotonicMs() - this.#roundEndedMs;
      this.#after(Math.max(0, newsPauseMs - sinceMs));
    }
  }

  #schedule(delayMs: number): void {
    if (this.#isWatching && !this.#stopped) this.#after(delayMs);
  }

  #after(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(delayMs, () => void this.#soonest());
  }

  /** Whoever only asks now and then is not to keep a process for it. */
  #restSoon(): void {
    if (this.#isWatching || this.#stopped) return;
    this.#idle?.cancel();
    this.#idle = this.#options.clock.after(idleMs, () => {
      if (this.#isWatching) return;
      this.#timer?.cancel();
      this.#link.replace();
    });
  }
}
