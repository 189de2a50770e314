/**
 * Goal: files that are missing, damaged in size or forgotten by a log behind the nodes' backs come back, what was deleted does not, and a
 * store path that comes back empty fills itself, also after kills, while the node serves. Method: two real nodes on loopback addresses; the
 * test changes their disks as an accident would, and compares all files of both in the end.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { ControlClient } from "#cli/control-client.ts";
import { verifyPeers } from "#control/operations/peers.ts";
import { type NodeStatus, status } from "#control/operations/system.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { statusOf } from "../../support/live-node.ts";
import { eventually, NodeGroup } from "../../support/node-group.ts";

const limitMs = 120_000;
const soonMs = 30_000;
let group: NodeGroup | undefined;

afterEach(async () => {
  await group?.[Symbol.asyncDispose]();
  group = undefined;
}, 60_000);

/** Once the second one, which was filled by the first, has compared itself with it. */
async function started(settings: readonly string[] = []): Promise<NodeGroup> {
  const nodes = await NodeGroup.start({
    count: 2,
    settings: ["storage.verify_interval=0s", ...settings],
  });
  group = nodes;
  await eventually(soonMs, async () => ((await statusAt(nodes, 1)).comparison?.rounds ?? 0) > 1);
  await compared(nodes, 1);
  await eventually(soonMs, () => !owesComparison(nodes, 1));
  return nodes;
}

function owesComparison(nodes: NodeGroup, at: number): boolean {
  return existsSync(join(nodes.store(at), "data/sync/cairn-comparison.mark"));
}

function control(nodes: NodeGroup, at: number): ControlClient {
  const path = join(nodes.folder, String(at), "cairn.sock");
  return new ControlClient({ network: new NodeNetwork(), clock: nodeClock, path });
}

function statusAt(nodes: NodeGroup, at: number): Promise<NodeStatus> {
  return control(nodes, at).ask(status, {});
}

/** A kill leaves all that was written, and the next start knows that: no longer. */
function lookLikePowerCut(nodes: NodeGroup, at: number): void {
  const path = join(nodes.store(at), "data/.cairn/state");
  writeFileSync(path, readFileSync(path, "utf8").replace(/^settled_mounting=.*\n/m, ""));
}

/** Until what was stored so far is older than what the nodes have told each other to hold. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3000));
}

/** One comparison, to its end. */
async function compared(
  nodes: NodeGroup,
  at: number,
): Promise<NonNullable<NodeStatus["comparison"]>> {
  const { round } = await control(nodes, at).ask(verifyPeers, {});
  let found: NodeStatus["comparison"];
  await eventually(soonMs * 2, async () => {
    found = (await statusAt(nodes, at)).comparison;
    return (found?.rounds ?? 0) >= round;
  });
  if (found === undefined) throw new Error("there was no comparison");
  return found;
}

/** All files of a node's store path: normal ones, metadata, trunk files, by name and content. */
function filesOf(store: string): Map<string, string> {
  const files = new Map<string, string>();
  const data = join(store, "data");
  for (const high of existsSync(data) ? readdirSync(data) : []) {
    if (!/^[0-9A-F]{2}$/.test(high)) continue;
    for (const low of readdirSync(join(data, high))) {
      for (const base of readdirSync(join(data, high, low))) {
        files.set(`${high}/${low}/${base}`, readFileSync(join(data, high, low, base), "latin1"));
      }
    }
  }
  return files;
}

async function alike(nodes: NodeGroup, count?: number): Promise<void> {
  await eventually(soonMs, () => {
    const [one, other] = [filesOf(nodes.store(0)), filesOf(nodes.store(1))];
    if (count !== undefined && one.size !== count) return false;
    return one.size === other.size && [...one].every(([name, text]) => other.get(name) === text);
  });
}

function pathOf(nodes: NodeGroup, at: number, name: string): string {
  return join(nodes.store(at), "data", name.slice(4));
}

