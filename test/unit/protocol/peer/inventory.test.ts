import { expect, test } from "vitest";
import {
  inventoryNodes,
  inventoryRepair,
  inventorySearch,
  maxInventoryKeys,
  maxInventoryRepairs,
} from "#protocol/peer/inventory.ts";
import { body, decoded } from "../../../support/wire-bytes.ts";

test("questions are bounded in number and length", () => {
  const search = (text: string) => decoded(inventorySearch.request, body(["group1", 16], 0, text));
  expect(search("a\nb\n")).toMatchObject({ keys: ["a", "b"] });
  expect(() => search("x\n".repeat(maxInventoryKeys + 1))).toThrow("at most");
  expect(() => search(`${"x".repeat(256)}\n`)).toThrow("not understood");
  expect(() => search("a")).toThrow("no end");
  const nodes = (upper: number) =>
    decoded(inventoryNodes.request, body(["group1", 16], 0, { i32: 1 }, { i32: upper }));
  expect(nodes(-1)).toMatchObject({ upper: -1 });
  for (const upper of [-2, 256]) expect(() => nodes(upper)).toThrow("not in the range");
});

test("a repair is one of two actions on one name", () => {
  const repair = (text: string) =>
    decoded(inventoryRepair.request, body(["group1", 16], ["10.9.0.2", 16], text));
  expect(repair("fetch 7 M00/00/00/a\n")).toMatchObject({
    repairs: [{ action: "fetch", timestamp: 7, name: "M00/00/00/a" }],
  });
  for (const bad of ["format 7 a", "fetch -7 a", "fetch 4294967296 a", "fetch 7 ", "fetch 7 a b"]) {
    expect(() => repair(`${bad}\n`), bad).toThrow("not understood");
  }
  expect(() => repair("remove 1 a\n".repeat(maxInventoryRepairs + 1))).toThrow("at most");
});
