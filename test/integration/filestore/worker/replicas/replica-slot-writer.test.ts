/** Packed files of peers: the slot that the name says, who is in it, and who stays. */
import { expect, test } from "vitest";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { FileError } from "#platform/files.ts";
import { commit, openEngine, readBack, viewOf } from "../../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import {
  codeOf,
  peerName,
  peerTime,
  remove,
  replicate,
  stageReplica,
} from "../../../../support/replica-stage.ts";

const directory = "/disk";
const trunkFile = `${directory}/data/01/02/000007`;
const durabilities = ["flushed", "relaxed"] as const;

function setUp(durability: "flushed" | "relaxed" = "flushed") {
  const files = new MemoryFiles(directory);
  const settings = { durability };
  const logs: { readonly event: string }[] = [];
  const open = (): StorePathEngine =>
    openEngine({ files, directory, settings, logs: logs as never });
  const bytes = (offset: number, length: number): Buffer => {
    const descriptor = files.open(trunkFile, "read");
    const found = Buffer.alloc(length);
    files.read(descriptor, found, offset);
    files.close(descriptor);
    return found;
  };
  const write = (offset: number, content: Uint8Array): void => {
    const descriptor = files.open(trunkFile, "read-write");
    files.write(descriptor, content, offset);
    files.close(descriptor);
  };
  const events = (): readonly string[] => logs.map(({ event }) => event);
  return { files, open, engine: open(), bytes, write, events };
}

function packed(
  content: string,
  offset = 0,
  how: { size?: number; timestamp?: number } = {},
): string {
  const trunk = { fileId: 7, offset, size: how.size ?? 256 };
  return peerName(content, { trunk, timestamp: how.timestamp ?? peerTime });
}

test("a packed file is stored in the slot of its name, in a trunk file that is made for it", () => {
  for (const durability of durabilities) {
    for (const pieces of [undefined, 3]) {
      const { engine, files, open, bytes } = setUp(durability);
      const how = pieces === undefined ? {} : { pieces };
      const [one, two] = [packed("one"), packed("second", 512)] as const;
      expect(replicate(engine, { name: two, content: "second", ...how })).toBe("");
      expect(replicate(engine, { name: one, content: "one", ...how })).toBe("");
      expect(files.stat(trunkFile, false)?.sizeBytes).toBe(64 * 1024 * 1024);
      expect(bytes(0, 1).toString()).toBe("F");
      expect(viewOf(files, directory).binlog).toBe(`${peerTime} c ${two}\n${peerTime} c ${one}\n`);
      expect(viewOf(files, directory).staged).toEqual([]);
      if (durability === "flushed") files.powerCut();
      const next = open();
      expect([one, two].map((name) => readBack(next, name).toString())).toEqual(["one", "second"]);
      // It may lack its record: that is told by an orderly end only.
      expect(replicate(next, { name: one, content: "one", ...how })).toBe("");
      if (pieces !== undefined) continue;
      next.close();
      expect(replicate(open(), { name: one, content: "one" })).toBe("already");
    }
  }
});

test("slots side by side are written together, and end with their batch", () => {
  const { engine } = setUp();
  const names = Array.from({ length: 20 }, (_, index) => packed(`content ${index}`, index * 256));
  const changes = names.map((name, index) =>
    stageReplica(engine, { name, content: `content ${index}` }),
  );
  engine.commit(changes);
  expect(changes.map(({ error }) => error)).toEqual(names.map(() => undefined));
  expect(names.map((name) => readBack(engine, name).toString())).toEqual(
    names.map((_, index) => `content ${index}`),
  );
});

test("content that is not the name's leaves nothing", () => {
  for (const pieces of [undefined, 2]) {
    const { engine, files } = setUp();
    const how = pieces === undefined ? {} : { pieces };
    const name = packed("right one");
    for (const content of ["wrong one", "right", ""]) {
      expect(codeOf(() => stageReplica(engine, { name, content, ...how }))).toBe("content-damaged");
    }
    expect(
      codeOf(() => stageReplica(engine, { name, content: "right one", crc32: 1, ...how })),
    ).toBe("content-damaged");
    expect([viewOf(files, directory).binlog, viewOf(files, directory).staged]).toEqual(["", []]);
    expect(engine.isLocked(name)).toBe(false);
  }
});

