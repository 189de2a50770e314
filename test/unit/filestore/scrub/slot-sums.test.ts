/** What two numbers a trunk file tell: the same where each header has its name, others where not. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { writeTrunkHeader } from "#filestore/formats/trunk-header.ts";
import { SlotSums, slotHash } from "#filestore/scrub/slot-sums.ts";
import { trunkHeaderSize } from "#model/trunk-location.ts";

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const fields = fc.record({
  ...{ slotSize: word, size: word, crc32: word, timestamp: word },
  tail: fc.string({ unit: fc.constantFrom(..."0123456789.abc"), minLength: 7, maxLength: 7 }),
});

function headerOf(of: Parameters<typeof writeTrunkHeader>[2]): Buffer {
  const header = Buffer.alloc(trunkHeaderSize + 3);
  writeTrunkHeader(header, 3, of);
  return header;
}

test("every bit of a header but its type makes another number, and so does another place", () => {
  fc.assert(
    fc.property(
      fields,
      word,
      fc.integer({ min: 8, max: 8 * trunkHeaderSize - 1 }),
      (of, at, bit) => {
        const header = headerOf(of);
        const before = slotHash(header, 3, at);
        header[3] = (header[3] ?? 0) ^ 1;
        expect(slotHash(header, 3, at)).toBe(before);
        const byte = 3 + Math.floor(bit / 8);
        header[byte] = (header[byte] ?? 0) ^ (1 << (bit % 8));
        expect(slotHash(header, 3, at)).not.toBe(before);
        expect(slotHash(headerOf(of), 3, at ^ 4096)).not.toBe(before);
      },
    ),
  );
});

test("names that came and went leave nothing, in whichever order; one too many or too few is seen", () => {
  const sums = new SlotSums();
  for (const fileId of [1, 2, 3]) sums.begin(fileId, 100);
  for (const hash of [11, 22, -5]) sums.add(1, hash);
  for (const hash of [-5, 7, 22, 11]) sums.follow(1, hash, true);
  sums.follow(1, 7, false);
  sums.add(2, 1);
  sums.follow(3, 1, true);
  sums.follow(4, 1, true);
  expect([...sums.differing()]).toEqual([
    { fileId: 2, count: 1 },
    { fileId: 3, count: 0 },
  ]);
});

test("what was recorded while a trunk file was read, or of one that was not read, does not count", () => {
  const sums = new SlotSums();
  sums.begin(1, 100);
  expect([sums.counts(1, 99), sums.counts(1, 100), sums.counts(2, 99)]).toEqual([
    true,
    false,
    false,
  ]);
  sums.add(1, 5);
  sums.begin(1, 200);
  expect([...sums.differing()]).toEqual([]);
});
