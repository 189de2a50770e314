/** STORAGE_JOIN: a storage enters its group, and its session becomes the one that speaks for it (protocol §2.4/81). */
import type { StorageId } from "#model/storage-id.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import type { JoinRequest } from "#protocol/fastdfs/tracker-reports.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { OwnAddresses } from "#tracker/election/leadership.ts";
import type { GroupRecord } from "#tracker/group-record.ts";
import { type GroupShape, planJoin } from "#tracker/join-plan.ts";
import { maxStoragesPerGroup } from "#tracker/limits.ts";
import { storable } from "#tracker/storable.ts";
import { identify, type StorageIdentity } from "#tracker/storage-identity.ts";
import { type Refusal, refusalOf, type StorageInput } from "#tracker/storage-machine.ts";
import type { StorageRecord } from "#tracker/storage-record.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import { invalid, notFound, type TrackerSession } from "#tracker/tracker-facts.ts";

export interface JoinReply {
  readonly status: StorageStatus;
  readonly syncSource: StorageId | undefined;
}

const noShape: GroupShape = { storagePort: 0, storePathCount: 0, subdirCount: 0 };

/** After a wait where another tracker has to be asked first (protocol §2.4/81, step 3). */
export function joinAfterCatchUp(
  core: TrackerCore,
  request: JoinRequest,
  session: TrackerSession,
): JoinReply | Promise<JoinReply> {
  const others = core.leadership.othersAmong(request.trackers, ownAddresses(request, session));
  const wait = core.catchUp.before(others);
  if (wait === undefined) return joinStorage(core, request, session);
  return wait.then(() => {
    if (session.facts.ended) throw invalid("the connection has ended");
    return joinStorage(core, request, session);
  });
}

/** Nothing has changed when it throws. */
export function joinStorage(
  core: TrackerCore,
  request: JoinRequest,
  session: TrackerSession,
): JoinReply {
  const identity = identityOf(core, request, session);
  const before = core.registry.group(request.group);
  const shape = plannedShape(core, { request, identity, before });
  if (before?.byId.get(identity.id) === undefined) {
    throwRefusal(refusalOf({ status: storageStatus.none, source: undefined }, joinInput(request)));
    if ((before?.storages.length ?? 0) >= maxStoragesPerGroup) {
      throw new WireStatusError(wireStatus.noSpace, "too many storages in the group");
    }
  }
  meetTrackers(core, { request, id: identity.id }, session);
  const group = before ?? core.registry.groupFor(request.group);
  if (group === undefined) throw new WireStatusError(wireStatus.noSpace, "too many groups");
  const storage = enter(core, group, { request, identity });
  core.registry.reshape(group, shape);
  takeOver(core, storage, { request, identity });
  attach(core, storage, { request, session });
  return { status: storage.status, syncSource: storage.source?.id };
}

/** The session is over, or speaks for another storage now. */
export function leave(core: TrackerCore, session: Pick<TrackerSession, "facts">): void {
  const { storage } = session.facts;
  session.facts.storage = undefined;
  if (storage === undefined || storage.session !== session.facts) return;
  storage.session = undefined;
  storage.upTime = 0;
  core.registry.apply(storage, { name: "connection-lost" });
}

function identityOf(
  core: TrackerCore,
  request: JoinRequest,
  session: TrackerSession,
): StorageIdentity {
  const claimed = core.settings.trustStorageId ? request.id : undefined;
  const place = { group: request.group, address: session.remoteAddress, port: request.port };
  const identity = identify(core.storageIds, place, claimed);
  if (identity !== undefined) return identity;
  throw notFound(
    `the storage ids file has no ${claimed ?? `${place.address}:${place.port}`} of ${place.group}`,
  );
}

