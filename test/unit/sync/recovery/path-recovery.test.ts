/**
 * Goal: a store path that is empty ends up with what its peers have, wherever it is interrupted, and nothing is fetched twice. Method:
 * storages in memory; the own one fails, or the run is ended, at chosen files.
 */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { makeBase } from "#model/file-base.ts";
import { StorageId } from "#model/storage-id.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { PathRecovery, type RecoveryPeer } from "#sync/recovery/path-recovery.ts";
import { recoveryMark } from "#sync/recovery/recovery-state.ts";
import { wantedByList } from "#sync/recovery/wanted-files.ts";
import { collectedLog } from "../../../support/frame-fixture.ts";
import { ModelStorage } from "../../../support/model-storage.ts";

function nameFor(at: number, kind: "normal" | "trunk" = "normal"): string {
  const content = `${at}`;
  const source = { kind: "address", address: "10.9.0.2" } as const;
  const facts = {
    size: content.length,
    crc32: crc32(content),
    randomBits: at,
    timestamp: 1_700_000_000 + at,
  };
  const made = { source, ...facts, kind, tail: "123.txt" };
  const trunk = { fileId: 1, offset: at * 64, size: 64 };
  return `M00/00/0${at % 4}/${makeBase(kind === "trunk" ? { ...made, trunk } : made)}`;
}

class Store extends ModelStorage {
  readonly marks = new Map<string, string>();
  stored = 0;

  linkReplica({ name, source, timestamp }: { name: string; source: string; timestamp: number }) {
    const file = this.files.get(source);
    if (file === undefined) return Promise.resolve("missing" as const);
    this.put(name, { ...file, modifiedSeconds: timestamp });
    return Promise.resolve("done" as const);
  }
  readMark = (_: number, mark: string) => Promise.resolve(this.marks.get(mark));
  writeMark = async (_: number, mark: string, text: string) => {
    this.marks.set(mark, text);
  };
  removeMark = async (_: number, mark: string) => {
    this.marks.delete(mark);
  };

  override async facts(name: string) {
    if (!this.files.has(name)) throw new Error("missing");
    return super.facts(name);
  }
}

function peerOf(
  storage: ModelStorage,
  isCairn = true,
  lines: readonly string[] = [],
): RecoveryPeer {
  const names = [...storage.files].map(
    ([name, { modifiedSeconds }]) => `${modifiedSeconds} C ${name}`,
  );
  const text = [...names, ...lines].map((line) => `${line}\n`).join("");
  return {
    id: StorageId(storage.title),
    isCairn,
    files: storage,
    side: () => storage,
    list: () => Promise.resolve([Buffer.from(text)]),
  };
}

function stage(store: Store, peers: readonly RecoveryPeer[]) {
  return new PathRecovery({
    ...{
      clock: nodeClock,
      log: collectedLog().log,
      storePathIndex: 0,
      store,
      here: store,
      lanes: 3,
    },
    ...{ peers: () => peers, foreground: () => 0, sources: () => [] },
  });
}

function filled(title: string, count: number): ModelStorage {
  const storage = new ModelStorage(title);
  for (let at = 0; at < count; at += 1) {
    const name = nameFor(at, at % 3 === 0 ? "trunk" : "normal");
    storage.put(name, { content: `${at}`, modifiedSeconds: 1_700_000_000 + at });
  }
  const appender = `${nameFor(1)}-m`;
  storage.put(appender, { content: "", modifiedSeconds: 9 });
  return storage;
}

const forever = new AbortController().signal;

test("everything comes from peers of ours, by directories and, where packed, by the list; those that lack a file are passed over", async () => {
  const full = filled("a", 60);
  const part = filled("b", 20);
  const store = new Store("own");
  const recovery = stage(store, [peerOf(full), peerOf(part)]);
  await recovery.run(forever);
  expect([...store.files].sort()).toEqual([...full.files].sort());
  expect(recovery.report()).toMatchObject({ state: "done", files: 61, failed: 0 });
  expect(store.marks.size).toBe(0);
}, 20_000);

test("directories in which the peer has nothing are not asked for", async () => {
  const full = filled("a", 60);
  const asked = new Set<number>();
  const { leaf } = full;
  full.leaf = (walk, at, after) => {
    asked.add(at);
    return leaf.call(full, walk, at, after);
  };
  const store = new Store("own");
  await stage(store, [peerOf(full)]).run(forever);
  expect(store.files.size).toBe(61);
  expect([...asked].sort()).toEqual([0, 1, 2, 3]);
});

test("a run that is ended leaves its note, and the next one fetches the rest only", async () => {
  const full = filled("a", 40);
  const store = new Store("own");
  const ended = new AbortController();
  const { storeReplica } = store;
  let stored = 0;
  store.storeReplica = (file, body) => {
    stored += 1;
    if (stored === 10) ended.abort(new Error("killed"));
    return storeReplica.call(store, file, body);
  };
  await expect(stage(store, [peerOf(full)]).run(ended.signal)).rejects.toThrow("killed");
  expect(store.marks.has(recoveryMark)).toBe(true);
  const here = store.files.size;
  stored = 100;
  await stage(store, [peerOf(full)]).run(forever);
  expect(stored - 100).toBe(41 - here);
  expect(store.files.size).toBe(41);
  expect(store.marks.size).toBe(0);
}, 20_000);

test("from a C storage everything comes by its list: empty files, links, and what is gone by then", async () => {
  const c = filled("c", 10);
  const [linked, gone] = [nameFor(77), nameFor(78)] as const;
  const peer = peerOf(c, false, [`5 L ${linked} ${nameFor(1)}`, `5 C ${gone}`]);
  const store = new Store("own");
  await stage(store, [peer]).run(forever);
  expect(store.files.get(linked)?.content).toBe("1");
  expect(store.files.has(gone)).toBe(false);
  expect(store.files.size).toBe(12);
});

test("what the list of one C storage lacks comes by that of another one; one that refuses to tell holds nothing up", async () => {
  const [first, second] = [filled("a", 6), filled("b", 6)];
  const name = nameFor(100);
  for (const each of [first, second]) each.put(name, { content: "100", modifiedSeconds: 5 });
  const whole = peerOf(second, false);
  const lossy = peerOf(first, false);
  const list = async () => {
    const text = Buffer.concat([...(await lossy.list(0))]).toString();
    return [Buffer.from(text.replace(`5 C ${name}\n`, ""))];
  };
  const silent = { ...peerOf(filled("c", 6), false), list: () => Promise.reject(new Error("no")) };
  for (const peers of [
    [{ ...lossy, list }, silent, whole],
    [whole, silent, { ...lossy, list }],
  ]) {
    const store = new Store("own");
    await stage(store, peers).run(forever);
    expect(store.files.has(name)).toBe(true);
    expect(store.marks.size).toBe(0);
  }
}, 20_000);

test("what is here, or on another store path, is not wanted", async () => {
  const list = () =>
    Promise.resolve([
      Buffer.from(
        `7 C ${nameFor(1)}\n7 C ${nameFor(2)}\n7 C ${nameFor(3).replace("M00", "M01")}\n`,
      ),
    ]);
  const isHere = (name: string) => Promise.resolve(name === nameFor(2));
  const found: string[] = [];
  for await (const { name } of wantedByList({ storePathIndex: 0, list, isHere })) found.push(name);
  expect(found).toEqual([nameFor(1)]);
});
