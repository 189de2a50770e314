/**
 * From differences in directories to differences of names: packed files are listed by their slots, and each is looked up in the binlogs,
 * which know it by its name; then both binlogs are asked whether what is on one side only was deleted.
 */
import type { InventoryEntry, SlotEntry } from "#filestore/inventory/inventory-entry.ts";
import type { SearchAnswer } from "#filestore/worker/binlog-search.ts";
import { isMetadataBase, ownerOfMetadata } from "#filestore/worker/file-layout.ts";
import { formatRemoteFilename } from "#model/remote-filename.ts";
import type { EntryDifference } from "#sync/anti-entropy/compare-inventories.ts";
import type { InventorySide } from "#sync/anti-entropy/inventory-side.ts";
import { isNameOfSlot, type NameDifference } from "#sync/anti-entropy/repair-plan.ts";

export interface NamedDifferences {
  readonly differences: readonly NameDifference[];
  /** Slots that neither binlog has a name for: nobody can be asked for what is in them. */
  readonly nameless: number;
}

interface Both {
  readonly here: InventorySide;
  readonly there: InventorySide;
  readonly storePathIndex: number;
}

interface Named {
  readonly name: string;
  here: InventoryEntry | undefined;
  there: InventoryEntry | undefined;
}

const unknown: SearchAnswer = { kind: "unknown" };

export async function nameDifferences(
  both: Both,
  found: readonly EntryDifference[],
): Promise<NamedDifferences> {
  const byName = new Map<string, Named>();
  let nameless = 0;
  const note = (name: string, side: "here" | "there", entry: InventoryEntry): void => {
    const known = byName.get(name) ?? { name, here: undefined, there: undefined };
    known[side] = entry;
    byName.set(name, known);
  };
  for (const { leaf, here, there } of found) {
    const name = (entry: InventoryEntry): string => nameOf(both.storePathIndex, leaf, entry.key);
    if (here !== undefined && here.kind !== "slot") note(name(here), "here", here);
    if (there !== undefined && there.kind !== "slot") note(name(there), "there", there);
  }
  for (const side of ["here", "there"] as const) {
    const slots = found.map((each) => each[side]).filter((entry) => entry?.kind === "slot");
    const names = await namesOfSlots(both, side, slots);
    for (const [at, slot] of slots.entries()) {
      const name = names[at];
      if (name === undefined) nameless += 1;
      else note(name, side, slot);
    }
  }
  return { differences: await withKnowledge(both, [...byName.values()]), nameless };
}

/** Whoever has the slot knows its name; where its binlog is gone, the other side may. */
async function namesOfSlots(
  both: Both,
  side: "here" | "there",
  slots: readonly SlotEntry[],
): Promise<readonly (string | undefined)[]> {
  const names = await searchNames(both[side], slots);
  const missing = slots.filter((_, at) => names[at] === undefined);
  const others = await searchNames(both[side === "here" ? "there" : "here"], missing);
  const byKey = new Map(missing.map((slot, at) => [slot.key, others[at]]));
  return slots.map((slot, at) => names[at] ?? byKey.get(slot.key));
}

async function searchNames(
  side: InventorySide,
  slots: readonly SlotEntry[],
): Promise<readonly (string | undefined)[]> {
  if (slots.length === 0) return [];
  const answers = await side.search(slots.map(({ key }) => key));
  return slots.map((slot, at) => {
    const answer = answers[at] ?? unknown;
    return answer.kind === "name" && isNameOfSlot(answer.name, slot) ? answer.name : undefined;
  });
}

async function withKnowledge(
  both: Both,
  names: readonly Named[],
): Promise<readonly NameDifference[]> {
  const single = names.filter(({ here, there }) => here === undefined || there === undefined);
  const owners = single.map(({ name }) => name).filter(isMetadataBase);
  const keys = [...single.map(({ name }) => name), ...owners.map(ownerOfMetadata)];
  const [knownHere, knownThere] =
    keys.length === 0
      ? [[], []]
      : await Promise.all([both.here.search(keys), both.there.search(keys)]);
  const known = new Map(
    keys.map((name, at) => [name, [knownHere[at] ?? unknown, knownThere[at] ?? unknown] as const]),
  );
  return names.map((named) => {
    const [knownHere, knownThere] = known.get(named.name) ?? [unknown, unknown];
    const of = isMetadataBase(named.name) ? known.get(ownerOfMetadata(named.name)) : undefined;
    return { ...named, knownHere, knownThere, ...(of === undefined ? {} : { owner: of }) };
  });
}

/** `key` is the last component of a name. */
export function nameOf(storePathIndex: number, leaf: number, key: string): string {
  return formatRemoteFilename({ storePathIndex, high: leaf >> 8, low: leaf & 255, base: key });
}
