/**
 * Which files a store path that is being rebuilt lacks, as one peer has them: of one of ours directory by directory, packed files by its
 * binlog; of a C storage by its list alone. Some at a time; what is here already is left out, so that a second pass is short.
 */
import type { InventoryEntry } from "#filestore/inventory/inventory-entry.ts";
import { fanOut } from "#filestore/inventory/inventory-table.ts";
import { decodeTimestamp, isTrunkBase } from "#model/file-id.ts";
import { parseRemoteFilename } from "#model/remote-filename.ts";
import { compareLeaf, type EntryDifference } from "#sync/anti-entropy/compare-inventories.ts";
import { type InventorySide, wholeListing } from "#sync/anti-entropy/inventory-side.ts";
import { nameOf } from "#sync/anti-entropy/name-differences.ts";
import { leavesAtOnce } from "#sync/recovery/limits.ts";
import { listedFiles } from "#sync/recovery/path-list.ts";

export interface WantedFile {
  readonly name: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Of a link: what it means. */
  readonly target: string | undefined;
}

export interface WantedFrom {
  readonly storePathIndex: number;
  readonly here: InventorySide;
  readonly there: InventorySide;
  readonly list: () => Promise<readonly Buffer[]>;
  /** True where the store has something under this name. */
  readonly isHere: (name: string) => Promise<boolean>;
}

/** By inventory, from a peer of ours. */
export async function* wantedByInventory(from: WantedFrom): AsyncGenerator<WantedFile, void> {
  let hasSlots = false;
  for await (const leaves of filledLeaves(from.there)) {
    for (const differences of await Promise.all(leaves.map((leaf) => missingIn(from, leaf)))) {
      for (const { leaf, there } of differences) {
        if (there === undefined) continue;
        if (there.kind === "slot") hasSlots = true;
        else yield wantedEntry(from.storePathIndex, leaf, there);
      }
    }
  }
  if (hasSlots) yield* wantedByList(from, (name) => isTrunkBase(baseOf(name)));
}

/** By the list that any storage sends (protocol §2.7/26). */
export async function* wantedByList(
  from: Pick<WantedFrom, "list" | "isHere" | "storePathIndex">,
  accepts: (name: string) => boolean = () => true,
): AsyncGenerator<WantedFile, void> {
  for (const file of listedFiles(await from.list())) {
    if (parseRemoteFilename(file.name)?.storePathIndex !== from.storePathIndex) continue;
    if (accepts(file.name) && !(await from.isHere(file.name))) yield file;
  }
}

/** The directories with something in them, some at a time: most of 65,536 are empty, or were never made. */
async function* filledLeaves(there: InventorySide): AsyncGenerator<readonly number[], void> {
  for (const upper of await filledNodes(there, -1)) {
    const leaves = (await filledNodes(there, upper)).map((lower) => upper * fanOut + lower);
    for (let at = 0; at < leaves.length; at += leavesAtOnce) {
      yield leaves.slice(at, at + leavesAtOnce);
    }
  }
}

async function filledNodes(there: InventorySide, upper: number): Promise<readonly number[]> {
  const { nodes } = await there.nodes(wholeListing, upper);
  return [...nodes.keys()].filter((at) => nodes[at]?.count !== 0);
}

async function missingIn(from: WantedFrom, leaf: number): Promise<readonly EntryDifference[]> {
  const here = { side: from.here, walk: wholeListing };
  const there = { side: from.there, walk: wholeListing };
  const differences = await compareLeaf(here, there, { leaf });
  return differences.filter((each) => each.here === undefined);
}

function wantedEntry(storePathIndex: number, leaf: number, entry: InventoryEntry): WantedFile {
  const name = nameOf(storePathIndex, leaf, entry.key);
  const modified = entry.kind === "stated" ? entry.modifiedSeconds : decodeTimestamp(entry.key);
  return { name, timestamp: modified ?? 0, target: undefined };
}

function baseOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