/** Files of every kind at node 0, and at node 1 soon. */
async function filled(nodes: NodeGroup, count: number) {
  const caller = await nodes.caller(0);
  const names: string[] = [];
  for (let at = 0; at < count; at += 1) {
    names.push(await caller.upload(Buffer.from(`file ${at} `.repeat(1 + (at % 50)))));
  }
  const appender = await caller.upload(Buffer.from("begin"), { appender: true });
  await caller.append(appender, Buffer.from(" and more"));
  const master = names[0] ?? "";
  const slave = await caller.uploadSlave(master, "_s", Buffer.from("small"));
  await caller.setMetadata(master, "a\x02b", "overwrite");
  const empty = await caller.upload(new Uint8Array(0));
  await alike(nodes);
  return { caller, names, appender, slave, empty };
}

test(
  "what is missing on a disk though no log knows, or is only on one side, is found and comes back; deleted stays deleted",
  async () => {
    const nodes = await started();
    const { caller, names, appender, slave } = await filled(nodes, 40);
    const before = filesOf(nodes.store(0));
    const gone = names[7] ?? "";
    await caller.remove(gone);
    await eventually(soonMs, () => !existsSync(pathOf(nodes, 1, gone)));
    // An accident at both: files vanish here and there, an appender file falls back, a slave is cut.
    for (const name of names.slice(10, 15)) unlinkSync(pathOf(nodes, 1, name));
    for (const name of names.slice(15, 18)) unlinkSync(pathOf(nodes, 0, name));
    const past = statSync(pathOf(nodes, 0, appender)).mtimeMs / 1000 - 100;
    for (const name of [appender, slave]) {
      writeFileSync(pathOf(nodes, 1, name), "be");
      utimesSync(pathOf(nodes, 1, name), past, past);
    }
    // And a file that was deleted is there again at one.
    mkdirSync(join(pathOf(nodes, 1, gone), ".."), { recursive: true });
    writeFileSync(pathOf(nodes, 1, gone), before.get(gone.slice(4)) ?? "", "latin1");
    await settled();
    const found = await compared(nodes, 1);
    expect(found).toMatchObject({ found: 11, repaired: 11, failed: 0, nameless: 0 });
    await alike(nodes);
    expect(existsSync(pathOf(nodes, 0, gone))).toBe(false);
    const after = filesOf(nodes.store(1));
    before.delete(gone.slice(4));
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    expect(await compared(nodes, 0)).toMatchObject({ found: 0, repaired: 0, failed: 0 });
    caller.close();
  },
  limitMs,
);

test(
  "a binlog that is gone: its files are neither lost nor deleted, and what it would have told is found at once",
  async () => {
    const nodes = await started();
    const { caller, names } = await filled(nodes, 20);
    const before = filesOf(nodes.store(0));
    await nodes.stop(1);
    rmSync(join(nodes.store(1), "data", "sync"), { recursive: true });
    for (const name of names.slice(0, 3)) unlinkSync(pathOf(nodes, 1, name));
    await nodes.run(1);
    await nodes.active(1);
    await eventually(soonMs, async () => ((await statusAt(nodes, 1)).comparison?.rounds ?? 0) > 0);
    await alike(nodes, before.size);
    expect(nodes.log(1).some(({ event }) => event === "binlog-lost")).toBe(true);
    caller.close();
  },
  limitMs,
);

test(
  "what a power cut spoiled in the relaxed mode is never served, and comes back, also what was made here",
  async () => {
    const nodes = await started(["storage.durability=relaxed"]);
    const { caller, names, empty } = await filled(nodes, 30);
    const before = filesOf(nodes.store(0));
    const own = await nodes.caller(1);
    const made: string[] = [];
    for (let at = 0; at < 5; at += 1) {
      made.push(await own.upload(Buffer.from(`made here, ${at}`.repeat(200))));
    }
    await settled();
    own.close();
    await nodes.kill(1);
    lookLikePowerCut(nodes, 1);
    // As the kernel may have left them: empty, cut off, with zeros for what did not come, or not at all.
    const spoiled = [...names.slice(5, 13), ...made];
    for (const [at, name] of spoiled.entries()) {
      const path = pathOf(nodes, 1, name);
      const { size } = statSync(path);
      if (at % 4 === 0) truncateSync(path, 0);
      if (at % 4 === 1) truncateSync(path, Math.floor(size / 2));
      if (at % 4 === 2) writeFileSync(path, Buffer.alloc(size));
      if (at % 4 === 3) unlinkSync(path);
    }
    await nodes.run(1);
    await nodes.active(1);
    const again = await nodes.caller(1);
    for (const name of spoiled) {
      const content = readFileSync(pathOf(nodes, 0, name));
      expect((await again.download(name)).equals(content)).toBe(true);
    }
    await alike(nodes, before.size + made.length);
    expect(filesOf(nodes.store(1)).get(empty.slice(4))).toBe("");
    await eventually(soonMs, () => !existsSync(join(nodes.store(1), "data/.cairn/recheck")));
    const events = nodes.log(1).map(({ event }) => event);
    expect(events).toContain("files-in-doubt");
    expect(events).not.toContain("files-lost-for-good");
    caller.close();
    again.close();
  },
  limitMs,
);

