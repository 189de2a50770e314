/** Who fills a new storage with the files of its group (protocol §2.4/86 to 88 and 79, §6.4). */
import type { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import { nowSeconds } from "#platform/clock.ts";
import type { trackerReports } from "#protocol/fastdfs/tracker-reports.ts";
import { throwRefusal } from "#tracker/handlers/join.ts";
import { storable } from "#tracker/storable.ts";
import { isAvailable, isGone, type SyncSource } from "#tracker/storage-machine.ts";
import type { StorageRecord } from "#tracker/storage-record.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import { joinedStorage, notFound, type TrackerFacts } from "#tracker/tracker-facts.ts";

type Reports = Handlers<typeof trackerReports, TrackerFacts>;

export function syncSourceHandlers(
  core: TrackerCore,
): Pick<
  Reports,
  "requestSyncSourceOf" | "requestSyncSource" | "notifySyncSource" | "querySyncSource"
> {
  const { registry } = core;
  return {
    requestSyncSourceOf: ({ group, id }) => {
      const destination = registry.group(group)?.byId.get(id);
      if (destination === undefined || isGone(destination)) throw notFound("unknown storage");
      if (destination.status === storageStatus.init)
        throw notFound("the storage has no source yet");
      return { sync: reply(usableSource(core, destination)) };
    },
    requestSyncSource: (_request, session) => {
      const storage = joinedStorage(session);
      const source = chooseSource(core, storage);
      throwRefusal(registry.apply(storage, { name: "source-chosen", source }));
      return { sync: reply(source) };
    },
    notifySyncSource: ({ source: id, until }, session) => {
      const storage = joinedStorage(session);
      if (id !== undefined && storage.source === undefined) {
        const source = storage.group.byId.get(id);
        if (source === undefined || isGone(source)) throw notFound("unknown sync source");
      }
      const source = id === undefined ? undefined : { id, until: storable(until) };
      throwRefusal(registry.apply(storage, { name: "source-told", source }));
      return undefined;
    },
    querySyncSource: (_request, session) => ({ sync: reply(joinedStorage(session).source) }),
  };
}

/** The source on record; one that cannot fill anybody any more is forgotten. */
function usableSource(core: TrackerCore, destination: StorageRecord): SyncSource | undefined {
  const { source } = destination;
  if (source === undefined) return undefined;
  const storage = destination.group.byId.get(source.id);
  if (storage !== undefined && mayBeSource(storage)) return source;
  core.registry.apply(destination, { name: "source-gone" });
  return undefined;
}

function chooseSource(core: TrackerCore, storage: StorageRecord): SyncSource | undefined {
  const { offline } = storageStatus;
  const anybody = storage.group.storages.some(
    (other) => other !== storage && (other.status === offline || isAvailable(other)),
  );
  if (!anybody) return undefined;
  const source = storage.group.writable.find((other) => other !== storage);
  if (source === undefined) throw notFound("no active storage that could be the source");
  return { id: source.id, until: nowSeconds(core.clock) };
}

function mayBeSource(storage: StorageRecord): boolean {
  const { offline, recovery } = storageStatus;
  return isAvailable(storage) || storage.status === offline || storage.status === recovery;
}

function reply(
  source: SyncSource | undefined,
): { readonly source: StorageId; readonly until: number } | undefined {
  return source === undefined ? undefined : { source: source.id, until: source.until };
}
