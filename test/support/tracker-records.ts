/** What a tracker lists of its only group and the only storage in it. */
import { FrameClient } from "#net/frame-client.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import type { GroupStat, StorageStat } from "#protocol/fastdfs/monitoring.ts";
import { listGroups, listStorages } from "#protocol/fastdfs/tracker-admin.ts";
import type { Place } from "./raw-connection.ts";

export async function trackerRecords(
  tracker: Place,
): Promise<{ readonly group: GroupStat; readonly storage: StorageStat }> {
  const client = await FrameClient.connect(
    { ...tracker, timeoutMs: 5000 },
    { network: new NodeNetwork(), clock: nodeClock, networkTimeoutMs: 5000 },
  );
  try {
    const [group] = (await client.call(listGroups, undefined)).groups;
    if (group === undefined) throw new Error("the tracker knows no group");
    const [storage] = (await client.call(listStorages, { group: group.group, id: undefined }))
      .storages;
    if (storage === undefined) throw new Error("the tracker knows no storage");
    return { group, storage };
  } finally {
    client.close();
  }
}
