import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTrunkFiles, parseTrunkFiles } from "#filestore/formats/trunk-files.ts";

const trunkFile = fc.record({
  id: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  high: fc.integer({ min: 0, max: 255 }),
  low: fc.integer({ min: 0, max: 255 }),
  sizeBytes: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
});

test("the files are read as they were written", () => {
  expect(formatTrunkFiles([{ id: 7, high: 1, low: 2, sizeBytes: 4096 }])).toBe(
    "7 1 2 4096\nend 1\n",
  );
  fc.assert(
    fc.property(fc.uniqueArray(trunkFile, { selector: (file) => file.id }), (files) => {
      expect(parseTrunkFiles(formatTrunkFiles(files))).toEqual({ files, whole: true });
    }),
  );
});

test("of a list that is cut off or damaged the legible lines are read, and it is not whole", () => {
  const files = [1, 2, 3].map((id) => ({ id, high: 0, low: id, sizeBytes: 4096 }));
  const text = formatTrunkFiles(files);
  expect(parseTrunkFiles(text.replace("2 0 2", "2 0 x"))).toEqual({
    files: [files[0], files[2]],
    whole: false,
  });
  for (let length = 0; length < text.length; length += 1) {
    expect(parseTrunkFiles(text.slice(0, length)).whole, `${length}`).toBe(false);
  }
  for (const line of ["0 0 0 4096", "1 256 0 4096", "1 0 0 0", "9999999999 0 0 1", "1 0 0"]) {
    expect(parseTrunkFiles(`${line}\nend 1\n`), line).toEqual({ files: [], whole: false });
  }
});
