/** Peers' changes of files that are here, or are not: what is done, what is answered, and which record stays. */
import { expect, test } from "vitest";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { FileError } from "#platform/files.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  runSteps,
  viewOf,
} from "../../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import {
  codeOf,
  peerName,
  peerTime,
  remove,
  rename,
  replicate,
  splice,
} from "../../../../support/replica-stage.ts";

const directory = "/disk";
const durabilities = ["flushed", "relaxed"] as const;
const name = peerName("", { kind: "appender" });

class ClingingFiles extends MemoryFiles {
  removes = true;

  override remove(path: string): boolean {
    if (this.removes || !path.endsWith("-m")) return super.remove(path);
    throw new FileError("EIO", "EIO: remove");
  }
}

function setUp(durability: "flushed" | "relaxed" = "flushed") {
  const files = new ClingingFiles(directory);
  const open = (): StorePathEngine => openEngine({ files, directory, settings: { durability } });
  const engine = open();
  const records = (): string =>
    viewOf(files, directory).binlog.replaceAll(name, "N").replaceAll(`${peerTime} `, "");
  const modified = (of: string): number | undefined =>
    files.stat(`${directory}/data/${of.slice(4)}`, false)?.modifiedSeconds;
  return { files, open, engine, records, modified };
}

function truncate(engine: StorePathEngine, oldSize: number, newSize: number): string {
  const change = { name, oldSize, newSize, timestamp: peerTime + 3 };
  return commit(engine, engine.replication.changes.truncate(change));
}

test("ranges are written where they fit, with the time of their source", () => {
  for (const durability of durabilities) {
    const { engine, records, modified, files, open } = setUp(durability);
    replicate(engine, { name, content: "0123" });
    expect(
      splice(engine, "append", { name, offset: 4, content: "45", timestamp: peerTime + 7 }),
    ).toBe("");
    expect(modified(name)).toBe(peerTime + 7);
    expect(splice(engine, "modify", { name, offset: 1, content: "XY" })).toBe("");
    expect(splice(engine, "modify", { name, offset: 5, content: "Z and more" })).toBe("");
    expect(splice(engine, "modify", { name, offset: 15, content: "!" })).toBe("");
    expect(splice(engine, "append", { name, offset: 16, content: "" })).toBe("");
    expect(readBack(engine, name).toString()).toBe("0XY34Z and more!");
    expect(records()).toBe(`c N\n${peerTime + 7} a N 4 2\nm N 1 2\nm N 5 10\nm N 15 1\n`);
    if (durability === "flushed") files.powerCut();
    expect(readBack(open(), name).toString()).toBe("0XY34Z and more!");
  }
});

test("a modification whose bytes came along with an earlier one is not undone by that one coming late", () => {
  const { engine, modified } = setUp();
  replicate(engine, { name, content: "......" });
  const [first, second] = [peerTime + 3, peerTime + 6];
  const modify = (offset: number, content: string, timestamp: number): string =>
    splice(engine, "modify", { name, offset, content, timestamp, versioned: true });
  // What is sent are the bytes as they are by then.
  expect(modify(0, "aaBBaa", first)).toBe("");
  expect(modify(2, "BB", second)).toBe("");
  expect(modified(name)).toBe(second);
  expect(modify(2, "BB", second)).toBe("already");
  // It waited in a connection that the sender gave up.
  expect(modify(0, "aaaaaa", first)).toBe("differs");
  expect(readBack(engine, name).toString()).toBe("aaBBaa");
});

