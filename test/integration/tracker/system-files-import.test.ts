import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, storageStatus } from "#model/storage-status.ts";
import { storageJoin } from "#protocol/fastdfs/tracker-reports.ts";
import { readBasePath } from "#tracker/system-files-import.ts";
import { TrackerHarness } from "../../support/tracker-harness.ts";

let basePath = "";
beforeEach(() => {
  basePath = mkdtempSync(join(tmpdir(), "cairn-tracker-"));
  cpSync(join(import.meta.dirname, "../../vectors/tracker-data"), join(basePath, "data"), {
    recursive: true,
  });
});
afterEach(() => rmSync(basePath, { recursive: true, force: true }));

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

test("a tracker that takes the place of a C tracker knows its storages, and once only", async () => {
  const group = GroupName("group1");
  const entry = { group, mode: readWriteMode.both };
  const settings = {
    idTypeInFilename: "id",
    storageIds: [
      { ...entry, id: StorageId("100001"), addresses: ["127.0.0.112"], port: 23000 },
      { ...entry, id: StorageId("100002"), addresses: ["127.0.0.113"], port: 23001 },
    ],
  } as const;
  const inheritance = (): ReturnType<typeof readBasePath> => readBasePath(basePath, readText);
  await using harness = await TrackerHarness.start({ settings, inheritance });
  const [known] = harness.tracker.snapshot().groups;
  expect(known).toMatchObject({ group: "group1", storagePort: -1, storePathCount: 2 });
  expect(known?.storages.map(({ id, status }) => [id, status])).toEqual([
    ["100001", storageStatus.offline],
    ["100002", storageStatus.offline],
  ]);
  const storage = await harness.client("127.0.0.112");
  const request = harness.join({ initializing: false, status: 7, subdirCount: 16 });
  expect((await storage.call(storageJoin, request)).status).toBe(storageStatus.online);
  await harness.stop();
  await using again = await TrackerHarness.start({
    settings,
    inheritance,
    database: harness.database,
  });
  expect(again.tracker.snapshot().groups[0]?.storages.length).toBe(2);
  expect(again.events()).not.toContain("tracker-data-adopted");
});

test("a folder without a C tracker's files leaves nothing", () => {
  rmSync(join(basePath, "data"), { recursive: true });
  expect(readBasePath(basePath, readText)).toBeUndefined();
});
