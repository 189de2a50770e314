/**
 * Uploads over the rings into a worker loop in this thread, whose turns are made by hand, so that each order of events can be
 * forced. After every test all blocks are back and nothing waits.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { largeBlockBytes } from "#filestore/block-pool.ts";
import type { RequestFields, StorePathClient } from "#filestore/store-path-client.ts";
import { UploadSink } from "#filestore/upload-sink.ts";
import { request, targetShift, writeTarget } from "#filestore/worker-messages.ts";
import { flowOfBytes } from "#net/byte-flow.ts";
import { pattern } from "../../support/frame-fixture.ts";
import { turns } from "../../support/settled.ts";
import {
  expectNothingLeft,
  FedFlow,
  type PathStage,
  pathStage,
} from "../../support/store-fixture.ts";

const normal: RequestFields = { kind: request.write, text: "bin" };

function appendTo(name: string): RequestFields {
  return { kind: request.write, flags: writeTarget.append << targetShift, text: name };
}

function contentOf(stage: PathStage, name: string): Buffer | undefined {
  return stage.worker.engine.files.get(name)?.content;
}

/** Takes every block of one kind away; the result gives them back. */
function exhaust(client: StorePathClient, size: "small" | "large"): () => void {
  const taken: number[] = [];
  for (let block = client.blocks.tryTake(size); block !== undefined; ) {
    taken.push(block);
    block = client.blocks.tryTake(size);
  }
  return () => {
    for (const block of taken.splice(0)) client.blocks.give(block);
  };
}

test("payloads of every size arrive whole", async () => {
  const stage = await pathStage(true);
  for (const size of [0, 1, 16_384, 16_385, largeBlockBytes, largeBlockBytes + 1, 3_000_000]) {
    const sink = new UploadSink(stage.client, flowOfBytes(pattern(size)), normal);
    const { text } = await sink.run();
    expect(contentOf(stage, text)).toEqual(pattern(size));
  }
  await expectNothingLeft(stage);
});

test("a flow in random pieces, slow or not, of known length or not, arrives whole", async () => {
  const stage = await pathStage(true);
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 1_200_000 }),
      fc.array(fc.integer({ min: 500, max: 130_000 }), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      async (size, steps, open) => {
        const bytes = pattern(size);
        const flow = new FedFlow(open ? 0 : size, open);
        const stored = new UploadSink(stage.client, flow, normal).run();
        for (let at = 0, step = 0; at < size; step += 1) {
          const count = steps[step % steps.length] as number;
          flow.feed(bytes.subarray(at, at + count));
          at += count;
          while (!flow.open) await turns(1);
        }
        flow.end();
        expect(contentOf(stage, (await stored).text)?.equals(bytes)).toBe(true);
      },
    ),
    { numRuns: 15 },
  );
  await expectNothingLeft(stage);
}, 20_000);

test("at most four pieces of an upload are with the worker, then the flow pauses", async () => {
  const stage = await pathStage(false);
  const size = 6 * largeBlockBytes;
  const flow = new FedFlow(size);
  const stored = new UploadSink(stage.client, flow, normal).run();
  let fed = 0;
  while (flow.open) {
    flow.feed(pattern(size).subarray(fed, fed + 100_000));
    fed += 100_000;
  }
  expect(stage.client.pending).toBe(4);
  expect(stage.client.blocks.inUse).toBeLessThanOrEqual(5);
  stage.worker.automatic = true;
  while (fed < size) {
    if (flow.open) {
      flow.feed(pattern(size).subarray(fed, fed + 100_000));
      fed += 100_000;
    } else {
      await turns(1);
    }
  }
  flow.end();
  expect(contentOf(stage, (await stored).text)).toEqual(pattern(size));
  await expectNothingLeft(stage);
});

