/** What of the state makes a copy of it worth writing. */
import { expect, test } from "vitest";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { openStateDatabase } from "#state/state-database.ts";
import { maxEssenceBytes, StateEssence } from "#state/state-essence-table.ts";
import { collectedLog } from "../../support/frame-fixture.ts";

function opened() {
  const database = openStateDatabase(nodeDatabases(), ":memory:", collectedLog().log);
  return { database, essence: new StateEssence(database) };
}

test("whatever is remembered changes it, but for what moves by itself", () => {
  const { database, essence } = opened();
  const changes = (sql: string): boolean => {
    const before = essence.read();
    database.execute(sql);
    return essence.read() !== before;
  };
  expect(changes("INSERT INTO disks VALUES ('a', 'store', 1)")).toBe(true);
  expect(changes("UPDATE disks SET seen_at = 2")).toBe(false);
  expect(changes("UPDATE disks SET role = 'retired'")).toBe(true);
  expect(changes("INSERT INTO storage_counts VALUES ('upload', 1, 1)")).toBe(false);
  expect(changes("INSERT INTO storage_held VALUES ('a', 1, 0)")).toBe(false);
  expect(changes("INSERT INTO tracker_changelog VALUES (1, 'x')")).toBe(true);
  expect(changes("UPDATE state_copies SET sequence = 7")).toBe(false);
});

test("a large state has one that changes with everything, since it is not read as a whole", () => {
  const { database, essence } = opened();
  const before = essence.read();
  database.execute(`INSERT INTO tracker_changelog VALUES (1, '${"x".repeat(maxEssenceBytes)}')`);
  const large = essence.read();
  expect(large).not.toBe(before);
  database.execute("INSERT INTO storage_counts VALUES ('upload', 1, 1)");
  expect(essence.read()).not.toBe(large);
});
