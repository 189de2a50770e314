/** A ring hands records over in order, whole, and no more than fit. */
import { expect, test } from "vitest";
import {
  makeRingMemory,
  maxRecordTextBytes,
  RingReader,
  type RingRecord,
  RingWriter,
  ringSlots,
} from "#filestore/ring.ts";

function record(id: number, text = "", text2 = ""): RingRecord {
  return {
    id,
    kind: 3,
    flags: 0x10203,
    block: id % 2 === 0 ? -1 : id,
    blockLength: 4096,
    socket: id % 3 === 0 ? -1 : id,
    a: 2 ** 53 - 1,
    b: -1,
    c: 0.5,
    text,
    text2,
  };
}

test("what is pushed is taken, field by field", () => {
  const memory = makeRingMemory();
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  const sent = record(7, "M00/00/00/CgkAAmsDoW-Aa8rXAAAABTYQpoY625.txt", "größe\0x");
  expect(writer.push(sent)).toBe(true);
  expect(reader.take()).toEqual(sent);
  expect(reader.take()).toBeUndefined();
});

test("a full ring refuses, and goes on around its end when there is room again", () => {
  const memory = makeRingMemory();
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  for (let id = 0; id < ringSlots; id += 1) expect(writer.push(record(id))).toBe(true);
  expect(writer.push(record(ringSlots))).toBe(false);
  expect(reader.take()?.id).toBe(0);
  expect(writer.push(record(ringSlots))).toBe(true);
  for (let id = 1; id <= ringSlots; id += 1) expect(reader.take()?.id).toBe(id);
  expect(reader.isEmpty).toBe(true);
});

test("a text that is too long is cut and does not touch its neighbours", () => {
  const memory = makeRingMemory();
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  writer.push(record(1, "x".repeat(maxRecordTextBytes + 50), "lost"));
  writer.push(record(2, "next"));
  expect(reader.take()?.text).toBe("x".repeat(maxRecordTextBytes));
  expect(reader.take()).toEqual(record(2, "next"));
});

test("a watcher on the main thread is woken for records that come later", async () => {
  const memory = makeRingMemory();
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  const seen: number[] = [];
  await new Promise<void>((resolve) => {
    reader.watch(() => {
      for (let next = reader.take(); next !== undefined; next = reader.take()) seen.push(next.id);
      if (seen.length < 2) return true;
      resolve();
      return false;
    });
    writer.push(record(1));
    writer.wake();
    setTimeout(() => {
      writer.push(record(2));
      writer.wake();
    }, 5);
  });
  expect(seen).toEqual([1, 2]);
});

test("the counters of a ring may pass every limit of an integer", () => {
  for (const start of [2 ** 31 - 3, -3]) {
    const memory = makeRingMemory();
    new Int32Array(memory, 0, 2).fill(start | 0);
    const writer = new RingWriter(memory);
    const reader = new RingReader(memory);
    for (let id = 0; id < ringSlots; id += 1) expect(writer.push(record(id, `${id}`))).toBe(true);
    expect(writer.push(record(ringSlots))).toBe(false);
    for (let id = 0; id < ringSlots; id += 1) expect(reader.take()).toEqual(record(id, `${id}`));
    expect(reader.take()).toBeUndefined();
    expect(reader.isEmpty).toBe(true);
  }
});

test("a sleep that nobody ends ends by itself when it has a limit", () => {
  const memory = makeRingMemory();
  const reader = new RingReader(memory);
  const start = performance.now();
  reader.sleep(5);
  expect(performance.now() - start).toBeGreaterThan(4);
  new RingWriter(memory).push(record(1));
  reader.sleep(60_000);
  expect(performance.now() - start).toBeLessThan(30_000);
});
