/** What a storage keeps in its database. */
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { StorageId } from "#model/storage-id.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { openStateDatabase } from "#state/state-database.ts";
import { StorageTable } from "#storage/storage-table.ts";

function table(): StorageTable {
  return new StorageTable(
    openStateDatabase(nodeDatabases(), ":memory:", new Log("state", () => {})),
  );
}

test("membership is kept, with and without a sync source", () => {
  const kept = table();
  expect(kept.loadMembership()).toBeUndefined();
  const facts = { joinTime: 1000, syncSettled: false, syncSource: undefined, syncUntil: 0 };
  kept.saveMembership(facts);
  expect(kept.loadMembership()).toEqual(facts);
  const settled = {
    joinTime: 1000,
    syncSettled: true,
    syncSource: StorageId("10.0.0.7"),
    syncUntil: 1_700_000_000,
  };
  kept.saveMembership(settled);
  expect(kept.loadMembership()).toEqual(settled);
});

test("counts are kept, beyond 32 bits too", () => {
  const kept = table();
  expect(kept.loadCounts()).toEqual({});
  kept.saveCounts({
    uploads: { total: 5, success: 4 },
    uploadBytes: { total: 2 ** 45, success: 1 },
  });
  kept.saveCounts({ uploads: { total: 6, success: 5 } });
  expect(kept.loadCounts()).toEqual({
    uploads: { total: 6, success: 5 },
    uploadBytes: { total: 2 ** 45, success: 1 },
  });
});
