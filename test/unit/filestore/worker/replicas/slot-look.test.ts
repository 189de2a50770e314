/** What stands in a slot, over bytes in memory. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { lookIntoSlot } from "#filestore/worker/replicas/slot-look.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";

const slotBytes = 200_000;

function fileSlot(content: Buffer, slotSize: number, timestamp: number): Buffer {
  const slot = Buffer.alloc(slotSize);
  slot.write("F");
  slot.writeUInt32BE(slotSize, 1);
  slot.writeUInt32BE(content.length, 5);
  slot.writeUInt32BE(crc32(content), 9);
  slot.writeUInt32BE(timestamp, 13);
  slot.write("123.txt", 17);
  content.copy(slot, trunkHeaderSize);
  return slot;
}

function look(there: Buffer, own: Buffer = Buffer.alloc(0)) {
  const read = (offset: number, length: number): Buffer => there.subarray(offset, offset + length);
  const { files, hasRest } = lookIntoSlot(read, {
    ...{ offset: 0, size: slotBytes },
    own: (at, length) => own.subarray(at, at + length),
  });
  return {
    hasRest,
    files: files.map(({ offset, slotSize, timestamp }) => [offset, slotSize, timestamp]),
  };
}

const nothing = { files: [], hasRest: false };
const rest = { files: [], hasRest: true };

test("zeros, and parts of the file that is to come, are nothing, as far as the slot goes", () => {
  const own = Buffer.alloc(slotBytes, "own content");
  const part = Buffer.from(own).fill(0, 10, 70_000).fill(0, 150_000);
  expect(look(Buffer.alloc(slotBytes))).toEqual(nothing);
  expect(look(Buffer.alloc(1000))).toEqual(nothing);
  expect(look(part, own)).toEqual(nothing);
  part[149_999] = 1;
  expect(look(part, own)).toEqual(rest);
});

test("other files are found wherever they begin, and what is none is told apart", () => {
  const there = Buffer.alloc(slotBytes);
  fileSlot(Buffer.from("first"), 256, 1).copy(there, 0);
  const long = fileSlot(Buffer.alloc(90_000, "x"), 90_100, 2);
  long.copy(there, 70_000);
  const files = [
    [0, 256, 1],
    [70_000, 90_100, 2],
  ];
  expect(look(there)).toEqual({ files, hasRest: false });
  there[100_000] = 1;
  expect(look(there)).toEqual({ files: [[0, 256, 1]], hasRest: true });
});

test("files are found behind a rest, whatever that looks like", () => {
  for (const filler of ["F", "L", "xyz", "LF\0"]) {
    // The last one begins where what is read in one step ends.
    for (const begin of [1, 30, 65_530, 65_536]) {
      const there = Buffer.alloc(slotBytes);
      there.fill(filler, 0, begin);
      fileSlot(Buffer.from("content"), 256, 7).copy(there, begin);
      expect(look(there)).toEqual({ files: [[begin, 256, 7]], hasRest: true });
    }
  }
});
