/** Bytes into a file: order, back pressure, a disk that fails. */
import { expect, test } from "vitest";
import { FileSink } from "#cli/transfer/file-sink.ts";
import type { LocalFile } from "#platform/local-files.ts";

const mebibyte = 1024 * 1024;

/** A file in memory whose writes wait until they are let through. */
class SlowFile {
  readonly bytes = Buffer.alloc(8 * mebibyte);
  readonly waiting: (() => void)[] = [];
  slow = false;
  failsAfter = Number.POSITIVE_INFINITY;

  async write(block: Uint8Array, position: number): Promise<void> {
    if (this.slow) await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (position + block.length > this.failsAfter) throw new Error("disk full");
    this.bytes.set(block, position);
  }
}

function sinkOf(file: SlowFile) {
  const seen = { resumed: 0, written: 0, failures: [] as unknown[] };
  const sink = new FileSink({
    file: file as unknown as LocalFile,
    position: 100,
    resume: () => {
      seen.resumed += 1;
    },
    written: (bytes) => {
      seen.written += bytes;
    },
    failed: (error) => seen.failures.push(error),
  });
  return { sink, seen };
}

test("all bytes get to their place, whatever the portions", async () => {
  const file = new SlowFile();
  const { sink, seen } = sinkOf(file);
  const content = Buffer.from(Array.from({ length: 3_000_001 }, (_, at) => (at * 7) & 0xff));
  for (let at = 0; at < content.length; ) {
    const next = at + 1 + ((at * 13) % 200_000);
    sink.write(content.subarray(at, next));
    at = next;
    if (at % 3 === 0) await Promise.resolve();
  }
  await sink.finish();
  expect(file.bytes.subarray(100, 100 + content.length).equals(content)).toBe(true);
  expect(seen).toMatchObject({ written: content.length, failures: [] });
});

test("a slow disk asks for a pause, and for more when it has caught up", async () => {
  const file = new SlowFile();
  file.slow = true;
  const { sink, seen } = sinkOf(file);
  const block = Buffer.alloc(mebibyte);
  const answers = [sink.write(block), sink.write(block), sink.write(block)];
  expect(answers).toEqual([true, true, false]);
  expect(seen.resumed).toBe(0);
  file.slow = false;
  file.waiting.shift()?.();
  await sink.finish();
  expect(seen).toMatchObject({ resumed: 1, written: 3 * mebibyte });
});

test("a disk that fails is told once, and the rest is dropped", async () => {
  const file = new SlowFile();
  file.failsAfter = 100 + mebibyte;
  const { sink, seen } = sinkOf(file);
  for (let count = 0; count < 5; count += 1) {
    sink.write(Buffer.alloc(mebibyte));
    await Promise.resolve();
  }
  await sink.finish();
  expect(sink.write(Buffer.alloc(10))).toBe(true);
  expect([seen.written, seen.failures.length]).toEqual([mebibyte, 1]);
});
