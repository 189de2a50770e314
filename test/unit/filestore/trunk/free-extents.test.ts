/** Free extents against a model: one flag a byte. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Extent, FreeExtents } from "#filestore/trunk/free-extents.ts";

const length = 64;
const operations = fc.array(
  fc.record({
    kind: fc.constantFrom("add", "take", "merge", "remove", "fit"),
    offset: fc.integer({ min: 0, max: length - 1 }),
    size: fc.integer({ min: 1, max: 20 }),
  } as const),
  { maxLength: 60 },
);

function extentsOf(model: readonly boolean[]): Extent[] {
  const found: { offset: number; size: number }[] = [];
  for (const [at, free] of model.entries()) {
    const last = found.at(-1);
    if (!free) continue;
    if (last !== undefined && last.offset + last.size === at) last.size += 1;
    else found.push({ offset: at, size: 1 });
  }
  return found;
}

test("extents are those of a model with a flag a byte, whatever is freed and taken", () => {
  fc.assert(
    fc.property(operations, (steps) => {
      const model = new Array<boolean>(length + 20).fill(false);
      const extents = new FreeExtents();
      for (const { kind, offset, size } of steps) {
        const part = model.slice(offset, offset + size);
        if (kind === "add") {
          const fits = part.every((free) => !free);
          expect(extents.add(offset, size)).toBe(fits);
          if (fits) model.fill(true, offset, offset + size);
        } else if (kind === "take") {
          const fits = part.every((free) => free);
          expect(extents.covers(offset, size)).toBe(fits);
          expect(extents.take(offset, size)).toBe(fits);
          if (fits) model.fill(false, offset, offset + size);
        } else if (kind === "fit") {
          const fitting = extentsOf(model).filter((extent) => extent.size >= size);
          const least = Math.min(...fitting.map((extent) => extent.size));
          expect(extents.bestFit(size)).toEqual(fitting.find((extent) => extent.size === least));
        } else {
          if (kind === "merge") extents.merge(offset, size);
          else extents.remove(offset, size);
          model.fill(kind === "merge", offset, offset + size);
        }
        expect([...extents]).toEqual(extentsOf(model));
        expect(extents.bytes).toBe(model.filter((free) => free).length);
        expect(extents.count).toBe(extentsOf(model).length);
      }
    }),
  );
});

test("room is found behind very many extents that are too small", () => {
  const extents = new FreeExtents();
  for (let at = 0; at < 5000; at += 1) extents.add(at * 300, 256);
  extents.add(5000 * 300, 1000);
  expect(extents.bestFit(1000)).toEqual({ offset: 5000 * 300, size: 1000 });
  expect(extents.bestFit(1001)).toBeUndefined();
  extents.take(5000 * 300, 1000);
  expect(extents.bestFit(257)).toBeUndefined();
  expect(extents.bestFit(256)).toEqual({ offset: 0, size: 256 });
});

test("the gaps in a region are what of it is not free", () => {
  const part = fc.record({ offset: fc.nat(60), size: fc.integer({ min: 1, max: 12 }) });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), part, (extents, { offset, size }) => {
      const free = new FreeExtents(extents);
      const expected = [...Array(size).keys()]
        .map((at) => offset + at)
        .filter((at) => !free.touches(at, 1));
      const gaps = free.gaps(offset, size);
      const found = gaps.flatMap((gap) => [...Array(gap.size).keys()].map((at) => gap.offset + at));
      expect(found).toEqual(expected);
    }),
  );
});
