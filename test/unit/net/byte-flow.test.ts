/** Flows and sources over bytes in memory. */
import { expect, test } from "vitest";
import {
  type ByteSource,
  collect,
  flowOfBytes,
  flowOfSource,
  sourceOfBytes,
} from "#net/byte-flow.ts";
import { PatternSource, pattern } from "../../support/frame-fixture.ts";
import { turns } from "../../support/settled.ts";

test("bytes come out of a source once", async () => {
  const source = sourceOfBytes(pattern(5));
  expect(source.length).toBe(5);
  expect((await source.next())?.bytes).toEqual(pattern(5));
  expect(await source.next()).toBeUndefined();
  expect(await sourceOfBytes(pattern(0)).next()).toBeUndefined();
  const closed = sourceOfBytes(pattern(5));
  closed.close();
  expect(await closed.next()).toBeUndefined();
});

test("what goes in as a flow is collected whole", async () => {
  for (const size of [0, 1, 100_000]) {
    expect(await collect(flowOfBytes(pattern(size)))).toEqual(pattern(size));
  }
  const source = new PatternSource(100_000);
  expect(await collect(flowOfSource(source))).toEqual(pattern(100_000));
  expect(source.piecesOut).toBe(0);
});

test("a flow over a source waits while its sink has enough", async () => {
  const source = new PatternSource(50_000, { pieceBytes: 10_000 });
  const flow = flowOfSource(source);
  let seen = 0;
  const drained = flow.drainTo({
    write: (chunk) => {
      seen += chunk.length;
      return false;
    },
  });
  for (let piece = 1; piece <= 5; piece += 1) {
    await turns(2);
    expect(seen).toBe(piece * 10_000);
    flow.resume();
  }
  await drained;
});

test("a sink that resumes from within its own write is not waited for", async () => {
  const flow = flowOfSource(new PatternSource(30_000, { pieceBytes: 10_000 }));
  let seen = 0;
  await flow.drainTo({
    write: (chunk) => {
      seen += chunk.length;
      queueMicrotask(() => flow.resume());
      return false;
    },
  });
  expect(seen).toBe(30_000);
});

test("a source that fails fails the flow", async () => {
  const source: ByteSource = new PatternSource(50_000, { failAt: 16_384 });
  await expect(collect(flowOfSource(source))).rejects.toThrow("unreadable");
});

test("a flow that brings more than it announced does not overrun the collector", async () => {
  const lying = { ...flowOfBytes(pattern(10)), length: 5 };
  await expect(collect(lying)).rejects.toThrow();
});
