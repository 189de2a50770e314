/**
 * Goal: store paths follow the disks that carry them, while the node serves: they come, go, come back elsewhere, change boxes, and survive the
 * loss of the system card. Method: real nodes whose disks are directories with passports; what a disk is mounted on makes no difference to
 * any of it (the loop devices of the helper's tests are).
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { adoptDisk, findDisks, restoreNode } from "#control/operations/disk-ownership.ts";
import { status } from "#control/operations/system.ts";
import {
  controlOf,
  hasStateCopy,
  identityIn,
  makeDisk,
  moveDisk,
  passportOf,
} from "../support/disk-node.ts";
import { LiveNode, statusOf, storable } from "../support/live-node.ts";
import { NodeGroup } from "../support/node-group.ts";
import { NodeProcess } from "../support/node-process.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const limitMs = 90_000;
const tryAgain = 11;
const managed = ["disks.manage=true", "disks.mount_directory=./mnt", "storage.durability=relaxed"];

async function eventually(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const until = performance.now() + 20_000;
  while (!(await look())) {
    if (performance.now() > until) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function asking<T>(node: LiveNode, use: (storage: StorageCaller) => Promise<T>): Promise<T> {
  const caller = await StorageCaller.connect(node.storage.port);
  try {
    return await use(caller);
  } finally {
    caller.close();
  }
}

const upload = (node: LiveNode, path: number, content: Uint8Array): Promise<string> =>
  asking(node, (storage) => storage.upload(content, { path, extension: "bin" }));
const download = (node: LiveNode, name: string): Promise<Buffer> =>
  asking(node, (storage) => storage.download(name));

async function paths(node: LiveNode): Promise<string[]> {
  const { storePaths } = await controlOf(node.folder).ask(status, {});
  return storePaths.map(({ index, state }) => `${index} ${state}`);
}

async function pathsBecome(node: LiveNode, wanted: readonly string[]): Promise<void> {
  await eventually(`paths are ${wanted.join(", ")}`, async () => {
    const found = await paths(node);
    return found.join() === wanted.join();
  });
}

const disk = (node: LiveNode, name: string): string => join(node.folder, "mnt", name);

test(
  "a node waits for its first disk, takes further ones while it serves, and finds them again after a kill",
  async () => {
    await using node = await LiveNode.start(() => managed);
    expect(await paths(node)).toEqual([]);
    const { trackers } = await controlOf(node.folder).ask(status, {});
    expect(trackers[0]?.problem).toContain("no disk yet");
    const identity = identityIn(node.folder);
    makeDisk(disk(node, "a"), identity, { digit: "a", indexes: [0] });
    await storable(node.tracker);
    const names = [await upload(node, 0, Buffer.from("first"))];
    let stop = false;
    const failures: unknown[] = [];
    const load = (async () => {
      for (let file = 0; !stop; file += 1) {
        const content = Buffer.from(`under load ${file}`);
        await upload(node, 0xff, content).then(
          (name) => names.push(name),
          (error: unknown) => failures.push(error),
        );
      }
    })();
    makeDisk(disk(node, "b"), identity, { digit: "b", indexes: [1] });
    await eventually("uploads go to the new path", () =>
      names.some((name) => name.startsWith("M01/")),
    );
    stop = true;
    await load;
    expect(failures).toEqual([]);
    await eventually(
      "the passport follows",
      () => passportOf(disk(node, "b")).paths[0]?.id !== undefined,
    );
    expect(passportOf(disk(node, "b"))).toMatchObject({ revision: 2, diskId: "b".repeat(32) });
    await eventually("both carry the state", () =>
      ["a", "b"].every((name) => hasStateCopy(disk(node, name))),
    );
    await node.process.kill();
    await node.restart();
    await pathsBecome(node, ["0 online", "1 online"]);
    expect(await download(node, names[0] ?? "")).toEqual(Buffer.from("first"));
    const last = names.findLast((name) => name.startsWith("M01/")) ?? "";
    expect((await download(node, last)).toString()).toContain("under load");
  },
  limitMs,
);

test(
  "a disk that is pulled takes its path offline in words, and brings it back under another name",
  async () => {
    await using node = await LiveNode.start(() => managed);
    const identity = identityIn(node.folder);
    makeDisk(disk(node, "a"), identity, { digit: "a", indexes: [0] });
    makeDisk(disk(node, "b"), identity, { digit: "b", indexes: [1] });
    await pathsBecome(node, ["0 online", "1 online"]);
    const kept = await upload(node, 0, Buffer.from("stays"));
    const pulled = await upload(node, 1, Buffer.from("goes"));
    const drawer = join(node.folder, "drawer");
    moveDisk(disk(node, "b"), drawer);
    await pathsBecome(node, ["0 online", "1 offline"]);
    const { storePaths } = await controlOf(node.folder).ask(status, {});
    expect(storePaths[1]?.problem).toContain("its disk (bbbbbbbb) is not there: plug it in");
    expect(await statusOf(download(node, pulled))).toBe(tryAgain);
    expect(await download(node, kept)).toEqual(Buffer.from("stays"));
    // A start without it knows that there is one.
    await node.process.stop();
    await node.restart();
    await pathsBecome(node, ["0 online", "1 offline"]);
    moveDisk(drawer, disk(node, "other-port"));
    await pathsBecome(node, ["0 online", "1 online"]);
    expect(await download(node, pulled)).toEqual(Buffer.from("goes"));
  },
  limitMs,
);

test(
  "copies of a disk are refused, one that was replaced as well, and a foreign one waits for a yes",
  async () => {
    await using other = await LiveNode.start(() => managed);
    makeDisk(disk(other, "c"), identityIn(other.folder), { digit: "c", indexes: [2] });
    await eventually("it is served there", async () => (await paths(other)).length === 3);
    const name = await upload(other, 2, Buffer.from("moves to another box"));
    await eventually("its passport is complete", () => passportOf(disk(other, "c")).revision > 1);
    await other.process.stop();

    await using node = await LiveNode.start(() => managed);
    const identity = identityIn(node.folder);
    const control = controlOf(node.folder);
    const kinds = async () => {
      const { disks } = await control.ask(findDisks, {});
      return disks.map(({ name, kind }) => `${name.slice(-1)} ${kind}`).sort();
    };
    makeDisk(disk(node, "a"), identity, { digit: "a", indexes: [0] });
    await pathsBecome(node, ["0 online"]);
    // A copy that comes while the disk is served.
    cpSync(disk(node, "a"), disk(node, "x"), { recursive: true });
    await eventually("the copy is refused", async () => (await kinds()).includes("x clone"));
    expect(await paths(node)).toEqual(["0 online"]);
    // After a start nobody knows which of them is the copy.
    await node.process.stop();
    await node.restart();
    expect(await kinds()).toEqual(["a clone", "x clone"]);
    expect(await paths(node)).toEqual(["0 offline"]);
    rmSync(disk(node, "x"), { recursive: true });
    await pathsBecome(node, ["0 online"]);

    moveDisk(disk(other, "c"), disk(node, "c"));
    await eventually("it waits", async () => (await kinds()).includes("c foreign"));
    const before = passportOf(disk(node, "c"));
    expect(await paths(node)).toEqual(["0 online"]);
    const { storePaths } = await control.ask(adoptDisk, { disk: "c".repeat(32) });
    expect(storePaths).toEqual([2]);
    await pathsBecome(node, ["0 online", "1 offline", "2 online"]);
    expect((await download(node, name)).toString()).toBe("moves to another box");
    const after = passportOf(disk(node, "c"));
    expect(after.node.id).toBe(identity.id);
    expect(after.revision).toBeGreaterThan(before.revision);
    expect(await kinds()).toEqual(["a own", "c own"]);
    await node.process.kill();
    await node.restart();
    await pathsBecome(node, ["0 online", "1 offline", "2 online"]);

    // Another disk takes the place of one that is away; when that comes back, it is out of date.
    moveDisk(disk(node, "c"), join(node.folder, "drawer"));
    await pathsBecome(node, ["0 online", "1 offline", "2 offline"]);
    makeDisk(disk(node, "d"), identity, { digit: "d", indexes: [2] });
    await pathsBecome(node, ["0 online", "1 offline", "2 online"]);
    moveDisk(join(node.folder, "drawer"), disk(node, "c"));
    await eventually("it is refused", async () => (await kinds()).includes("c replaced"));
    expect(await paths(node)).toEqual(["0 online", "1 offline", "2 online"]);
  },
  2 * limitMs,
);

test(
  "a peer gets what is stored on a path that came while both served, and sends what it stores there",
  async () => {
    await using group = await NodeGroup.start({
      count: 2,
      settings: [...managed, "storage.path=./store0"],
    });
    const mount = (at: number) => join(group.folder, String(at), "mnt");
    const identity = (at: number) => identityIn(join(group.folder, String(at)));
    makeDisk(join(mount(0), "a"), identity(0), { digit: "a", indexes: [1] });
    const name = await storedAt(group, 0, "before the peer has such a path");
    // The peer has no store path 1 yet: it is sent when it has.
    makeDisk(join(mount(1), "b"), identity(1), { digit: "b", indexes: [1] });
    await eventually("the peer has it", () =>
      existsSync(join(mount(1), "b/store/M01/data", name.slice(4))),
    );
    const back = await storedAt(group, 1, "the other way");
    await eventually("and back", () =>
      existsSync(join(mount(0), "a/store/M01/data", back.slice(4))),
    );
    const first = await group.caller(0);
    expect((await first.download(back)).toString()).toBe("the other way");
    first.close();
    // An empty disk in the place of one that had files is filled again, without a command.
    rmSync(join(mount(1), "b"), { recursive: true });
    makeDisk(join(mount(1), "c"), identity(1), { digit: "c", indexes: [1] });
    await eventually("it is rebuilt", () =>
      [name, back].every((each) => existsSync(join(mount(1), "c/store/M01/data", each.slice(4)))),
    );
  },
  limitMs,
);

/** On store path 1 of that node, as soon as it has one. */
function storedAt(group: NodeGroup, at: number, text: string): Promise<string> {
  return storedOn(group, at, { text, path: 1 });
}

