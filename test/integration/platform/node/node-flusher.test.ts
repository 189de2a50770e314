/** Flushes through the thread pool: all of them happen, a bounded number at a time, and each says how it ended. */
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FlushOutcome, FlushTarget } from "#platform/flusher.ts";
import { maxFlushesInFlight, NodeFlusher, poolSizeFor } from "#platform/node/node-flusher.ts";

async function withFiles(
  count: number,
  body: (paths: readonly string[], directory: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "cairn-flusher-"));
  try {
    const paths = Array.from({ length: count }, (_, index) => join(directory, String(index)));
    for (const path of paths) writeFileSync(path, "content");
    await body(paths, directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function flush(flusher: NodeFlusher, targets: readonly FlushTarget[]): Promise<FlushOutcome> {
  return new Promise((resolve) => flusher.flush(targets, resolve));
}

const file = (path: string): FlushTarget => ({ kind: "file", path });

test("closed files, open files and directories are flushed, more of them than are in flight", async () => {
  await withFiles(3 * maxFlushesInFlight, async (paths, directory) => {
    const flusher = new NodeFlusher();
    const descriptor = openSync(paths[0] ?? "", "r");
    const targets: FlushTarget[] = [
      { kind: "directory", path: directory },
      { kind: "file", path: "not looked at", descriptor },
      ...paths.map(file),
    ];
    const both = [flush(flusher, targets), flush(flusher, paths.map(file))];
    expect(flusher.inFlight).toBe(2);
    const [first, second] = await Promise.all(both);
    expect([first, second?.length]).toEqual([targets.map(() => undefined), paths.length]);
    expect(flusher.inFlight).toBe(0);
    closeSync(descriptor);
  });
});

test("each failure is told at its target's place", async () => {
  await withFiles(2, async (paths, directory) => {
    const flusher = new NodeFlusher();
    const [good = "", other = ""] = paths;
    const targets: FlushTarget[] = [
      file(good),
      file(join(directory, "missing")),
      { kind: "directory", path: other },
      { kind: "file", path: "closed", descriptor: 1_000_000 },
    ];
    const outcome = await flush(flusher, targets);
    expect(outcome.map((error) => error?.code)).toEqual([undefined, "ENOENT", "ENOTDIR", "EBADF"]);
    expect(outcome[1]?.path).toBe(join(directory, "missing"));
    expect(await flush(flusher, [file(good)])).toEqual([undefined]);
  });
});

test("a disk that answers at once is waited for, and its failures are told all the same", async (context) => {
  // A file system in memory has nothing to flush; the time that is left is that of the pool.
  if (!existsSync("/dev/shm")) context.skip("needs /dev/shm");
  const directory = mkdtempSync("/dev/shm/cairn-flusher-");
  try {
    const flusher = new NodeFlusher();
    const path = join(directory, "file");
    writeFileSync(path, "content");
    const outcomes: FlushOutcome[] = [];
    let waitedFor = 0;
    for (let count = 0; count < 2000 && waitedFor === 0; count += 1) {
      const before = outcomes.length;
      const ended = new Promise<void>((resolve) => {
        flusher.flush([file(path), { kind: "directory", path: directory }], (outcome) => {
          outcomes.push(outcome);
          resolve();
        });
      });
      waitedFor += outcomes.length - before;
      await ended;
    }
    expect(waitedFor).toBe(1);
    const failed: FlushOutcome[] = [];
    flusher.flush([file(join(directory, "missing"))], (outcome) => failed.push(outcome));
    while (failed.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(failed[0]?.[0]?.code).toBe("ENOENT");
    expect(flusher.inFlight).toBe(0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a task that is asked for soon comes after the present one", async () => {
  const flusher = new NodeFlusher();
  let called = false;
  const done = new Promise<void>((resolve) => {
    flusher.soon(() => {
      called = true;
      resolve();
    });
  });
  expect(called).toBe(false);
  await done;
});

test("the pool has room for hung disks", () => {
  expect(poolSizeFor(0)).toBeGreaterThan(4);
  expect(poolSizeFor(3) - poolSizeFor(2)).toBeGreaterThanOrEqual(maxFlushesInFlight);
  expect(poolSizeFor(256)).toBeLessThanOrEqual(1024);
});
