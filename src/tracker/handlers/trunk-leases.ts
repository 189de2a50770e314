/**
 * Storages of our own kind say so by asking for numbers of trunk files. A number is given once: the counter is on stable storage before
 * the reply leaves. Only the leader gives any.
 */
import type { Handlers } from "#net/frame-handlers.ts";
import type { trunkLease } from "#protocol/peer/trunk-lease.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { GroupRecord } from "#tracker/group-record.ts";
import { forgetHeld, type StorageRecord } from "#tracker/storage-record.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import {
  invalid,
  joinedStorage,
  type TrackerFacts,
  type TrackerSession,
} from "#tracker/tracker-facts.ts";
import {
  type LeaseOffice,
  packingMode,
  skipUnreportedFileIds,
  takeFileIds,
} from "#tracker/trunk-lease.ts";

export function trunkLeaseHandlers(core: TrackerCore): Handlers<typeof trunkLease, TrackerFacts> {
  return {
    leaseTrunkFiles: ({ group: name, wanted }, session) => {
      const storage = joinedStorage(session);
      const { group } = storage;
      if (group.name !== name) throw invalid(`the storage belongs to ${group.name}`);
      session.facts.saidCairn = true;
      setDialect(core, storage, "cairn");
      if (!core.leadership.isLeader) {
        throw new WireStatusError(wireStatus.notSupported, "only the leader gives numbers");
      }
      const mode = packingMode(group, core.settings.trunk.enabled);
      if (mode !== "leased") return { mode, first: 0, count: 0 };
      endTrunkServer(core, group);
      const before = group.currentTrunkFileId;
      const ids = takeFileIds(group, wanted, officeOf(core, group));
      if (group.currentTrunkFileId !== before) saveNow(core, group);
      return { mode, ...ids };
    },
  };
}

/** A storage that beats without having asked is none of ours, whatever it was before it joined anew. */
export function noteSilence(
  core: TrackerCore,
  storage: StorageRecord,
  session: Pick<TrackerSession, "facts">,
): void {
  if (!session.facts.saidCairn) setDialect(core, storage, "original");
}

/** Says of what kind a storage is; what it holds is judged accordingly. */
export function setDialect(
  core: TrackerCore,
  storage: StorageRecord,
  dialect: StorageRecord["dialect"],
): void {
  if (storage.dialect === dialect) return;
  const { group } = storage;
  const { enabled } = core.settings.trunk;
  const before = packingMode(group, enabled);
  const wasOurs = storage.dialect === "cairn";
  storage.dialect = dialect;
  forgetHeld(storage);
  if (wasOurs || dialect === "cairn") core.writer.storageChanged(storage, "membership");
  const mode = packingMode(group, enabled);
  if (mode !== before)
    core.log.notice("packing-mode", { group: group.name, mode, why: storage.id });
}

function officeOf({ leadership }: TrackerCore, group: GroupRecord): LeaseOffice {
  const { version, isAlone, others, presentFollowers } = leadership;
  return {
    version,
    isAlone,
    needed: Math.floor((others.length + 1) / 2),
    seenByFollowers: presentFollowers
      .filter(({ countersRead }) => countersRead)
      .map(({ fileIds }) => fileIds.get(group.name) ?? 0),
  };
}

function endTrunkServer(core: TrackerCore, group: GroupRecord): void {
  if ((group.trunkServer ?? group.lastTrunkServer) === undefined) return;
  skipUnreportedFileIds(group);
  core.registry.setTrunkServer(group, undefined);
  group.lastTrunkServer = undefined;
  saveNow(core, group);
}

/** The writer goes on without what it could not write; here that must be known, or a restart would give the numbers again. */
function saveNow({ writer }: TrackerCore, group: GroupRecord): void {
  const { failures } = writer;
  writer.groupChanged(group);
  writer.flush();
  if (writer.failures === failures) return;
  throw new WireStatusError(wireStatus.ioError, "the state cannot be written");
}