async function storedOn(
  group: NodeGroup,
  at: number,
  { text, path }: { readonly text: string; readonly path: number },
): Promise<string> {
  let name = "";
  await eventually("it can be stored", async () => {
    const storage = await group.caller(at);
    const stored = await statusOf(
      storage.upload(Buffer.from(text), { path, extension: "txt" }).then((made) => {
        name = made;
      }),
    );
    storage.close();
    return stored === 0 && name.startsWith(`M0${path}/`);
  });
  return name;
}

test(
  "a box that lost its card becomes itself again by one yes",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "cairn-card-"));
    const card = (name: string): string => {
      mkdirSync(join(folder, name));
      return join(folder, name);
    };
    const settings = [...managed, `disks.mount_directory=${folder}/mnt`];
    const old = card("old-card");
    let process = await NodeProcess.start({ dataDirectory: old, settings });
    try {
      const { ports } = process;
      const identity = identityIn(old);
      makeDisk(join(folder, "mnt/a"), identity, { digit: "a", indexes: [0] });
      makeDisk(join(folder, "mnt/b"), identity, { digit: "b", indexes: [1] });
      await eventually("both are served", async () => {
        const { storePaths } = await controlOf(old).ask(status, {});
        return storePaths.map(({ state }) => state).join() === "online,online";
      });
      const storage = await StorageCaller.connect(ports.storage);
      const content = Buffer.from("outlives the card");
      const name = await storage.upload(content, { path: 1, extension: "bin" });
      storage.close();
      await eventually("copies are there", () => hasStateCopy(join(folder, "mnt/b")));
      await process.stop();
      rmSync(old, { recursive: true });

      const fresh = card("new-card");
      process = await NodeProcess.start({ dataDirectory: fresh, settings, ports });
      expect(identityIn(fresh).id).not.toBe(identity.id);
      const control = controlOf(fresh);
      const { former, disks } = await control.ask(findDisks, {});
      expect(former).toMatchObject({ node: identity.id, disks: 2 });
      expect(disks.map(({ kind }) => kind)).toEqual(["foreign", "foreign"]);
      const restored = await control.ask(restoreNode, { node: undefined });
      expect(restored.node).toBe(identity.id);
      await eventually("it has started anew", async () => {
        const found = await control.ask(status, {}).catch(() => undefined);
        return found?.storePaths.map(({ state }) => state).join() === "online,online";
      });
      expect(identityIn(fresh).id).toBe(identity.id);
      const again = await StorageCaller.connect(ports.storage);
      expect(await again.download(name)).toEqual(content);
      again.close();
      expect(existsSync(join(fresh, "restore.copy"))).toBe(false);
      expect((await process.stop()).code).toBe(0);
    } finally {
      await process.kill().catch(() => undefined);
      rmSync(folder, { recursive: true, force: true });
    }
  },
  limitMs,
);

