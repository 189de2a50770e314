/** Files that peers made: what is stored, under which record, and which of two contents stays. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  readText,
  stage,
  viewOf,
} from "../../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import {
  codeOf,
  peerName,
  peerTime,
  remove,
  replicate,
  stageReplica,
} from "../../../../support/replica-stage.ts";
import { writeFile } from "../../../../support/store-path-vectors.ts";

const directory = "/disk";
const durabilities = ["flushed", "relaxed"] as const;

function setUp(settings: Parameters<typeof openEngine>[0]["settings"] = {}) {
  const files = new MemoryFiles(directory);
  const open = (): StorePathEngine => openEngine({ files, directory, settings });
  const binlog = (): string => viewOf(files, directory).binlog;
  return { files, open, engine: open(), binlog };
}

const pathOf = (name: string): string => `${directory}/data/${name.slice(4)}`;

test("a file of a peer is stored with its time, and recorded in lower case with that", () => {
  for (const durability of durabilities) {
    for (const pieces of [undefined, 2]) {
      const { engine, files, binlog, open } = setUp({ durability });
      const name = peerName("of a peer");
      const how = pieces === undefined ? {} : { pieces };
      expect(
        replicate(engine, { name, content: "of a peer", timestamp: peerTime + 1, ...how }),
      ).toBe("");
      expect(readBack(engine, name).toString()).toBe("of a peer");
      expect(files.stat(pathOf(name), false)?.modifiedSeconds).toBe(peerTime + 1);
      expect(binlog()).toBe(`${peerTime + 1} c ${name}\n`);
      expect(viewOf(files, directory).staged).toEqual([]);
      expect(engine.isLocked(name)).toBe(false);
      if (durability === "flushed") files.powerCut();
      expect(readBack(open(), name).toString()).toBe("of a peer");
    }
  }
});

test("an empty file is one", () => {
  for (const durability of durabilities) {
    const { engine } = setUp({ durability });
    const name = peerName("");
    expect(replicate(engine, { name, content: "" })).toBe("");
    expect(readBack(engine, name).length).toBe(0);
    expect(replicate(engine, { name, content: "" })).toBe("already");
  }
});

test("content that is not the one of the name, or of the request, leaves nothing", () => {
  for (const durability of durabilities) {
    for (const pieces of [undefined, 3]) {
      const { engine, files, binlog } = setUp({ durability });
      const name = peerName("right one");
      const how = pieces === undefined ? {} : { pieces };
      const came = (content: string, crc?: number) =>
        codeOf(() => stageReplica(engine, { name, content, ...how, crc32: crc }));
      expect(came("wrong one")).toBe("content-damaged");
      expect(came("right")).toBe("content-damaged");
      expect(came("right one", 1)).toBe("content-damaged");
      const appender = peerName("text", { kind: "appender" });
      expect(
        codeOf(() => stageReplica(engine, { name: appender, content: "text", crc32: 7, ...how })),
      ).toBe("content-damaged");
      const view = viewOf(files, directory);
      expect([view.files, view.staged, binlog()]).toEqual([{}, [], ""]);
      expect(engine.isLocked(name)).toBe(false);
    }
  }
});

test("what the request says of the content counts more than the name", () => {
  const { engine } = setUp();
  const name = peerName("as named");
  const content = "as it is";
  expect(replicate(engine, { name, content, crc32: crc32(content) })).toBe("");
  expect(readBack(engine, name).toString()).toBe(content);
});

test("the same file again is there already, without another record", () => {
  for (const durability of durabilities) {
    for (const pieces of [undefined, 2]) {
      const { engine, binlog } = setUp({ durability });
      const name = peerName("same");
      const file = { name, content: "same", ...(pieces === undefined ? {} : { pieces }) };
      expect([replicate(engine, file), replicate(engine, file)]).toEqual(["", "already"]);
      expect(binlog()).toBe(`${peerTime} c ${name}\n`);
    }
  }
});

test("what is here and does not fit its name is replaced, though it has the same size", () => {
  for (const durability of durabilities) {
    for (const rotten of ["rotten!", "short", "much longer than that"]) {
      const { engine, files } = setUp({ durability });
      const name = peerName("content");
      replicate(engine, { name, content: "content" });
      writeFile(files, pathOf(name), rotten);
      expect(replicate(engine, { name, content: "content" })).toBe("");
      expect(readBack(engine, name).toString()).toBe("content");
    }
  }
});

test("what is here and fits its name stays", () => {
  const { engine } = setUp();
  const name = peerName("content");
  replicate(engine, { name, content: "content" });
  expect(replicate(engine, { name, content: "another", crc32: crc32("another") })).toBe("already");
  expect(readBack(engine, name).toString()).toBe("content");
});

test("a file that can be changed stays where it was changed later, unless more of it comes", () => {
  const { engine } = setUp();
  const name = peerName("", { kind: "appender" });
  const come = (content: string, timestamp: number): string =>
    replicate(engine, { name, content, timestamp });
  expect(come("one", peerTime + 5)).toBe("");
  expect(come("two", peerTime)).toBe("already");
  expect(come("on", peerTime)).toBe("already");
  expect(come("one and more", peerTime)).toBe("");
  expect(come("2nd", peerTime + 9)).toBe("");
  expect(readBack(engine, name).toString()).toBe("2nd");
});

test("a replacing file stands in the place of whatever is there, under a record of that", () => {
  for (const durability of durabilities) {
    const { engine, binlog, open, files } = setUp({ durability });
    const name = `${peerName("x")}-m`;
    const come = (content: string, timestamp: number): string =>
      replicate(engine, { name, content, timestamp, mode: "replace" });
    expect(come("a\x02one", peerTime + 5)).toBe("");
    expect(come("a\x02two", peerTime + 1)).toBe("");
    expect(come("a\x02two", peerTime + 1)).toBe("already");
    expect(come("a\x02two", peerTime + 2)).toBe("");
    expect(readText(files, pathOf(name))).toBe("a\x02two");
    expect(binlog().replaceAll(name, "N")).toBe(
      `${peerTime + 5} u N\n${peerTime + 1} u N\n${peerTime + 2} u N\n`,
    );
    if (durability === "flushed") files.powerCut();
    open();
    expect(readText(files, pathOf(name))).toBe("a\x02two");
  }
});

test("metadata that a peer made is found when its file is deleted here", () => {
  const { engine, files } = setUp({ durability: "relaxed" });
  const name = put(engine, { kind: "normal", extension: "txt" }, "ours");
  replicate(engine, { name: `${name}-m`, content: "a\x02b" });
  commit(engine, engine.prepareRemove(name));
  expect(viewOf(files, directory).files).toEqual({});
});

test("a file that was removed does not come back by a creation that comes late", () => {
  for (const durability of durabilities) {
    const { engine, open, files } = setUp({ durability });
    const [removed, unknown] = [peerName("removed"), peerName("unknown", { number: 2 })] as const;
    replicate(engine, { name: removed, content: "removed" });
    expect(remove(engine, removed, peerTime + 10)).toBe("");
    expect(remove(engine, unknown, peerTime - 10)).toBe("missing");
    const own = put(engine, { kind: "normal", extension: "txt" }, "own");
    commit(engine, engine.prepareRemove(own));
    const again = (here: StorePathEngine) => [
      replicate(here, { name: removed, content: "removed", timestamp: peerTime + 99 }),
      replicate(here, { name: unknown, content: "unknown" }),
      replicate(here, { name: own, content: "own" }),
    ];
    expect(again(engine)).toEqual(["already", "already", "already"]);
    engine.close();
    const next = open();
    expect(again(next)).toEqual(["already", "already", "already"]);
    expect(viewOf(files, directory).files).toEqual({});
    // Whoever says so knows that it is to be there.
    expect(replicate(next, { name: unknown, content: "unknown", mode: "replace" })).toBe("");
    expect(replicate(next, { name: unknown, content: "unknown" })).toBe("already");
    expect(readBack(next, unknown).toString()).toBe("unknown");
  }
});

test("metadata does not come for a file that was removed, also before either was here", () => {
  const { engine, open, files } = setUp();
  const name = peerName("owner");
  remove(engine, name, peerTime + 10);
  for (const here of [engine, open()]) {
    for (const mode of ["create", "replace"] as const) {
      const late = { name: `${name}-m`, content: "a\x02b", timestamp: peerTime + 20, mode };
      expect(replicate(here, late)).toBe("already");
    }
  }
  expect(viewOf(files, directory).files).toEqual({});
});

test("slaves and metadata can be made again after they were removed, and not by what is older", () => {
  const { engine, files } = setUp();
  const slave = peerName("master").replace(".txt", "_small.txt");
  for (const name of [slave, `${slave}-m`]) {
    replicate(engine, { name, content: "first" });
    remove(engine, name, peerTime + 10);
    expect(replicate(engine, { name, content: "first", timestamp: peerTime + 9 })).toBe("already");
    expect(files.stat(pathOf(name), false)).toBeUndefined();
    expect(replicate(engine, { name, content: "next", timestamp: peerTime + 10 })).toBe("");
  }
});

test("a version that was removed does not come back as a whole file, but for a heal", () => {
  // Seed 60116: whoever had rebuilt its disk sent a slave that was deleted in that time, as a file that replaces another one.
  const { engine, open, files } = setUp();
  const slave = peerName("master").replace(".txt", "_small.txt");
  const appender = peerName("", { kind: "appender" });
  for (const name of [slave, appender]) {
    replicate(engine, { name, content: "first" });
    remove(engine, name, peerTime + 10);
    const file = { name, content: "first", mode: "replace", versioned: true } as const;
    for (const here of [engine, open()]) {
      expect(replicate(here, { ...file, timestamp: peerTime + 10 })).toBe("already");
      expect(files.stat(pathOf(name), false)).toBeUndefined();
    }
    expect(replicate(engine, { ...file, versioned: false })).toBe("");
  }
});

test("a start that took a lost file out of the binlog lets it come back", () => {
  const { engine, open, files } = setUp({ durability: "relaxed" });
  const name = put(engine, { kind: "normal", extension: "txt" }, "lost");
  files.remove(pathOf(name));
  const next = open();
  expect(viewOf(files, directory).binlog).toContain(`\n0 d ${name}\n`);
  expect(replicate(next, { name, content: "lost" })).toBe("");
});

test("with deduplication a replica is a further name of its content, and others become names of it", () => {
  for (const pieces of [undefined, 2]) {
    const { engine, files } = setUp({ dedup: true });
    const own = put(engine, { kind: "normal", extension: "txt" }, "content");
    const name = peerName("content");
    replicate(engine, { name, content: "content", ...(pieces === undefined ? {} : { pieces }) });
    expect(files.stat(pathOf(name), false)?.inode).toBe(files.stat(pathOf(own), false)?.inode);
    const first = peerName("of peers");
    replicate(engine, {
      name: first,
      content: "of peers",
      ...(pieces === undefined ? {} : { pieces }),
    });
    const linked = stage(engine, { kind: "normal", extension: "txt" }, { content: "of peers" });
    const second = commit(engine, linked);
    expect(files.stat(pathOf(second), false)?.inode).toBe(files.stat(pathOf(first), false)?.inode);
    expect(viewOf(files, directory).staged).toEqual([]);
  }
});

test("names that are none, times that are none, and directories are refused", () => {
  const { engine, files } = setUp();
  const come = (name: string, timestamp = peerTime) =>
    codeOf(() => stageReplica(engine, { name, content: "x", timestamp }));
  const name = peerName("x");
  expect(come("M00/00/00/../../etc/passwd")).toBe("file-invalid");
  expect(come(name.replace("M00", "M01"))).toBe("file-invalid");
  expect(come(name.replace("/01/02/", "/FF/02/"))).toBe("file-invalid");
  expect(come(name, -1)).toBe("file-invalid");
  expect(come(name, Number.NaN)).toBe("file-invalid");
  for (const path of ["/data/01", "/data/01/02"]) files.makeDirectory(directory + path);
  files.makeDirectory(pathOf(name));
  expect(come(name)).toBe("file-irregular");
  expect(engine.isLocked(name)).toBe(false);
});

test("a failed disk takes nothing back that is here", () => {
  const { engine, files } = setUp();
  const name = peerName("content");
  const change = stageReplica(engine, { name, content: "content" });
  const handle = engine.startWrite(
    {
      kind: "replica",
      name: peerName("y", { number: 3 }),
      timestamp: 1,
      mode: "create",
      crc32: undefined,
    },
    1,
  );
  handle.abort();
  handle.abort();
  engine.refuse([change], new Error("no") as never);
  expect([viewOf(files, directory).files, viewOf(files, directory).staged]).toEqual([{}, []]);
  expect(replicate(engine, { name, content: "content" })).toBe("");
});
