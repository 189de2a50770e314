/**
 * Goal: whatever lies in trunk files, in their notes and in the trunk log, a store path opens or says why not, no reader throws or hangs,
 * and no slot is given out in which a file stands that can still be read.
 * Method: rubbish made of the fragments of each format, and hostile headers, into the walk and the notes; then a store path with packed
 * files, whose notes and free space are overwritten by such rubbish, is opened without an orderly end, and files are stored until room
 * would be taken twice.
 */
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTrunkFiles, parseTrunkFiles } from "#filestore/formats/trunk-files.ts";
import { formatTrunkOpen, parseTrunkOpen } from "#filestore/formats/trunk-open.ts";
import { walkSlots, zeroRun } from "#filestore/trunk/slot-walk.ts";
import { decodeBase } from "#model/file-id.ts";
import { readBack } from "../support/engine-fixture.ts";
import { MemoryFiles } from "../support/memory-files.ts";
import { openPacking, putPacked } from "../support/packed-fixture.ts";
import { writeFile } from "../support/store-path-vectors.ts";

const pieces = fc.array(
  fc.constantFrom(
    ...["trunk-open 1 0 0\n", "trunk-open 1 0 400\n", "file 1 0 0 16384\n", "file 2 0 0 16384\n"],
    ...["0 16384\n", "0 100\n", "648 64\n", "16383 1\n", "16383 2\n", "-1 5\n", "1 0 0 16384\n"],
    ...["end 0\n", "end 1\n", "end 2\n", "end 3\n", "\n", "1 A 0 0 0 1 0 16384\n", "\0", " ", "9"],
    ...["1 D 0 0 0 1 0 16384\n", "1 A 0 0 0 2 100 20\n", "1 A 0 0 0 1 16000 9999\n", "1 A 0"],
  ),
  { maxLength: 14 },
);
const bytes = fc.uint8Array({ maxLength: 60 }).map((some) => Buffer.from(some).toString("latin1"));
const text = fc.oneof(
  pieces.map((each) => each.join("")),
  bytes,
);

test("notes that are accepted say the same when they are written again", () => {
  fc.assert(
    fc.property(text, (rubbish) => {
      const note = parseTrunkOpen(rubbish);
      if (note !== undefined) {
        const again = parseTrunkOpen(formatTrunkOpen(note));
        const extents = (each: typeof note) => each.open.map(({ file, free }) => [file, [...free]]);
        expect(extents(again ?? note)).toEqual(extents(note));
      }
      const { files } = parseTrunkFiles(rubbish);
      expect(parseTrunkFiles(formatTrunkFiles(files))).toEqual({ files, whole: true });
    }),
  );
});

/** A slot that may lie about everything. */
const slots = fc
  .record({
    type: fc.constantFrom(0x46, 0x4c, 0, 0x47),
    claimed: fc.oneof(fc.nat(400), fc.nat()),
    size: fc.oneof(fc.nat(200), fc.nat()),
    content: fc.uint8Array({ maxLength: 120 }),
    honest: fc.boolean(),
    tail: fc.constantFrom("897.txt", "\0\0\0\0\0\0\0", "1234567"),
  })
  .map(({ type, claimed, size, content, honest, tail }) => {
    const slot = Buffer.alloc(24 + content.length);
    slot[0] = type;
    slot.writeUInt32BE(honest ? slot.length : claimed, 1);
    slot.writeUInt32BE(honest ? content.length : size, 5);
    slot.writeUInt32BE(honest ? crc32(content) : claimed, 9);
    slot.write(tail, 17, "latin1");
    slot.set(content, 24);
    return slot;
  });
const trunkBytes = fc
  .array(
    fc.oneof(
      slots,
      fc.nat(300).map((size) => Buffer.alloc(size)),
    ),
    { maxLength: 12 },
  )
  .map((all) => Buffer.concat(all));

test("a walk over hostile bytes ends, calls free only zeros, and nothing that a header may mean", () => {
  fc.assert(
    fc.property(trunkBytes, fc.nat(200), fc.boolean(), (content, more, isShort) => {
      const read = (offset: number, length: number) => content.subarray(offset, offset + length);
      const sizeBytes = isShort ? content.length + more : content.length;
      const walk = { read, sizeBytes, actualBytes: content.length, slotMinBytes: 8 };
      const steps = walkSlots(walk);
      let step = steps.next();
      for (let count = 0; step.done !== true; count += 1) {
        expect(count).toBeLessThan(1000);
        step = steps.next();
      }
      const { free } = step.value;
      for (const { offset, size } of free) {
        expect(zeroRun(content, offset)).toBeGreaterThanOrEqual(size);
      }
      for (let at = 0; at + 24 <= content.length; at += 1) {
        if (content[at] !== 0x46 && content[at] !== 0x4c) continue;
        const claimed = content.readUInt32BE(at + 1);
        const size = content.readUInt32BE(at + 5);
        const isName = /^[\w.-]{7}$/.test(content.toString("latin1", at + 17, at + 24));
        if (!isName || size + 24 > claimed || at + claimed > content.length) continue;
        for (const extent of free) {
          const apart = extent.offset + extent.size <= at || at + claimed <= extent.offset;
          expect(apart).toBe(true);
        }
      }
    }),
  );
});

test("a store path with rubbish in its notes and in its free space keeps every file", () => {
  const directory = "/disk";
  const own = `${directory}/data/.cairn`;
  const noteNames = ["trunk-open", "trunk-files", "trunk.log"] as const;
  const damage = fc.record({
    notes: fc.dictionary(fc.constantFrom(...noteNames), text, { maxKeys: 3 }),
    free: fc.option(trunkBytes, { nil: undefined }),
    clean: fc.boolean(),
  });
  fc.assert(
    fc.property(damage, ({ notes, free, clean }) => {
      const files = new MemoryFiles(directory);
      const first = openPacking({ files, directory });
      const contents = Array.from({ length: 12 }, (_, at) => Buffer.alloc(2000, 65 + at));
      const names = contents.map((content) => putPacked(first.engine, content));
      if (clean) first.engine.close();
      for (const [name, note] of Object.entries(notes)) writeFile(files, `${own}/${name}`, note);
      if (free !== undefined) {
        const last = decodeBase((names.at(-1) ?? "").slice(10))?.trunk;
        const end = (last?.offset ?? 0) + (last?.size ?? 0);
        const path = `${directory}/data/00/00/00000${last?.fileId ?? 0}`;
        const descriptor = files.open(path, "read-write");
        files.write(descriptor, free.subarray(0, 16 * 1024 - end), end);
        files.close(descriptor);
      }
      const next = openPacking({ files, directory, seed: 2, firstNumber: 100 });
      next.settle();
      const more: [string, Buffer][] = [];
      for (let at = 0; at < 30; at += 1) {
        const content = Buffer.alloc(1500 + at, 97 + (at % 26));
        more.push([putPacked(next.engine, content), content]);
      }
      for (const [at, name] of names.entries()) more.push([name, contents[at] ?? Buffer.alloc(0)]);
      for (const [name, content] of more) {
        expect(readBack(next.engine, name).equals(content), name).toBe(true);
      }
      next.engine.close();
    }),
    { numRuns: 60 },
  );
});