test(
  "a member of a group that lost its card comes back as itself, with its marks: nothing is sent again, and what it missed comes",
  async () => {
    await using group = await NodeGroup.start({ count: 2 });
    const data = (at: number) => join(group.folder, String(at));
    const mount = (at: number, name: string) => join(group.folder, `disks${at}`, name);
    const use = (at: number) => [
      ...managed,
      `disks.mount_directory=${join(group.folder, `disks${at}`)}`,
    ];
    for (const at of [0, 1]) {
      await group.stop(at);
      rmSync(data(at), { recursive: true });
    }
    for (const at of [0, 1]) {
      await group.run(at, use(at));
      makeDisk(mount(at, "a"), identityIn(data(at)), { digit: String(at), indexes: [0] });
    }
    const names: string[] = [];
    for (let file = 0; file < 20; file += 1)
      names.push(await storedOn(group, 1, { text: `file ${file}`, path: 0 }));
    const fileOf = (at: number, name: string) =>
      join(mount(at, "a"), "store/M00/data", name.slice(4));
    await eventually("the peer has all", () => names.every((name) => existsSync(fileOf(0, name))));
    const identity = identityIn(data(1));
    await eventually("the state is on the disk", () => hasStateCopy(mount(1, "a")));
    await group.stop(1);
    const marks = marksOf(mount(1, "a"));
    const binlog = binlogOf(mount(0, "a"));
    rmSync(data(1), { recursive: true });
    const missed = await storedOn(group, 0, { text: "while it was away", path: 0 });

    await group.run(1, use(1));
    const control = controlOf(data(1));
    const { former } = await control.ask(findDisks, {});
    expect(former?.node).toBe(identity.id);
    await control.ask(restoreNode, { node: undefined });
    await eventually("it is itself", async () => {
      const found = await control.ask(status, {}).catch(() => undefined);
      return found?.storePaths.map(({ state }) => state).join() === "online";
    });
    await eventually("what it missed comes", () => existsSync(fileOf(1, missed)));
    const back = await storedOn(group, 1, { text: "afterwards", path: 0 });
    await eventually("and what it stores goes", () => existsSync(fileOf(0, back)));
    const storage = await group.caller(1);
    for (const [at, name] of names.entries()) {
      expect((await storage.download(name)).toString()).toBe(`file ${at}`);
    }
    storage.close();
    // The peer was sent nothing that it had: its binlog has the two new files and no more.
    const since = binlogOf(mount(0, "a")).slice(binlog.length);
    expect(since.map((line) => line.split(" ")[2]).sort()).toEqual([missed, back].sort());
    expect(Object.keys(marksOf(mount(1, "a"))).sort()).toEqual(Object.keys(marks).sort());
  },
  limitMs,
);

function linesOf(path: string): readonly string[] {
  return readFileSync(path, "latin1").split("\n").slice(0, -1);
}

function binlogOf(directory: string): readonly string[] {
  return linesOf(join(directory, "store/M00/data/sync/binlog.000"));
}

function marksOf(directory: string): Readonly<Record<string, string>> {
  const sync = join(directory, "store/M00/data/sync");
  const names = readdirSync(sync).filter((name) => name.endsWith(".mark"));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(sync, name), "latin1")]));
}
