/**
 * Goal: a disk that fills up in the middle of a group commit stores some of those who wait and refuses the others, whole; it
 * serves on as soon as there is room. A store path that is served is no other process's, until that one has ended.
 * Method: small ext4 file systems with little room left, in amounts that end in the middle of contents, of the binlog and of
 * directories; many clients at once. As root only, but for the second part.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lastRecords, listStore, wrongContent } from "../crash/store-audit.ts";
import { LiveNode, logLines, statusOf } from "../support/live-node.ts";
import { needs } from "../support/needs.ts";
import { NodeProcess } from "../support/node-process.ts";
import { SmallFileSystem, smallFileSystemNeeds } from "../support/small-file-system.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const onDisk = needs(...smallFileSystemNeeds);
const noSpace = 28;
const kibibyte = 1024;
const parallel = 40;

/** A connection of its own: a failed upload is the end of its one. */
async function once<Result>(
  port: number,
  use: (storage: StorageCaller) => Promise<Result>,
): Promise<Result> {
  const storage = await StorageCaller.connect(port);
  try {
    return await use(storage);
  } finally {
    storage.close();
  }
}

/** Takes all of the disk, and gives about `freeBytes` back. */
function leave(ballast: string, freeBytes: number): void {
  const chunk = Buffer.alloc(1024 * kibibyte, "b");
  for (let size = chunk.length; size >= 512; size /= 2) {
    for (;;) {
      try {
        writeFileSync(ballast, chunk.subarray(0, size), { flag: "a", flush: true });
      } catch {
        break;
      }
    }
  }
  truncateSync(ballast, statSync(ballast).size - freeBytes);
}

/** What was acknowledged, by name: contents, and metadata where there are some. */
interface Stored {
  readonly content: Buffer;
  metadata: string | undefined;
}

class FullDisk {
  readonly #node: LiveNode;
  readonly #disk: SmallFileSystem;
  readonly #stored = new Map<string, Stored>();
  /** Changes whose client was told that they failed, and why. */
  readonly refusals = new Map<number, number>();

  constructor(node: LiveNode, disk: SmallFileSystem) {
    this.#node = node;
    this.#disk = disk;
  }

