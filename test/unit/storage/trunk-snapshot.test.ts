/** A snapshot and the rest of the binlog say what the whole binlog says. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import { GroupAllocator, type SlotEvent } from "#filestore/trunk/group-allocator.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";
import { loadFreeSpace } from "#storage/trunk-free-space.ts";
import { writeSnapshot } from "#storage/trunk-snapshot.ts";
import { MemoryTrunkLog } from "../../support/trunk-log.ts";

const rules = {
  slotMinBytes: 256,
  slotMaxBytes: 4096,
  alignmentBytes: 256,
  trunkFileBytes: 16_384,
};
const options = { nowSeconds: 7, isWanted: () => true };

async function loaded(disk: MemoryTrunkLog, useSnapshot: boolean) {
  const slots = new GroupAllocator(rules, 256);
  const report = await loadFreeSpace(disk.client, slots, { useSnapshot, isWanted: () => true });
  const places = [...slots.slots()].map(
    ({ storePathIndex, fileId, offset, size }) => `${storePathIndex} ${fileId} ${offset} ${size}`,
  );
  return { report, places: places.sort(), fileId: slots.currentFileId };
}

test("whatever was given, kept and freed before and after it", async () => {
  const step = fc.record({
    what: fc.integer({ min: 0, max: 9 }),
    size: fc.integer({ min: 1, max: 4096 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(40), async (steps, at) => {
      const disk = new MemoryTrunkLog();
      const slots = new GroupAllocator(rules, 256);
      const held: TrunkLocation[] = [];
      const kept: TrunkLocation[] = [];
      const write = (events: readonly SlotEvent[] | undefined): void => {
        for (const { kind, location } of events ?? []) disk.append(trunkLogLine(kind, 1, location));
      };
      for (const [number, { what, size }] of steps.entries()) {
        if (number === at) expect(await writeSnapshot(disk.client, slots, options)).toBe(true);
        const given = what < 5 ? slots.allocate(what % 2, size) : undefined;
        if (given !== undefined) held.push(given.location);
        write(given?.events);
        const waiting = what >= 5 && what < 8 ? held.pop() : undefined;
        if (waiting !== undefined) {
          write(slots.confirm(waiting, what < 7));
          if (what < 7) kept.push(waiting);
        }
        const gone = what >= 8 ? kept.pop() : undefined;
        if (gone !== undefined) write(slots.free(gone));
      }
      const [whole, short] = [await loaded(disk, false), await loaded(disk, true)];
      expect(short.places).toEqual(whole.places);
      expect(short.report.replayedBytes).toBeLessThanOrEqual(whole.report.replayedBytes);
      expect(short.report).toMatchObject({ invalid: 0, contradicting: 0 });
    }),
    { numRuns: 50 },
  );
});

test("one in several pieces is as good; one that takes too long is given up", async () => {
  const disk = new MemoryTrunkLog();
  const slots = new GroupAllocator(rules, 256);
  for (let fileId = 1; fileId <= 20_000; fileId += 1) {
    slots.free({ storePathIndex: 0, high: 0, low: 0, fileId, offset: 0, size: 16_384 });
  }
  let left = 1;
  const isWanted = (): boolean => {
    left -= 1;
    return left >= 0;
  };
  expect(await writeSnapshot(disk.client, slots, { nowSeconds: 7, isWanted })).toBe(false);
  expect(disk.text("snapshot")).toBeUndefined();
  expect(await writeSnapshot(disk.client, slots, options)).toBe(true);
  expect(disk.text("snapshot")?.split("\n").length).toBe(20_002);
  expect((await loaded(disk, true)).places.length).toBe(20_000);
});
