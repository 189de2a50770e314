/**
 * The link to one peer: performs what the machine says (`sync-machine.ts`), finds out whether the peer is one of ours, and keeps a pump a
 * store path. To peers of ours it tells once a second up to which position they hold what was made here. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import { ignore } from "#base/log.ts";
import type { StorageId } from "#model/storage-id.ts";
import type { ByteSource } from "#net/byte-flow.ts";
import { FrameClient } from "#net/frame-client.ts";
import { nowSeconds, type Timer } from "#platform/clock.ts";
import { reportServerId } from "#protocol/fastdfs/storage-sync.ts";
import { syncHello, unknownGaps } from "#protocol/peer/replication.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { CLane } from "#sync/c-lane.ts";
import { CairnLane } from "#sync/cairn-lane.ts";
import { askAgainMs, idlePeriodMs } from "#sync/limits.ts";
import { pacedSource } from "#sync/paced-source.ts";
import { PathPump } from "#sync/path-pump.ts";
import type { LinkReport, PeerLinkParts } from "#sync/peer-link-parts.ts";
import type { PushLane } from "#sync/push.ts";
import {
  describeLink,
  type LinkEffect,
  type LinkInput,
  type LinkState,
  newLink,
  type SyncPlan,
  transition,
} from "#sync/sync-machine.ts";
import { ByteBudget, hoursOpen, isWholeDay } from "#sync/sync-pace.ts";

/** Unix seconds. */
const endOfTime = 0xffffffff;
/** Of a path that nobody knew before. */
const everything: SyncPlan = { needSyncOld: true, oldDone: false, until: 0 };
/** What was told to the trackers is told again, while they do not go by it. */
const reportPeriodMs = 8000;

