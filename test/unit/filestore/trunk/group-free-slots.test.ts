import fc from "fast-check";
import { expect, test } from "vitest";
import { GroupFreeSlots } from "#filestore/trunk/group-free-slots.ts";

const file = { storePathIndex: 0, high: 1, low: 2, fileId: 3 };

test("the smallest sufficient size wins, and the oldest slot of it", () => {
  const slots = new GroupFreeSlots();
  for (const [offset, size] of [
    [0, 500],
    [1000, 300],
    [2000, 300],
    [3000, 900],
  ] as const) {
    slots.add({ ...file, offset, size }, false);
  }
  slots.add({ ...file, offset: 4000, size: 310 }, true);
  expect(slots.bestFit(0, 300)?.location.offset).toBe(1000);
  expect(slots.bestFit(0, 301)?.location.offset).toBe(0);
  expect(slots.bestFit(0, 901)).toBeUndefined();
  expect(slots.bestFit(1, 1)).toBeUndefined();
  expect(slots.freeBytes).toBe(2000);
});

test("what overlaps is found, as a model of single bytes finds it", () => {
  const range = fc.record({ offset: fc.nat(60), size: fc.integer({ min: 1, max: 12 }) });
  fc.assert(
    fc.property(
      fc.array(range, { maxLength: 40 }),
      fc.array(range, { maxLength: 10 }),
      (adds, cuts) => {
        const slots = new GroupFreeSlots();
        const bytes = new Set<number>();
        const covered = (one: { offset: number; size: number }): number[] =>
          Array.from({ length: one.size }, (_, at) => one.offset + at);
        for (const add of adds) {
          const taken = covered(add).some((byte) => bytes.has(byte));
          expect(slots.overlaps({ ...file, ...add })).toBe(taken);
          if (taken) continue;
          slots.add({ ...file, ...add }, false);
          for (const byte of covered(add)) bytes.add(byte);
        }
        for (const cut of cuts) {
          slots.cut({ ...file, ...cut });
          for (const byte of covered(cut)) bytes.delete(byte);
        }
        const left = [...slots.all()].flatMap(({ location }) => covered(location));
        expect(left).toEqual([...bytes].sort((one, other) => one - other));
        expect(slots.freeBytes).toBe(bytes.size);
        for (const slot of [...slots.all()]) slots.remove(slot);
        expect([slots.count, slots.freeBytes, slots.bestFit(0, 1)]).toEqual([0, 0, undefined]);
      },
    ),
  );
});
