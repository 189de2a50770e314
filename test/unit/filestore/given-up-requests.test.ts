/** What becomes of requests that nobody waits for any more. */
import { expect, test } from "vitest";
import { BlockPool } from "#filestore/block-pool.ts";
import { GivenUpRequests } from "#filestore/given-up-requests.ts";
import type { RingRecord } from "#filestore/ring.ts";
import {
  completion,
  completionFlag,
  request,
  targetShift,
  writeFlag,
  writeTarget,
} from "#filestore/worker-messages.ts";

function record(fields: Partial<RingRecord>): RingRecord {
  const nothing = { a: 0, b: 0, c: 0, text: "", text2: "" };
  return { id: 1, kind: 0, flags: 0, block: -1, blockLength: 0, ...nothing, ...fields };
}

const whole = writeFlag.first | writeFlag.last;

test("a block is used again when both its user and the worker are done with it, in any order", () => {
  for (const userFirst of [true, false]) {
    const blocks = new BlockPool();
    const requests = new GivenUpRequests(blocks);
    const block = blocks.tryTake("small") as number;
    requests.add(record({ kind: request.write, block }), true);
    if (userFirst) blocks.give(block);
    expect(blocks.inUse).toBe(1);
    requests.answered(record({ kind: completion.failed }));
    if (!userFirst) blocks.give(block);
    expect([blocks.inUse, requests.size, requests.count]).toEqual([0, 0, 1]);
  }
});

test("a request that the worker never got leaves its block free", () => {
  const blocks = new BlockPool();
  const requests = new GivenUpRequests(blocks);
  const block = blocks.tryTake("large") as number;
  requests.add(record({ kind: request.write, block }), false);
  blocks.give(block);
  expect([blocks.inUse, requests.size, requests.count]).toEqual([0, 0, 1]);
});

test("a file that was made after all is removed, what was appended to one that is known is not", () => {
  const requests = new GivenUpRequests(new BlockPool());
  const append = writeTarget.append << targetShift;
  requests.add(record({ id: 1, kind: request.write, flags: whole }), true);
  requests.add(record({ id: 2, kind: request.write, flags: whole | append }), true);
  requests.add(record({ id: 3, kind: request.remove, text: "M00/gone" }), true);
  requests.add(record({ id: 4, kind: request.write, flags: whole }), true);
  requests.answered(record({ id: 1, kind: completion.done, text: "M00/made" }));
  requests.answered(record({ id: 2, kind: completion.done }));
  requests.answered(record({ id: 3, kind: completion.done }));
  requests.answered(record({ id: 4, kind: completion.failed, text: "disk-failed" }));
  requests.answered(record({ id: 5, kind: completion.done, text: "M00/not-ours" }));
  expect([requests.takeOrphans(), requests.takeOrphans()]).toEqual([["M00/made"], []]);
});

test("what the worker holds for it is set free", () => {
  const requests = new GivenUpRequests(new BlockPool());
  requests.add(record({ id: 1, kind: request.read }), true);
  requests.add(record({ id: 2, kind: request.read }), true);
  requests.add(record({ id: 3, kind: request.write, flags: whole }), true);
  requests.addUnheard(record({ id: 4, kind: request.abort }));
  const answers = [
    requests.answered(record({ id: 1, kind: completion.done, c: 7 })),
    requests.answered(record({ id: 2, kind: completion.done })),
    requests.answered(
      record({ id: 3, kind: completion.done, flags: completionFlag.held, c: 9, text: "hash" }),
    ),
    requests.answered(record({ id: 4, kind: completion.done })),
  ];
  expect(answers).toEqual([
    { kind: request.readEnd, a: 7 },
    undefined,
    { kind: request.abort, a: 9 },
    undefined,
  ]);
  expect([requests.takeOrphans(), requests.size, requests.count]).toEqual([[], 0, 3]);
});

test("with the worker's thread everything is free", () => {
  const blocks = new BlockPool();
  const requests = new GivenUpRequests(blocks);
  const block = blocks.tryTake("small") as number;
  requests.add(record({ kind: request.read, block }), true);
  blocks.give(block);
  requests.forgetAll();
  expect([blocks.inUse, requests.size]).toEqual([0, 0]);
});
