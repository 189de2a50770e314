/**
 * The health of all disks of this node: takes what the probe child looked at, asks each disk of itself now and then, has it test itself, and
 * judges. One disk is asked at a time; one that sleeps is not woken, and what it told last counts with its time. Main thread.
 */
import { ignore, type Log } from "#base/log.ts";
import type { DiskActivity, PowerState } from "#disks/activity.ts";
import type { BlockCounters } from "#disks/health/block-counters.ts";
import { diskOfDirectory } from "#disks/health/disk-of-directory.ts";
import type { LatencyFacts } from "#disks/health/health-facts.ts";
import { type HealthLook, healthLookMs } from "#disks/health/health-look.ts";
import type { HealthMemory } from "#disks/health/health-table.ts";
import { diskOfDevice, type KernelFault } from "#disks/health/kernel-line.ts";
import type { PathOfDisk } from "#disks/health/path-faults.ts";
import { ReadOnlyMounts } from "#disks/health/read-only-mounts.ts";
import { ScrubFaults } from "#disks/health/scrub-faults.ts";
import { nextSelfTest } from "#disks/health/self-test-plan.ts";
import { WatchedDisk } from "#disks/health/watched-disk.ts";
import { candidateTypes } from "#disks/smart/device-types.ts";
import type { SmartInquiry } from "#disks/smart/smart-inquiry.ts";
import { type DiskFacts, type DiskKey, diskKeyOf } from "#model/disk-facts.ts";
import type { DiskJudgement } from "#model/disk-verdict.ts";
import type { SmartFacts } from "#model/smart-facts.ts";
import { type Clock, nowSeconds, type Timer } from "#platform/clock.ts";

export interface DiskHealthSettings {
  /** A disk that was used is asked so often; one that rests once a day. */
  readonly smartMs: number;
  /** Between two self-tests of a disk; 0 is never. */
  readonly shortTestMs: number;
  readonly longTestMs: number;
}

export interface DiskHealthParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly inquiry: SmartInquiry;
  readonly memory: HealthMemory;
  readonly activity: DiskActivity;
  readonly disks: () => readonly DiskFacts[];
  /** Those that carry no store path are watched, too, and disks are to test themselves; else they are judged when somebody asks. */
  readonly all: boolean;
  readonly paths: () => readonly PathOfDisk[];
  /** How fast a store path is, as its requests were answered. */
  readonly latencyOf: (storePathIndex: number) => LatencyFacts | undefined;
  /** Where reading a disk that is nobody's ended with an error; undefined where it did not. */
  readonly unreadableAt?: (disk: DiskFacts) => number | undefined;
  /** A store path of this node is being filled from peers. */
  readonly recovering: () => boolean;
  readonly settings: DiskHealthSettings;
}

export interface DiskHealthReport {
  readonly disk: DiskFacts;
  readonly judgement: DiskJudgement;
  /** As it was told last, and when, in Unix seconds. */
  readonly smart: { readonly at: number; readonly facts: SmartFacts } | undefined;
  /** Why it tells nothing, in words. */
  readonly smartProblem: string | undefined;
  readonly power: PowerState;
  /** Seconds for which nothing was asked of it. */
  readonly idleSeconds: number;
  readonly testing: "short" | "long" | undefined;
}

/** A disk that rests has nothing new to tell. */
const restingMs = 24 * 3600_000;
/** While it tests itself. */
const testingMs = 10 * 60_000;
/** A test of which no end was seen by then is forgotten. */
const testLimitMs = { short: 3600_000, long: 3 * 24 * 3600_000 } as const;
/** Looks are ten seconds apart, and the kernel's times are told to the second. */
const heardAgainSeconds = 15;
const maxEarlyFaults = 500;
/** One that does not tell is asked again. */
const refusedMs = 24 * 3600_000;

export class DiskHealth {
  readonly #parts: DiskHealthParts;
  readonly #disks = new Map<DiskKey, WatchedDisk>();
  readonly #mounts = new ReadOnlyMounts();
  readonly #scrubs: ScrubFaults;
  #counters: ReadonlyMap<string, BlockCounters> = new Map();
  /** Asked before others. */
  readonly #wanted = new Set<string>();
  #hearsKernel = true;
  /** Said before the disks were known, which is at the start. */
  #early: HealthLook["faults"] = [];
  /** Unix seconds of the last look: a probe child that is another one tells again what its kernel said before. */
  #heardUntil = Number.NEGATIVE_INFINITY;
  /** How often, of the last seconds. */
  readonly #justHeard = new Map<string, number>();
  #timer: Timer | undefined;
  #asking: Promise<unknown> = Promise.resolve();
  #isBusy = false;
  #stopped = false;
  /** The verdict of a disk is another one. */
  onVerdict: (report: DiskHealthReport, before: DiskJudgement) => void = () => {};