test("without a free block the bytes wait, once in line, and go on when one is given back", async () => {
  const stage = await pathStage(true);
  const giveBack = exhaust(stage.client, "large");
  const size = 200_000;
  const flow = new FedFlow(size);
  const stored = new UploadSink(stage.client, flow, normal).run();
  flow.feed(pattern(size).subarray(0, 50_000));
  expect(flow.open).toBe(false);
  // A flow that does not heed the pause must not make the sink stand in line twice.
  flow.feed(pattern(size).subarray(50_000, 60_000));
  await turns();
  expect(stage.client.pending).toBe(0);
  giveBack();
  await turns();
  expect(flow.open).toBe(true);
  flow.feed(pattern(size).subarray(60_000));
  flow.end();
  expect(contentOf(stage, (await stored).text)).toEqual(pattern(size));
  await expectNothingLeft(stage);
});

test("a partly filled block of a slow sender goes to the worker when others need one", async () => {
  const stage = await pathStage(true);
  const slow = new FedFlow(200_000);
  const stored = new UploadSink(stage.client, slow, normal).run();
  slow.feed(pattern(200_000).subarray(0, 1000));
  expect(stage.client.blocks.holders.size).toBe(1);
  const giveBack = exhaust(stage.client, "large");
  expect(stage.client.blocks.holders.size).toBe(0);
  const quick = new UploadSink(stage.client, flowOfBytes(pattern(20_000)), normal).run();
  // It gets the block of the slow one.
  expect(contentOf(stage, (await quick).text)).toEqual(pattern(20_000));
  giveBack();
  slow.feed(pattern(200_000).subarray(1000));
  slow.end();
  expect(contentOf(stage, (await stored).text)).toEqual(pattern(200_000));
  await expectNothingLeft(stage);
});

test("300 slow uploads share the blocks: each goes on, and memory stays what it is", async () => {
  const stage = await pathStage(true);
  const size = 40_000;
  const flows = Array.from({ length: 300 }, () => new FedFlow(size));
  const stored = flows.map((flow) => new UploadSink(stage.client, flow, normal).run());
  const fed = new Map(flows.map((flow) => [flow, 0]));
  // Nobody feeds a second piece before all have had the chance to get rid of their first.
  for (let round = 0; round < 8; round += 1) {
    for (const flow of flows) {
      const at = fed.get(flow) ?? 0;
      flow.feed(pattern(size).subarray(at, at + 5000));
      fed.set(flow, at + 5000);
    }
    for (let wait = 0; wait < 200 && flows.some((flow) => !flow.open); wait += 1) await turns(1);
    expect(flows.filter((flow) => !flow.open).length, `starving in round ${round}`).toBe(0);
    expect(stage.client.blocks.inUse).toBeLessThanOrEqual(64 + 256);
  }
  for (const flow of flows) flow.end();
  for (const { text } of await Promise.all(stored)) {
    expect(contentOf(stage, text)?.equals(pattern(size))).toBe(true);
  }
  await expectNothingLeft(stage);
}, 20_000);

test("the first failure ends a long upload at once, while its sender still sends", async () => {
  const stage = await pathStage(true);
  stage.worker.engine.failWritesAt = 300_000;
  const size = 4_000_000;
  const flow = new FedFlow(size);
  const stored = new UploadSink(stage.client, flow, normal).run();
  const outcome = expect(stored).rejects.toMatchObject({ code: "store-full" });
  flow.feed(pattern(size).subarray(0, 600_000));
  await turns();
  await outcome;
  expect(flow.open).toBe(true);
  flow.feed(pattern(size).subarray(0, 600_000));
  flow.end();
  await expectNothingLeft(stage);
});

test("a failure while the end of the payload waits for a block is told, not waited for", async () => {
  const stage = await pathStage(false);
  const size = 5 * largeBlockBytes;
  const flow = new FedFlow(size);
  const stored = new UploadSink(stage.client, flow, normal).run();
  const outcome = expect(stored).rejects.toMatchObject({ code: "store-full" });
  // Four pieces are with the worker, the fifth is spilled, and all of the flow has been drained.
  flow.feed(pattern(size));
  flow.end();
  await turns();
  stage.worker.engine.failWritesAt = 1;
  await stage.turn(4);
  await outcome;
  await expectNothingLeft(stage);
});

