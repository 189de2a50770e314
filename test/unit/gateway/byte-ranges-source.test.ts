/** The body of several ranges. */
import { expect, test } from "vitest";
import { ByteRangesSource } from "#gateway/byte-ranges-source.ts";
import { sourceOfBytes } from "#net/byte-flow.ts";

const content = Buffer.from("0123456789");
const ranges = [
  { first: 7, last: 9 },
  { first: 0, last: 0 },
];

function make(open?: (range: { first: number; last: number }) => Promise<never>): {
  readonly source: ByteRangesSource;
  readonly closed: number[];
} {
  const closed: number[] = [];
  const source = new ByteRangesSource({
    ranges,
    sizeBytes: content.length,
    contentType: "text/plain",
    boundary: "xyz",
    open:
      open ??
      (async ({ first, last }) => ({
        ...sourceOfBytes(content.subarray(first, last + 1)),
        close: () => closed.push(first),
      })),
  });
  return { source, closed };
}

async function read(source: ByteRangesSource): Promise<string> {
  let text = "";
  for (;;) {
    const piece = await source.next();
    if (piece === undefined) return text;
    text += Buffer.from(piece.bytes).toString();
    piece.release();
  }
}

test("the body has the form of the standard, and the announced length", async () => {
  const { source, closed } = make();
  const text = await read(source);
  expect(text.split("\r\n")).toEqual([
    "--xyz",
    "Content-Type: text/plain",
    "Content-Range: bytes 7-9/10",
    "",
    "789",
    "--xyz",
    "Content-Type: text/plain",
    "Content-Range: bytes 0-0/10",
    "",
    "0",
    "--xyz--",
    "",
  ]);
  expect(text.length).toBe(source.length);
  expect(closed).toEqual([7, 0]);
  expect(await source.next()).toBeUndefined();
});

test("closing in the middle closes the range that is open, and opens no other", async () => {
  const { source, closed } = make();
  await source.next();
  source.close();
  expect([await source.next(), closed]).toEqual([undefined, [7]]);
});

test("closing while a range is being opened closes that one, too", async () => {
  const { source, closed } = make();
  const first = source.next();
  source.close();
  await first;
  expect([await source.next(), closed]).toEqual([undefined, [7]]);
});

test("a file that changed breaks the body off", async () => {
  const { source } = make(async () => {
    throw new Error("changed");
  });
  await expect(read(source)).rejects.toThrow("changed");
});