function plannedShape(
  core: TrackerCore,
  joining: {
    readonly request: JoinRequest;
    readonly identity: StorageIdentity;
    readonly before: GroupRecord | undefined;
  },
): GroupShape {
  const { request, identity, before } = joining;
  const { settings, storageIds } = core;
  const others = before?.storages.filter((other) => other.id !== identity.id) ?? [];
  const plan = planJoin(
    request,
    { shape: before ?? noShape, others },
    {
      group: request.group,
      groupOfId: identity.group,
      portsMayDiffer: storageIds !== undefined && settings.idTypeInFilename === "id",
    },
  );
  if (!("refusal" in plan)) return plan;
  const { group } = request;
  core.log.warn("join-refused", { group, storage: identity.id, why: plan.refusal });
  throw invalid(plan.refusal);
}

function ownAddresses(request: JoinRequest, session: TrackerSession): OwnAddresses {
  return { local: session.localAddress, configured: request.trackerAddress };
}

/** Under this a storage's list of trackers is kept. */
export function listOwner(group: string, id: string): string {
  return `${group}/${id}`;
}

function meetTrackers(
  core: TrackerCore,
  { request, id }: { readonly request: JoinRequest; readonly id: StorageId },
  session: TrackerSession,
): void {
  const own = ownAddresses(request, session);
  const result = core.leadership.merge(listOwner(request.group, id), request.trackers, own);
  if (result === "merged") return;
  if (result === "too-many") throw new WireStatusError(wireStatus.noSpace, "too many trackers");
  throw notFound("this tracker is not in the storage's list of trackers");
}

function enter(
  core: TrackerCore,
  group: GroupRecord,
  joining: { readonly request: JoinRequest; readonly identity: StorageIdentity },
): StorageRecord {
  const { request, identity } = joining;
  const known = group.byId.get(identity.id);
  if (known === undefined) return core.registry.admit(group, identity, joinInput(request));
  core.registry.apply(known, joinInput(request));
  return known;
}

function joinInput(request: JoinRequest): Extract<StorageInput, { name: "join" }> {
  return { name: "join", initializing: request.initializing, reported: request.status };
}

function takeOver(
  core: TrackerCore,
  storage: StorageRecord,
  joining: { readonly request: JoinRequest; readonly identity: StorageIdentity },
): void {
  const { request, identity } = joining;
  storage.version = request.version;
  storage.joinTime = storable(request.joinTime);
  storage.storePathCount = request.storePathCount;
  storage.subdirCount = request.subdirCount;
  storage.storePaths = storage.storePaths.slice(0, request.storePathCount);
  core.writer.storageChanged(storage, "membership");
  const { addresses, mode } = identity;
  const uploadPriority = storable(request.uploadPriority);
  const same =
    storage.port === request.port &&
    storage.uploadPriority === uploadPriority &&
    storage.mode === mode &&
    storage.addresses.join() === addresses.join();
  if (same) return;
  storage.port = request.port;
  storage.mode = mode;
  storage.addresses = addresses;
  storage.uploadPriority = uploadPriority;
  core.registry.identityChanged(storage);
}

function attach(
  core: TrackerCore,
  storage: StorageRecord,
  joining: { readonly request: JoinRequest; readonly session: TrackerSession },
): void {
  const { request, session } = joining;
  const { facts } = session;
  if (facts.storage !== storage) leave(core, session);
  facts.storage = storage;
  facts.trackerAddress = request.trackerAddress;
  facts.leaderTold = -1;
  facts.saidCairn = false;
  storage.session = facts;
  storage.upTime = storable(request.upTime);
  storage.heardAtMs = core.clock.monotonicMs();
  storage.messageAtMs = storage.heardAtMs;
  storage.reportsHeld = false;
}

const refusalStatus: Readonly<Record<Refusal, number>> = {
  busy: wireStatus.busy,
  "already-done": wireStatus.alreadyDone,
  "not-found": wireStatus.notFound,
  impossible: wireStatus.badAddress,
};

/** What the status machine refuses, as the status that the peer gets. */
export function throwRefusal(refusal: Refusal | undefined): void {
  if (refusal === undefined) return;
  throw new WireStatusError(refusalStatus[refusal], `refused: ${refusal}`);
}
