import fc from "fast-check";
import { expect, test } from "vitest";
import { type ByteFlow, collect } from "#net/byte-flow.ts";
import { headOf } from "#sync/headed-flow.ts";

/** Hands over `bytes` in pieces, and waits whenever its sink asks for it. */
function flowOf(bytes: Buffer, piece: number, announced = bytes.length): ByteFlow {
  let wake = (): void => {};
  return {
    length: announced,
    resume: () => wake(),
    drainTo: async (sink) => {
      for (let at = 0; at < bytes.length; at += piece) {
        if (sink.write(bytes.subarray(at, at + piece))) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (bytes.length < announced) throw new Error("broken");
    },
  };
}

test("head and body are what they were, however they come in", async () => {
  const parts = fc.record({ body: fc.nat(50), piece: fc.integer({ min: 1, max: 60 }) });
  await fc.assert(
    fc.asyncProperty(parts, async ({ body: length, piece }) => {
      const bytes = Buffer.from(Array.from({ length: 9 + length }, (_, at) => at));
      const { head, body } = await headOf(flowOf(bytes, piece), 9);
      expect(head).toEqual(bytes.subarray(0, 9));
      expect(body.length).toBe(length);
      expect(await collect(body)).toEqual(bytes.subarray(9));
    }),
  );
});

test("what ends too early is told, within the head and behind it", async () => {
  await expect(headOf(flowOf(Buffer.alloc(5), 2), 9)).rejects.toThrow("first 9 bytes");
  await expect(headOf(flowOf(Buffer.alloc(5), 2, 20), 9)).rejects.toThrow("broken");
  const { body } = await headOf(flowOf(Buffer.alloc(12), 4, 20), 9);
  await expect(body.drainTo({ write: () => true })).rejects.toThrow("broken");
});
