/** Which group takes the next upload (protocol §9.1). Pure; the place where round robin goes on is passed in and out. */
import { groupHasRoom } from "#tracker/routing/reserved-space.ts";
import type { GroupView } from "#tracker/routing/views.ts";
import type { ReservedSpace } from "#tracker/tracker-settings.ts";

export interface GroupRules {
  readonly storeLookup: "round-robin" | "group" | "most-free";
  readonly reservedSpace: ReservedSpace;
  readonly trunkEnabled: boolean;
}

export type NoGroup = "not-found" | "no-space";

export interface ChosenGroup<Group> {
  readonly group: Group;
  /** Index of the group from which the next choice starts. */
  readonly next: number;
}

/** For "round-robin" and "most-free". `current` may be beyond the list. */
export function chooseGroup<Group extends GroupView>(
  groups: readonly Group[],
  current: number,
  rules: GroupRules,
): ChosenGroup<Group> | NoGroup {
  const count = groups.length;
  const start = current < count ? current : 0;
  let anyWritable = false;
  for (let step = 0; step < count; step += 1) {
    const at = (start + step) % count;
    const group = groups[at] as Group;
    if (!isWritable(group)) continue;
    anyWritable = true;
    const candidate = step === 0 && rules.storeLookup === "most-free" && rules.trunkEnabled;
    if (hasRoom(group, rules, candidate)) return { group, next: nextIndex(at, count, rules) };
  }
  if (!anyWritable) return "not-found";
  if (!rules.trunkEnabled) return "no-space";
  const group = groups.find((each) => isWritable(each) && hasRoom(each, rules, true));
  return group === undefined ? "no-space" : { group, next: nextIndex(start, count, rules) };
}

/** For a group that somebody named; undefined where it may take the upload. */
export function refusalOfGroup(
  group: GroupView | undefined,
  rules: GroupRules,
): NoGroup | undefined {
  if (group === undefined || !isWritable(group)) return "not-found";
  const room = hasRoom(group, rules, false) || (rules.trunkEnabled && hasRoom(group, rules, true));
  return room ? undefined : "no-space";
}

/**
 * The group from which "most-free" starts: the one with the most free space; where trunk files are on and it has no room left,
 * the one with the most free space in trunk files. 0 where none is writable.
 */
export function mostFreeGroup(groups: readonly GroupView[], rules: GroupRules): number {
  const best = greatest(groups, (group) => group.freeMb);
  if (best === undefined) return 0;
  if (!rules.trunkEnabled || hasRoom(groups[best] as GroupView, rules, false)) return best;
  return greatest(groups, (group) => group.trunkFreeMb) ?? best;
}

/** The first one wins among equals. */
function greatest(
  groups: readonly GroupView[],
  measure: (group: GroupView) => number,
): number | undefined {
  let best: number | undefined;
  for (const [at, group] of groups.entries()) {
    if (!isWritable(group)) continue;
    if (best === undefined || measure(group) > measure(groups[best] as GroupView)) best = at;
  }
  return best;
}

function isWritable(group: GroupView): boolean {
  return group.writable.length > 0 && group.storePathCount > 0;
}

function hasRoom(group: GroupView, rules: GroupRules, withTrunk: boolean): boolean {
  return groupHasRoom(group, rules.reservedSpace, withTrunk ? group.trunkFreeMb : 0);
}

function nextIndex(at: number, count: number, rules: GroupRules): number {
  return rules.storeLookup === "round-robin" ? (at + 1) % count : at;
}
