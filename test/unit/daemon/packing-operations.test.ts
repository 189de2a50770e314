/** Which store paths an operator's wish about packing goes to. */
import { expect, test } from "vitest";
import { packingHandlers, type RebuildableStorage } from "#daemon/packing-operations.ts";

const caller = { name: "a test", access: "owner" } as const;
const some = { files: 1, totalBytes: 2, freeBytes: 1, unknownFiles: 0, rebuild: undefined };
const all = { storePath: undefined, half: undefined };

function storage(half: RebuildableStorage["half"], firstId: number): RebuildableStorage {
  const paths = [{ index: 0, trunkFiles: some }, { index: 1 }, { index: 2, trunkFiles: some }];
  return { half, store: { paths, packing: { rebuild: async (index) => firstId + index } } };
}

test("a rebuild goes to the paths with trunk files, or to the one that was named", async () => {
  const { rebuildPacking } = packingHandlers(() => [storage(undefined, 100)]);
  expect(await rebuildPacking(all, caller)).toEqual({
    started: [
      { storePath: 0, rebuild: 100 },
      { storePath: 2, rebuild: 102 },
    ],
  });
  expect(await rebuildPacking({ ...all, storePath: 1 }, caller)).toEqual({
    started: [{ storePath: 1, rebuild: 101 }],
  });
  await expect(rebuildPacking({ ...all, storePath: 9 }, caller)).rejects.toThrow("no store path 9");
  await expect(rebuildPacking({ ...all, half: "first" }, caller)).rejects.toThrow("no mirror");
});

test("of a mirror it goes to both halves, or to the one that was named", async () => {
  const { rebuildPacking } = packingHandlers(() => [storage("first", 100), storage("second", 200)]);
  expect((await rebuildPacking(all, caller)).started).toEqual([
    { half: "first", storePath: 0, rebuild: 100 },
    { half: "first", storePath: 2, rebuild: 102 },
    { half: "second", storePath: 0, rebuild: 200 },
    { half: "second", storePath: 2, rebuild: 202 },
  ]);
  const { started } = await rebuildPacking({ storePath: 1, half: "second" }, caller);
  expect(started).toEqual([{ half: "second", storePath: 1, rebuild: 201 }]);
});

test("a node without files says so", async () => {
  const { rebuildPacking } = packingHandlers(() => []);
  await expect(rebuildPacking(all, caller)).rejects.toThrow("stores no files");
});