  get names(): readonly string[] {
    return [...this.#stored.keys()];
  }

  async uploadMany(sizeBytes: number): Promise<number> {
    const before = this.#stored.size;
    await this.#all(parallel, async (storage, index) => {
      const content = Buffer.alloc(sizeBytes + index, `${before} ${index} `);
      this.#stored.set(await storage.upload(content), { content, metadata: undefined });
    });
    return this.#stored.size - before;
  }

  async describeAll(): Promise<void> {
    const files = [...this.#stored];
    await this.#all(files.length, async (storage, index) => {
      const [name, file] = files[index] as (typeof files)[number];
      const metadata = `key\u0002${"v".repeat(200)}${index}`;
      await storage.setMetadata(name, metadata, "overwrite");
      file.metadata = metadata;
    });
  }

  async removeHalf(): Promise<void> {
    const names = this.names.filter((_, index) => index % 2 === 0);
    await this.#all(names.length, async (storage, index) => {
      const name = names[index] as string;
      await storage.remove(name);
      this.#stored.delete(name);
    });
  }

  async #all(
    count: number,
    use: (storage: StorageCaller, index: number) => Promise<void>,
  ): Promise<void> {
    const statuses = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        statusOf(once(this.#node.storage.port, (storage) => use(storage, index))),
      ),
    );
    for (const status of statuses) {
      if (status !== 0) this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1);
    }
  }

  /** Everything that was acknowledged is there, whole, and nothing else. */
  async check(): Promise<void> {
    await once(this.#node.storage.port, async (storage) => {
      for (const [name, { content, metadata }] of this.#stored) {
        expect((await storage.download(name)).equals(content), name).toBe(true);
        if (metadata !== undefined) expect(await storage.getMetadata(name)).toBe(metadata);
      }
    });
    const { names, temporary } = listStore(this.#disk.path);
    const described = [...this.#stored].filter(([, { metadata }]) => metadata !== undefined);
    const expected = [...this.names, ...described.map(([name]) => `${name}-m`)];
    expect({ names: names.sort(), temporary }).toEqual({ names: expected.sort(), temporary: [] });
    const records = lastRecords(this.#disk.path);
    for (const name of names) {
      expect(records.get(name), name).toMatch(/^[CU]$/);
      expect(wrongContent(this.#disk.path, name)).toBe(undefined);
    }
  }
}

onDisk(
  "a disk that fills up in the middle of a group commit stores some, refuses the others with 28, loses none, and goes on",
  async () => {
    let partial = 0;
    for (const [freeKiB, sizeBytes] of [
      [0, 500],
      [8, 500],
      [40, 3000],
      [300, 9000],
      [1200, 60_000],
    ] as const) {
      using disk = new SmallFileSystem(24);
      const ballast = join(disk.path, "ballast");
      await using node = await LiveNode.start(() => [
        `storage.path=${disk.path}`,
        "storage.packing=off",
        "tracker.reserved_space=0",
      ]);
      const full = new FullDisk(node, disk);
      expect(await full.uploadMany(100)).toBe(parallel);
      leave(ballast, freeKiB * kibibyte);
      const fitted = await full.uploadMany(sizeBytes);
      if (fitted > 0 && fitted < parallel) partial += 1;
      await full.describeAll();
      expect([...full.refusals.keys()], `${freeKiB} KiB`).toEqual([noSpace]);
      await full.check();
      await full.removeHalf();
      expect([...full.refusals.keys()]).toEqual([noSpace]);
      await full.check();
      await node.process.kill();
      await node.restart();
      await full.check();
      truncateSync(ballast);
      rmSync(ballast);
      const until = performance.now() + 15_000;
      while ((await full.uploadMany(3000)) < parallel && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect(await full.uploadMany(3000)).toBe(parallel);
      await full.check();
    }
    expect(partial).toBeGreaterThan(0);
  },
  120_000,
);

test("a second process refuses a store path that is served, and has it when the first one was killed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cairn-two-"));
  try {
    const store = join(folder, "store");
    for (const name of ["store", "spare", "one", "two"]) mkdirSync(join(folder, name));
    const first = await NodeProcess.start({
      dataDirectory: join(folder, "one"),
      settings: [`storage.path=${store}`],
    });
    const content = Buffer.from("of the first process");
    const name = await once(first.ports.storage, (storage) => storage.upload(content));

    // With the same data directory, with another one, and with a further store path.
    const same = await NodeProcess.launch({
      dataDirectory: join(folder, "one"),
      settings: [`storage.path=${store}`],
    });
    expect(await same.exit()).not.toEqual({ code: 0, signal: null });
    const other = await NodeProcess.launch({
      dataDirectory: join(folder, "two"),
      settings: [`storage.path=${store}`],
    });
    expect(await other.exit()).not.toEqual({ code: 0, signal: null });
    expect(other.errors).toContain(`${store} is held by another process`);
    const both = await NodeProcess.start({
      dataDirectory: join(folder, "two"),
      settings: [`storage.path=${join(folder, "spare")},${store}`],
    });
    expect(JSON.stringify(logLines(both.errors))).toContain(`${store} is held by another process`);
    const elsewhere = await once(both.ports.storage, (storage) => storage.upload(content));
    expect(elsewhere.slice(0, 3)).toBe("M00");
    await both.stop();

    expect(await once(first.ports.storage, (storage) => storage.download(name))).toEqual(content);
    await once(first.ports.storage, (storage) => storage.upload(content));
    await first.kill();
    // The spare one was its first path until now: that the other one takes its place has to be said.
    const unaware = await NodeProcess.launch({
      dataDirectory: join(folder, "two"),
      settings: [`storage.path=${store}`],
    });
    expect(await unaware.exit()).toMatchObject({ code: 78 });
    expect(unaware.errors).toContain("take_over = true");
    const heir = await NodeProcess.start({
      dataDirectory: join(folder, "two"),
      settings: [`storage.path=[{directory="${store}",take_over=true}]`],
    });
    expect(await once(heir.ports.storage, (storage) => storage.download(name))).toEqual(content);
    await heir.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 90_000);
