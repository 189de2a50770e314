import fc from "fast-check";
import { expect, test } from "vitest";
import {
  GroupAllocator,
  type SlotEvent,
  type SlotRules,
  slotSizeFor,
} from "#filestore/trunk/group-allocator.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";

const mib = 1024 * 1024;
const rules: SlotRules = {
  slotMinBytes: 256,
  slotMaxBytes: 1 * mib,
  alignmentBytes: 256,
  trunkFileBytes: 4 * mib,
};

function allocator(given: Partial<SlotRules> = {}): GroupAllocator {
  return new GroupAllocator({ ...rules, ...given }, 256);
}

function replayed(events: readonly SlotEvent[], given: Partial<SlotRules> = {}): GroupAllocator {
  const fresh = allocator(given);
  for (const event of events) expect(fresh.replay(event)).toBe(true);
  return fresh;
}

function free(given: GroupAllocator): string[] {
  return [...given.slots()].map(place).sort();
}

function place({ storePathIndex, high, low, fileId, offset, size }: TrunkLocation): string {
  return `${storePathIndex}/${high}/${low}/${fileId} ${offset}+${size}`;
}

test("the first slot of a group is written down as C writes it", () => {
  const slots = allocator();
  const first = slots.allocate(0, 24 + 17);
  const at = { storePathIndex: 0, high: first?.location.high, low: first?.location.low, fileId: 1 };
  expect(first).toEqual({
    location: { ...at, offset: 0, size: 256 },
    isNewFile: true,
    events: [
      { kind: "free", location: { ...at, offset: 0, size: 4 * mib } },
      { kind: "used", location: { ...at, offset: 0, size: 4 * mib } },
      { kind: "free", location: { ...at, offset: 256, size: 4 * mib - 256 } },
      { kind: "free", location: { ...at, offset: 0, size: 256 } },
    ],
  });
  expect(slots.confirm(first?.location as TrunkLocation, true)).toEqual([
    { kind: "used", location: { ...at, offset: 0, size: 256 } },
  ]);
  expect(slots.freeBytes).toBe(4 * mib - 256);
});

test("sizes are at least the smallest slot and multiples of the alignment above it", () => {
  expect([1, 256, 257, 512].map((size) => slotSizeFor(rules, size))).toEqual([256, 256, 512, 512]);
  expect(slotSizeFor({ ...rules, alignmentBytes: 0 }, 300)).toBe(300);
});

test("the smallest free slot that suffices is taken, whole where too little would be left", () => {
  const slots = allocator({ alignmentBytes: 0 });
  const file = { storePathIndex: 0, high: 1, low: 2, fileId: 9 };
  for (const [offset, size] of [
    [0, 5000],
    [10_000, 1100],
    [20_000, 2000],
  ] as const) {
    slots.free({ ...file, offset, size });
  }
  const whole = slots.allocate(0, 1000);
  expect(whole?.location).toEqual({ ...file, offset: 10_000, size: 1100 });
  expect(whole?.events.map(({ kind }) => kind)).toEqual(["used", "free"]);
  expect(slots.allocate(0, 1000)?.location).toEqual({ ...file, offset: 20_000, size: 1000 });
  expect(slots.allocate(1, 1000)?.location).toMatchObject({ storePathIndex: 1, fileId: 10 });
});

test("a held slot is nobody's: not allocated, not freed, confirmed once", () => {
  const slots = allocator();
  const { location } = slots.allocate(0, 1000) ?? {};
  const held = location as TrunkLocation;
  expect(slots.free(held)).toBeUndefined();
  expect(slots.allocate(0, 1000)?.location).not.toEqual(held);
  expect(slots.confirm({ ...held, size: held.size + 1 }, true)).toBeUndefined();
  expect(slots.confirm(held, false)).toEqual([]);
  expect(slots.confirm(held, false)).toBeUndefined();
  expect(slots.allocate(0, 1000)?.location).toEqual(held);
  expect(slots.confirm(held, true)).toHaveLength(1);
  expect(slots.confirm(held, true)).toBeUndefined();
});

test("what was held before a restart and is confirmed after it is nobody else's, with the parts around it free", () => {
  const slots = allocator();
  const file = { storePathIndex: 0, high: 1, low: 2, fileId: 9 };
  slots.free({ ...file, offset: 0, size: 4096 });
  const events = slots.confirm({ ...file, offset: 1024, size: 768 }, true) ?? [];
  expect(events.map(({ kind, location: { offset, size } }) => [kind, offset, size])).toEqual([
    ["used", 0, 4096],
    ["free", 0, 1024],
    ["free", 1792, 2304],
  ]);
  expect(free(slots)).toEqual(["0/1/2/9 0+1024", "0/1/2/9 1792+2304"]);
  expect(slots.confirm({ ...file, offset: 512, size: 1024 }, true)).toBeUndefined();
  expect(slots.confirm({ ...file, offset: 0, size: 1024 }, true)).toHaveLength(1);
});

