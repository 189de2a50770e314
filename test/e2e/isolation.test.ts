/**
 * Goal: no operation on one store path waits for another path's disk (issue: Figures). A disk that hangs delays its own
 * operations, loses none of them, keeps nobody from the other path, and keeps the node from neither stopping nor starting.
 * Method: two store paths on ext4 file systems of their own; `fsfreeze` holds everybody who writes to the first one in the
 * kernel, as a disk that does not answer does. Real threads, real system calls; as root only.
 */
import { readFileSync } from "node:fs";
import { afterEach, expect } from "vitest";
import { residentFiles } from "#platform/node/node-resident-files.ts";
import { LiveNode, statusOf } from "../support/live-node.ts";
import { needs } from "../support/needs.ts";
import { until } from "../support/settled.ts";
import { freezableFileSystemNeeds, SmallFileSystem } from "../support/small-file-system.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const onFreezableDisks = needs(...freezableFileSystemNeeds);
const letters = Buffer.from("abcdefghijklmnopqrstuvwxyz");
const large = Buffer.alloc(3_000_000, "large ");
/** Of an operation on the disk that answers; the machine may be busy with other things. */
const promptMs = 3000;
/** An operation that has not ended by then waits. */
const waitsMs = 1000;

const callers: StorageCaller[] = [];

afterEach(() => {
  for (const caller of callers.splice(0)) caller.close();
});

/** A node over two disks, of which the first can be frozen; nothing hangs when it is disposed. */
class Stage implements AsyncDisposable {
  readonly first: SmallFileSystem;
  readonly second: SmallFileSystem;
  readonly node: LiveNode;

  private constructor(disks: readonly [SmallFileSystem, SmallFileSystem], node: LiveNode) {
    [this.first, this.second] = disks;
    this.node = node;
  }

