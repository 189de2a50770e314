import { expect, test } from "vitest";
import { linesOfPage } from "#sync/binlog-page.ts";

const name = "M00/00/00/CgkAAmsDoW-Aa8rXAAAABTYQpoY625.txt";
const lines = Buffer.from(`1 C ${name}\nno record\n2 D ${name}\n`, "latin1");
const lengths = [`1 C ${name}\n`.length, "no record\n".length, `2 D ${name}\n`.length] as const;

test("each line of a page has the place where the next one begins", () => {
  const from = { index: 3, offset: 100 };
  const next = { index: 3, offset: 100 + lines.length };
  const found = linesOfPage(from, { lines, next, atEnd: true });
  expect(found.map(({ entry }) => entry?.kind)).toEqual(["create", undefined, "delete"]);
  expect(found.map(({ end }) => end)).toEqual([
    { index: 3, offset: 100 + lengths[0] },
    { index: 3, offset: 100 + lengths[0] + lengths[1] },
    next,
  ]);
});

test("a page that ends a file has its lines in it; one that begins the next file has them there", () => {
  const from = { index: 0, offset: 7 };
  const ended = linesOfPage(from, { lines, next: { index: 1, offset: 0 }, atEnd: false });
  expect(ended[0]?.end).toEqual({ index: 0, offset: 7 + lengths[0] });
  const next = { index: 2, offset: lines.length };
  expect(linesOfPage(from, { lines, next, atEnd: true })[0]?.end).toEqual({
    index: 2,
    offset: lengths[0],
  });
});

test("an empty page has no lines", () => {
  const from = { index: 0, offset: 7 };
  expect(linesOfPage(from, { lines: new Uint8Array(0), next: from, atEnd: true })).toEqual([]);
});
