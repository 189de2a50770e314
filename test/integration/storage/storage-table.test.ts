/** What a storage keeps in its database. */
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
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
  const facts = {
    joinTime: 1000,
    syncSettled: false,
    syncSource: undefined,
    syncUntil: 0,
    filled: false,
    ownAddresses: [],
  };
  kept.saveMembership(facts);
  expect(kept.loadMembership()).toEqual(facts);
  const settled = {
    joinTime: 1000,
    syncSettled: true,
    syncSource: StorageId("10.0.0.7"),
    syncUntil: 1_700_000_000,
    filled: true,
    ownAddresses: ["10.0.0.9", "fd00::9"],
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

test("whom nobody was to fill has been filled, whatever release noted it", () => {
  const database = openStateDatabase(nodeDatabases(), ":memory:", new Log("state", () => {}));
  const old =
    "INSERT INTO storage_membership (singleton, join_time, sync_settled, sync_source, sync_until)";
  database.prepare(`${old} VALUES (1, 1000, 1, NULL, 0)`).run();
  expect(new StorageTable(database).loadMembership()).toMatchObject({ filled: true });
  database.prepare("UPDATE storage_membership SET sync_source = '10.0.0.2'").run();
  expect(new StorageTable(database).loadMembership()).toMatchObject({ filled: false });
});

test("peers are kept as they were saved last", () => {
  const kept = table();
  const [port, status] = [23000, storageStatus.active];
  const two = [
    ...[
      { id: StorageId("1"), addresses: ["10.0.0.1", "fd00::1"], formerAddresses: [], cairn: true },
    ],
    ...[{ id: StorageId("2"), addresses: [], formerAddresses: ["10.0.0.2"], cairn: undefined }],
  ].map((peer, at) => ({ ...peer, port, status, disk: at === 0 ? "0f".repeat(16) : undefined }));
  kept.savePeers(two);
  expect(kept.loadPeers()).toEqual(two);
  kept.savePeers(two.slice(1));
  expect(kept.loadPeers()).toEqual(two.slice(1));
});
