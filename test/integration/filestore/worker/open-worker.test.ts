import { expect, test } from "vitest";
import { BlockPool } from "#filestore/block-pool.ts";
import { RingReader, RingWriter } from "#filestore/ring.ts";
import { makeThreadMemory } from "#filestore/thread-memory.ts";
import { FilesFlusher } from "#filestore/worker/flush-steps.ts";
import { openWorker } from "#filestore/worker/open-worker.ts";
import { request, type StorePathPost } from "#filestore/worker-messages.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { seededRandom } from "../../../support/seeded-random.ts";
import { pathSettings } from "../../../support/store-fixture.ts";

function opened(files: MemoryFiles) {
  const { requests, completions, pulseMemory: pulse } = makeThreadMemory();
  const blocks = new BlockPool().memory;
  const settings = { ...pathSettings(0), directory: "/disk" };
  const posts: StorePathPost[] = [];
  const loop = openWorker(
    { settings, requests, completions, blocks, pulse },
    {
      files,
      flusher: new FilesFlusher(files),
      clock: new ManualClock(),
      random: seededRandom(1),
      databases: () => nodeDatabases(),
      post: (message) => posts.push(message),
    },
  );
  return { loop, posts, ask: new RingWriter(requests), answers: new RingReader(completions) };
}

test("a worker says that it has opened its path, and its loop answers requests until it is closed", () => {
  const { loop, posts, ask, answers } = opened(new MemoryFiles("/disk"));
  const fields = { flags: 0, block: -1, blockLength: 0, a: 0, b: 0, c: 0, text: "", text2: "" };
  ask.push({ ...fields, id: 1, kind: request.space });
  ask.push({ ...fields, id: 2, kind: request.close });
  while (loop?.closed === false) loop.turn();
  expect(posts.map(({ post }) => post)).toContain("opened");
  expect([answers.take()?.a, answers.take()?.id, answers.take()]).toEqual([1e12, 2, undefined]);
});

test("a worker whose directory is not there says why, and there is no loop", () => {
  const { loop, posts } = opened(new MemoryFiles());
  expect(loop).toBeUndefined();
  expect(posts).toMatchObject([{ post: "unfit", code: "store-path-unfit" }]);
});
