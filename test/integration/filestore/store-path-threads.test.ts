/**
 * The store with its real worker threads and the real engine on a temporary directory: many uploads at once, slow and fast, to
 * several paths; a thread that dies; a close in the middle.
 */
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { LocalFileStore } from "#filestore/local-file-store.ts";
import { RingWriter } from "#filestore/ring.ts";
import { request, type StorePathThreadData } from "#filestore/worker-messages.ts";
import { collect, flowOfBytes, flowOfSource } from "#net/byte-flow.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeWorkers } from "#platform/node/node-workers.ts";
import type { Workers, WorkerThread } from "#platform/workers.ts";
import { collectedLog, pattern } from "../../support/frame-fixture.ts";
import { until } from "../../support/settled.ts";
import { FedFlow, pathSettings } from "../../support/store-fixture.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const anyPath = { storePathIndex: undefined, extension: "bin", kind: "normal" } as const;

async function store(
  pathCount: number,
  workers: Workers = nodeWorkers(),
): Promise<{ readonly files: LocalFileStore; readonly directories: readonly string[] }> {
  const root = await mkdtemp(join(tmpdir(), "cairn-store-"));
  cleanups.push(() => rm(root, { recursive: true, force: true }));
  const directories = Array.from({ length: pathCount }, (_, index) => join(root, `path${index}`));
  for (const directory of directories) await mkdir(directory);
  const files = new LocalFileStore({
    paths: directories.map((directory, index) => pathSettings(index, directory)),
    workers,
    clock: nodeClock,
    log: collectedLog().log,
    reserved: () => ({ kind: "bytes", bytes: 0 }),
    policy: () => "round-robin",
    diskTimeoutMs: 20_000,
  });
  await files.start();
  cleanups.push(() => files.close());
  return { files, directories };
}

async function content(files: LocalFileStore, name: string): Promise<Buffer> {
  const opened = await files.open(name, { offset: 0, length: 0 }, { emptyIsFine: true });
  try {
    return await collect(flowOfSource(opened.body));
  } finally {
    opened.body.close();
  }
}

test("uploads of every size to several paths at once are read back whole", async () => {
  const { files } = await store(3);
  const sizes = [0, 1, 4096, 16_384, 16_385, 262_144, 262_145, 1_000_000, 3 * 1024 * 1024];
  const names = await Promise.all(
    sizes.flatMap((size, seed) =>
      [1, 2, 3].map(async (copy) => {
        const bytes = pattern(size, seed * 3 + copy);
        return { name: await files.upload(anyPath, flowOfBytes(bytes)), bytes };
      }),
    ),
  );
  expect(new Set(names.map(({ name }) => name)).size).toBe(names.length);
  expect(new Set(names.map(({ name }) => name.slice(0, 3)))).toEqual(
    new Set(["M00", "M01", "M02"]),
  );
  await Promise.all(
    names.map(async ({ name, bytes }) => {
      expect((await content(files, name)).equals(bytes), name).toBe(true);
    }),
  );
});

test("300 slow uploads and the quick ones between them all end", async () => {
  const { files } = await store(1);
  const size = 60_000;
  const flows = Array.from({ length: 300 }, () => new FedFlow(size));
  const slow = flows.map((flow) => files.upload(anyPath, flow));
  for (let at = 0; at < size; at += 10_000) {
    for (const flow of flows) flow.feed(pattern(size).subarray(at, at + 10_000));
    const quick = await files.upload(anyPath, flowOfBytes(pattern(5000)));
    expect((await content(files, quick)).equals(pattern(5000))).toBe(true);
    await until(() => flows.every((flow) => flow.open), `nobody starves at ${at}`);
  }
  for (const flow of flows) flow.end();
  const names = await Promise.all(slow);
  expect((await content(files, names[299] ?? "")).equals(pattern(size))).toBe(true);
}, 30_000);

