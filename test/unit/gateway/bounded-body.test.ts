/** Payloads that are counted and stopped. */
import { expect, test } from "vitest";
import { collectBody, UploadFlow } from "#gateway/bounded-body.ts";
import type { ByteSink } from "#net/byte-flow.ts";

/** A body that hands over `chunks` at once and then ends, or fails. */
function bodyOf(chunks: readonly string[], failure?: Error) {
  return {
    async drainTo(sink: ByteSink): Promise<void> {
      for (const chunk of chunks) sink.write(Buffer.from(chunk));
      if (failure !== undefined) throw failure;
    },
    resume: () => {},
  };
}

function flowOf(chunks: readonly string[], maxBytes: number, failure?: Error): UploadFlow {
  return new UploadFlow(bodyOf(chunks, failure), { length: 0, lengthIsEstimate: true, maxBytes });
}

test("what fits comes through and is counted", async () => {
  const flow = flowOf(["abc", "de"], 5);
  const seen: string[] = [];
  await flow.drainTo({
    write: (chunk) => {
      seen.push(Buffer.from(chunk).toString());
      return true;
    },
  });
  expect([seen, flow.receivedBytes, flow.failure]).toEqual([["abc", "de"], 5, undefined]);
});

test("the chunk that passes the limit is not handed over, nor any after it", async () => {
  const flow = flowOf(["abc", "def", "g"], 5);
  let handed = 0;
  const drained = flow.drainTo({
    write: (chunk) => {
      handed += chunk.length;
      return true;
    },
  });
  await expect(drained).rejects.toMatchObject({ code: "upload-too-large" });
  expect([handed, flow.failure]).toMatchObject([3, { code: "upload-too-large" }]);
});

test("why a payload broke is kept, whatever the store makes of it", async () => {
  const failure = new Error("reset");
  const flow = flowOf(["a"], 5, failure);
  await expect(flow.drainTo({ write: () => true })).rejects.toBe(failure);
  expect(flow.failure).toBe(failure);
});

test("a small body is collected, a larger one refused", async () => {
  expect((await collectBody(bodyOf(["ab", "c"]), 3)).toString()).toBe("abc");
  await expect(collectBody(bodyOf(["ab", "cd"]), 3)).rejects.toMatchObject({
    code: "upload-too-large",
  });
});
