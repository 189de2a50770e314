import { expect, test } from "vitest";
import {
  InventoryTable,
  leafCount,
  nodeBytes,
  sameNode,
} from "#filestore/inventory/inventory-table.ts";

function tableOf(entries: readonly (readonly [number, string])[]): InventoryTable {
  const table = new InventoryTable();
  for (const [leaf, line] of entries) table.add(leaf, line);
  return table;
}

const entries = Array.from(
  { length: 500 },
  (_, at) => [(at * 131) % leafCount, `file${at}`] as const,
);

test("the order in which entries are met does not matter, and each of them does", () => {
  const whole = tableOf(entries);
  expect(sameNode(whole.root, tableOf([...entries].reverse()).root)).toBe(true);
  for (const missing of [0, 250, 499]) {
    const less = tableOf(entries.filter((_, at) => at !== missing));
    const [leaf] = entries[missing] ?? [0];
    expect(sameNode(whole.root, less.root)).toBe(false);
    expect(sameNode(whole.upper(leaf >> 8), less.upper(leaf >> 8))).toBe(false);
    expect(sameNode(whole.leaf(leaf), less.leaf(leaf))).toBe(false);
  }
});

test("the same name in another directory, or twice, is a difference at the root", () => {
  const one = tableOf([[7, "a"]]).root;
  expect(sameNode(one, tableOf([[8, "a"]]).root)).toBe(false);
  expect(sameNode(one, tableOf([[7, "b"]]).root)).toBe(false);
  expect(
    tableOf([
      [7, "a"],
      [7, "a"],
    ]).root.count,
  ).toBe(2);
  expect(tableOf([]).root).toEqual({ count: 0, low: 0, high: 0 });
});

test("a table survives being carried over in pieces of any size", () => {
  const table = tableOf(entries);
  const copy = new InventoryTable();
  const piece = new Uint8Array(nodeBytes * 1000 + 5);
  for (let leaf = 0; leaf < leafCount; ) {
    const length = table.write(leaf, piece);
    leaf = copy.read(leaf, piece.subarray(0, length));
  }
  expect(copy.root).toEqual(table.root);
  for (let leaf = 0; leaf < leafCount; leaf += 131)
    expect(copy.leaf(leaf)).toEqual(table.leaf(leaf));
});

test("hashes of names that differ in one character are spread over all bits", () => {
  const seen = new Set<number>();
  let ones = 0;
  for (let at = 0; at < 300; at += 1) {
    const { low, high } = tableOf([[1, `oQoAAFz${at}`]]).leaf(1);
    seen.add(low).add(high);
    ones += low.toString(2).replaceAll("0", "").length;
  }
  expect(seen.size).toBeGreaterThan(598);
  expect(ones / 300).toBeGreaterThan(15);
  expect(ones / 300).toBeLessThan(17);
});
