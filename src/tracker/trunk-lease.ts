/**
 * How the storages of a group pack small files, and which numbers of trunk files are given out. A group in which all are ours leases
 * numbers to them; with a C storage in it, it has a trunk server, if the settings want trunk files at all. Numbers come from the
 * group's counter, which only grows. Pure but for the record.
 */
import { maxLeasedFiles, type PackingMode } from "#protocol/peer/trunk-lease.ts";
import type { GroupRecord } from "#tracker/group-record.ts";
import { isGone } from "#tracker/storage-machine.ts";

/** A trunk server that has left may have used numbers which it had no time to report: this many are passed over. */
const unreportedFileIds = 1000;
const maxFileId = 0x7fffffff;

/** True while no member is known to be a C storage; one that is away counts until it is deleted. */
export function isAllOurs(group: GroupRecord): boolean {
  return group.storages.every((storage) => isGone(storage) || storage.dialect !== "original");
}

export function packingMode(group: GroupRecord, trunkEnabled: boolean): PackingMode {
  if (isAllOurs(group)) return "leased";
  return trunkEnabled ? "served" : "off";
}

/** Takes up to `wanted` numbers off the counter, which the caller saves. */
export function takeFileIds(
  group: GroupRecord,
  wanted: number,
): { readonly first: number; readonly count: number } {
  const last = group.currentTrunkFileId;
  const count = Math.min(wanted, maxLeasedFiles, maxFileId - last);
  if (count <= 0) return { first: 0, count: 0 };
  group.currentTrunkFileId = last + count;
  return { first: last + 1, count };
}

/** To be called when a trunk server's time is over. */
export function skipUnreportedFileIds(group: GroupRecord): void {
  group.currentTrunkFileId = Math.min(maxFileId, group.currentTrunkFileId + unreportedFileIds);
}
