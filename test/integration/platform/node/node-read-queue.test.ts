/** Reads that the kernel does meanwhile: their blocks belong to one read at a time, and there is a limited number of them. */
import {
  closeSync,
  constants,
  fsyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openReadQueue, type QueuedRead, readAlignment } from "#platform/node/node-read-queue.ts";

const directory = mkdtempSync(join(tmpdir(), "cairn-read-queue-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function opened(bytes: Buffer): number {
  const path = join(directory, `file-${bytes.length}`);
  writeFileSync(path, bytes);
  const descriptor = openSync(path, constants.O_RDWR);
  fsyncSync(descriptor);
  closeSync(descriptor);
  return openSync(path, constants.O_RDONLY | constants.O_DIRECT);
}

test("reads are answered each with its own bytes, with the end of the file, and with what was wrong", () => {
  const pages = Buffer.alloc(10 * readAlignment);
  for (let page = 0; page < 10; page += 1) pages.fill(page + 1, page * readAlignment);
  const descriptor = opened(Buffer.concat([pages, Buffer.from("rest")]));
  const queue = openReadQueue(1024 * 1024);
  if (queue === undefined) throw new Error("this machine has no asynchronous reads");
  const length = readAlignment;
  const reads = Array.from({ length: 11 }, (_, page) =>
    queue.begin(descriptor, { position: page * length, length }),
  );
  // The last first: answers come in any order.
  for (const [page, read] of [...reads.entries()].reverse()) {
    expect(read?.wait(), `page ${page}`).toBe(page === 10 ? 4 : length);
    expect(read?.bytes[0]).toBe(page === 10 ? "r".charCodeAt(0) : page + 1);
  }
  const [refused, behind] = [-1, descriptor].map((each) =>
    queue.begin(each, { position: 0, length }),
  );
  queue.submit();
  // What the kernel does not take is to be read in another way, and what was handed over with it.
  expect([refused?.wait(), behind?.wait()]).toEqual([0, 0]);
  queue.close();
  expect(queue.begin(descriptor, { position: 0, length })).toBe(undefined);
  closeSync(descriptor);
});

test("what is let go of before it is handed over is never read, and those beside it are", () => {
  const descriptor = opened(Buffer.alloc(3 * readAlignment, "y"));
  const queue = openReadQueue(1024 * 1024);
  const begun = [0, 1, 2].map((page) =>
    queue?.begin(descriptor, { position: page * readAlignment, length: readAlignment }),
  );
  begun[1]?.release();
  queue?.submit();
  expect([begun[2]?.wait(), begun[0]?.wait()]).toEqual([readAlignment, readAlignment]);
  queue?.close();
  closeSync(descriptor);
});

test("no more reads are begun than there are blocks, and those of reads that nobody wants come back", () => {
  const descriptor = opened(Buffer.alloc(2 * 1024 * 1024, "x"));
  const queue = openReadQueue(1024 * 1024);
  const begin = (length: number): QueuedRead | undefined =>
    queue?.begin(descriptor, { position: 0, length });
  for (let round = 0; round < 5; round += 1) {
    const large: QueuedRead[] = [];
    for (let read = begin(1024 * 1024); read !== undefined && large.length < 100; ) {
      large.push(read);
      read = begin(1024 * 1024);
    }
    expect(large.length).toBeGreaterThanOrEqual(1);
    expect(large.length).toBeLessThan(10);
    // A small one has room all the same.
    const small = begin(4096);
    expect(small?.wait()).toBe(4096);
    small?.release();
    for (const [at, read] of large.entries()) {
      // Half of them are not waited for.
      if (at % 2 === 0) expect(read.wait()).toBe(1024 * 1024);
      read.release();
    }
  }
  queue?.close();
  closeSync(descriptor);
});
