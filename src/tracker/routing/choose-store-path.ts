/** Which store path of the chosen storage takes an upload (protocol §9.3). Pure. */
import { pathHasRoom } from "#tracker/routing/reserved-space.ts";
import type { Space, StorageView } from "#tracker/routing/views.ts";
import type { ReservedSpace } from "#tracker/tracker-settings.ts";

export interface PathRules {
  readonly storePath: "round-robin" | "most-free";
  readonly reservedSpace: ReservedSpace;
  readonly trunkEnabled: boolean;
}

export interface ChosenPath {
  readonly index: number;
  /** What the storage's current write path is from now on. */
  readonly next: number;
}

/** Undefined where no path has room. `group` tells how many paths its storages have, and the free space in trunk files. */
export function chooseStorePath(
  storage: StorageView,
  group: { readonly storePathCount: number; readonly trunkFreeMb: number },
  rules: PathRules,
): ChosenPath | undefined {
  const count = Math.min(group.storePathCount, storage.storePaths.length);
  const start = storage.currentWritePath < count ? storage.currentWritePath : 0;
  const rule = { reserved: rules.reservedSpace, pathCount: group.storePathCount };
  let index = firstWithRoom(storage.storePaths, start, { ...rule, count, trunkFreeMb: 0 });
  if (index === undefined && rules.trunkEnabled) {
    const { trunkFreeMb } = group;
    index = firstWithRoom(storage.storePaths, start, { ...rule, count, trunkFreeMb });
  }
  if (index === undefined) return undefined;
  return { index, next: rules.storePath === "round-robin" ? (index + 1) % count : index };
}

/** The write path after a disk report where the rule is "most-free": moves only to a path with more space. */
export function mostFreePath(storePaths: readonly Space[], current: number): number {
  let best = current < storePaths.length ? current : 0;
  for (const [at, path] of storePaths.entries()) {
    if (path.freeMb > (storePaths[best]?.freeMb ?? 0)) best = at;
  }
  return best;
}

function firstWithRoom(
  paths: readonly Space[],
  start: number,
  rule: {
    readonly reserved: ReservedSpace;
    readonly pathCount: number;
    readonly count: number;
    readonly trunkFreeMb: number;
  },
): number | undefined {
  for (let step = 0; step < rule.count; step += 1) {
    const at = (start + step) % rule.count;
    if (pathHasRoom(paths[at] as Space, rule, rule.trunkFreeMb)) return at;
  }
  return undefined;
}
