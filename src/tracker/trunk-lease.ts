/**
 * How the storages of a group pack small files, and which numbers of trunk files are given out. A group in which all are ours leases
 * numbers to them; with a C storage in it, it has a trunk server, if the settings want trunk files at all. Numbers come from the
 * group's counter, which only grows. Pure but for the record.
 *
 * A number must never be given twice, since it is in file ids for ever, whoever leads the trackers when. So among several trackers a leader
 * gives numbers as a majority writes: it has read the counters of so many followers that no earlier leader can have had a majority without one
 * of them, begins well above all of those, and stays close to what as many followers have read of its own. Two leaders that do not know of each
 * other cannot both do so. Whoever gets no number stores files one by one meanwhile.
 */
import { maxLeasedFiles, type PackingMode } from "#protocol/peer/trunk-lease.ts";
import type { GroupRecord } from "#tracker/group-record.ts";
import { maxUnseenFileIds, skippedFileIdsPerTerm } from "#tracker/limits.ts";
import { isGone } from "#tracker/storage-machine.ts";

/** A trunk server that has left may have used numbers which it had no time to report: this many are passed over. */
const unreportedFileIds = 1000;
const maxFileId = 0x7fffffff;

/** In memory only. */
export interface LeaseTerm {
  /** The leader's time in office in which numbers were given last; 0 is that of a tracker that has always been alone. */
  version: number;
  /** The counter as it was when that began. */
  startedAt: number;
}

export function newLeaseTerm(): LeaseTerm {
  return { version: 0, startedAt: 0 };
}

/** How the tracker stands that is asked for numbers. */
export interface LeaseOffice {
  /** `Leadership.version` */
  readonly version: number;
  readonly isAlone: boolean;
  /** With how many followers we are more than half of all trackers. */
  readonly needed: number;
  /** Of those that are there, and whose counters we have read since they follow us: our counter of the group, as far as they have read it. */
  readonly seenByFollowers: readonly number[];
}

/** True while no member is known to be a C storage; one that is away counts until it is deleted. */
export function isAllOurs(group: GroupRecord): boolean {
  return group.storages.every((storage) => isGone(storage) || storage.dialect !== "original");
}

export function packingMode(group: GroupRecord, trunkEnabled: boolean): PackingMode {
  if (isAllOurs(group)) return "leased";
  return trunkEnabled ? "served" : "off";
}

/** Takes up to `wanted` numbers off the counter, which the caller saves where it changed, also where it got none. */
export function takeFileIds(
  group: GroupRecord,
  wanted: number,
  office: LeaseOffice,
): { readonly first: number; readonly count: number } {
  const none = { first: 0, count: 0 };
  const seen = seenByMajority(office);
  if (wanted <= 0 || seen === undefined) return none;
  const { leaseTerm } = group;
  if (leaseTerm.version !== office.version) {
    leaseTerm.version = office.version;
    skipFileIds(group, skippedFileIdsPerTerm);
    leaseTerm.startedAt = group.currentTrunkFileId;
  }
  const last = group.currentTrunkFileId;
  if (seen < leaseTerm.startedAt) return none;
  const count = Math.min(wanted, maxLeasedFiles, seen + maxUnseenFileIds - last, maxFileId - last);
  if (count <= 0) return none;
  group.currentTrunkFileId = last + count;
  return { first: last + 1, count };
}

/** How far a majority has read our counter; undefined where there is none. */
function seenByMajority(office: LeaseOffice): number | undefined {
  if (office.isAlone) return Number.POSITIVE_INFINITY;
  return [...office.seenByFollowers].sort((one, other) => other - one)[office.needed - 1];
}

/** Somebody knows of a number that was given. False where we knew. */
export function raiseFileId(group: GroupRecord, fileId: number): boolean {
  if (fileId <= group.currentTrunkFileId || fileId > maxFileId) return false;
  group.currentTrunkFileId = fileId;
  return true;
}

/** To be called when a trunk server's time is over. */
export function skipUnreportedFileIds(group: GroupRecord): void {
  skipFileIds(group, unreportedFileIds);
}

function skipFileIds(group: GroupRecord, count: number): void {
  group.currentTrunkFileId = Math.min(maxFileId, group.currentTrunkFileId + count);
}