export class PeerLink {
  readonly #parts: PeerLinkParts;
  readonly #pumps: PathPump[];
  readonly #budget: ByteBudget;
  readonly #paced = (source: ByteSource): ByteSource =>
    pacedSource(source, this.#budget, this.#parts.clock);
  #state: LinkState = newLink;
  #stopped = false;
  #dialect: "cairn" | "c" | undefined;
  /** To a peer of ours: for the hello and the position. */
  #control: CairnLane | undefined;
  #telling = false;
  #timer: Timer | undefined;
  #retry: Timer | undefined;
  #peerHolds = 0;
  #peerDisk = "";
  /** Monotonic milliseconds of the last answer to a sign of life. */
  #heardMs = Number.NEGATIVE_INFINITY;
  readonly #caughtUp = new Set<PathPump>();
  /** What is under way, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #attempt = new AbortController();
  #silentMs = 0;
  #reportDueMs = 0;
  #doubtDueMs = 0;

  constructor(parts: PeerLinkParts) {
    this.#parts = parts;
    this.#budget = new ByteBudget(parts.settings.bytesPerSecond);
    this.#pumps = parts.storePathIndexes.map((index) => this.#pump(index));
  }

  /** The peer answered a moment ago. */
  get isHeard(): boolean {
    const silentMs = this.#parts.clock.monotonicMs() - this.#heardMs;
    return this.#state.phase === "sending" && silentMs < 2 * idlePeriodMs;
  }

  get report(): LinkReport {
    const paths = this.#pumps.map((pump) => pump.report);
    const oldest = Math.min(
      ...paths.map((path) => path.oldestTimestamp ?? Number.MAX_SAFE_INTEGER),
    );
    const now = nowSeconds(this.#parts.clock);
    return {
      peer: this.#parts.peerId,
      phase: this.#state.phase,
      state: describeLink(this.#state),
      dialect: this.#dialect,
      paths,
      lagSeconds: paths.every(({ isKnown }) => isKnown) ? now - Math.min(oldest, now) : undefined,
      heldUntil: this.#position().heldUntil,
    };
  }

  get dialect(): "cairn" | "c" | undefined {
    return this.#dialect;
  }

  start(): void {
    this.#timer = this.#parts.clock.every(idlePeriodMs, () => this.#tick());
    this.#enqueue(() => this.#load());
  }

  /** The group's list may have changed. */
  refresh(): void {
    if (this.#stopped || this.#state.phase === "loading") return;
    this.#input({ name: "status", status: this.#parts.place()?.status });
  }

  /** The binlog of a store path has grown. */
  wake(storePathIndex: number): void {
    const pump = this.#pumpOf(storePathIndex);
    if (pump === undefined) return;
    this.#caughtUp.delete(pump);
    pump.wake();
  }

  /**
   * A store path is served from now on; `isOther`: not from the disk that had its index. What is on a path that the link did not know is
   * sent as far as the peer lacks it, whoever made it.
   */
  addPath(storePathIndex: number, isOther: boolean): void {
    const known = this.#pumpOf(storePathIndex);
    // The one that was away goes on where it was.
    if (known !== undefined && !isOther) {
      known.resume();
      return;
    }
    if (known !== undefined) {
      ignore(known.stop(false), this.#parts.log, "nothing is written");
      this.#caughtUp.delete(known);
      this.#pumps.splice(this.#pumps.indexOf(known), 1);
    }
    const pump = this.#pump(storePathIndex);
    this.#pumps.push(pump);
    if (this.#stopped || this.#state.phase !== "sending") return;
    const peerHolds = this.#peerHolds;
    pump.start({
      plan: everything,
      startOver: false,
      peerHolds: known === undefined ? 0 : peerHolds,
    });
  }

  #pumpOf(storePathIndex: number): PathPump | undefined {
    return this.#pumps.find((pump) => pump.storePathIndex === storePathIndex);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#retry?.cancel();
    this.#disconnect();
    await this.#work;
  }

  #pump(storePathIndex: number): PathPump {
    const parts = this.#parts;
    const { settings } = parts;
    const pump: PathPump = new PathPump({
      store: parts.store,
      clock: parts.clock,
      log: parts.log,
      storePathIndex,
      peer: parts.peerId,
      markName: () => parts.markName(),
      maxLanes: () => this.#maxLanes(),
      openLane: () => this.#openLane(),
      fileIntervalMs: settings.fileIntervalMs,
      skipsInvalid: settings.skipsInvalid,
      heal: (name) => parts.heal(name),
      onProgress: (records, bytes) => {
        parts.onSent(records, bytes);
        if (this.#state.failures > 0) this.#input({ name: "progress" });
      },
      onCaughtUp: () => this.#pumpCaughtUp(pump),
      onBinlogGone: () => parts.onBinlogGone(),
      onFailure: (error) => this.#input({ name: "failed", why: describeError(error) }),
    });
    return pump;
  }

  #maxLanes(): number {
    if (this.#dialect !== "cairn") return 1;
    return Math.max(1, Math.floor(this.#parts.settings.connections / this.#pumps.length));
  }

  #pumpCaughtUp(pump: PathPump): void {
    this.#caughtUp.add(pump);
    if (this.#caughtUp.size < this.#pumps.length) return;
    const plan = this.#state.plan;
    if (plan?.needSyncOld === true) this.#input({ name: "caught-up" });
  }

  #input(input: LinkInput): void {
    if (this.#stopped) return;
    const before = this.#state;
    const { state, effects } = transition(before, input);
    this.#state = state;
    if (state.phase !== before.phase || state.problem !== before.problem) this.#noteChange(before);
    for (const effect of effects) this.#perform(effect);
  }

  #noteChange(before: LinkState): void {
    const { log, peerId } = this.#parts;
    const data = { peer: peerId, was: before.phase, is: this.#state.phase };
    if (this.#state.phase === "pausing") {
      log.warn("sync-link", { ...data, why: this.#state.problem });
    } else if (this.#state.phase === "sending") {
      log.notice("sync-link", { ...data, dialect: this.#dialect });
    } else {
      log.debug("sync-link", { ...data, why: this.#state.problem });
    }
  }

  #perform(effect: LinkEffect): void {
    switch (effect.name) {
      case "ask-source":
        this.#enqueue(() => this.#askSource());
        break;
      case "connect":
        this.#enqueue(() => this.#connect());
        break;
      case "begin":
        this.#begin(effect.plan, effect.startOver);
        break;
      case "disconnect":
        this.#disconnect();
        break;
      case "save-plan":
        for (const pump of this.#pumps) pump.savePlan(effect.plan);
        break;
      case "report":
        this.#reportDueMs = 0;
        this.#reportWhatWasTold();
        break;
      case "pause":
        this.#retry?.cancel();
        this.#retry = this.#parts.clock.after(effect.ms, () => this.#input({ name: "retry" }));
        break;
    }
  }

  #enqueue(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.#input({ name: "failed", why: describeError(error) });
    });
  }

  async #load(): Promise<void> {
    const plan = await this.#loadMarks();
    this.#input({ name: "hours", open: this.#hoursOpen() });
    this.#input({ name: "loaded", plan });
    this.refresh();
  }

  async #loadMarks(): Promise<SyncPlan | undefined> {
    let plan: SyncPlan | undefined;
    for (const pump of this.#pumps) {
      try {
        const found = await pump.load();
        plan ??= found;
      } catch (error) {
        const { log, peerId } = this.#parts;
        log.warn("sync-mark-unread", { peer: peerId, why: describeError(error) });
      }
    }
    return plan;
  }

  async #askSource(): Promise<void> {
    const answer = await this.#parts.askSource(this.#parts.peerId);
    const { source, until = 0 } = answer ?? {};
    const other = source === undefined ? "nobody" : "other";
    const filler = source !== undefined && source === this.#parts.ownId() ? "self" : other;
    this.#input({ name: "source", filler, until });
  }

  /** Until trackers tell what follows from it: one may have been away, or has lost it. */
  #reportWhatWasTold(): void {
    const { clock, log, peerId, report } = this.#parts;
    const { told, status } = this.#state;
    if (!told || status === undefined || clock.monotonicMs() < this.#reportDueMs) return;
    this.#reportDueMs = clock.monotonicMs() + reportPeriodMs;
    report(peerId, status).catch((error: unknown) => {
      log.warn("sync-status-not-reported", { peer: peerId, why: describeError(error) });
      this.#reportDueMs = clock.monotonicMs() + reportPeriodMs / 4;
    });
  }

  get #isConnecting(): boolean {
    return !this.#stopped && this.#state.phase === "connecting";
  }

  async #connect(): Promise<void> {
    if (!this.#isConnecting) return;
    this.#attempt = new AbortController();
    const { signal } = this.#attempt;
    this.#dialect = undefined;
    const client = await this.#dial();
    const end = (): void => client.close();
    signal.addEventListener("abort", end, { once: true });
    try {
      this.#peerHolds = await this.#hello(client);
      await this.#findMarks();
    } catch (error) {
      client.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", end);
    }
    if (signal.aborted || !this.#isConnecting) {
      // The link was ended meanwhile: nobody else closes what was opened since.
      this.#control = undefined;
      client.close();
      return;
    }
    if (this.#dialect !== undefined) this.#parts.onDialect(this.#dialect);
    this.#input({ name: "connected" });
  }

  /** It may have had another address before. */
  async #findMarks(): Promise<void> {
    await this.#parts.recognize(this.#peerDisk);
    if (!this.#state.isUnmarked) return;
    const plan = await this.#loadMarks();
    if (plan !== undefined) this.#input({ name: "mark-found", plan });
  }

  /** Resolves to what the peer holds of ours; 0 where it does not say. */
  async #hello(client: FrameClient): Promise<number> {
    const { group, store } = this.#parts;
    const id = this.#ownId();
    try {
      const hello = { group, id, clock: store.nameClock() };
      const { held, disk } = await client.call(syncHello, hello);
      this.#peerDisk = disk;
      this.#dialect = "cairn";
      this.#control = this.#cairnLane(client);
      return held.find((one) => one.id === id)?.heldUntil ?? 0;
    } catch (error) {
      // C answers so and closes, as do storages of other groups.
      const isForeign = error instanceof WireStatusError && error.status === wireStatus.invalid;
      if (!isForeign) throw error;
      this.#dialect = "c";
      client.close();
      return 0;
    }
  }

  #ownId(): StorageId {
    const id = this.#parts.ownId();
    if (id === undefined) throw new Error("no tracker has told who this storage is");
    return id;
  }

  /** By any of the peer's addresses. */
  async #dial(): Promise<FrameClient> {
    const { network, clock, settings, place } = this.#parts;
    const found = place();
    let failure: unknown = new Error("nobody knows where the peer is");
    const { signal } = this.#attempt;
    const from = settings.from === undefined ? {} : { from: settings.from };
    for (const address of found?.addresses ?? []) {
      try {
        return await FrameClient.connect(
          { address, port: found?.port ?? 0, timeoutMs: settings.connectTimeoutMs, ...from },
          { network, clock, networkTimeoutMs: settings.networkTimeoutMs },
          signal,
        );
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
      }
    }
    throw failure;
  }

  async #openLane(): Promise<PushLane> {
    const { store, group } = this.#parts;
    const client = await this.#dial();
    if (this.#dialect === "cairn") return this.#cairnLane(client);
    try {
      await client.call(reportServerId, { id: this.#ownId() });
    } catch (error) {
      client.close();
      throw error;
    }
    return new CLane({ client, store, group, paced: this.#paced });
  }

  #cairnLane(client: FrameClient): CairnLane {
    const { store, group } = this.#parts;
    const ownId = this.#ownId();
    const adopt = (name: string): Promise<boolean> => this.#parts.adopt(name);
    const how = { held: () => this.#position(), adopt, paced: this.#paced };
    return new CairnLane({ client, store, group, ownId, ...how });
  }

  #position(): { readonly heldUntil: number; readonly gaps: number } {
    let heldUntil = Number.MAX_SAFE_INTEGER;
    let gaps = 0;
    for (const pump of this.#pumps) {
      heldUntil = Math.min(heldUntil, pump.reached);
      gaps += pump.gaps;
    }
    if (this.#parts.mayLack()) gaps = unknownGaps;
    return { heldUntil: this.#pumps.length === 0 ? 0 : heldUntil, gaps };
  }

  #begin(plan: SyncPlan, startOver: boolean): void {
    if (this.#state.phase !== "sending") return;
    this.#caughtUp.clear();
    const ownPlan = this.#dialect === "cairn" ? withoutClock(plan) : plan;
    for (const pump of this.#pumps) {
      pump.start({ plan: ownPlan, startOver, peerHolds: this.#peerHolds });
    }
  }

  #disconnect(): void {
    this.#attempt.abort(new Error("the link was ended"));
    this.#retry?.cancel();
    this.#control?.close();
    this.#control = undefined;
    for (const pump of this.#pumps) {
      const { log } = this.#parts;
      const stopped = pump.stop();
      ignore(stopped, log, "an old mark sends records twice");
      this.#enqueue(() => stopped.catch(() => undefined));
    }
  }

  #tick(): void {
    this.#input({ name: "hours", open: this.#hoursOpen() });
    this.refresh();
    this.#doubtAtTimes();
    this.#reportWhatWasTold();
    const { plan, startOver } = this.#state;
    for (const pump of this.#pumps) {
      ignore(pump.look(plan, startOver), this.#parts.log, "what waits is not known");
    }
    if (this.#state.phase !== "sending") return;
    const control = this.#control;
    if (control !== undefined) {
      if (this.#telling) return;
      this.#telling = true;
      const told = control.keepAlive().finally(() => {
        this.#telling = false;
      });
      ignore(
        told.then(() => {
          this.#heardMs = this.#parts.clock.monotonicMs();
        }),
        this.#parts.log,
        "who does not answer is not heard",
      );
      told.catch((error: unknown) => this.#controlFailed(control, error));
      return;
    }
    this.#silentMs += idlePeriodMs;
    if (this.#silentMs < this.#parts.settings.heartBeatIntervalMs) return;
    this.#silentMs = 0;
    for (const pump of this.#pumps) pump.keepAlive();
  }

  #doubtAtTimes(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs < this.#doubtDueMs) return;
    this.#doubtDueMs = nowMs + askAgainMs;
    this.#input({ name: "doubt" });
  }

  #controlFailed(control: CairnLane, error: unknown): void {
    if (control !== this.#control) return;
    this.#input({ name: "failed", why: describeError(error) });
  }

  #hoursOpen(): boolean {
    const { hours } = this.#parts.settings;
    if (isWholeDay(hours)) return true;
    const local = new Date(this.#parts.clock.nowMs());
    return hoursOpen(hours, local.getHours() * 60 + local.getMinutes());
  }
}

/**
 * To a storage of ours: whoever fills it sends everything, and the others what they made from their begin on. The time up to which a tracker
 * wants it filled is of that tracker's clock, and what was made just before it would be nobody's.
 */
function withoutClock(plan: SyncPlan): SyncPlan {
  return { ...plan, until: plan.needSyncOld ? endOfTime : 0 };
}