test("many appends to one file end one after the other", async () => {
  const { files } = await store(1);
  const name = await files.upload({ ...anyPath, kind: "appender" }, flowOfBytes(pattern(10)));
  const size = 600_000;
  await Promise.all(
    Array.from({ length: 30 }, (_, seed) =>
      files.append(name, flowOfBytes(pattern(size, seed + 1))),
    ),
  );
  const whole = await content(files, name);
  const expected = Buffer.concat([
    pattern(10),
    ...Array.from({ length: 30 }, (_, seed) => pattern(size, seed + 1)),
  ]);
  expect(whole.equals(expected)).toBe(true);
}, 30_000);

test("a thread that dies takes its path offline, and the others go on", async () => {
  const threads: WorkerThread[] = [];
  const real = nodeWorkers();
  const { files } = await store(2, {
    ...real,
    start: (entry, data) => {
      const thread = real.start(entry, data);
      threads.push(thread);
      return thread;
    },
  });
  const flows = [new FedFlow(1_000_000), new FedFlow(1_000_000)];
  const [lost, kept] = flows.map((flow, storePathIndex) =>
    files.upload({ ...anyPath, storePathIndex }, flow),
  );
  const outcome = expect(lost).rejects.toMatchObject({ code: "store-path-offline" });
  for (const flow of flows) flow.feed(pattern(1_000_000).subarray(0, 500_000));
  threads[0]?.onExit(new Error("bus error"));
  // What its sender sends next finds the path gone, if the pieces before did not.
  for (const flow of flows) {
    flow.feed(pattern(1_000_000).subarray(500_000));
    flow.end();
  }
  await outcome;
  expect((await content(files, (await kept) ?? "")).equals(pattern(1_000_000))).toBe(true);
  expect(files.paths.map((path) => path.state)).toEqual(["offline", "online"]);
});

test("a thread that ends by a bug is started again, and takes its path back", async () => {
  const memories: StorePathThreadData[] = [];
  const real = nodeWorkers();
  const { files } = await store(1, {
    ...real,
    start: (entry, data) => {
      memories.push(data as StorePathThreadData);
      return real.start(entry, data);
    },
  });
  const name = await files.upload(anyPath, flowOfBytes(pattern(100)));
  const requests = new RingWriter((memories[0] as StorePathThreadData).requests);
  const nothing = { flags: 0, blockLength: 0, a: 0, b: 0, c: 0, text2: "" };
  // No such block: nothing that a request may say, and nothing that the worker looks for.
  requests.push({ ...nothing, id: 1_000_000, kind: request.read, block: 1_000_000, text: name });
  requests.wake();
  await until(() => files.paths[0]?.state === "offline", "the thread ended");
  expect(files.paths[0]?.problem).toMatch(/worker failed.*tried again by itself/);
  await until(() => files.paths[0]?.state === "online", "it is back", 15_000);
  expect((await content(files, name)).equals(pattern(100))).toBe(true);
  await files.upload(anyPath, flowOfBytes(pattern(100)));
}, 30_000);

test("a close in the middle of uploads refuses them, and leaves no temporary file", async () => {
  const { files, directories } = await store(1);
  const name = await files.upload(anyPath, flowOfBytes(pattern(100)));
  const flows = Array.from({ length: 5 }, () => new FedFlow(1_000_000));
  const uploads = flows.map((flow) => files.upload(anyPath, flow));
  const outcomes = Promise.all(
    uploads.map((upload) => expect(upload).rejects.toMatchObject({ code: "store-closing" })),
  );
  for (const flow of flows) flow.feed(pattern(1_000_000).subarray(0, 400_000));
  await files.close();
  for (const flow of flows) flow.feed(pattern(1_000_000).subarray(400_000));
  await outcomes;
  const left = await readdir(join(directories[0] ?? "", "data/.cairn/tmp"));
  expect(left).toEqual([]);
  await expect(files.open(name, { offset: 0, length: 0 })).rejects.toMatchObject({
    code: "store-closing",
  });
});
