/**
 * Goal: a store path goes to another disk while the node serves, and no file and no file id is lost, whatever happens in between. Method: real
 * nodes whose disks are directories with passports, as in disk-paths.test.ts; uploads and changes go on meanwhile, the process is killed in
 * each phase, and every file is downloaded by its id and compared by its content afterwards.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  drainDisk,
  listMoves,
  planRebalance,
  planRetire,
  rebalanceDisks,
  retireDisk,
} from "#control/operations/disk-moves.ts";
import { findDisks } from "#control/operations/disk-ownership.ts";
import { status } from "#control/operations/system.ts";
import { controlOf, hasStateCopy, identityIn, makeDisk, passportOf } from "../support/disk-node.ts";
import { LiveNode, storable } from "../support/live-node.ts";
import { StorageCaller } from "../support/storage-caller.ts";

const limitMs = 180_000;
const managed = ["disks.manage=true", "disks.mount_directory=./mnt", "storage.durability=relaxed"];

async function eventually(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const until = performance.now() + 60_000;
  while (!(await look())) {
    if (performance.now() > until) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const disk = (node: LiveNode, name: string): string => join(node.folder, "mnt", name);
const idOf = (digit: string): string => digit.repeat(32);
const sum = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

async function twoDisks(): Promise<LiveNode> {
  const node = await LiveNode.start(() => managed);
  const identity = identityIn(node.folder);
  makeDisk(disk(node, "a"), identity, { digit: "a", indexes: [0] });
  makeDisk(disk(node, "b"), identity, { digit: "b", indexes: [1] });
  await pathsBecome(node, ["0 online", "1 online"]);
  await storable(node.tracker);
  await eventually("passports are complete", () =>
    ["a", "b"].every((name) => passportOf(disk(node, name)).paths[0]?.id !== undefined),
  );
  return node;
}

async function pathsBecome(node: LiveNode, wanted: readonly string[]): Promise<void> {
  await eventually(`paths are ${wanted.join(", ")}`, async () => {
    const { storePaths } = await controlOf(node.folder).ask(status, {});
    return storePaths.map(({ index, state }) => `${index} ${state}`).join() === wanted.join();
  });
}

/** Files with contents of their own on a store path, by id. */
async function fill(node: LiveNode, path: number, count: number): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const storage = await StorageCaller.connect(node.storage.port);
  for (let file = 0; file < count; file += 1) {
    const content = randomBytes(100 + ((file * 7919) % 40_000));
    files.set(await storage.upload(content, { path, extension: "bin" }), sum(content));
  }
  storage.close();
  return files;
}

async function requireAll(node: LiveNode, files: ReadonlyMap<string, string>): Promise<void> {
  const storage = await StorageCaller.connect(node.storage.port);
  for (const [name, content] of files) {
    expect(sum(await storage.download(name))).toBe(content);
  }
  storage.close();
}

async function retire(node: LiveNode, digit: string): Promise<void> {
  const control = controlOf(node.folder);
  const { moves } = await control.ask(planRetire, { disk: idOf(digit) });
  const agreed = moves.map(({ storePath, to }) => ({ storePath, to }));
  await control.ask(retireDisk, { disk: idOf(digit), moves: agreed });
}

function reached(node: LiveNode, since: number): readonly unknown[] {
  const lines = node.log.slice(since).filter(({ event }) => event === "store-path-move");
  return lines.flatMap(({ phase, purpose }) => (purpose === undefined ? [phase] : ["waiting"]));
}

async function phaseOf(node: LiveNode, storePath: number): Promise<string | undefined> {
  const { moves } = await controlOf(node.folder).ask(listMoves, {});
  return moves.find((move) => move.storePath === storePath)?.phase;
}

test(
  "a disk is retired while it serves: its path goes to another one with all files, and comes up there again",
  async () => {
    await using node = await twoDisks();
    const files = await fill(node, 1, 300);
    const storage = await StorageCaller.connect(node.storage.port);
    const appender = await storage.upload(Buffer.from("begin"), { path: 1, appender: true });
    await retire(node, "b");
    // New files go elsewhere at once, changes do not.
    const during = await storage.upload(Buffer.from("elsewhere"), { path: 1 });
    expect(during.startsWith("M00/")).toBe(true);
    await eventually("it is moved", async () => (await phaseOf(node, 1)) === "done");
    await pathsBecome(node, ["0 online", "1 online"]);
    await storage.append(appender, Buffer.from(" and end"));
    expect((await storage.download(appender)).toString()).toBe("begin and end");
    storage.close();
    await requireAll(node, files);
    const target = passportOf(disk(node, "a"));
    expect(target.paths.map(({ index, moves }) => [index, moves])).toEqual([
      [0, undefined],
      [1, 1],
    ]);
    expect(passportOf(disk(node, "b")).paths).toEqual([]);
    expect(hasStateCopy(disk(node, "b"))).toBe(false);
    // What was there stays as it was; nobody touches it.
    expect(existsSync(join(disk(node, "b"), "store/M01/data"))).toBe(true);
    await node.process.kill();
    await node.restart();
    await pathsBecome(node, ["0 online", "1 online"]);
    await requireAll(node, files);
    await fill(node, 1, 5);
  },
  limitMs,
);

/** Clients that read what is there, and store, change and delete what is theirs, each thing once, without a pause. */
class MoveLoad {
  readonly failures: string[] = [];
  done = 0;
  longestMs = 0;
  #going = true;
  readonly #clients: Promise<void>[];

