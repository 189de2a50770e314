import { expect, test } from "vitest";
import { MoveTable } from "#disks/moves/move-table.ts";
import { isUnderWay, type StorePathMove, takesNoFiles } from "#disks/moves/store-path-move.ts";
import { DiskId } from "#model/disk-id.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { openStateDatabase } from "#state/state-database.ts";
import { collectedLog } from "../../../support/frame-fixture.ts";

const [source, target] = [DiskId("a".repeat(32)), DiskId("b".repeat(32))];
const move: StorePathMove = {
  ...{ storePath: 3, source, target, purpose: "retire", phase: "copying", problem: undefined },
  ...{ leavesUnreadable: false, unreadable: ["00/01/x"], begunAt: 5, endedAt: undefined },
};

test("moves are remembered by store path, and wishes by disk", () => {
  const database = openStateDatabase(nodeDatabases(), ":memory:", collectedLog().log);
  const table = new MoveTable(database);
  expect(table.load()).toEqual([]);
  table.save(move);
  const later: StorePathMove = {
    ...move,
    ...{ phase: "done", problem: "why", leavesUnreadable: true, endedAt: 9 },
  };
  table.save(later);
  table.save({ ...move, storePath: 4 });
  expect(new MoveTable(database).load()).toEqual([later, { ...move, storePath: 4 }]);
  table.wish(source, "retire");
  table.wish(target, "drain");
  table.wish(target, undefined);
  expect(new MoveTable(database).wishes()).toEqual(new Map([[source, "retire"]]));
  // Of a newer release.
  database.execute("UPDATE store_path_moves SET phase = 'hopping' WHERE store_path = 3");
  database.execute("UPDATE store_path_moves SET purpose = 'fun' WHERE store_path = 4");
  database.execute("UPDATE disk_wishes SET wish = 'sing'");
  expect(table.load()).toEqual([]);
  expect(table.wishes().size).toBe(0);
  database.close();
});

test("new files go elsewhere until the path has arrived, or its move was called off", () => {
  const told = (
    ["waiting", "copying", "switching", "committing", "cleaning", "done", "cancelled"] as const
  ).map((phase) => [phase, isUnderWay({ phase }), takesNoFiles({ phase })]);
  expect(told).toEqual([
    ["waiting", true, true],
    ["copying", true, true],
    ["switching", true, true],
    ["committing", true, true],
    ["cleaning", true, false],
    ["done", false, false],
    ["cancelled", false, false],
  ]);
});
