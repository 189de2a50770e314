/**
 * The tracker role: knows who stores what, tells clients where to go (protocol §2.2 to §2.5, §6.6 to §6.7, §9). Everything runs
 * on the main thread; all handlers but one are synchronous. Constructing stores only, `start` acts.
 */
import { describeError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import { addHandlers, type HandlerEntry } from "#net/frame-handlers.ts";
import { FrameServer } from "#net/frame-server.ts";
import { type Clock, nowSeconds, type Timer } from "#platform/clock.ts";
import type { Listener, Network } from "#platform/network.ts";
import type { Random } from "#platform/random.ts";
import { narrowAddresses, type WireContext, wideAddresses } from "#protocol/codec.ts";
import { common } from "#protocol/fastdfs/common.ts";
import { trackerAdmin } from "#protocol/fastdfs/tracker-admin.ts";
import { trackerCluster } from "#protocol/fastdfs/tracker-cluster.ts";
import { trackerLookups } from "#protocol/fastdfs/tracker-lookups.ts";
import { trackerQueries } from "#protocol/fastdfs/tracker-queries.ts";
import { trackerReports } from "#protocol/fastdfs/tracker-reports.ts";
import { heldReports } from "#protocol/peer/report-held.ts";
import { trunkLease } from "#protocol/peer/trunk-lease.ts";
import { ProtocolError } from "#protocol/protocol-error.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { adoptImported } from "#tracker/adopt-tracker.ts";
import { CatchUp } from "#tracker/catch-up.ts";
import { Changelog } from "#tracker/changelog.ts";
import { CommandCounters } from "#tracker/command-counters.ts";
import { Election } from "#tracker/election/election.ts";
import { electionAnswers } from "#tracker/election/election-answers.ts";
import { Leadership } from "#tracker/election/leadership.ts";
import { savedGroup } from "#tracker/group-record.ts";
import { adminHandlers } from "#tracker/handlers/admin.ts";
import { clusterHandlers, placementOf, releaseSystemFiles } from "#tracker/handlers/cluster.ts";
import { heldReportHandlers } from "#tracker/handlers/held-reports.ts";
import { leave, listOwner } from "#tracker/handlers/join.ts";
import { lookupHandlers } from "#tracker/handlers/lookups.ts";
import { queryHandlers } from "#tracker/handlers/queries.ts";
import { reportHandlers } from "#tracker/handlers/reports.ts";
import { trunkLeaseHandlers } from "#tracker/handlers/trunk-leases.ts";
import {
  aliveCheckPeriodMs,
  aliveNotePeriodMs,
  shortestCheckPeriodMs,
  statisticsSavePeriodMs,
} from "#tracker/limits.ts";
import { Liveness } from "#tracker/liveness.ts";
import { Registry } from "#tracker/registry.ts";
import { restoreGroups } from "#tracker/restore.ts";
import { StateWriter } from "#tracker/state-writer.ts";
import { StorageIdTable } from "#tracker/storage-identity.ts";
import { isGone } from "#tracker/storage-machine.ts";
import { savedStorage } from "#tracker/storage-record.ts";
import { SystemFileDesk, type SystemFileHold } from "#tracker/system-file-hold.ts";
import { formatSystemFiles } from "#tracker/system-files.ts";
import type { ImportedTracker } from "#tracker/system-files-import.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import { newTrackerFacts, type TrackerFacts } from "#tracker/tracker-facts.ts";
import { responseAddressWidth, type TrackerSettings } from "#tracker/tracker-settings.ts";
import { type TrackerSnapshot, takeSnapshot } from "#tracker/tracker-snapshot.ts";
import { adoptSavedTracker, type TrackerState } from "#tracker/tracker-state.ts";
import { TrunkElection } from "#tracker/trunk-election.ts";

export interface TrackerParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly state: TrackerState;
  /** False closes a connection without a byte. */
  readonly admits: (address: string) => boolean;
  /** What another tracker left, for an empty state to start from; asked at the start. */
  readonly inheritance?: () => ImportedTracker | undefined;
}

export interface RunningTracker extends AsyncDisposable {
  /** Rejects when the tracker fails by itself; pending for as long as it is well. */
  readonly failed: Promise<never>;
  /** Where it listens; the port is the same for all. */
  readonly listeners: readonly Pick<Listener, "address" | "port">[];
  snapshot(): TrackerSnapshot;
}

export class TrackerRole {
  readonly name = "tracker";
  readonly #settings: TrackerSettings;
  readonly #parts: TrackerParts;

