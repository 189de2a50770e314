/** The allocator against a model: who holds which byte of which file. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { noPacking, type Packing } from "#filestore/packing.ts";
import { FreeExtents } from "#filestore/trunk/free-extents.ts";
import { slotSizeFor, TrunkSpace } from "#filestore/trunk/trunk-space.ts";
import type { TrunkSlot } from "#model/trunk-location.ts";

const sizeBytes = 4096;

function packing(changes: Partial<Packing> = {}): Packing {
  return { ...noPacking, mode: "leased", slotMinBytes: 64, slotMaxBytes: 2048, ...changes };
}

function spaceWith(...ids: number[]): TrunkSpace {
  const space = new TrunkSpace();
  for (const id of ids) {
    const file = { id, high: 0, low: id, sizeBytes };
    space.activate(
      space.register(file, `/${id}`, new FreeExtents([{ offset: 0, size: sizeBytes }])),
    );
  }
  return space;
}

test("a slot has room for the header and what is asked for, as C counts it", () => {
  const aligned = packing({ slotMinBytes: 256, alignmentBytes: 256 });
  expect([1, 256, 257, 724].map((bytes) => slotSizeFor(bytes, aligned))).toEqual([
    256, 256, 512, 768,
  ]);
  expect(slotSizeFor(4120, packing({ slotMinBytes: 256 }))).toBe(4120);
  expect(slotSizeFor(100, packing({ slotMinBytes: 256, alignmentBytes: 1 }))).toBe(256);
});

test("slots never overlap, and all that was taken comes back as one extent", () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ allocate: fc.integer({ min: 1, max: 1500 }) }),
      fc.record({ release: fc.nat() }),
    ),
    { maxLength: 80 },
  );
  const alignments = fc.constantFrom(0, 1, 64, 100);
  fc.assert(
    fc.property(steps, alignments, (list, alignmentBytes) => {
      const space = spaceWith(1, 2);
      const how = packing({ alignmentBytes });
      const held: TrunkSlot[] = [];
      for (const step of list) {
        if ("allocate" in step) {
          const found = space.allocate(step.allocate, how);
          if (found === undefined) continue;
          const { slot } = found;
          expect(slot.size).toBeGreaterThanOrEqual(step.allocate);
          expect(slot.offset + slot.size).toBeLessThanOrEqual(sizeBytes);
          for (const other of held) {
            const apart =
              other.fileId !== slot.fileId ||
              other.offset + other.size <= slot.offset ||
              slot.offset + slot.size <= other.offset;
            expect(apart).toBe(true);
          }
          held.push(slot);
        } else if (held.length > 0) {
          const [slot] = held.splice(step.release % held.length, 1) as [TrunkSlot];
          expect(space.free(slot)).toBe(true);
          expect(space.free(slot)).toBe(false);
        }
        const used = held.reduce((sum, slot) => sum + slot.size, 0);
        const free = [...space.files].reduce((sum, file) => sum + (file.free?.bytes ?? 0), 0);
        expect(used + free).toBe(2 * sizeBytes);
      }
      for (const slot of held) space.free(slot);
      for (const file of space.files) {
        expect([...(file.free ?? [])]).toEqual([{ offset: 0, size: sizeBytes }]);
      }
    }),
  );
});

test("a rest that is smaller than the smallest slot goes with the slot before it", () => {
  const space = spaceWith(1);
  expect(space.allocate(sizeBytes - 63, packing())?.slot.size).toBe(sizeBytes);
  expect(space.allocate(64, packing())).toBeUndefined();
});

test("only active files give slots; resting and unknown ones take back what is deleted", () => {
  const space = new TrunkSpace();
  const known = space.register({ id: 1, high: 0, low: 0, sizeBytes }, "/1", new FreeExtents());
  const unknown = space.register({ id: 2, high: 0, low: 0, sizeBytes }, "/2");
  expect(space.free({ fileId: 1, offset: 0, size: 1000 })).toBe(true);
  expect(space.free({ fileId: 2, offset: 512, size: 1000 })).toBe(true);
  expect(space.free({ fileId: 2, offset: 600, size: 10 })).toBe(false);
  expect(space.free({ fileId: 2, offset: 4000, size: 100 })).toBe(false);
  expect(space.free({ fileId: 3, offset: 0, size: 1000 })).toBe(false);
  expect(space.allocate(100, packing())).toBeUndefined();
  expect(space.roomiest(100, () => true)).toBe(known);
  space.learn(unknown, new FreeExtents([{ offset: 1512, size: 2000 }]), true);
  expect([...(unknown.free ?? [])]).toEqual([{ offset: 512, size: 3000 }]);
  expect(space.roomiest(100, () => true)).toBe(unknown);
  expect(space.roomiest(3001, () => true)).toBeUndefined();
  space.activate(unknown);
  expect(space.roomiest(100, () => true)).toBe(known);
  expect(space.allocate(100, packing())?.slot.fileId).toBe(2);
  space.forget(unknown);
  expect(space.active).toEqual([]);
  expect(space.find(2)).toBeUndefined();
});

test("what is held gives no slots and takes back what is deleted, until it is released; later files are not held", () => {
  const space = spaceWith(1);
  const resting = space.register(
    { id: 2, high: 0, low: 2, sizeBytes },
    "/2",
    new FreeExtents([{ offset: 0, size: sizeBytes }]),
  );
  const first = space.allocate(100, packing());
  space.hold();
  expect(space.allocate(100, packing())).toBeUndefined();
  expect(space.roomiest(100, () => true)).toBeUndefined();
  expect(space.isHeld(resting)).toBe(true);
  expect(first === undefined ? false : space.free(first.slot)).toBe(true);
  const later = space.register(
    { id: 3, high: 0, low: 3, sizeBytes },
    "/3",
    new FreeExtents([{ offset: 0, size: sizeBytes }]),
  );
  space.activate(later);
  expect(space.allocate(100, packing())?.slot.fileId).toBe(3);
  space.release();
  expect(space.allocate(100, packing())?.slot.fileId).toBe(1);
  expect(space.roomiest(100, () => true)).toBe(resting);
});