  static async set(...settings: readonly string[]): Promise<Stage> {
    const disks = [new SmallFileSystem(32), new SmallFileSystem(32)] as const;
    try {
      const paths = `storage.path=${disks.map(({ path }) => path).join(",")}`;
      const all = [paths, "tracker.reserved_space=0", ...settings];
      return new Stage(disks, await LiveNode.start(() => all));
    } catch (error) {
      for (const disk of disks) disk[Symbol.dispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.first.thaw();
    try {
      await this.node[Symbol.asyncDispose]();
    } finally {
      this.first[Symbol.dispose]();
      this.second[Symbol.dispose]();
    }
  }
}

/** A connection of its own each: those of operations that wait are taken. */
async function caller(node: LiveNode): Promise<StorageCaller> {
  const made = await StorageCaller.connect(node.storage.port);
  callers.push(made);
  return made;
}

async function fresh<Result>(
  node: LiveNode,
  call: (storage: StorageCaller) => Promise<Result>,
): Promise<Result> {
  return call(await caller(node));
}

/** Fails when the call is not answered in time. */
async function prompt<Result>(what: string, call: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took ${promptMs} ms`)), promptMs);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Names of those which have ended, in the order of their end. */
function watched(calls: Readonly<Record<string, Promise<unknown>>>): string[] {
  const ended: string[] = [];
  for (const [name, call] of Object.entries(calls)) {
    const note = (): void => {
      ended.push(name);
    };
    call.then(note, note);
  }
  return ended;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Everything that clients do, on the second path. */
async function useSecond(node: LiveNode): Promise<void> {
  await fresh(node, async (storage) => {
    const name = await prompt("an upload", storage.upload(large, { path: 1 }));
    expect(name.slice(0, 3)).toBe("M01");
    expect((await prompt("a download", storage.download(name))).equals(large)).toBe(true);
    await prompt("metadata", storage.setMetadata(name, "a\x021", "overwrite"));
    expect(await prompt("metadata", storage.getMetadata(name))).toBe("a\x021");
    expect(await prompt("file info", storage.info(name))).toMatchObject({ fileSize: large.length });
    await prompt("a delete", storage.remove(name));
    const appender = await storage.upload(letters, { path: 1, appender: true });
    await prompt("an append", storage.append(appender, letters));
    await prompt("a truncation", storage.truncate(appender, 1));
    expect(await prompt("a slave", storage.uploadSlave(appender, "s", letters))).toMatch(/^M01/);
    await prompt("a delete", storage.remove(appender));
  });
}

onFreezableDisks(
  "while one disk hangs, the other path serves everything, and what waits is done when it goes on",
  async () => {
    await using stage = await Stage.set();
    const { node, first } = stage;
    const kept = await fresh(node, (storage) => storage.upload(letters, { path: 0 }));
    const doomed = await fresh(node, (storage) => storage.upload(letters, { path: 0 }));
    const other = await fresh(node, (storage) => storage.upload(letters, { path: 1 }));
    first.freeze();
    const calls = {
      small: fresh(node, (storage) => storage.upload(letters, { path: 0 })),
      large: fresh(node, (storage) => storage.upload(large, { path: 0 })),
      removed: fresh(node, (storage) => storage.remove(doomed)),
      described: fresh(node, (storage) => storage.setMetadata(kept, "a\x021", "overwrite")),
    };
    const ended = watched(calls);
    if (residentFiles() !== undefined) {
      // Small files that the kernel has in memory need no disk.
      const downloaded = fresh(node, (storage) => storage.download(kept));
      expect(await prompt("a file in memory", downloaded)).toEqual(letters);
      const described = fresh(node, (storage) => storage.info(kept));
      expect(await prompt("its facts", described)).toMatchObject({ fileSize: letters.length });
    }
    await useSecond(node);
    await pause(waitsMs);
    expect(ended).toEqual([]);
    const read = { read: fresh(node, (storage) => storage.download(kept)) };
    await useSecond(node);
    const base = `http://127.0.0.1:${node.process.ports.gateway}`;
    const health = await prompt("health", fetch(`${base}/healthz`));
    expect(health.status).toBe(200);
    const served = await prompt("HTTP", fetch(`${base}/group1/${other}`));
    expect(Buffer.from(await served.arrayBuffer())).toEqual(letters);
    expect((await prompt("metrics", fetch(`${base}/metrics`))).status).toBe(200);
    // The disk is known to hang by now: what may be stored anywhere is stored on the other one.
    await pause(waitsMs + 3000);
    for (let round = 0; round < 4; round += 1) {
      const any = await fresh(node, (storage) => prompt("any path", storage.upload(letters)));
      expect(any.slice(0, 3)).toBe("M01");
    }
    expect(ended).toEqual([]);

    first.thaw();
    const [small, big] = await Promise.all([calls.small, calls.large, calls.removed]);
    await calls.described;
    expect(await read.read).toEqual(letters);
    await fresh(node, async (storage) => {
      expect([small, big].map((name) => name.slice(0, 3))).toEqual(["M00", "M00"]);
      expect(await storage.download(small)).toEqual(letters);
      expect((await storage.download(big)).equals(large)).toBe(true);
      expect(await storage.getMetadata(kept)).toBe("a\x021");
      expect(await statusOf(storage.download(doomed))).toBe(2);
    });
    expect(node.log.filter(({ level }) => level === "error")).toEqual([]);
  },
  60_000,
);

onFreezableDisks(
  "a node whose disk hangs stops: it says which path, kills itself, and nothing is lost",
  async () => {
    await using stage = await Stage.set("node.stop_timeout=1s");
    const { node, first } = stage;
    const kept = await fresh(node, (storage) => storage.upload(letters, { path: 0 }));
    first.freeze();
    const waiting = statusOf(fresh(node, (storage) => storage.upload(large, { path: 0 })));
    const lost = waiting.then(String, () => "broken");
    const other = await fresh(node, (storage) => storage.upload(letters, { path: 1 }));
    const started = performance.now();
    node.process.signal("SIGTERM");
    await until(() => isZombie(node.process.pid), "the process is killed", 20_000);
    // A second for those under way, five for the store paths.
    expect(performance.now() - started).toBeGreaterThan(900);
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(node.log.at(-1)).toMatchObject({
      level: "error",
      event: "store-path-hangs",
      paths: first.path,
      end: "SIGKILL",
    });
    // The thread in the kernel outlives its process for as long as the disk hangs.
    first.thaw();
    expect(await node.process.exit()).toEqual({ code: null, signal: "SIGKILL" });
    expect(await lost).toBe("broken");
    await node.restart();
    await fresh(node, async (storage) => {
      expect(await storage.download(kept)).toEqual(letters);
      expect(await storage.download(other)).toEqual(letters);
      await storage.upload(large, { path: 0 });
    });
  },
  60_000,
);

onFreezableDisks(
  "a second signal ends a node at once even though its disk hangs",
  async () => {
    await using stage = await Stage.set();
    const { node, first } = stage;
    first.freeze();
    const lost = fresh(node, (storage) => storage.upload(letters, { path: 0 })).catch(String);
    await useSecond(node);
    node.process.signal("SIGTERM");
    await until(() => node.log.some(({ event }) => event === "stopping"), "it stops");
    node.process.signal("SIGTERM");
    await until(() => isZombie(node.process.pid), "the process is killed");
    first.thaw();
    expect(await node.process.exit()).toEqual({ code: null, signal: "SIGKILL" });
    await lost;
    await node.restart();
  },
  60_000,
);

onFreezableDisks(
  "a node starts without the disk that hangs, and takes it in when it goes on",
  async () => {
    await using stage = await Stage.set();
    const { node, first } = stage;
    const kept = await fresh(node, (storage) => storage.upload(letters, { path: 0 }));
    expect(await node.process.stop()).toEqual({ code: 0, signal: null });
    first.freeze();
    await node.restart();
    expect(node.log).toContainEqual(
      expect.objectContaining({ event: "store-path-opens-slowly", path: 0 }),
    );
    await useSecond(node);
    const ready = await fetch(`http://127.0.0.1:${node.process.ports.gateway}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining("path 0")]);
    first.thaw();
    const looksUntil = performance.now() + 10_000;
    let content: Buffer | undefined;
    while (content === undefined && performance.now() < looksUntil) {
      content = await fresh(node, (storage) => storage.download(kept)).catch(() => undefined);
    }
    expect(content).toEqual(letters);
  },
  60_000,
);

/** Ended, but for a thread that is still in the kernel. */
function isZombie(pid: number): boolean {
  return /^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}
