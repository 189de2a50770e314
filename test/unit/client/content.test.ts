/** Content on its way out: what can be sent again, and how far the last try came. */
import { expect, test } from "vitest";
import { contentOfReadable, Outgoing } from "#client/content.ts";
import { type ByteSource, collect, flowOfSource, sourceOfBytes } from "#net/byte-flow.ts";

const bytes = Buffer.from(Array.from({ length: 700_000 }, (_, at) => at & 0xff));

function readableOf(data: Buffer, most = Number.POSITIVE_INFINITY) {
  return {
    read: async (target: Uint8Array, position: number): Promise<number> => {
      const part = data.subarray(position, position + Math.min(target.length, most));
      target.set(part);
      return part.length;
    },
  };
}

async function readAll(source: ByteSource): Promise<Buffer> {
  return await collect(flowOfSource(source));
}

test("what can be read at places is content, also in odd portions and from the middle", async () => {
  const whole = contentOfReadable(readableOf(bytes, 1000), bytes.length);
  expect((await readAll(whole.open())).equals(bytes)).toBe(true);
  expect((await readAll(whole.open())).equals(bytes)).toBe(true);
  const part = contentOfReadable(readableOf(bytes), 10, 650_000);
  expect(await readAll(part.open())).toEqual(bytes.subarray(650_000, 650_010));
});

test("blocks are reused, and no more are made than may be under way", async () => {
  const source = contentOfReadable(readableOf(Buffer.alloc(3_000_000)), 3_000_000).open();
  const held = [];
  for (let count = 0; count < 6; count += 1) held.push(await source.next());
  let seventh: unknown;
  const waiting = Promise.resolve(source.next()).then((piece) => {
    seventh = piece;
  });
  await Promise.resolve();
  expect(seventh).toBeUndefined();
  held[2]?.release();
  await waiting;
  expect(seventh).toMatchObject({ bytes: { buffer: held[2]?.bytes.buffer } });
});

test("content that ends early is an error", async () => {
  const short = contentOfReadable(readableOf(Buffer.alloc(5)), 6);
  await expect(readAll(short.open())).rejects.toMatchObject({ code: "content-short" });
});

test("bytes and what can be opened are repeatable, a source only while it is untouched", async () => {
  expect(new Outgoing(bytes).repeatable).toBe(true);
  expect(new Outgoing(contentOfReadable(readableOf(bytes), 5)).repeatable).toBe(true);
  const once = new Outgoing(sourceOfBytes(bytes));
  const source = once.begin(() => {});
  expect(once.repeatable).toBe(true);
  await source.next();
  expect(once.repeatable).toBe(false);
});

test("a try is complete when its last byte was handed out, and not before", async () => {
  const outgoing = new Outgoing(bytes);
  let last = 0;
  expect(outgoing.complete).toBe(false);
  const first = outgoing.begin(() => {
    last += 1;
  });
  await first.next();
  expect([outgoing.complete, last]).toEqual([false, 0]);
  const second = outgoing.begin(() => {
    last += 1;
  });
  expect((await readAll(second)).equals(bytes)).toBe(true);
  expect([outgoing.complete, last]).toEqual([true, 1]);
});

test("a try without bytes is complete as soon as it begins", () => {
  const outgoing = new Outgoing(Buffer.alloc(0));
  let last = 0;
  expect(outgoing.complete).toBe(false);
  outgoing.begin(() => {
    last += 1;
  });
  expect([outgoing.complete, last]).toEqual([true, 1]);
});