  constructor(settings: TrackerSettings, parts: TrackerParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** Resolves once the tracker answers. Rejects when the state cannot be read or an address cannot be had. */
  async start(signal: AbortSignal): Promise<RunningTracker> {
    signal.throwIfAborted();
    const counters = new CommandCounters();
    const { core, server } = assemble(this.#settings, this.#parts, counters);
    const { addresses, port } = this.#settings;
    const listeners = await server.listen(addresses, port);
    const running = new RunningRole(core, { server, counters, listeners });
    if (signal.aborted) {
      await running[Symbol.asyncDispose]();
      signal.throwIfAborted();
    }
    core.leadership.ownPort = listeners[0]?.port ?? port;
    running.begin();
    return running;
  }
}

interface Serving {
  readonly server: FrameServer<TrackerFacts>;
  readonly counters: CommandCounters;
  readonly listeners: readonly Listener[];
}

class RunningRole implements RunningTracker {
  readonly failed = new Promise<never>(() => {});
  readonly #core: TrackerCore;
  readonly #serving: Serving;
  #timers: Timer[] = [];

  constructor(core: TrackerCore, serving: Serving) {
    this.#core = core;
    this.#serving = serving;
  }

  get listeners(): readonly Listener[] {
    return this.#serving.listeners;
  }

  begin(): void {
    const { clock, settings, writer } = this.#core;
    const checkPeriodMs = Math.max(shortestCheckPeriodMs, settings.checkActiveIntervalMs / 10);
    this.#noteAlive();
    writer.flush();
    this.#core.election.begin();
    this.#timers = [
      clock.every(checkPeriodMs, () => this.#checkLife("beats")),
      clock.every(aliveCheckPeriodMs, () => this.#checkLife("messages")),
      clock.every(statisticsSavePeriodMs, () => {
        this.#forgetLists();
        writer.flush();
      }),
      clock.every(aliveNotePeriodMs, () => this.#noteAliveForOthers()),
    ];
    if (settings.trunk.enabled) {
      this.#timers.push(clock.every(checkPeriodMs, () => this.#checkTrunkServers()));
    }
  }

  snapshot(): TrackerSnapshot {
    return takeSnapshot(this.#core, this.#serving.counters.all());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    this.#core.election.stop();
    await this.#serving.server.stop(this.#core.settings.stopDeadlineMs);
    this.#noteAlive();
    this.#core.writer.flush();
  }

  #checkLife(signs: "beats" | "messages"): void {
    const { liveness, writer } = this.#core;
    if (signs === "beats") liveness.checkBeats();
    else liveness.checkMessages();
    if (writer.urgent) writer.flush();
  }

  /** Of trackers, which storages brought that are deleted by now. */
  #forgetLists(): void {
    const { registry, leadership } = this.#core;
    const members = registry.groups.flatMap((group) =>
      group.storages.filter((each) => !isGone(each)).map((each) => listOwner(group.name, each.id)),
    );
    const known = new Set(members);
    leadership.keepLists((owner) => known.has(owner));
  }

  #checkTrunkServers(): void {
    const { leadership, trunkElection, log } = this.#core;
    if (leadership.isLeader) ignore(trunkElection.check(), log, "tried again at the next check");
  }

  /** How long we were away matters to other trackers only (protocol §9.7); alone we let the disk sleep. */
  #noteAliveForOthers(): void {
    if (!this.#core.leadership.isAlone) this.#noteAlive();
  }

  #noteAlive(): void {
    const { clock, writer, startedAt } = this.#core;
    writer.timesChanged({ upTime: startedAt, lastCheckTime: nowSeconds(clock) });
  }
}

function assemble(
  settings: TrackerSettings,
  parts: TrackerParts,
  counters: CommandCounters,
): { readonly core: TrackerCore; readonly server: FrameServer<TrackerFacts> } {
  const { clock, log, network } = parts;
  inherit(parts);
  const saved = parts.state.load();
  const writer = new StateWriter(parts.state, log);
  const changelog = new Changelog(saved.changelog);
  const registry = new Registry(settings, { clock, log, writer, changelog });
  const storageIds =
    settings.storageIds === undefined ? undefined : new StorageIdTable(settings.storageIds);
  restoreGroups(registry, saved, { clock, log, storageIds });
  const startedAt = nowSeconds(clock);
  const { lastCheckTime } = saved.times;
  const { checkActiveIntervalMs } = settings;
  // The clock may have been set back.
  const restartInterval = lastCheckTime > 0 ? Math.max(0, startedAt - lastCheckTime) : 0;
  const leadership = new Leadership({ clock, log, hasGroups: () => registry.groups.length > 0 });
  const election: Election = new Election({
    leadership,
    network,
    clock,
    random: parts.random,
    log,
    ...electionAnswers(() => core),
  });
  const core: TrackerCore = {
    settings,
    clock,
    log,
    registry,
    leadership,
    election,
    liveness: new Liveness({ clock, registry, checkActiveIntervalMs }),
    catchUp: new CatchUp({
      log,
      calls: election.calls,
      restartInterval,
      hasGroups: () => registry.groups.length > 0,
      own: () => placementOf(core),
      adopt: (imported) => adoptImported({ clock, log, registry, writer, storageIds }, imported),
    }),
    writer,
    storageIds,
    systemFiles: new SystemFileDesk(clock, () => systemFilesOf(registry, storageIds)),
    trunkElection: new TrunkElection({ settings, network, clock, log, registry, writer }),
    startedAt,
    startedAtMs: clock.monotonicMs(),
    restartInterval,
    connections: () => server.connections,
  };
  const server = frameServer(core, parts, counters);
  return { core, server };
}

function frameServer(
  core: TrackerCore,
  parts: TrackerParts,
  counters: CommandCounters,
): FrameServer<TrackerFacts> {
  const { settings, writer } = core;
  const { clock, log, network } = parts;
  return new FrameServer<TrackerFacts>({
    network,
    clock,
    log,
    handlers: handlerTable(core, counters),
    context: () => wireContextOf(core),
    statusOf: (error, where) => statusOf(core, counters, { error, ...where }),
    newFacts: newTrackerFacts,
    admits: parts.admits,
    onSessionEnd: (session) => {
      session.facts.ended = true;
      leave(core, session);
      releaseSystemFiles(core, session);
      if (writer.urgent) writer.flush();
    },
    maxConnections: settings.maxConnections,
    networkTimeoutMs: settings.networkTimeoutMs,
    maxBodyBytes: settings.maxBodyBytes,
    closesAfterInvalid: false,
    answersOversized: false,
  });
}

/** A tracker that takes the place of a C tracker knows its storages before they join again. */
function inherit({ inheritance, state, log }: TrackerParts): void {
  const inherited = inheritance?.();
  if (inherited === undefined || !adoptSavedTracker(state, inherited.saved)) return;
  const { groups, storages } = inherited.saved;
  log.notice("tracker-data-adopted", { groups: groups.length, storages: storages.length });
  for (const problem of inherited.problems) log.warn("tracker-data-left-out", { problem });
}

/** Every command of a tracker; each is counted, and what must survive is saved before its reply leaves. */
function handlerTable(
  core: TrackerCore,
  counters: CommandCounters,
): ReadonlyMap<number, HandlerEntry<TrackerFacts>> {
  const table = new Map<number, HandlerEntry<TrackerFacts>>();
  addHandlers(table, trackerQueries, queryHandlers(core));
  addHandlers(table, trackerLookups, lookupHandlers(core));
  addHandlers(table, trackerReports, reportHandlers(core));
  addHandlers(table, trunkLease, trunkLeaseHandlers(core));
  addHandlers(table, heldReports, heldReportHandlers(core));
  addHandlers(table, trackerAdmin, adminHandlers(core));
  addHandlers(table, trackerCluster, clusterHandlers(core));
  addHandlers(table, common, { activeTest: () => undefined, quit: () => undefined });
  const { writer, liveness } = core;
  for (const [command, { message, handle }] of table) {
    const counter = counters.of(message.name);
    table.set(command, {
      message,
      handle: (request, session, body) => {
        counter.requests += 1;
        liveness.heard(session.facts);
        const reply = handle(request, session, body);
        if (reply instanceof Promise) {
          return reply.then((later: unknown) => {
            if (writer.urgent) writer.flush();
            return later;
          });
        }
        if (writer.urgent) writer.flush();
        return reply;
      },
    });
  }
  return table;
}

/** Storages that joined from IPv6 addresses need the wide fields, unless the settings insist on a width (protocol §1.5). */
function wireContextOf(core: TrackerCore): WireContext {
  const width = responseAddressWidth(core.settings, core.registry.hasWideAddress);
  return width === 16 ? narrowAddresses : wideAddresses;
}

/** The status of a reply that has no body. */
function statusOf(
  core: TrackerCore,
  counters: CommandCounters,
  failure: { readonly error: unknown; readonly peer: string; readonly command: string },
): number {
  const { error, peer, command } = failure;
  const counter = counters.of(command);
  counter.failures += 1;
  // A malformed request has not come as far as its handler, which counts the others.
  if (error instanceof ProtocolError) counter.requests += 1;
  if (core.writer.urgent) core.writer.flush();
  if (error instanceof WireStatusError) return error.status;
  if (error instanceof ProtocolError) {
    core.log.debug("request-malformed", { command, peer, why: error.message });
    return wireStatus.invalid;
  }
  core.log.error("request-failed", { command, peer, why: describeError(error) });
  return wireStatus.ioError;
}

function systemFilesOf(registry: Registry, storageIds: StorageIdTable | undefined): SystemFileHold {
  const storages = registry.groups.flatMap((group) => group.storages);
  return formatSystemFiles(
    {
      groups: registry.groups.map(savedGroup),
      storages: storages.filter((storage) => !isGone(storage)).map(savedStorage),
    },
    {
      withIds: storageIds !== undefined,
      changelogStart: registry.changelog.start,
      changelog: registry.changelog.text(),
    },
  );
}
