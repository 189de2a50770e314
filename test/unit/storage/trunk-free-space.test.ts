import { expect, test } from "vitest";
import { GroupAllocator } from "#filestore/trunk/group-allocator.ts";
import { loadFreeSpace } from "#storage/trunk-free-space.ts";
import { defaultTrunkParameters } from "#storage/trunk-parameters.ts";
import { MemoryTrunkLog } from "../../support/trunk-log.ts";

function line(at: number, op = "A"): string {
  return `1795395770 ${op} 0 1 2 5 ${at * 512} 512\n`;
}

test("a long binlog is read piece by piece, and what is wrong in it is counted", async () => {
  const log = new MemoryTrunkLog();
  const many = Array.from({ length: 6000 }, (_, at) => line(at)).join("");
  log.append(`${many}rubbish\n${line(7)}${line(8, "D")}`);
  const slots = new GroupAllocator(defaultTrunkParameters.rules, 256);
  const how = { useSnapshot: true, isWanted: () => true };
  const report = await loadFreeSpace(log.client, slots, how);
  expect(report).toMatchObject({ invalid: 1, contradicting: 1 });
  expect(report.replayedBytes).toBe(log.text()?.length);
  expect([slots.slotCount, slots.currentFileId]).toEqual([5999, 5]);
});

test("who does not want it any more does not wait for the rest", async () => {
  const log = new MemoryTrunkLog();
  log.append(Array.from({ length: 6000 }, (_, at) => line(at)).join(""));
  const slots = new GroupAllocator(defaultTrunkParameters.rules, 256);
  let asked = 0;
  const isWanted = (): boolean => {
    asked += 1;
    return asked <= 1;
  };
  await loadFreeSpace(log.client, slots, { useSnapshot: false, isWanted });
  expect(slots.slotCount).toBeGreaterThan(0);
  expect(slots.slotCount).toBeLessThan(6000);
});