  constructor(port: number, files: ReadonlyMap<string, string>) {
    const names = [...files];
    const read = async (storage: StorageCaller, turn: number): Promise<void> => {
      const [name = "", content] = names[turn % names.length] ?? [];
      if (turn % 3 === 0) await storage.info(name);
      else if (sum(await storage.download(name)) !== content) throw new Error("another content");
    };
    const write = async (storage: StorageCaller, turn: number): Promise<void> => {
      const content = randomBytes(turn % 5 === 0 ? 600_000 : 2000);
      const name = await storage.upload(content, { appender: turn % 2 === 0 });
      if (turn % 2 === 0) await storage.append(name, content);
      await storage.setMetadata(name, "a\x021", "overwrite");
      await storage.remove(name);
    };
    /** A file of the path that moves is changed. */
    const change = async (storage: StorageCaller, turn: number): Promise<void> => {
      const [name = ""] = names[turn % names.length] ?? [];
      await storage.setMetadata(name, `turn\x02${turn}`, "overwrite");
      const slave = await storage.uploadSlave(name, `_${turn}`, Buffer.from("slave"));
      await storage.remove(slave);
    };
    this.#clients = [read, read, write, write, change].map((act, at) => this.#run(port, at, act));
  }

  async #run(
    port: number,
    at: number,
    act: (storage: StorageCaller, turn: number) => Promise<void>,
  ): Promise<void> {
    let storage = await StorageCaller.connect(port);
    for (let turn = at * 1000; this.#going; turn += 1) {
      const started = performance.now();
      try {
        await act(storage, turn);
        this.done += 1;
      } catch (error) {
        this.failures.push(`${act.name} ${String(error)}`);
        storage.close();
        storage = await StorageCaller.connect(port);
      }
      this.longestMs = Math.max(this.longestMs, performance.now() - started);
    }
    storage.close();
  }

  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#clients);
  }
}

test(
  "clients of a lone node see nothing of a store path that goes to and fro, but for a moment's wait",
  async () => {
    await using node = await twoDisks();
    const files = await fill(node, 1, 200);
    const load = new MoveLoad(node.storage.port, files);
    for (const digit of ["b", "a", "b"]) {
      await retire(node, digit);
      await eventually("it is moved", async () => {
        const { moves } = await controlOf(node.folder).ask(listMoves, {});
        return moves.every(({ phase }) => phase === "done");
      });
      await controlOf(node.folder).ask(drainDisk, { disk: idOf(digit), drain: false });
    }
    await load.stop();
    const { done, longestMs } = load;
    process.stdout.write(`${done} operations, longest ${Math.round(longestMs)} ms\n`);
    expect(load.failures).toEqual([]);
    expect(done).toBeGreaterThan(100);
    await requireAll(node, files);
  },
  limitMs,
);

test(
  "a process that is killed in any phase goes on after the next start, and loses nothing",
  async () => {
    await using node = await twoDisks();
    makeDisk(disk(node, "c"), identityIn(node.folder), { digit: "c", indexes: [] });
    const control = controlOf(node.folder);
    await eventually("the third disk is seen", async () => {
      const { disks } = await control.ask(findDisks, {});
      return disks.filter(({ kind }) => kind === "own").length === 3;
    });
    await control.ask(drainDisk, { disk: idOf("a"), drain: true });
    const files = await fill(node, 1, 400);
    let [from, to] = ["b", "c"];
    for (const phase of ["waiting", "copying", "switching", "committing"]) {
      for (const waitMs of [phase === "switching" ? 8 : 0]) {
        const seen = node.log.length;
        await retire(node, from);
        await eventually(phase, () => reached(node, seen).includes(phase));
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        await node.process.kill();
        await node.restart();
        await pathsBecome(node, ["0 online", "1 online"]);
        await requireAll(node, new Map([...files].slice(0, 50)));
        await eventually("it is moved", async () => (await phaseOf(node, 1)) === "done");
        await pathsBecome(node, ["0 online", "1 online"]);
        expect(passportOf(disk(node, from)).paths).toEqual([]);
        expect(passportOf(disk(node, to)).paths.map(({ index }) => index)).toEqual([1]);
        await requireAll(node, files);
        // The disk takes files again as soon as somebody says so.
        await control.ask(drainDisk, { disk: idOf(from), drain: false });
        [from, to] = [to, from];
        for (const [name, content] of await fill(node, 1, 20)) files.set(name, content);
      }
    }
  },
  3 * limitMs,
);

test(
  "a process that is killed while the old directory is deleted goes on with that",
  async () => {
    await using node = await LiveNode.start(() => managed);
    const identity = identityIn(node.folder);
    makeDisk(disk(node, "a"), identity, { digit: "a", indexes: [0, 1] });
    makeDisk(disk(node, "b"), identity, { digit: "b", indexes: [] });
    await pathsBecome(node, ["0 online", "1 online"]);
    await storable(node.tracker);
    const files = await fill(node, 1, 2000);
    const control = controlOf(node.folder);
    const { moves } = await control.ask(planRebalance, {});
    expect(moves.map(({ storePath, to }) => [storePath, to])).toEqual([[1, idOf("b")]]);
    const seen = node.log.length;
    await control.ask(rebalanceDisks, { moves: [{ storePath: 1, to: idOf("b") }] });
    await eventually("cleaning", () => reached(node, seen).includes("cleaning"));
    await node.process.kill();
    await node.restart();
    await eventually("it is moved", async () => (await phaseOf(node, 1)) === "done");
    for (const left of ["M01", "M01.moved"]) {
      expect(existsSync(join(disk(node, "a"), "store", left))).toBe(false);
    }
    await pathsBecome(node, ["0 online", "1 online"]);
    await requireAll(node, files);
  },
  limitMs,
);
