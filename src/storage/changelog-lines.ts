/** What became of storages, as trackers tell it line by line (CHANGELOG_REQ, protocol §2.4/77, §5.5). Pure. */
import { isIpAddress, isIpv4 } from "#model/ip-address.ts";
import { ipv6ShortCode } from "#model/ipv6-short-code.ts";
import { isStorageId, type StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";

export type MemberChange =
  | { readonly kind: "deleted"; readonly id: StorageId }
  /** It goes on as `to`. */
  | { readonly kind: "moved"; readonly id: StorageId; readonly to: StorageId };

/** The changes in `group`, in their order; lines of other groups and lines that make no sense are passed over. */
export function readMemberChanges(text: string, group: string): readonly MemberChange[] {
  return text.split("\n").flatMap((line) => readLine(line, group));
}

/** `1700000000 group1 10.0.0.2 3 10.0.0.9`: time by the tracker's clock, group, id, status, argument. */
function readLine(line: string, group: string): readonly MemberChange[] {
  const [, lineGroup, id = "", status, address = ""] = line.trim().split(/\s+/);
  if (lineGroup !== group || !isStorageId(id)) return [];
  if (status === String(storageStatus.deleted)) return [{ kind: "deleted", id }];
  if (status !== String(storageStatus.ipChanged) || !isIpAddress(address)) return [];
  const to = isIpv4(address) ? address : ipv6ShortCode(address);
  return isStorageId(to) ? [{ kind: "moved", id, to }] : [];
}
