/**
 * What a storage says of the positions up to which it holds its peers' files (`protocol/peer/report-held.ts`), in the form in which routing
 * looks it up. Pure. A source that left the group stays on record while the storage names any source at all: it may be the only
 * knowledge of where that one's files are.
 */
import { type GroupRecord, keysOfId } from "#tracker/group-record.ts";
import { maxHeldSources } from "#tracker/limits.ts";
import { isGone } from "#tracker/storage-machine.ts";

export interface HeldEntry {
  readonly id: string;
  /** A name time of that source, exclusive. */
  readonly heldUntil: number;
}

/** By the source as names carry it. `before` is what the storage said last. */
export function heldColumn(
  group: GroupRecord,
  entries: readonly HeldEntry[],
  before: ReadonlyMap<number, number> | undefined,
): ReadonlyMap<number, number> {
  const column = new Map<number, number>();
  for (const { id, heldUntil } of entries) {
    for (const key of keysOfId(group, id)) {
      if (isMeant(group, key, id)) column.set(key, heldUntil);
    }
  }
  // The name times of a storage that moved go on under its new address.
  for (const [oldId, to] of group.formerIds) {
    const moved = entries.find(({ id }) => id === to);
    for (const key of moved === undefined ? [] : keysOfId(group, oldId)) {
      const isItsOwn = group.sources.get(key)?.id === to;
      if (isItsOwn && !column.has(key)) column.set(key, moved?.heldUntil ?? 0);
    }
  }
  if (entries.length === 0 || before === undefined) return column;
  for (const [key, heldUntil] of before) {
    if (column.size >= maxHeldSources) break;
    const source = group.sources.get(key);
    const isMember = source !== undefined && !isGone(source);
    if (!isMember && !column.has(key)) column.set(key, heldUntil);
  }
  return column;
}

/** Storages may share an address: names that carry it mean one of them. */
function isMeant(group: GroupRecord, key: number, id: string): boolean {
  const owner = group.sources.get(key);
  const named = group.byId.get(id);
  return owner === undefined || owner.id === id || named === undefined || isGone(named);
}