test("of two modifications of one second that were made at two storages none undoes the other unseen", () => {
  const { engine } = setUp();
  replicate(engine, { name, content: "......" });
  const modify = (offset: number, content: string, goesOn = false): string => {
    const about = { offset, content, timestamp: peerTime + 3, versioned: true, goesOn };
    return splice(engine, "modify", { name, ...about });
  };
  expect(modify(0, "aaa")).toBe("");
  expect(modify(0, "aaa")).toBe("already");
  // The files are compared as a whole, by their bytes.
  expect(modify(2, "bbb")).toBe("differs");
  expect(modify(3, "bbb", true)).toBe("");
  expect(readBack(engine, name).toString()).toBe("aaabbb");
  // That it grows tells them apart.
  expect(modify(4, "ccc")).toBe("");
  expect(readBack(engine, name).toString()).toBe("aaabccc");
});

test("ranges that do not fit are dropped, and the answer says why", () => {
  const { engine, records, files } = setUp();
  const range = (kind: "append" | "modify", offset: number, content: string): string =>
    splice(engine, kind, { name, offset, content });
  expect([range("append", 0, "x"), range("modify", 0, "x")]).toEqual(["missing", "missing"]);
  replicate(engine, { name, content: "0123456789" });
  expect(range("append", 4, "456789")).toBe("already");
  expect(range("append", 4, "4567890")).toBe("differs");
  expect(range("append", 11, "x")).toBe("differs");
  expect(range("modify", 11, "x")).toBe("differs");
  expect(range("modify", 10, "x")).toBe("");
  expect(records()).toBe("c N\nm N 10 1\n");
  expect(viewOf(files, directory).staged).toEqual([]);
  expect(engine.isLocked(name)).toBe(false);
  const normal = peerName("normal");
  expect(codeOf(() => splice(engine, "append", { name: normal, offset: 0, content: "x" }))).toBe(
    "file-invalid",
  );
  expect(codeOf(() => range("modify", -1, "x"))).toBe("file-invalid");
});

test("a long range is visible, and readable in the binlog, when it is whole", () => {
  const { engine } = setUp();
  replicate(engine, { name, content: "head" });
  const long = "x".repeat(3 * 1024 * 1024);
  const target = { kind: "replica-append", name, offset: 4, timestamp: peerTime } as const;
  const handle = engine.startWrite(target, long.length);
  handle.write(Buffer.from(long));
  const before = engine.replication.end;
  const change = handle.finish();
  engine.commit([change]);
  expect(engine.replication.end).toEqual(before);
  const remainder = engine.remainder(change);
  if (remainder !== undefined) engine.runNow(remainder);
  expect(engine.replication.end).toEqual(engine.binlogPosition());
  expect(readBack(engine, name).length).toBe(4 + long.length);
});

test("a file is cut off where it has the size that it had at the source", () => {
  for (const durability of durabilities) {
    const { engine, records, modified } = setUp(durability);
    expect(truncate(engine, 5, 2)).toBe("missing");
    replicate(engine, { name, content: "01234" });
    expect([truncate(engine, 6, 2), truncate(engine, 7, 5)]).toEqual(["differs", "already"]);
    expect(truncate(engine, 5, 2)).toBe("");
    expect(readBack(engine, name).toString()).toBe("01");
    expect(modified(name)).toBe(peerTime + 3);
    expect(truncate(engine, 5, 2)).toBe("already");
    expect(records()).toBe(`c N\n${peerTime + 3} t N 5 2\n`);
    expect(codeOf(() => truncate(engine, 2, -1))).toBe("file-invalid");
  }
});

test("a removed file takes its metadata along, which the peer need not have had", () => {
  // Seeds 4752 and 60417: the metadata was on its way to who deleted the file, and stayed for ever where it was made.
  const { engine, records, files } = setUp();
  replicate(engine, { name, content: "x" });
  const late = { name: `${name}-m`, content: "a\x02b", timestamp: peerTime + 9 };
  replicate(engine, late);
  expect(remove(engine, name)).toBe("");
  expect(viewOf(files, directory).files).toEqual({});
  expect([remove(engine, name), remove(engine, `${name}-m`)]).toEqual(["missing", "already"]);
  expect(replicate(engine, late)).toBe("already");
  const ofLate = `${peerTime + 9} `;
  expect(records()).toBe(`c N\n${ofLate}c N-m\nd N\n${ofLate}d N-m\nd N\nd N-m\n`);
});

