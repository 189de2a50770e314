/** Content that is watched on its way out. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { CountedContent } from "#cli/transfer/counted-content.ts";
import { collect, flowOfSource, sourceOfBytes } from "#net/byte-flow.ts";

const bytes = Buffer.from("some content");

test("bytes are counted and summed, from the start with each try", async () => {
  const passed: number[] = [];
  const content = new CountedContent(
    { length: bytes.length, open: () => sourceOfBytes(bytes) },
    (count) => passed.push(count),
  );
  expect(content.length).toBe(bytes.length);
  for (let round = 0; round < 2; round += 1) {
    expect(await collect(flowOfSource(content.open()))).toEqual(bytes);
    expect(content.crc32).toBe(crc32(bytes));
  }
  expect(passed.reduce((sum, count) => sum + count, 0)).toBe(bytes.length);
});
