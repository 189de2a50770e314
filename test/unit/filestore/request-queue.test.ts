/** What is sent to a worker goes out in order, never more than it may owe answers to. */
import { expect, test } from "vitest";
import { RequestQueue } from "#filestore/request-queue.ts";
import { RingReader, type RingRecord, RingWriter, ringSlots } from "#filestore/ring.ts";
import { recordOf } from "#filestore/store-path-request.ts";
import { makeThreadMemory } from "#filestore/thread-memory.ts";
import { request } from "#filestore/worker-messages.ts";

function stage() {
  const memory = makeThreadMemory();
  const pushed: number[] = [];
  const queue = new RequestQueue(new RingWriter(memory.requests), ({ id }) => pushed.push(id));
  const worker = new RingReader(memory.requests);
  const taken = (): number[] => {
    const ids: number[] = [];
    for (let next = worker.take(); next !== undefined; next = worker.take()) ids.push(next.id);
    return ids;
  };
  return { queue, pushed, taken };
}

function record(id: number): RingRecord {
  return recordOf(id, { kind: request.facts, text: "M00/00/00/some" });
}

function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => from + at);
}

test("requests beyond a ring's worth wait for answers, and keep their order", () => {
  const { queue, pushed, taken } = stage();
  const sent = range(1, ringSlots + 10).map((id) => queue.add(record(id)));
  expect(sent.filter(Boolean)).toHaveLength(ringSlots);
  expect(queue.inFlight).toBe(ringSlots);
  expect(taken()).toEqual(range(1, ringSlots));
  expect(queue.unsent()).toEqual(new Set(range(ringSlots + 1, 10)));
  // Room in the ring is not enough: the worker owes an answer to each.
  queue.advance();
  expect(taken()).toEqual([]);
  for (let answer = 0; answer < 4; answer += 1) queue.answered();
  // Whoever comes now does not overtake those that wait.
  expect(queue.add(record(9999))).toBe(false);
  queue.advance();
  expect(taken()).toEqual(range(ringSlots + 1, 4));
  expect(pushed).toEqual(range(1, ringSlots + 4));
});

test("what was dropped before it was sent is never sent", () => {
  const { queue, taken } = stage();
  for (const id of range(1, ringSlots + 4)) queue.add(record(id));
  taken();
  queue.drop(new Set([ringSlots + 1, ringSlots + 3]));
  for (let answer = 0; answer < 4; answer += 1) queue.answered();
  queue.advance();
  expect(taken()).toEqual([ringSlots + 2, ringSlots + 4]);
  queue.add(record(7));
  queue.dropAll();
  expect(queue.unsent().size).toBe(0);
});

test("another worker begins with nothing in flight, on its own ring", () => {
  const { queue, taken } = stage();
  queue.add(record(1));
  const memory = makeThreadMemory();
  queue.restart(new RingWriter(memory.requests));
  expect(queue.inFlight).toBe(0);
  queue.add(record(2));
  expect(taken()).toEqual([1]);
  expect(new RingReader(memory.requests).take()?.id).toBe(2);
});
