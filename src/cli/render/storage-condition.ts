/** Why a storage of a group is not in service, as far as a tracker's list tells, and what to do. Pure. */
import type { StorageStat } from "#client/cluster-queries.ts";
import {
  isReadable,
  isWritable,
  type StorageStatus,
  storageStatus,
  storageStatusCaption,
} from "#model/storage-status.ts";

/** Empty where it takes and gives files. */
export function storageCondition(
  stat: Pick<StorageStat, "status" | "syncSource" | "mode">,
): string {
  return stat.status === storageStatus.active ? modeCondition(stat) : statusCondition(stat);
}

function modeCondition({ mode }: Pick<StorageStat, "mode">): string {
  if (isReadable(mode)) return isWritable(mode) ? "" : "gives files, and takes none";
  return isWritable(mode) ? "takes files, and gives none" : "only replicates";
}

function statusCondition({
  status,
  syncSource,
}: Pick<StorageStat, "status" | "syncSource">): string {
  const source = syncSource ?? "another storage";
  switch (status) {
    case storageStatus.init:
      return "is new: it waits for an ACTIVE storage that can fill it";
    case storageStatus.waitSync:
      return `is new: it waits for ${source} to begin filling it`;
    case storageStatus.syncing:
      return `is new: ${source} fills it`;
    case storageStatus.offline:
      return "is not heard of: start it, or cairn storage remove it";
    case storageStatus.online:
      return "has just come: its next beat makes it ACTIVE";
    case storageStatus.recovery:
      return "rebuilds a store path from the others";
    case storageStatus.deleted:
      return "was removed; started again it joins as a new one";
    case storageStatus.ipChanged:
      return "goes on under another address";
    case storageStatus.active:
    case storageStatus.none:
      return "";
    default:
      return unknownStatus(status);
  }
}

function unknownStatus(status: never): string {
  return `is ${storageStatusCaption(status as StorageStatus)}`;
}