  constructor(parts: DiskHealthParts) {
    this.#parts = parts;
    this.#scrubs = new ScrubFaults(nowSeconds(parts.clock));
    parts.activity.onWanted = (name) => {
      this.#wanted.add(name);
      this.#work();
    };
  }

  start(): void {
    this.#timer = this.#parts.clock.every(healthLookMs, () => this.turn());
  }

  /** Whom it asks just now is not waited for, and what that answers goes nowhere. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** What the probe child looked at. */
  take(look: HealthLook): void {
    if (this.#stopped) return;
    this.#meet();
    this.#mounts.look(look.mounts);
    this.#hearsKernel = look.hearsKernel;
    this.#hearAll(look.faults);
    for (const counters of look.counters) this.#count(counters);
    this.#counters = new Map(look.counters.map((counters) => [counters.name, counters]));
    this.#parts.activity.looked(look.counters);
    this.#judge();
  }

  /** To be called every few seconds: judges, and asks the next disk whose turn it is. */
  turn(): void {
    this.#meet();
    this.#judge();
    this.#work();
  }

  reports(): readonly DiskHealthReport[] {
    return [...this.#disks.values()].map((disk) => this.#report(disk));
  }

  /** Undefined where there is no such disk, or it was not met yet. */
  reportOf(name: string): DiskHealthReport | undefined {
    const disk = this.#find(name);
    return disk === undefined ? undefined : this.#report(disk);
  }

  /** Asks it now, after whom is being asked; a sleeping disk is left asleep. Never rejects. */
  async refresh(name: string): Promise<DiskHealthReport | undefined> {
    this.#meet();
    const disk = this.#find(name);
    if (disk === undefined) return undefined;
    await this.#next(() => this.#ask(disk));
    if (!this.#stopped) this.#judge();
    return this.#report(disk);
  }

  /** Resolves to why it was not done, in words. A person asks: a disk that sleeps is woken, and what is planned does not matter. */
  async selfTest(name: string, order: "short" | "long" | "abort"): Promise<string | undefined> {
    this.#meet();
    const disk = this.#find(name);
    if (disk === undefined) return "there is no such disk";
    return await this.#next(async () => {
      // In which way it is asked may not be known yet.
      if (!this.#parts.inquiry.canAsk(disk.facts)) await this.#ask(disk);
      return await this.#order(disk, order);
    });
  }

  #find(name: string): WatchedDisk | undefined {
    return [...this.#disks.values()].find((disk) => disk.name === name);
  }

  /** Without being asked. */
  get #watched(): readonly WatchedDisk[] {
    const disks = [...this.#disks.values()];
    if (this.#parts.all) return disks;
    const everyone = this.#parts.disks();
    const served = this.#parts.paths().map(({ directory }) => diskOfDirectory(directory, everyone));
    return disks.filter(({ name }) => served.some((each) => each?.name === name));
  }

  /** The disks that are there now. */
  #meet(): void {
    const { disks, memory, clock, activity, inquiry } = this.#parts;
    const all = disks();
    const served = new Set(this.#parts.paths().map((path) => diskOfDirectory(path.directory, all)));
    const isDisk = ({ bus }: DiskFacts): boolean => bus !== "virtual" && bus !== "loop";
    const present = all.filter((disk) => served.has(disk) || isDisk(disk));
    const keys = new Set(present.map(diskKeyOf));
    for (const key of this.#disks.keys()) if (!keys.has(key)) this.#disks.delete(key);
    for (const facts of present) {
      const known = this.#disks.get(diskKeyOf(facts));
      if (known !== undefined) known.facts = facts;
      else {
        this.#disks.set(diskKeyOf(facts), new WatchedDisk(facts, memory, nowSeconds(clock)));
      }
    }
    const canAsk = (name: string): boolean => {
      const disk = this.#find(name);
      return disk !== undefined && inquiry.canAsk(disk.facts);
    };
    activity.setDisks(present, canAsk);
  }

  #hearAll(faults: HealthLook["faults"]): void {
    const heardBefore = new Map(this.#justHeard);
    const nowAt = nowSeconds(this.#parts.clock);
    const news = faults.filter((fault) => {
      const key = `${fault.at} ${fault.device} ${fault.words}`;
      const left = heardBefore.get(key) ?? 0;
      heardBefore.set(key, left - 1);
      return left <= 0 && fault.at >= this.#heardUntil - heardAgainSeconds;
    });
    if (nowAt - this.#heardUntil > heardAgainSeconds) this.#justHeard.clear();
    this.#heardUntil = nowAt;
    for (const { at, device, words } of news) {
      const key = `${at} ${device} ${words}`;
      this.#justHeard.set(key, (this.#justHeard.get(key) ?? 0) + 1);
    }
    const heard = [...this.#early, ...news];
    const knowsDisks = this.#disks.size > 0;
    this.#early = knowsDisks ? [] : heard.slice(-maxEarlyFaults);
    if (knowsDisks) for (const { at, ...fault } of heard) this.#hear(fault, at);
  }

  #hear({ kind, device, words }: KernelFault, atSeconds: number): void {
    const names = [...this.#disks.values()].map(({ name }) => name);
    if (kind === "read-only") this.#mounts.told(device);
    if (kind === "mounted") {
      this.#mounts.mounted(device);
      return;
    }
    const name = diskOfDevice(device, names);
    const disk = name === undefined ? undefined : this.#find(name);
    if (disk === undefined) return;
    if (kind === "attached") disk.forgetFaults();
    else if (kind === "io-error") disk.faults.note("ioErrors", 1, atSeconds);
    else if (kind === "reset") disk.faults.note("resets", 1, atSeconds);
    else disk.noteFileSystem(words, atSeconds);
  }

  #count(counters: BlockCounters): void {
    const before = this.#counters.get(counters.name);
    const disk = this.#find(counters.name);
    if (disk === undefined || before === undefined) return;
    if (before.reads !== counters.reads || before.writes !== counters.writes) disk.wasUsed = true;
  }

  #judge(): void {
    const { clock, paths, disks, log, latencyOf } = this.#parts;
    const nowMs = clock.monotonicMs();
    const at = nowSeconds(clock);
    const present = [...this.#disks.values()];
    // Also those that are not judged: else the system's disk is blamed for what lies below its root.
    const everyone = disks();
    const watched = new Set(this.#watched);
    const all = paths().map((path) => {
      return { path, disk: diskOfDirectory(path.directory, everyone)?.name };
    });
    for (const disk of present) {
      const own = all.filter((each) => each.disk === disk.name).map(({ path }) => path);
      const scrubs = this.#scrubs;
      disk.paths.look(own, { log: disk.faults, scrubs, nowMs, nowSeconds: at });
      const latencies = own
        .map(({ index }) => latencyOf(index))
        .filter((each) => each !== undefined);
      const before = disk.judge({
        nowSeconds: at,
        nowMs,
        turnedReadOnly: this.#mounts.of(disk.name),
        latency: latencies.sort((one, other) => other.p99Ms - one.p99Ms)[0],
        unreadableAtBytes: this.#parts.unreadableAt?.(disk.facts),
      });
      const { judgement } = disk;
      if (before.verdict === judgement.verdict || !watched.has(disk)) continue;
      const why = judgement.findings[0]?.reason ?? "nothing speaks against it any more";
      const told = { disk: disk.name, verdict: judgement.verdict, before: before.verdict, why };
      if (judgement.verdict === "ok") log.notice("disk-verdict", told);
      else log.warn("disk-verdict", told);
      this.onVerdict(this.#report(disk), before);
    }
  }

  /** Asks the disk whose turn it is, or begins a self-test. One thing at a time. */
  #work(): void {
    if (this.#isBusy || this.#stopped) return;
    const disk = this.#due();
    const { log } = this.#parts;
    if (disk !== undefined) {
      ignore(
        this.#next(() => this.#ask(disk)),
        log,
        "asking a disk never rejects",
      );
      return;
    }
    const test = this.#dueTest();
    const tested = test === undefined ? undefined : this.#find(test.name);
    if (test === undefined || tested === undefined) return;
    ignore(
      this.#next(() => this.#order(tested, test.kind)),
      log,
      "ordering never rejects",
    );
  }

  /** After what is under way. */
  async #next<T>(work: () => Promise<T>): Promise<T> {
    this.#isBusy = true;
    const mine = this.#asking.then(work);
    const settled = mine.catch(() => undefined);
    this.#asking = settled;
    try {
      return await mine;
    } finally {
      if (this.#asking === settled) this.#isBusy = false;
    }
  }

  #due(): WatchedDisk | undefined {
    const { clock, activity } = this.#parts;
    const nowMs = clock.monotonicMs();
    for (const disk of this.#disks.values()) {
      if (this.#wanted.delete(disk.name)) return disk;
    }
    this.#wanted.clear();
    return this.#watched.find((disk) => {
      if (candidateTypes(disk.facts.bus, disk.facts.bridge).length === 0) return false;
      if (disk.askedMs === undefined) return true;
      if (activity.stateOf(disk.name) === "asleep") return false;
      return nowMs - disk.askedMs >= this.#periodMs(disk);
    });
  }

  #periodMs(disk: WatchedDisk): number {
    const { smartMs } = this.#parts.settings;
    if (disk.smartProblem !== undefined) return refusedMs;
    const isTesting = disk.testing ?? disk.record.smart?.facts.selfTestRemainingPercent;
    if (isTesting !== undefined) return Math.min(testingMs, smartMs);
    return disk.wasUsed ? smartMs : restingMs;
  }

  async #ask(disk: WatchedDisk): Promise<void> {
    const { inquiry, clock, activity, log } = this.#parts;
    const told = disk.smartProblem;
    const reading = await inquiry.ask(disk.facts);
    if (this.#stopped) return;
    disk.learn(reading, { ms: clock.monotonicMs(), seconds: nowSeconds(clock) });
    if (reading.state !== "refused") activity.told(disk.name, reading.state === "asleep");
    if (reading.state === "refused" && told !== reading.why) {
      log.info("disk-tells-nothing", { disk: disk.name, why: reading.why });
    }
  }

  #dueTest() {
    const { clock, activity, settings, recovering } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (!this.#parts.all) return undefined;
    const disks = [...this.#disks.values()];
    for (const disk of disks) {
      const { testing } = disk;
      const isOver = testing !== undefined && nowMs - testing.sinceMs > testLimitMs[testing.kind];
      if (isOver) disk.testing = undefined;
    }
    if (disks.some(({ testing }) => testing !== undefined)) return undefined;
    const tested = disks.map(({ name, judgement, record, smartProblem }) => ({
      name,
      awake: activity.stateOf(name) === "awake",
      verdict: judgement.verdict,
      smart: smartProblem === undefined ? record.smart?.facts : undefined,
      shortTestAt: record.shortTestAt,
      longTestAt: record.longTestAt,
    }));
    const now = { seconds: nowSeconds(clock), recovering: recovering() };
    return nextSelfTest(tested, settings, now);
  }

  async #order(disk: WatchedDisk, order: "short" | "long" | "abort"): Promise<string | undefined> {
    const { inquiry, clock, log } = this.#parts;
    const action = order === "abort" ? order : (`${order}-test` as const);
    const refusal = await inquiry.order(disk.facts, action);
    if (this.#stopped) return refusal;
    log.notice("disk-self-test", { disk: disk.name, order, refusal });
    const at = { ms: clock.monotonicMs(), seconds: nowSeconds(clock) };
    if (order === "abort") disk.testing = undefined;
    // One that refuses is not asked for the same again each ten seconds.
    else disk.noteSelfTest(order, at);
    if (refusal !== undefined) disk.testing = undefined;
    return refusal;
  }

  #report(disk: WatchedDisk): DiskHealthReport {
    const { activity } = this.#parts;
    const { facts, judgement, record, smartProblem, testing } = disk;
    return {
      disk: facts,
      judgement,
      smart: record.smart,
      smartProblem,
      power: activity.stateOf(disk.name),
      idleSeconds: Math.floor(activity.idleMs(disk.name) / 1000),
      testing: testing?.kind,
    };
  }

  /** False where the kernel's log may not be read, so that errors are noticed by store paths alone. */
  get hearsKernel(): boolean {
    return this.#hearsKernel;
  }
}
