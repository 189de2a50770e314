import { expect, test } from "vitest";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { openStateDatabase } from "#state/state-database.ts";
import { firstDiskId, identifyPaths, noPathMemory, PathTable } from "#storage/path-table.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import { pathSettings } from "../../support/store-fixture.ts";

test("a path keeps the id that it is to get until it is known by it, and only then has another one ready", () => {
  const database = openStateDatabase(nodeDatabases(), ":memory:", collectedLog().log);
  const table = new PathTable(database);
  const random = seededRandom(1);
  const first = identifyPaths(table, random)(pathSettings(0)).identity;
  expect(first?.newId).toMatch(/^[0-9a-f]{32}$/);
  expect(first?.known).toBeUndefined();
  expect(identifyPaths(table, random)(pathSettings(0)).identity).toEqual(first);
  const known = { id: first?.newId ?? "", ownMount: true };
  table.save(0, { known, candidate: first?.newId ?? "" });
  const later = identifyPaths(table, random)(pathSettings(0)).identity;
  expect(later?.known).toEqual(known);
  expect(later?.newId).not.toBe(known.id);
  expect(identifyPaths(table, random)(pathSettings(0)).identity).toEqual(later);
  expect(identifyPaths(table, random)(pathSettings(1)).identity?.newId).not.toBe(later?.newId);
  database.close();
});

test("without a memory every start is the first one", () => {
  noPathMemory.save(0, { known: undefined, candidate: "x" });
  expect(noPathMemory.load().size).toBe(0);
});

test("a node is known by the disk of its first store path, once that was opened", () => {
  const database = openStateDatabase(nodeDatabases(), ":memory:", collectedLog().log);
  const table = new PathTable(database);
  expect(firstDiskId(table)).toBe("");
  table.save(1, { known: { id: "second", ownMount: true }, candidate: "" });
  table.save(0, { known: undefined, candidate: "next" });
  expect(firstDiskId(table)).toBe("");
  table.save(0, { known: { id: "first", ownMount: true }, candidate: "" });
  expect(firstDiskId(table)).toBe("first");
  database.close();
});
