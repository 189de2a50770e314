/**
 * Deduplication through the store with its real worker threads: many clients with the same content at once, several store paths,
 * several starts.
 */
import { statSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { LocalFileStore } from "#filestore/local-file-store.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { collect, flowOfBytes, flowOfSource } from "#net/byte-flow.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeWorkers } from "#platform/node/node-workers.ts";
import { collectedLog, pattern } from "../../../support/frame-fixture.ts";
import { until } from "../../../support/settled.ts";
import { pathSettings } from "../../../support/store-fixture.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

interface Stage {
  readonly files: LocalFileStore;
  readonly directories: readonly string[];
  upload(content: Uint8Array, path?: number): Promise<string>;
  linked(): number;
  /** Every file has been looked at for the index. */
  readonly walked: () => boolean;
}

async function rootFor(pathCount: number): Promise<readonly string[]> {
  const root = await mkdtemp(join(tmpdir(), "cairn-dedup-"));
  cleanups.push(() => rm(root, { recursive: true, force: true }));
  const directories = Array.from({ length: pathCount }, (_, index) => join(root, `path${index}`));
  for (const directory of directories) await mkdir(directory);
  return directories;
}

async function open(
  directories: readonly string[],
  settings: Partial<StorePathSettings> = {},
): Promise<Stage> {
  const { log, records } = collectedLog();
  const files = new LocalFileStore({
    paths: directories.map((directory, index) => ({
      ...pathSettings(index, directory),
      dedup: true,
      ...settings,
    })),
    workers: nodeWorkers(),
    clock: nodeClock,
    log,
    reserved: () => ({ kind: "bytes", bytes: 0 }),
    policy: () => "round-robin",
    diskTimeoutMs: 20_000,
  });
  await files.start();
  cleanups.push(() => files.close());
  let linked = 0;
  const onLinked = (): void => {
    linked += 1;
  };
  return {
    files,
    directories,
    upload: (content, storePathIndex) =>
      files.upload(
        { storePathIndex, extension: "bin", kind: "normal", onLinked },
        flowOfBytes(content),
      ),
    linked: () => linked,
    walked: () => records.some(({ event }) => event === "content-index-complete"),
  };
}

function inodes({ directories }: Stage, names: readonly string[]): number {
  const paths = names.map(
    (name) => `${directories[Number(name.slice(1, 3))]}/data/${name.slice(4)}`,
  );
  return new Set(paths.map((path) => `${statSync(path).dev} ${statSync(path).ino}`)).size;
}

async function content({ files }: Stage, name: string): Promise<Buffer> {
  const opened = await files.open(name, { offset: 0, length: 0 });
  return collect(flowOfSource(opened.body));
}

test.each([
  ["small", 4096],
  ["large", 700_000],
] as const)("64 clients that upload the same %s content at once share it", async (_, size) => {
  for (const durability of ["flushed", "relaxed"] as const) {
    const stage = await open(await rootFor(1), { durability });
    const bytes = pattern(size);
    const uploads = Array.from({ length: 64 }, () => stage.upload(bytes));
    const names = await Promise.all(uploads);
    expect(new Set(names).size).toBe(64);
    expect(inodes(stage, names)).toBe(1);
    expect(stage.linked()).toBe(63);
    await Promise.all(names.slice(0, 63).map((name) => stage.files.remove(name)));
    expect((await content(stage, names[63] ?? "")).equals(bytes)).toBe(true);
    await stage.files.remove(names[63] ?? "");
    const left = await readdir(`${stage.directories[0]}/data/00/00`);
    expect(left).toEqual([]);
    expect(await readdir(`${stage.directories[0]}/data/.cairn/tmp`)).toEqual([]);
  }
});

test("content on another store path is found there, and uploads of what is new go where they should", async () => {
  const stage = await open(await rootFor(3));
  const bytes = pattern(100_000);
  const first = await stage.upload(bytes, 1);
  const names = [first];
  for (const path of [0, 1, 2, undefined]) names.push(await stage.upload(bytes, path));
  expect(new Set(names.map((name) => name.slice(0, 3)))).toEqual(new Set(["M01"]));
  expect(inodes(stage, names)).toBe(1);
  expect(stage.linked()).toBe(4);
  const others = [0, 1, 2].map((path) => stage.upload(pattern(50_000, path + 7), path));
  const fresh = await Promise.all(others);
  expect(fresh.map((name) => name.slice(0, 3))).toEqual(["M00", "M01", "M02"]);
  for (const name of names) expect((await content(stage, name)).equals(bytes)).toBe(true);
  for (const directory of stage.directories) {
    expect(await readdir(`${directory}/data/.cairn/tmp`)).toEqual([]);
  }
});

test("equal and different contents on several paths at once are all read back", async () => {
  const stage = await open(await rootFor(2), { durability: "flushed" });
  const uploads = Array.from({ length: 300 }, async (_, index) => {
    const bytes = pattern(index % 3 === 0 ? 700_000 : 5000, index % 20);
    return { name: await stage.upload(bytes), bytes };
  });
  const made = await Promise.all(uploads);
  for (const { name, bytes } of made) {
    expect((await content(stage, name)).equals(bytes)).toBe(true);
  }
  // Each path may have received a content before the other one had it.
  const distinct = new Set(
    made.map(({ bytes }) => `${bytes.length} ${bytes.toString("hex", 0, 9)}`),
  );
  const count = inodes(
    stage,
    made.map(({ name }) => name),
  );
  expect(count).toBeLessThanOrEqual(2 * distinct.size);
});

test("a restart forgets nothing; without the index the files are walked again", async () => {
  const directories = await rootFor(1);
  const bytes = pattern(10_000);
  const first = await open(directories);
  const names = [await first.upload(bytes)];
  await first.files.close();
  const second = await open(directories);
  names.push(await second.upload(bytes));
  expect(inodes(second, names)).toBe(1);
  await second.files.close();
  for (const file of await readdir(`${directories[0]}/data/.cairn`)) {
    if (file.startsWith("index.sqlite")) await rm(`${directories[0]}/data/.cairn/${file}`);
  }
  const third = await open(directories);
  await until(third.walked, "the walk", 20_000);
  names.push(await third.upload(bytes));
  expect(inodes(third, names)).toBe(1);
});
