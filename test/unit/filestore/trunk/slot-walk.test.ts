/**
 * Goal: a walk calls free what is free, and never what a reader could find, however the file was damaged.
 * Method: trunk files are built from a list of slots and holes; then the walk must give back the model's free space. Damaged ones are
 * made by overwriting bytes at random; then each slot that a reader of its name would still find must be untouched by the free space.
 */
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  reachesOver,
  type SlotWalkResult,
  walkSlots,
  zeroRun,
} from "#filestore/trunk/slot-walk.ts";

const slotMinBytes = 64;

interface Part {
  readonly kind: "file" | "link" | "hole";
  readonly content: Uint8Array;
  readonly padding: number;
}

interface Built {
  readonly bytes: Buffer;
  readonly slots: readonly { readonly offset: number; readonly size: number }[];
  readonly free: readonly (readonly [number, number])[];
}

function slot(kind: "file" | "link", content: Uint8Array, padding: number): Buffer {
  const bytes = Buffer.alloc(24 + content.length + padding);
  bytes[0] = kind === "file" ? 0x46 : 0x4c;
  bytes.writeUInt32BE(bytes.length, 1);
  bytes.writeUInt32BE(content.length, 5);
  bytes.writeUInt32BE(crc32(content), 9);
  bytes.writeUInt32BE(1_795_409_561, 13);
  bytes.write("897.txt", 17, "latin1");
  bytes.set(content, 24);
  return bytes;
}

function build(parts: readonly Part[]): Built {
  const slots: { offset: number; size: number }[] = [];
  const pieces: Buffer[] = [];
  const free: [number, number][] = [];
  let at = 0;
  for (const { kind, content, padding } of parts) {
    const size = kind === "hole" ? slotMinBytes + content.length : 24 + content.length + padding;
    if (kind !== "hole") slots.push({ offset: at, size });
    else if (
      free.at(-1)?.[0] !== undefined &&
      at === (free.at(-1)?.[0] ?? 0) + (free.at(-1)?.[1] ?? 0)
    ) {
      (free.at(-1) as [number, number])[1] += size;
    } else free.push([at, size]);
    pieces.push(kind === "hole" ? Buffer.alloc(size) : slot(kind, content, padding));
    at += size;
  }
  return { bytes: Buffer.concat(pieces), slots, free };
}

function walked(bytes: Buffer, sizeBytes = bytes.length): SlotWalkResult {
  const read = (offset: number, length: number): Buffer => bytes.subarray(offset, offset + length);
  const steps = walkSlots({ read, sizeBytes, actualBytes: bytes.length, slotMinBytes });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

const contents = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.constant(new Uint8Array(150)),
  // Content that holds a trunk file's slot itself.
  fc.uint8Array({ maxLength: 60 }).map((inner) => slot("file", inner, 30)),
);
const parts = fc.array(
  fc.record({
    kind: fc.constantFrom("file", "link", "hole"),
    content: contents,
    padding: fc.integer({ min: 0, max: 40 }),
  } as const),
  { maxLength: 20 },
);

test("a whole file's free space is what is between its slots", () => {
  fc.assert(
    fc.property(parts, (list) => {
      const { bytes, slots, free } = build(list);
      const result = walked(bytes);
      expect([...result.free].map(({ offset, size }) => [offset, size])).toEqual(free);
      expect(result.slots).toBe(slots.length);
      expect(result.damaged).toEqual([]);
    }),
  );
});

test("whatever is damaged, a slot that a reader still finds is not free", () => {
  const damages = fc.array(
    fc.record({ at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 30 }) }),
    { minLength: 1, maxLength: 8 },
  );
  fc.assert(
    fc.property(parts, damages, fc.nat(), (list, damage, cut) => {
      const { bytes, slots } = build(list);
      const broken = Buffer.from(bytes);
      for (const { at, bytes: wrong } of damage) {
        if (broken.length > 0) broken.set(wrong.subarray(0, 1), at % broken.length);
        if (broken.length > 40) broken.set(wrong, at % (broken.length - 30));
      }
      const short = broken.subarray(0, broken.length - (cut % (broken.length + 1)));
      const result = walked(short, bytes.length);
      for (const { offset, size } of slots) {
        if (offset + size > short.length) continue;
        // A reader compares the header alone.
        const isFound = short
          .subarray(offset, offset + 24)
          .equals(bytes.subarray(offset, offset + 24));
        if (!isFound) continue;
        for (const extent of result.free) {
          const apart = extent.offset + extent.size <= offset || offset + size <= extent.offset;
          expect(apart, `slot ${offset}+${size}, free ${extent.offset}+${extent.size}`).toBe(true);
        }
      }
      for (const { offset, size } of result.free) {
        expect(zeroRun(short, offset)).toBeGreaterThanOrEqual(size);
      }
    }),
    { numRuns: 500 },
  );
});

