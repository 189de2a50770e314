/**
 * Finds what two storages do not have alike on a store path: by the trees of their inventories the directories that differ, then by
 * listings of these, which are looked at twice with a pause in between, since what differs once may have been on its way. Bounded: a few
 * thousand differences are held at a time.
 */
import { formatEntry, type InventoryEntry } from "#filestore/inventory/inventory-entry.ts";
import {
  fanOut,
  type InventoryNode,
  leafCount,
  sameNode,
} from "#filestore/inventory/inventory-table.ts";
import type { InventorySide } from "#sync/anti-entropy/inventory-side.ts";

/** One key that is not the same on both sides. */
export interface EntryDifference {
  readonly leaf: number;
  readonly key: string;
  readonly here: InventoryEntry | undefined;
  readonly there: InventoryEntry | undefined;
}

/** One side of a comparison, with the inventory that it is to be compared by. */
export interface ComparedSide {
  readonly side: InventorySide;
  readonly walk: number;
}

/** The directories whose inventories differ, in order. Both inventories must be done. */
export async function* differingLeaves(
  here: ComparedSide,
  there: ComparedSide,
): AsyncGenerator<number, void> {
  const uppers = await differing(here, there, -1);
  for (const upper of uppers) {
    for (const lower of await differing(here, there, upper)) yield upper * fanOut + lower;
  }
}

async function differing(
  here: ComparedSide,
  there: ComparedSide,
  upper: number,
): Promise<readonly number[]> {
  const [one, other] = await Promise.all([nodesOf(here, upper), nodesOf(there, upper)]);
  const found: number[] = [];
  for (let at = 0; at < fanOut; at += 1) {
    if (!sameNode(one[at] ?? nothing, other[at] ?? nothing)) found.push(at);
  }
  return found;
}

const nothing: InventoryNode = { count: 0, low: 0, high: 0 };

async function nodesOf({ side, walk }: ComparedSide, upper: number) {
  const { leavesDone, nodes } = await side.nodes(walk, upper);
  if (leavesDone < leafCount) throw new Error("the inventory is not done");
  return nodes;
}

/** What one directory has on one side only, or otherwise on each. In order of the keys; ends early behind `limit` of them. */
export async function compareLeaf(
  here: ComparedSide,
  there: ComparedSide,
  { leaf, limit = Number.POSITIVE_INFINITY }: { readonly leaf: number; readonly limit?: number },
): Promise<readonly EntryDifference[]> {
  const one = new LeafReader(here, leaf);
  const other = new LeafReader(there, leaf);
  const found: EntryDifference[] = [];
  while (found.length < limit) {
    const left = await one.peek();
    const right = await other.peek();
    if (left === undefined && right === undefined) break;
    const isLeft = right === undefined || (left !== undefined && left.key <= right.key);
    const isRight = left === undefined || (right !== undefined && right.key <= left.key);
    if (isLeft) one.drop();
    if (isRight) other.drop();
    const difference = {
      leaf,
      key: (isLeft ? left?.key : right?.key) ?? "",
      here: isLeft ? left : undefined,
      there: isRight ? right : undefined,
    };
    if (!isAlike(difference.here, difference.there)) found.push(difference);
  }
  return found;
}

/** Those of `first` that are still the same differences in `second`. */
export function stillDiffering(
  first: readonly EntryDifference[],
  second: readonly EntryDifference[],
): readonly EntryDifference[] {
  const lines = new Map(second.map((each) => [each.key, lineOf(each)]));
  return first.filter((each) => lines.get(each.key) === lineOf(each));
}

function lineOf({ here, there }: EntryDifference): string {
  return `${here && formatEntry(here)}\n${there && formatEntry(there)}`;
}

function isAlike(one: InventoryEntry | undefined, other: InventoryEntry | undefined): boolean {
  return one !== undefined && other !== undefined && formatEntry(one) === formatEntry(other);
}

/** Reads a directory page by page. */
class LeafReader {
  readonly #compared: ComparedSide;
  readonly #leaf: number;
  #entries: readonly InventoryEntry[] = [];
  #at = 0;
  #after = "";
  #more = true;

  constructor(compared: ComparedSide, leaf: number) {
    this.#compared = compared;
    this.#leaf = leaf;
  }

  async peek(): Promise<InventoryEntry | undefined> {
    while (this.#at >= this.#entries.length && this.#more) {
      const { side, walk } = this.#compared;
      const page = await side.leaf(walk, this.#leaf, this.#after);
      // A page that brings nothing new would be asked for for ever.
      const entries = page.entries.filter(({ key }) => key > this.#after);
      this.#entries = entries;
      this.#at = 0;
      this.#after = entries.at(-1)?.key ?? this.#after;
      this.#more = page.more && entries.length > 0;
    }
    return this.#entries[this.#at];
  }

  drop(): void {
    this.#at += 1;
  }
}
