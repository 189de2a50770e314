/** Groups and storages as the tracker's routing rules see them, with only what a test is about. */
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import type { GroupView, StorageView } from "#tracker/routing/views.ts";

export function storageView(id: string, given: Partial<StorageView> = {}): StorageView {
  return {
    id: StorageId(id),
    totalMb: 10_000,
    freeMb: 5_000,
    uploadPriority: 10,
    storePaths: [{ totalMb: 10_000, freeMb: 5_000 }],
    currentWritePath: 0,
    lastSyncedTimestamp: 0,
    held: undefined,
    ...given,
  };
}

export function groupView(name: string, given: Partial<GroupView> = {}): GroupView {
  const storage = storageView("10.0.0.1");
  return {
    name: GroupName(name),
    totalMb: 10_000,
    freeMb: 5_000,
    trunkFreeMb: 0,
    storePathCount: 1,
    readable: [storage],
    writable: [storage],
    ...given,
  };
}
