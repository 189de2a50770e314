/** Which free space uploads must leave, and who has more than that (protocol §9.4). Pure; all comparisons are strict. */
import type { Space } from "#tracker/routing/views.ts";
import type { ReservedSpace } from "#tracker/tracker-settings.ts";

const bytesPerMb = 1024 ** 2;

/** Whole MB; of `totalMb` where the setting is a share. */
export function reservedMb(totalMb: number, reserved: ReservedSpace): number {
  return reserved.kind === "bytes"
    ? Math.floor(reserved.bytes / bytesPerMb)
    : Math.trunc((totalMb * reserved.percent) / 100);
}

/** True when a group may take uploads. `trunkFreeMb` counts as free where files go into trunk files. */
export function groupHasRoom(group: Space, reserved: ReservedSpace, trunkFreeMb = 0): boolean {
  const freeMb = group.freeMb + trunkFreeMb;
  if (reserved.kind === "bytes") return freeMb > reservedMb(group.totalMb, reserved);
  return group.totalMb > 0 && freeMb / group.totalMb > reserved.percent / 100;
}

/** True when one of the `pathCount` store paths of a storage may take uploads. */
export function pathHasRoom(
  path: Space,
  rule: { readonly reserved: ReservedSpace; readonly pathCount: number },
  trunkFreeMb = 0,
): boolean {
  const { reserved, pathCount } = rule;
  const freeMb = path.freeMb + trunkFreeMb;
  if (reserved.kind === "bytes") {
    return freeMb > Math.trunc(reservedMb(path.totalMb, reserved) / pathCount);
  }
  return path.totalMb > 0 && freeMb / path.totalMb > reserved.percent / 100;
}