test("freeing what is free is refused, freeing less than a slot does nothing", () => {
  const slots = allocator();
  const file = { storePathIndex: 0, high: 1, low: 2, fileId: 9 };
  expect(slots.free({ ...file, offset: 1024, size: 1024 })).toHaveLength(1);
  expect(slots.free({ ...file, offset: 1024, size: 1024 })).toBeUndefined();
  expect(slots.free({ ...file, offset: 0, size: 1025 })).toBeUndefined();
  expect(slots.free({ ...file, offset: 2047, size: 500 })).toBeUndefined();
  expect(slots.free({ ...file, offset: 512, size: 255 })).toEqual([]);
  expect(slots.free({ ...file, offset: 2048, size: 512 })).toHaveLength(1);
  expect(slots.slotCount).toBe(2);
  expect(slots.currentFileId).toBe(9);
});

test("neighbours become one, over held slots nothing", () => {
  const slots = allocator();
  const file = { storePathIndex: 0, high: 1, low: 2, fileId: 9 };
  for (const offset of [0, 256, 512, 1024, 1280]) slots.free({ ...file, offset, size: 256 });
  slots.allocate(0, 256);
  const events = [...slots.merge()].flat();
  expect(events.filter(({ kind }) => kind === "free").map(({ location }) => location)).toEqual([
    { ...file, offset: 256, size: 512 },
    { ...file, offset: 1024, size: 512 },
  ]);
  expect([...slots.merge()]).toEqual([]);
  expect(slots.freeBytes).toBe(1024);
});

test("trunk files in which nothing is used or held leave the free list, and their numbers do not come back", () => {
  const slots = allocator();
  const take = (): TrunkLocation => slots.allocate(0, mib)?.location as TrunkLocation;
  const [freed, held, kept] = [take(), take(), take()];
  for (let at = 0; at < 2; at += 1) slots.confirm(take(), true);
  const unused = slots.allocate(1, 1000)?.location as TrunkLocation;
  for (const each of [freed, kept, unused]) slots.confirm(each, true);
  slots.free(freed);
  expect([...slots.leaveUnused()]).toEqual([]);
  slots.free(unused);
  // In two pieces, which nobody has joined.
  expect(
    [...slots.leaveUnused()].flat().map(({ kind, location }) => [kind, place(location)]),
  ).toEqual([
    ["used", place(unused)],
    ["used", place({ ...unused, offset: unused.size, size: 4 * mib - unused.size })],
  ]);
  expect(slots.allocate(1, 1000)?.location.fileId).toBe(unused.fileId + 1);
  expect(held.fileId).toBe(1);
});

test("lines that contradict each other lose space at most", () => {
  const slots = allocator();
  const file = { storePathIndex: 0, high: 1, low: 2, fileId: 9 };
  expect(slots.replay({ kind: "free", location: { ...file, offset: 0, size: 4096 } })).toBe(true);
  expect(slots.replay({ kind: "free", location: { ...file, offset: 1024, size: 512 } })).toBe(
    false,
  );
  expect(slots.replay({ kind: "used", location: { ...file, offset: 1024, size: 512 } })).toBe(
    false,
  );
  expect(free(slots)).toEqual(["0/1/2/9 0+1024", "0/1/2/9 1536+2560"]);
});

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("allocate" as const),
      path: fc.integer({ min: 0, max: 1 }),
      size: fc.integer({ min: 1, max: mib }),
    }),
    fc.record({
      kind: fc.constantFrom("confirm" as const, "fail" as const, "free" as const),
      pick: fc.nat(),
    }),
    fc.record({ kind: fc.constant("merge" as const) }),
  ),
  { maxLength: 120 },
);

/**
 * Goal: whatever is asked, no byte of a trunk file is in two slots, none is lost, and the binlog tells the whole state. Method: random
 * requests against a list of what was given out; after each, free, held and used slots must tile the files, and a replay of all
 * lines must give the free ones.
 */
test("slots never overlap, tile their files, and come back from the binlog", () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(0, 256, 1000), (list, alignmentBytes) => {
      const slots = allocator({ alignmentBytes });
      const events: SlotEvent[] = [];
      const held: TrunkLocation[] = [];
      const used: TrunkLocation[] = [];
      for (const step of list) {
        if (step.kind === "allocate") {
          const given = slots.allocate(step.path, step.size);
          expect(given?.location.size).toBeGreaterThanOrEqual(step.size);
          held.push(given?.location as TrunkLocation);
          events.push(...(given?.events ?? []));
        } else if (step.kind === "merge") {
          for (const some of slots.merge()) events.push(...some);
        } else {
          const from = step.kind === "free" ? used : held;
          const [location] = from.splice(step.pick % (from.length || 1), 1);
          if (location === undefined) continue;
          const more =
            step.kind === "free"
              ? slots.free(location)
              : slots.confirm(location, step.kind === "confirm");
          events.push(...(more as readonly SlotEvent[]));
          if (step.kind === "confirm") used.push(location);
        }
        expectTiled([...slots.slots()], used);
        expect([...slots.slots()].filter((slot) => slot.held)).toHaveLength(held.length);
      }
      const again = replayed(events, { alignmentBytes });
      expect(free(again)).toEqual(free(slots));
      expect(again.currentFileId).toBe(slots.currentFileId);
    }),
  );
});

function expectTiled(known: readonly TrunkLocation[], used: readonly TrunkLocation[]): void {
  const files = Map.groupBy([...known, ...used], ({ fileId }) => fileId);
  for (const slots of files.values()) {
    let end = 0;
    for (const slot of slots.toSorted((one, other) => one.offset - other.offset)) {
      expect(slot.offset).toBe(end);
      end += slot.size;
    }
    expect(end).toBe(rules.trunkFileBytes);
  }
}
