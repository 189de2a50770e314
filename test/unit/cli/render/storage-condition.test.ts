/** Why a storage is not in service, in words. */
import { expect, test } from "vitest";
import { storageCondition } from "#cli/render/storage-condition.ts";
import { StorageId } from "#model/storage-id.ts";
import { readWriteMode, storageStatus } from "#model/storage-status.ts";

const mode = readWriteMode.both;

test("one that takes and gives files needs no words; every other status has some", () => {
  const syncSource = undefined;
  const words = Object.values(storageStatus).map((status) => [
    status,
    storageCondition({ status, syncSource, mode }),
  ]);
  const silent = words.filter(([, says]) => says === "").map(([status]) => status);
  expect(silent.sort()).toEqual([storageStatus.active, storageStatus.none].sort());
});

test("who is filled says by whom", () => {
  const stat = { syncSource: StorageId("100007"), mode };
  expect(storageCondition({ ...stat, status: storageStatus.waitSync })).toContain("100007");
  expect(storageCondition({ ...stat, status: storageStatus.syncing })).toBe(
    "is new: 100007 fills it",
  );
});

test("what clients may do is said where it is not both", () => {
  const says = (each: keyof typeof readWriteMode) =>
    storageCondition({
      status: storageStatus.active,
      syncSource: undefined,
      mode: readWriteMode[each],
    });
  expect((["none", "write", "read", "both"] as const).map(says)).toEqual([
    "only replicates",
    "takes files, and gives none",
    "gives files, and takes none",
    "",
  ]);
});
