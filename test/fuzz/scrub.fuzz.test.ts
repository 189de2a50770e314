/**
 * Goal: whatever stands on a disk that is scrubbed, the scrub comes to its end, writes nothing, and calls nothing damaged that is not; and
 * what it notes by itself is read again or left out.
 * Method: trunk files of random bytes and of genuine slots with random damage; notes and lists of random lines.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseScrubNote, parseScrubTimes } from "#filestore/formats/scrub-note.ts";
import { emptyTally, type Finding } from "#filestore/scrub/findings.ts";
import { scrubTrunkFile } from "#filestore/scrub/scrub-trunk.ts";
import { checkedLines, parseSideLine } from "#filestore/scrub/side-records.ts";
import { parseDamaged } from "#filestore/worker/scrub/damaged-files.ts";
import { cachedReads } from "#platform/disk-reads.ts";
import { viewOf } from "../support/engine-fixture.ts";
import { MemoryFiles } from "../support/memory-files.ts";
import { openPacking, putPacked } from "../support/packed-fixture.ts";
import { writeFile } from "../support/store-path-vectors.ts";

const maxSteps = 10_000;

function scrubbed(bytes: Buffer) {
  const files = new MemoryFiles("/disk");
  writeFile(files, "/disk/000001", bytes);
  const found: Finding[] = [];
  const tally = emptyTally();
  const steps = scrubTrunkFile(
    {
      ...{ disk: cachedReads(files), tally, nowSeconds: () => 0, isSlotBusy: () => false },
      found: (finding) => found.push(finding),
    },
    { path: "/disk/000001", place: "00/00/000001", fileId: 1 },
  );
  let count = 0;
  while (steps.next().done !== true) {
    count += 1;
    if (count > maxSteps) throw new Error("it does not come to its end");
  }
  expect(files.openFiles).toBe(0);
  return { found, tally };
}

function genuine(): Buffer {
  const files = new MemoryFiles("/disk");
  const { engine } = openPacking({ files, directory: "/disk" });
  for (let at = 0; at < 12; at += 1) putPacked(engine, `${at} `.repeat(20 + at * 9));
  engine.close();
  const [text = ""] = Object.entries(viewOf(files, "/disk").files)
    .filter(([path]) => /\/000001$/.test(path))
    .map(([, content]) => content);
  return Buffer.from(text, "latin1");
}

test("random bytes in the place of a trunk file end the scrub, with what is strange in them", () => {
  const letters = fc.constantFrom(0, 0x46, 0x4c, 0x2e, 0x61, 0xff);
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 3000 }), (bytes) => {
      const { tally } = scrubbed(Buffer.from(bytes));
      expect(tally.good).toBeLessThanOrEqual(tally.files);
    }),
  );
});

test("damage in one place of a trunk file costs no more than the file there and its neighbour", () => {
  const whole = genuine();
  const before = scrubbed(whole);
  expect(before).toMatchObject({ found: [], tally: { files: 12, good: 12 } });
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ bits;
      expect(scrubbed(bytes).tally.good).toBeGreaterThanOrEqual(10);
    }),
  );
});

test("notes and lists of anything are read or left out", () => {
  fc.assert(
    fc.property(fc.string(), fc.uint8Array({ maxLength: 200 }), (text, bytes) => {
      parseScrubNote(text);
      parseSideLine(text);
      parseDamaged(text);
      parseScrubTimes(Buffer.from(bytes));
      checkedLines(Buffer.from(bytes));
    }),
  );
});