test("metadata goes also where its file has never been", () => {
  const { engine, records, files, open } = setUp();
  replicate(engine, { name: `${name}-m`, content: "a\x02b" });
  expect(remove(engine, name)).toBe("missing");
  expect(viewOf(files, directory).files).toEqual({});
  expect(records()).toBe("c N-m\nd N\nd N-m\n");
  expect(replicate(open(), { name, content: "x" })).toBe("already");
});

test("what a disk does not remove is recorded as here again, and what was not here is not", () => {
  const { engine, records, files } = setUp();
  replicate(engine, { name: `${name}-m`, content: "a\x02b" });
  files.removes = false;
  expect(codeOf(() => remove(engine, name))).toBe("disk-failed");
  files.removes = true;
  expect(records()).toBe("c N-m\nd N\nd N-m\nc N-m\n");
  expect(remove(engine, name)).toBe("missing");
  expect(viewOf(files, directory).files).toEqual({});
});

test("a crash after a peer's removal takes the metadata along", () => {
  const { engine, files, open } = setUp();
  replicate(engine, { name, content: "x" });
  replicate(engine, { name: `${name}-m`, content: "a\x02b" });
  remove(engine, name);
  files.powerCut();
  open();
  expect(viewOf(files, directory).files).toEqual({});
});

function regenerated(content: string): string {
  return peerName(content, { number: 9 });
}

test("an appender file gets the name that tells its content", () => {
  for (const durability of durabilities) {
    const { engine, files, open } = setUp(durability);
    const next = regenerated("content");
    replicate(engine, { name, content: "content" });
    expect(rename(engine, next, name)).toBe("");
    expect(viewOf(files, directory).binlog).toBe(
      `${peerTime} c ${name}\n${peerTime} r ${next} ${name}\n`,
    );
    expect(rename(engine, next, name)).toBe("already");
    // What comes late of the old name has a new one.
    expect(replicate(engine, { name, content: "content" })).toBe("already");
    if (durability === "flushed") files.powerCut();
    const again = open();
    expect(readBack(again, next).toString()).toBe("content");
    expect(replicate(again, { name, content: "content" })).toBe("already");
    expect(again.isLocked(name) || again.isLocked(next)).toBe(false);
  }
});

test("a rename of something else lets the old name go, and asks for the file", () => {
  const { engine, files } = setUp();
  const next = regenerated("content");
  for (const content of ["another", "other size"]) {
    replicate(engine, { name, content, mode: "replace" });
    expect(rename(engine, next, name)).toBe("differs");
    expect(viewOf(files, directory).files).toEqual({});
  }
  expect(rename(engine, next, name)).toBe("missing");
  expect(replicate(engine, { name, content: "content" })).toBe("already");
  expect(replicate(engine, { name: next, content: "content" })).toBe("");
  replicate(engine, { name, content: "content", mode: "replace" });
  expect(rename(engine, next, name)).toBe("already");
  expect(Object.values(viewOf(files, directory).files)).toEqual(["content"]);
  expect(engine.isLocked(name) || engine.isLocked(next)).toBe(false);
});

test("a new name that was removed already does not come back by its rename", () => {
  const { engine, files } = setUp();
  const next = regenerated("content");
  replicate(engine, { name, content: "content" });
  expect(remove(engine, next, peerTime + 4)).toBe("missing");
  expect(rename(engine, next, name)).toBe("already");
  expect(viewOf(files, directory).files).toEqual({});
});

test("a rename that is given up frees both names", () => {
  const { engine } = setUp();
  const next = regenerated("content");
  replicate(engine, { name, content: "content" });
  const steps = engine.replication.changes.rename({ name: next, source: name, timestamp: 1 });
  steps.next();
  expect([engine.isLocked(name), engine.isLocked(next)]).toEqual([true, true]);
  steps.return(undefined as never);
  expect([engine.isLocked(name), engine.isLocked(next)]).toEqual([false, false]);
});

