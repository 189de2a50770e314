/** What may be asked without joining: parameters, identities, the table of storage ids (protocol §2.4). */
import type { Handlers } from "#net/frame-handlers.ts";
import type { trackerLookups } from "#protocol/fastdfs/tracker-lookups.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { sharedParameters } from "#tracker/parameters.ts";
import { idOfAddress, type StorageIdTable } from "#tracker/storage-identity.ts";
import { briefOf, type StorageRecord } from "#tracker/storage-record.ts";
import type { TrackerCore } from "#tracker/tracker-core.ts";
import { invalid, notFound, type TrackerFacts } from "#tracker/tracker-facts.ts";
import { responseAddressWidth } from "#tracker/tracker-settings.ts";

export function lookupHandlers(core: TrackerCore): Handlers<typeof trackerLookups, TrackerFacts> {
  const { settings, registry } = core;
  return {
    requestParameters: () => {
      const width = responseAddressWidth(settings, registry.hasWideAddress);
      return { parameters: sharedParameters(settings, width) };
    },
    getStorageStatus: ({ group, server }, session) => {
      const storage = findStorage(core, { group, ...server });
      if (storage === undefined) throw notFound("unknown storage");
      return briefOf(storage, session.remoteAddress);
    },
    getStorageId: ({ group, server }) => {
      if (core.storageIds === undefined) return { id: idOfAddress(server.address) };
      const entry = core.storageIds.byPlace({ group, ...server });
      if (entry === undefined) throw notFound("the storage ids file has no such storage");
      return { id: entry.id };
    },
    getMyIp: ({ group, port }, session) => {
      const address = session.remoteAddress;
      const entry =
        port === undefined ? undefined : core.storageIds?.byPlace({ group, address, port });
      return { addresses: entry?.addresses ?? [address] };
    },
    fetchStorageIds: ({ startIndex, allowEmpty }) => {
      const { storageIds } = core;
      if (storageIds === undefined && allowEmpty === true) return { totalCount: 0, entries: [] };
      const table = tableOf(storageIds);
      const totalCount = table.entries.length;
      if (startIndex < 0 || startIndex >= totalCount) throw invalid("no such index");
      return { totalCount, entries: table.page(startIndex) };
    },
    getGroupName: ({ address, port }, session) => {
      const entry = tableOf(core.storageIds).byAddress(address ?? session.remoteAddress, port);
      if (entry === undefined) throw notFound("the storage ids file has no such storage");
      return { group: entry.group };
    },
  };
}

function tableOf(table: StorageIdTable | undefined): StorageIdTable {
  if (table === undefined) {
    throw new WireStatusError(wireStatus.notSupported, "storages are known by their addresses");
  }
  return table;
}

function findStorage(
  core: TrackerCore,
  place: { readonly group: string; readonly address: string; readonly port: number },
): StorageRecord | undefined {
  const group = core.registry.group(place.group);
  if (core.storageIds === undefined) return group?.byId.get(idOfAddress(place.address));
  const entry = core.storageIds.byPlace(place);
  return entry === undefined ? undefined : group?.byId.get(entry.id);
}