test("of two files of one slot the one that was made later has it, in whatever order they come", () => {
  for (const durability of durabilities) {
    const older = packed("the older one, which is longer", 0, { size: 512 });
    const newer = packed("newer", 0, { timestamp: peerTime + 5 });
    const one = setUp(durability);
    replicate(one.engine, { name: older, content: "the older one, which is longer" });
    expect(replicate(one.engine, { name: newer, content: "newer" })).toBe("");
    expect(one.events()).toContain("slot-file-replaced");
    // Nothing of the older one is left behind the newer one's slot.
    expect(one.bytes(256, 256).equals(Buffer.alloc(256))).toBe(true);
    expect(remove(one.engine, older)).toBe("missing");
    const two = setUp(durability);
    replicate(two.engine, { name: newer, content: "newer" });
    expect(replicate(two.engine, { name: older, content: "the older one, which is longer" })).toBe(
      "already",
    );
    expect(two.events()).toContain("slot-has-newer-file");
    for (const { engine, files, open } of [one, two]) {
      expect(readBack(engine, newer).toString()).toBe("newer");
      expect(codeOf(() => readBack(engine, older))).toBe("file-missing");
      if (durability === "flushed") files.powerCut();
      const next = open();
      expect(readBack(next, newer).toString()).toBe("newer");
      expect(codeOf(() => readBack(next, older))).toBe("file-missing");
    }
    expect(one.bytes(0, 512).equals(two.bytes(0, 512))).toBe(true);
  }
});

test("a rest in a slot that is nobody's gives way, the inside of another file does not", () => {
  for (const pieces of [undefined, 3]) {
    const { engine, write, bytes, events } = setUp();
    const how = pieces === undefined ? {} : { pieces };
    const front = packed("in front", 0, { size: 1024 });
    replicate(engine, { name: front, content: "in front", ...how });
    write(600, Buffer.from("inside"));
    const inside = packed("another", 512);
    expect(codeOf(() => stageReplica(engine, { name: inside, content: "another", ...how }))).toBe(
      "file-exists",
    );
    expect(bytes(600, 6).toString()).toBe("inside");
    expect(engine.isLocked(inside)).toBe(false);
    remove(engine, front);
    expect(replicate(engine, { name: inside, content: "another", ...how })).toBe("");
    expect(events()).not.toContain("slot-rest-cleared");
    write(1024 + 100, Buffer.from("what a power cut left of one that was cleared"));
    const behind = packed("behind", 1024);
    expect(replicate(engine, { name: behind, content: "behind", ...how })).toBe("");
    expect(events()).toContain("slot-rest-cleared");
    expect(readBack(engine, behind).toString()).toBe("behind");
    expect(readBack(engine, inside).toString()).toBe("another");
    expect(bytes(1024 + 30, 226).equals(Buffer.alloc(226))).toBe(true);
  }
});

test("what a power cut left of a removed file keeps nobody out of its slot", () => {
  const { engine, files, open, events, write } = setUp();
  const older = "the one that is removed ".repeat(40);
  const name = packed(older, 0, { size: 1024 });
  replicate(engine, { name, content: older });
  remove(engine, name);
  files.powerCut();
  // Of the zeros over it those over the header have reached the disk, and no others.
  write(0, Buffer.alloc(512));
  const next = open();
  const newer = packed("newer", 256, { size: 768, timestamp: peerTime + 1 });
  expect(replicate(next, { name: newer, content: "newer" })).toBe("");
  expect(events()).toContain("slot-rest-cleared");
  expect(readBack(next, newer).toString()).toBe("newer");
});

test("parts of the very file that comes are written over", () => {
  const { engine, write } = setUp();
  replicate(engine, { name: packed("x", 8192), content: "x" });
  const content = "a file that was torn by a power cut";
  write(24, Buffer.from("a file that was"));
  expect(replicate(engine, { name: packed(content), content })).toBe("");
  expect(readBack(engine, packed(content)).toString()).toBe(content);
});

test("a slot whose content is damaged is written again", () => {
  for (const pieces of [undefined, 2]) {
    const { engine, write } = setUp();
    const name = packed("content");
    const file = { name, content: "content", ...(pieces === undefined ? {} : { pieces }) };
    replicate(engine, file);
    write(24, Buffer.from("CONTENT"));
    expect(replicate(engine, file)).toBe("");
    expect(readBack(engine, name).toString()).toBe("content");
  }
});

test("a removed one makes its slot zeros, takes its metadata along, and does not come back", () => {
  for (const durability of durabilities) {
    const { engine, files, bytes, open } = setUp(durability);
    const name = packed("content");
    replicate(engine, { name, content: "content" });
    replicate(engine, { name: `${name}-m`, content: "a\x02b" });
    expect(remove(engine, name, peerTime + 1)).toBe("");
    expect(bytes(0, 256).equals(Buffer.alloc(256))).toBe(true);
    expect(replicate(engine, { name, content: "content" })).toBe("already");
    if (durability === "flushed") files.powerCut();
    const next = open();
    expect(replicate(next, { name, content: "content" })).toBe("already");
    expect(files.stat(`${directory}/data/01/02/${name.slice(10)}-m`, false)).toBeUndefined();
    const records = [name, `${name}-m`].map((each) => `${peerTime + 1} d ${each}\n`).join("");
    expect(viewOf(files, directory).binlog.endsWith(records)).toBe(true);
  }
});