function link(engine: StorePathEngine, of: string, source: string): string {
  const names = { name: of, source, timestamp: peerTime };
  return commit(engine, engine.replication.changes.link(names));
}

test("a link is a further name of a file that is here, and recorded with both names", () => {
  for (const durability of durabilities) {
    const { engine, files, open } = setUp(durability);
    const source = peerName("content");
    const further = peerName("content", { number: 5 });
    expect(link(engine, further, source)).toBe("missing");
    replicate(engine, { name: source, content: "content" });
    expect(link(engine, further, source)).toBe("");
    expect(link(engine, further, source)).toBe("already");
    expect(viewOf(files, directory).binlog).toBe(
      `${peerTime} c ${source}\n${peerTime} l ${further} ${source}\n`,
    );
    if (durability === "flushed") files.powerCut();
    const again = open();
    expect(readBack(again, further).toString()).toBe("content");
    remove(again, further);
    expect(link(again, further, source)).toBe("already");
    const other = peerName("of another size", { number: 6 });
    expect(link(again, other, source)).toBe("differs");
    expect(link(again, peerName("content", { number: 7 }), source.replace("M00", "M01"))).toBe(
      "differs",
    );
    files.maxLinks = 1;
    expect(link(again, peerName("content", { number: 8 }), source)).toBe("differs");
    expect(viewOf(files, directory).staged).toEqual([]);
  }
});

test("a link of a trunk file is a slot with the name of what it means", () => {
  for (const durability of durabilities) {
    const { engine, files, open } = setUp(durability);
    const source = peerName("content");
    replicate(engine, { name: source, content: "content" });
    const packed = peerName(source, { trunk: { fileId: 3, offset: 512, size: 256 } });
    expect(link(engine, packed, source)).toBe("");
    expect(link(engine, packed, source)).toBe("already");
    if (durability === "flushed") files.powerCut();
    const again = open();
    expect(readBack(again, packed).toString()).toBe("content");
    expect(remove(again, packed)).toBe("");
    expect(codeOf(() => readBack(again, packed))).toBe("file-missing");
    const odd = peerName("no name", { trunk: { fileId: 3, offset: 1024, size: 256 } });
    expect(link(again, odd, source)).toBe("differs");
  }
});

test("the record alone is written of what is here", () => {
  const { engine, records } = setUp();
  const { changes } = engine.replication;
  expect(codeOf(() => changes.record(name, peerTime, false))).toBe("file-missing");
  replicate(engine, { name, content: "x" });
  commit(engine, changes.record(name, peerTime, false));
  commit(engine, changes.record(name, peerTime, true));
  expect(records()).toBe("c N\nc N\nu N\n");
  const packed = peerName("p", { trunk: { fileId: 3, offset: 0, size: 256 } });
  expect(codeOf(() => changes.record(packed, peerTime, false))).toBe("file-missing");
});

test("what cannot be removed is refused", () => {
  const { engine, files } = setUp();
  const place = `${directory}/data/${name.slice(4)}`;
  for (const path of ["/data/01", "/data/01/02"]) files.makeDirectory(directory + path);
  files.makeDirectory(place);
  expect(codeOf(() => remove(engine, name))).toBe("file-invalid");
  expect(codeOf(() => remove(engine, "nothing"))).toBe("file-invalid");
  const own = put(engine, { kind: "appender", extension: "log" }, "ours");
  expect(remove(engine, own)).toBe("");
});

test("names that are made here of a peer's file are this node's", () => {
  const { engine } = setUp();
  replicate(engine, { name, content: "content" });
  const next = commit(engine, runSteps(engine.regenerate(name)));
  expect(readBack(engine, next).toString()).toBe("content");
  expect(replicate(engine, { name, content: "content" })).toBe("already");
});
