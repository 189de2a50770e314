import { expect, test } from "vitest";
import type { KnownDisk } from "#disks/disk-map.ts";
import { DiskTable } from "#disks/disk-table.ts";
import { DiskId } from "#model/disk-id.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { openStateDatabase } from "#state/state-database.ts";
import { collectedLog } from "../../support/frame-fixture.ts";

test("disks are remembered with their store paths, and what is saved replaces what was known", () => {
  const database = openStateDatabase(nodeDatabases(), ":memory:", collectedLog().log);
  const table = new DiskTable(database);
  expect(table.load()).toEqual([]);
  const disk: KnownDisk = {
    diskId: DiskId("a".repeat(32)),
    role: "store",
    seenAt: 9,
    paths: [
      { index: 0, id: undefined, directory: "store/M00" },
      { index: 2, id: "e".repeat(32), directory: "store/M02" },
    ],
  };
  table.save(disk);
  table.save({ ...disk, diskId: DiskId("b".repeat(32)), paths: [] });
  const changed: KnownDisk = { ...disk, role: "replaced", paths: disk.paths.slice(1) };
  table.save(changed);
  expect(new DiskTable(database).load()).toEqual([
    changed,
    { ...disk, diskId: DiskId("b".repeat(32)), paths: [] },
  ]);
  database.execute("UPDATE disks SET role = 'of a newer release'");
  expect(table.load().map(({ role }) => role)).toEqual(["replaced", "replaced"]);
  database.close();
});