test("a removal that comes before its file writes nothing, since the slot may be another's", () => {
  const { engine, files, open } = setUp();
  const [older, newer] = [packed("old"), packed("new", 0, { timestamp: peerTime + 1 })] as const;
  replicate(engine, { name: newer, content: "new" });
  const before = viewOf(files, directory).binlog;
  expect(remove(engine, older)).toBe("missing");
  expect(viewOf(files, directory).binlog).toBe(before);
  files.powerCut();
  expect(readBack(open(), newer).toString()).toBe("new");
});

test("while a slot is being changed others are asked to come again", () => {
  const { engine } = setUp();
  const [one, two] = [packed("one"), packed("two", 0, { timestamp: peerTime + 1 })] as const;
  const staged = stageReplica(engine, { name: one, content: "one" });
  expect(codeOf(() => stageReplica(engine, { name: two, content: "two" }))).toBe(
    "store-path-unready",
  );
  commit(engine, staged);
  const removal = engine.replication.changes.remove(one, peerTime);
  expect(codeOf(() => stageReplica(engine, { name: two, content: "two" }))).toBe(
    "store-path-unready",
  );
  commit(engine, removal);
  expect(replicate(engine, { name: two, content: "two" })).toBe("");
});

test("a change that is refused leaves the slot as it was", () => {
  const { engine, bytes } = setUp();
  for (const pieces of [undefined, 2]) {
    const name = packed("content");
    const staged = stageReplica(engine, {
      ...{ name, content: "content" },
      ...(pieces === undefined ? {} : { pieces }),
    });
    engine.refuse([staged], new Error("no") as never);
    expect(bytes(0, 256).equals(Buffer.alloc(256))).toBe(true);
    expect(engine.isLocked(name)).toBe(false);
  }
  expect(replicate(engine, { name: packed("content"), content: "content" })).toBe("");
});

test("a file whose record failed, and which could not be cleared, is recorded when it comes again", () => {
  for (const again of ["in this run", "after an orderly end"]) {
    const { engine, files, open } = setUp();
    const name = packed("content");
    const other = packed("other", 512);
    replicate(engine, { name: other, content: "other" });
    const staged = stageReplica(engine, { name, content: "content" });
    const write = files.write.bind(files);
    let calls = 0;
    files.write = (...call) => {
      calls += 1;
      // The slot is written; its record is not, nor are the zeros over it.
      if (calls > 1) throw new FileError("EIO", "EIO: injected");
      return write(...call);
    };
    engine.commit([staged]);
    expect([staged.error?.code, calls]).toEqual(["disk-failed", 3]);
    files.write = write;
    expect(viewOf(files, directory).binlog).toBe(`${peerTime} c ${other}\n`);
    if (again !== "in this run") engine.close();
    const next = again === "in this run" ? engine : open();
    expect(replicate(next, { name, content: "content" })).toBe("");
    const records = `${peerTime} c ${other}\n${peerTime} c ${name}\n`;
    expect(viewOf(files, directory).binlog).toBe(records);
  }
});

test("own trunk files are not written by peers, but for what is free there", () => {
  const files = new MemoryFiles(directory);
  const engine = openEngine({ files, directory, settings: { packing: "on" } });
  const slots = {
    slotMinBytes: 256,
    slotMaxBytes: 65536,
    alignmentBytes: 0,
    trunkFileBytes: 4194304,
    removesUnused: true,
  };
  engine.setPacking({ mode: "leased", ...slots });
  engine.addTrunkLease(7, 1);
  const handle = engine.startWrite({ kind: "normal", extension: "txt" }, 3);
  handle.write(Buffer.from("own"));
  const own = commit(engine, handle.finish());
  const at = own.slice(3, 10);
  const inOwn = (content: string, offset: number): string =>
    packed(content, offset).replace("/01/02/", at);
  const taken = inOwn("peer's", 0);
  expect(codeOf(() => stageReplica(engine, { name: taken, content: "peer's" }))).toBe(
    "file-exists",
  );
  const free = inOwn("peer's", 1024 * 1024);
  expect(replicate(engine, { name: free, content: "peer's" })).toBe("");
  expect(readBack(engine, own).toString()).toBe("own");
  expect(readBack(engine, free).toString()).toBe("peer's");
  expect(engine.trunkFacts.freeBytes).toBe(4194304 - 512);
});

test("places outside of any trunk file are refused", () => {
  const { engine } = setUp();
  const far = packed("x", 2 ** 31, { size: 256 });
  expect(codeOf(() => stageReplica(engine, { name: far, content: "x" }))).toBe("file-invalid");
  const small = packed("content", 0, { size: 20 });
  expect(codeOf(() => stageReplica(engine, { name: small, content: "content" }))).toBe(
    "file-invalid",
  );
});