test("a last piece that fails before the flow has told its end is no unhandled rejection", async () => {
  const stage = await pathStage(true);
  stage.worker.engine.failCommits.add("*");
  for (const size of [100, 600_000]) {
    const flow = new FedFlow(size);
    const stored = new UploadSink(stage.client, flow, normal).run();
    const outcome = expect(stored).rejects.toMatchObject({ code: "disk-failed" });
    flow.feed(pattern(size));
    await turns(10);
    flow.end();
    await outcome;
  }
  await expectNothingLeft(stage);
});

test("a sender that leaves ends its upload with its own failure", async () => {
  const stage = await pathStage(true);
  for (const received of [0, 100, 400_000]) {
    const flow = new FedFlow(1_000_000);
    const stored = new UploadSink(stage.client, flow, normal).run();
    const outcome = expect(stored).rejects.toThrow("the peer left");
    if (received > 0) flow.feed(pattern(received));
    flow.fail(new Error("the peer left"));
    await outcome;
    await expectNothingLeft(stage);
  }
  expect(stage.worker.engine.files.size).toBe(0);
});

test("a sender that leaves while its bytes wait for a block leaves nothing behind", async () => {
  const stage = await pathStage(true);
  const giveBack = exhaust(stage.client, "large");
  const flow = new FedFlow(1_000_000);
  const stored = new UploadSink(stage.client, flow, normal).run();
  const outcome = expect(stored).rejects.toThrow("the peer left");
  flow.feed(pattern(1000));
  flow.fail(new Error("the peer left"));
  await outcome;
  giveBack();
  await expectNothingLeft(stage);
});

test("a flow that is shorter or longer than announced is refused", async () => {
  const stage = await pathStage(true);
  for (const announced of [10_000, 500_000]) {
    for (const real of [announced - 1, announced + 1]) {
      const flow = new FedFlow(announced);
      const stored = new UploadSink(stage.client, flow, normal).run();
      const outcome = expect(stored).rejects.toMatchObject({ code: "file-invalid" });
      flow.feed(pattern(real));
      flow.end();
      await outcome;
    }
  }
  expect(stage.worker.engine.files.size).toBe(0);
  await expectNothingLeft(stage);
});

test("a target that cannot be written refuses every piece, whatever their number", async () => {
  const stage = await pathStage(true);
  for (const size of [0, 10, 700_000]) {
    const sink = new UploadSink(stage.client, flowOfBytes(pattern(size)), appendTo("M00/none"));
    await expect(sink.run()).rejects.toMatchObject({ code: "file-missing" });
  }
  await expectNothingLeft(stage);
});

test("uploads under way end when the worker does", async () => {
  const stage = await pathStage(false);
  const flow = new FedFlow(1_000_000);
  const stored = new UploadSink(stage.client, flow, normal).run();
  const outcome = expect(stored).rejects.toMatchObject({ code: "store-path-offline" });
  flow.feed(pattern(600_000));
  stage.worker.die(new Error("the thread is gone"));
  await outcome;
  await turns();
  expect([stage.client.blocks.inUse, stage.client.pending]).toEqual([0, 0]);
});

test("uploads under way end when the path is closed", async () => {
  const stage = await pathStage(false);
  const flow = new FedFlow(2_000_000);
  const stored = new UploadSink(stage.client, flow, normal).run();
  const outcome = expect(stored).rejects.toMatchObject({ code: "store-closing" });
  flow.feed(pattern(600_000));
  stage.worker.automatic = true;
  await stage.client.close();
  flow.feed(pattern(600_000));
  await outcome;
  await turns();
  expect([stage.client.blocks.inUse, stage.client.pending]).toEqual([0, 0]);
  expect(stage.worker.engine).toMatchObject({ openWrites: 0, closed: true });
});