test(
  "a store path that comes back empty is filled, through kills, and the node serves what is not here yet",
  async () => {
    const nodes = await started();
    const { caller, names, empty } = await filled(nodes, 300);
    const before = filesOf(nodes.store(0));
    await nodes.stop(1);
    rmSync(nodes.store(1), { recursive: true });
    mkdirSync(nodes.store(1));
    for (let kill = 0; kill < 3; kill += 1) {
      await nodes.run(1);
      await nodes.kill(1);
    }
    await nodes.run(1);
    const again = await nodes.caller(1);
    for (const name of names.slice(-20)) expect(await statusOf(again.download(name))).toBe(0);
    await eventually(soonMs * 2, async () => {
      const [recovery] = (await statusAt(nodes, 1)).recoveries ?? [];
      return recovery?.state === "done";
    });
    const [recovery] = (await statusAt(nodes, 1)).recoveries ?? [];
    expect(recovery).toMatchObject({ storePath: 0, failed: 0 });
    await alike(nodes, before.size);
    expect(filesOf(nodes.store(1)).get(empty.slice(4))).toBe("");
    expect(nodes.log(1).some(({ event }) => event === "store-path-recovered")).toBe(true);
    // It is the same path from now on.
    await eventually(soonMs, () => !owesComparison(nodes, 1));
    await nodes.stop(1);
    await nodes.run(1);
    await nodes.active(1);
    expect(nodes.log(1).some(({ event }) => event === "store-path-lost")).toBe(false);
    caller.close();
    again.close();
  },
  limitMs,
);

test(
  "packed files are compared and fetched one by one, by their names in the binlogs",
  async () => {
    const nodes = await started(["storage.packing=on"]);
    const caller = await nodes.caller(0);
    const names: string[] = [];
    for (let at = 0; at < 200; at += 1)
      names.push(await caller.upload(Buffer.from(`packed ${at}`)));
    expect(names.filter((name) => name.length === 60).length).toBeGreaterThan(100);
    const last = names.at(-1) ?? "";
    const other = await nodes.caller(1);
    await eventually(soonMs, async () => (await statusOf(other.download(last))) === 0);
    await settled();
    // The trunk files of one side are gone, behind its back.
    other.close();
    await nodes.stop(1);
    for (const [path] of filesOf(nodes.store(1))) {
      if (/\/\d{6}$/.test(path)) unlinkSync(join(nodes.store(1), "data", path));
    }
    await nodes.run(1);
    await nodes.active(1);
    await settled();
    const found = await compared(nodes, 1);
    expect(found).toMatchObject({ failed: 0, nameless: 0 });
    expect(found.repaired).toBeGreaterThan(100);
    expect(await compared(nodes, 1)).toMatchObject({ found: 0, failed: 0 });
    // And the whole path.
    await nodes.stop(1);
    rmSync(nodes.store(1), { recursive: true });
    mkdirSync(nodes.store(1));
    await nodes.run(1);
    await eventually(soonMs, async () => {
      const [recovery] = (await statusAt(nodes, 1)).recoveries ?? [];
      return recovery?.state === "done" && recovery.failed === 0;
    });
    await nodes.stop(0);
    const again = await nodes.caller(1);
    for (const [at, name] of names.entries()) {
      expect((await again.download(name)).toString(), name).toBe(`packed ${at}`);
    }
    again.close();
    caller.close();
  },
  limitMs,
);
