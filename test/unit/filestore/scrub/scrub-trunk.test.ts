/** A trunk file that the disk does not give as a whole: what is around the bad block is checked all the same. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { writeTrunkHeader } from "#filestore/formats/trunk-header.ts";
import { emptyTally, type Finding } from "#filestore/scrub/findings.ts";
import { scrubTrunkFile } from "#filestore/scrub/scrub-trunk.ts";
import { makeTail } from "#model/file-base.ts";
import type { DiskReads } from "#platform/disk-reads.ts";
import { FileError } from "#platform/files.ts";
import { runSteps } from "../../../support/engine-fixture.ts";

const slotSize = 64 * 1024;
const slots = 40;
const timestamp = 1_700_000_000;

function trunkFile(): Buffer {
  const file = Buffer.alloc(slots * slotSize);
  for (let at = 0; at < slots; at += 1) {
    const content = Buffer.alloc(slotSize - 100 - at, `${at} `);
    const facts = { slotSize, size: content.length, crc32: crc32(content), timestamp };
    writeTrunkHeader(file, at * slotSize, { ...facts, tail: makeTail("txt", at) });
    content.copy(file, at * slotSize + 24);
  }
  return file;
}

/** Reads that touch `bad` fail. */
function scrub(file: Buffer, bad = -1) {
  const disk: DiskReads = {
    open: () => ({
      facts: () => {
        throw new Error("nobody asks");
      },
      size: () => file.length,
      read: (length, position) => {
        if (bad >= position && bad < position + length) throw new FileError("EIO", "EIO");
        return file.subarray(position, position + length);
      },
      close: () => {},
    }),
  };
  const found: Finding[] = [];
  const tally = emptyTally();
  const world = {
    ...{ disk, tally, nowSeconds: () => timestamp + 1000, isSlotBusy: () => false },
    found: (finding: Finding) => found.push(finding),
  };
  const trunk = { path: "/000001", place: "00/00/000001", fileId: 1 };
  runSteps(scrubTrunkFile(world, trunk));
  return { tally, found };
}

test("whole files are good, and nothing is strange", () => {
  expect(scrub(trunkFile())).toMatchObject({ tally: { files: slots, good: slots }, found: [] });
});

test("a block that cannot be read costs the file in it, whichever block of it that is", () => {
  for (const inside of [5000, slotSize / 2, slotSize - 5000]) {
    const { tally, found } = scrub(trunkFile(), 20 * slotSize + inside);
    expect(tally).toMatchObject({ good: slots - 1, damaged: 1, unreadable: 1 });
    expect(found).toMatchObject([{ damage: "unreadable", region: { offset: 20 * slotSize } }]);
  }
  // Where the header is in that block, nobody knows what was there.
  for (const inside of [3, 24]) {
    const { tally, found } = scrub(trunkFile(), 20 * slotSize + inside);
    expect(tally.good).toBe(slots - 1);
    expect(found).toMatchObject([{ damage: "slot-header", region: { offset: 20 * slotSize } }]);
  }
});

test("any flipped bit is found, in header or content, but for what only the name tells as well", () => {
  const whole = trunkFile();
  for (const at of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 24, 30_000]) {
    const file = Buffer.from(whole);
    const place = 7 * slotSize + at;
    file[place] = (file[place] ?? 0) ^ 0x20;
    const { found } = scrub(file);
    const seen = found.flatMap(({ region }) => [region?.offset, region?.before]);
    expect(seen, `byte ${at}`).toContain(7 * slotSize);
  }
});
