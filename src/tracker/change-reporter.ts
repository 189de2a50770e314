/**
 * Answers to beats and reports: what changed for this storage since it was told last (ChangeReport, protocol §2.4/83). Only the
 * leader tells anything, and a change is told once. Main thread.
 */
import { storageStatus } from "#model/storage-status.ts";
import { type ChangeReport, noChanges } from "#protocol/fastdfs/change-report.ts";
import type { StorageBrief } from "#protocol/fields.ts";
import type { Leadership } from "#tracker/election/leadership.ts";
import { briefOf, type StorageRecord } from "#tracker/storage-record.ts";
import type { TrackerFacts } from "#tracker/tracker-facts.ts";

export interface Asker {
  readonly facts: TrackerFacts;
  readonly remoteAddress: string;
  readonly localAddress: string;
}

/** What `storage` has not been told yet, which counts as told from now on. */
export function changesFor(
  storage: StorageRecord,
  asker: Asker,
  leadership: Leadership,
): ChangeReport {
  if (!leadership.isLeader) return noChanges;
  const { facts, remoteAddress } = asker;
  // What comes late over a connection that the storage gave up is answered to nobody: its news would be lost.
  if (storage.session !== undefined && storage.session !== facts) return noChanges;
  const { group } = storage;
  const leader = facts.leaderTold !== leadership.news;
  const trunkServer = storage.trunkServerTold !== group.trunkServerVersion;
  const members = storage.membersTold !== group.membersVersion;
  if (!leader && !trunkServer && !members) return noChanges;
  facts.leaderTold = leadership.news;
  storage.trunkServerTold = group.trunkServerVersion;
  storage.membersTold = group.membersVersion;
  const briefs = members ? membersFor(storage, asker) : undefined;
  return {
    leader: leader ? leadership.endpointFor(asker) : undefined,
    trunkServer: trunkServer ? trunkServerOf(storage, remoteAddress) : undefined,
    members: briefs,
  };
}

/** What the storage contradicted it is told as offline first, and as it is the next time (see `noteContradictions`). */
function membersFor(storage: StorageRecord, asker: Asker): readonly StorageBrief[] {
  const { contradicted } = asker.facts;
  const briefs = storage.group.storages.map((each) => {
    const brief = briefOf(each, asker.remoteAddress);
    return contradicted.has(each.id) ? { ...brief, status: storageStatus.offline } : brief;
  });
  if (contradicted.size > 0) storage.membersTold = -1;
  contradicted.clear();
  return briefs;
}

function trunkServerOf(storage: StorageRecord, requesterAddress: string): StorageBrief | "none" {
  const { group } = storage;
  const server = group.trunkServer === undefined ? undefined : group.byId.get(group.trunkServer);
  return server === undefined ? "none" : briefOf(server, requesterAddress);
}
