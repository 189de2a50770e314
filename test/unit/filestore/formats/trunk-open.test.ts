import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTrunkOpen, parseTrunkOpen } from "#filestore/formats/trunk-open.ts";
import { FreeExtents } from "#filestore/trunk/free-extents.ts";

const note = {
  position: { index: 3, offset: 4711 },
  open: [
    {
      file: { id: 12, high: 1, low: 255, sizeBytes: 4096 },
      free: new FreeExtents([
        { offset: 0, size: 100 },
        { offset: 200, size: 3896 },
      ]),
    },
    { file: { id: 13, high: 0, low: 0, sizeBytes: 64 }, free: new FreeExtents() },
  ],
};

test("a note is read as it was written", () => {
  const text = formatTrunkOpen(note);
  expect(text).toBe(
    "trunk-open 1 3 4711\nfile 12 1 255 4096\n0 100\n200 3896\nfile 13 0 0 64\nend 5\n",
  );
  const read = parseTrunkOpen(text);
  expect(read?.position).toEqual(note.position);
  expect(read?.open.map(({ file, free }) => [file, [...free]])).toEqual(
    note.open.map(({ file, free }) => [file, [...free]]),
  );
});

test("a note that is cut off or changed is none, or says the same", () => {
  const text = formatTrunkOpen(note);
  for (let length = 0; length < text.length; length += 1) {
    expect(parseTrunkOpen(text.slice(0, length)), `${length}`).toBeUndefined();
  }
  for (const wrong of ["0 100\n50 10", "0 5000", "0 0", "x y", "0 100 3"]) {
    expect(parseTrunkOpen(text.replace("0 100", wrong)), wrong).toBeUndefined();
  }
  fc.assert(fc.property(fc.string(), (rubbish) => parseTrunkOpen(rubbish) === undefined));
});
