/** Tables and lists of facts. */
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { renderFacts, renderTable } from "#cli/render/table.ts";

test("columns are as wide as they need to be, colours take no room", () => {
  const rows = [
    { name: "a", count: 5 },
    { name: "longer", count: 1234 },
  ];
  const lines = renderTable(rows, [
    { heading: "NAME", text: (row) => `\u001b[31m${row.name}\u001b[0m` },
    { heading: "N", text: (row) => String(row.count), right: true },
    { heading: "", text: () => "" },
  ]);
  expect(lines.map((line) => stripVTControlCharacters(line))).toEqual([
    "NAME       N",
    "a          5",
    "longer  1234",
  ]);
});

test("a table without rows has headings", () => {
  expect(renderTable([], [{ heading: "A", text: () => "" }])).toEqual(["A"]);
});

test("facts stand under each other", () => {
  expect(
    renderFacts([
      ["a", "1"],
      ["bcd", ""],
    ]),
  ).toEqual(["a    1", "bcd"]);
  expect(renderFacts([])).toEqual([]);
});