test("a torn header makes its slot not free, and the slots behind it are found", () => {
  const { bytes } = build([
    { kind: "file", content: Buffer.from("first"), padding: 0 },
    { kind: "file", content: Buffer.alloc(100, "x"), padding: 0 },
    { kind: "file", content: Buffer.from("third"), padding: 0 },
    { kind: "hole", content: new Uint8Array(0), padding: 0 },
  ]);
  bytes.fill(0, 29, 29 + 10);
  const result = walked(bytes);
  expect(result.slots).toBe(2);
  expect(result.damaged).toEqual([{ offset: 39, size: 114 }]);
  expect([...result.free]).toEqual([{ offset: 29 + 124 + 29, size: slotMinBytes }]);
});

test("a slot that lies about its size hides nothing that is there", () => {
  const { bytes } = build([
    { kind: "file", content: Buffer.from("first"), padding: 0 },
    { kind: "file", content: new Uint8Array(100), padding: 20 },
    { kind: "hole", content: new Uint8Array(100), padding: 0 },
  ]);
  // It claims the beginning of the next one: what it may hold is not free, and what is beyond that is.
  bytes.writeUInt32BE(29 + 144 + 50, 1);
  const result = walked(bytes);
  expect(result.slots).toBe(2);
  expect([...result.free]).toEqual([{ offset: 29 + 144 + 50, size: 114 }]);
});

test("of a file that was cut off what is missing is not free", () => {
  const { bytes } = build([
    { kind: "file", content: Buffer.from("first"), padding: 0 },
    { kind: "hole", content: new Uint8Array(400), padding: 0 },
  ]);
  const result = walked(bytes.subarray(0, 129), bytes.length);
  expect([...result.free]).toEqual([{ offset: 29, size: 100 }]);
  expect(result.damaged).toEqual([{ offset: 129, size: 364 }]);
  expect(result.damagedBytes).toBe(364);
});

test("rubbish that is made to look like headers ends in bounded time, and is not free", () => {
  const bytes = Buffer.alloc(3 * 1024 * 1024);
  const header = slot("file", new Uint8Array(0), 0);
  header.writeUInt32BE(2 * 1024 * 1024, 1);
  header.writeUInt32BE(2 * 1024 * 1024 - 24, 5);
  header.writeUInt32BE(12345, 9);
  for (let at = 0; at + 24 <= bytes.length; at += 24) header.copy(bytes, at);
  const result = walked(bytes);
  expect(result.free.count).toBe(0);
  expect(result.slots).toBe(0);
  expect(result.damagedBytes).toBeGreaterThan(bytes.length - slotMinBytes);
});

test("long holes are walked in steps", () => {
  const bytes = Buffer.alloc(5 * 1024 * 1024);
  const read = (offset: number, length: number): Buffer => bytes.subarray(offset, offset + length);
  const steps = walkSlots({
    read,
    sizeBytes: bytes.length,
    actualBytes: bytes.length,
    slotMinBytes,
  });
  let count = 0;
  while (steps.next().done !== true) count += 1;
  expect(count).toBeGreaterThan(3);
});

test("what reaches over a place is found behind rests, holes and slots, and nothing is that ends there", () => {
  const [short, long] = [
    slot("file", Buffer.alloc(50, "short"), 26),
    slot("file", Buffer.alloc(900, "L"), 76),
  ];
  const bytes = Buffer.concat([short, Buffer.alloc(500), Buffer.alloc(40, "F?"), long, short]);
  const isReached = (offset: number): boolean => {
    const read = (at: number, length: number): Buffer => bytes.subarray(at, at + length);
    const steps = reachesOver({ read, actualBytes: bytes.length }, offset);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  };
  expect([0, 1, 99, 100, 300, 639, 640, 641, 1639, 1640, 1641].map(isReached)).toEqual([
    false,
    true,
    true,
    false,
    false,
    false,
    false,
    true,
    true,
    false,
    true,
  ]);
  // What it was is damaged: a reader of its name finds it all the same.
  bytes[700] = 1;
  expect([1200, 1640].map(isReached)).toEqual([true, false]);
});
