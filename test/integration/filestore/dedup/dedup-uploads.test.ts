/**
 * Goal: with deduplication on, a file is what it is without it, whatever happens to the others that have its content; and a content
 * takes the room of one.
 * Method: the engine of one store path over a real directory, whose inodes are counted; where the file system's own limits matter,
 * over a disk in memory.
 */
import { statSync } from "node:fs";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { decodeBase } from "#model/file-id.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  commit,
  type EngineWorld,
  openEngine,
  put,
  readBack,
  runSteps,
  stage,
  viewOf,
  withDirectory,
} from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, runBackground } from "../../../support/packed-fixture.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const target = { kind: "normal", extension: "txt" } as const;

function worldOf(directory: string, more: Partial<EngineWorld> = {}): EngineWorld {
  const databases = nodeDatabases();
  return { files: new NodeFiles(), directory, databases, settings: { dedup: true }, ...more };
}

function pathOf(directory: string, name: string): string {
  return `${directory}/data/${name.slice(4)}`;
}

function inodes(directory: string, names: readonly string[]): number {
  return new Set(names.map((name) => statSync(pathOf(directory, name)).ino)).size;
}

test.each([
  ["in one piece", "small", 1],
  ["in pieces", "several pieces of it", 4],
  ["of some size", "large ".repeat(300_000), 20],
] as const)("content that comes again %s takes no further room", (_, content, pieces) => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    for (const durability of ["flushed", "relaxed"] as const) {
      const world = worldOf(directory, { files, settings: { dedup: true, durability } });
      const engine = openEngine(world);
      const names = Array.from({ length: 5 }, () => {
        const change = stage(engine, target, { content, pieces });
        return [commit(engine, change), change.linked] as const;
      });
      const made = names.map(([name]) => name);
      expect(new Set(made).size).toBe(5);
      expect(inodes(directory, made)).toBe(1);
      expect(names.map(([, linked]) => linked)).toEqual([false, true, true, true, true]);
      for (const name of made) {
        expect(readBack(engine, name).equals(Buffer.from(content))).toBe(true);
        const said = decodeBase(name.slice("M00/00/00/".length));
        expect(said).toMatchObject({ size: content.length, crc32: crc32(content) });
        expect(engine.facts(name).crc32).toBe(crc32(content));
      }
      expect(viewOf(world.files, directory).staged).toEqual([]);
      for (const name of made) commit(engine, engine.prepareRemove(name));
      engine.close();
    }
  });
});

test("the record of a further name is that of any file", () => {
  withDirectory((directory) => {
    const engine = openEngine(worldOf(directory));
    const names = ["one", "one", "two"].map((content) => put(engine, target, content));
    const { binlog } = viewOf(new NodeFiles(), directory);
    expect(binlog).toBe(names.map((name) => `1700000000 C ${name}\n`).join(""));
    engine.close();
  });
});

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((each) => each !== item)).map((rest) => [item, ...rest]),
  );
}

test("names are deleted in any order, and the content goes with the last one", () => {
  for (const order of permutations([0, 1, 2, 3])) {
    withDirectory((directory) => {
      const engine = openEngine(worldOf(directory));
      const names = Array.from({ length: 4 }, () => put(engine, target, "shared"));
      const left = new Set(names);
      for (const index of order) {
        const name = names[index] ?? "";
        commit(engine, engine.prepareRemove(name));
        left.delete(name);
        expect(() => engine.openRead(name)).toThrow("there is no file");
        for (const other of left) expect(readBack(engine, other).toString()).toBe("shared");
        const [first] = left;
        if (first !== undefined) expect(statSync(pathOf(directory, first)).nlink).toBe(left.size);
      }
      expect(viewOf(new NodeFiles(), directory).files).toEqual({});
      const again = put(engine, target, "shared");
      expect(statSync(pathOf(directory, again)).nlink).toBe(1);
      engine.close();
    });
  }
});

test("as long as one of the last two names is there, content that comes again finds it", () => {
  for (const deleted of [1, 2]) {
    withDirectory((directory) => {
      const engine = openEngine(worldOf(directory));
      const names = Array.from({ length: 3 }, () => put(engine, target, "shared"));
      commit(engine, engine.prepareRemove(names[deleted] ?? ""));
      const name = put(engine, target, "shared");
      expect(statSync(pathOf(directory, name)).nlink).toBe(3);
      engine.close();
    });
  }
});

test("metadata, and the time, are each name's own", () => {
  withDirectory((directory) => {
    const clock = new ManualClock();
    const world = worldOf(directory, { clock });
    const engine = openEngine(world);
    const first = put(engine, target, "shared");
    clock.advance(100_000);
    const second = put(engine, target, "shared");
    commit(engine, engine.prepareMetadata(second, "overwrite", Buffer.from("a\x02b")));
    expect(() => engine.readMetadata(first)).toThrow();
    expect(Buffer.from(engine.readMetadata(second)).toString()).toBe("a\x02b");
    const times = (): (number | string)[] =>
      [first, second].map((name) => {
        const handle = engine.openRead(name);
        handle.close();
        expect(handle.modifiedSeconds).toBe(engine.facts(name).modifiedSeconds);
        return handle.modifiedSeconds;
      });
    expect(times()).toEqual([1_700_000_000, 1_700_000_100]);
    commit(engine, engine.prepareRemove(first));
    expect(engine.facts(second).modifiedSeconds).toBe(1_700_000_100);
    engine.close();
    // Without deduplication, files that share are still told apart.
    const plain = openEngine({ ...world, settings: { dedup: false } });
    const third = put(plain, target, "shared");
    expect(statSync(pathOf(directory, third)).nlink).toBe(1);
    plain.close();
  });
});

test("appender files, slaves and empty files are stored as ever", () => {
  withDirectory((directory) => {
    const engine = openEngine(worldOf(directory));
    const master = put(engine, target, "shared");
    const appender = { kind: "appender", extension: "txt" } as const;
    const slave = (prefix: string) =>
      ({ kind: "slave", master, prefix, extension: "txt" }) as const;
    const names = [
      ...[put(engine, appender, "shared"), put(engine, appender, "shared")],
      ...[put(engine, slave("_a"), "shared"), put(engine, slave("_b"), "shared")],
      ...[put(engine, target, ""), put(engine, target, "")],
    ];
    expect(inodes(directory, [master, ...names])).toBe(7);
    put(engine, { kind: "append", name: names[0] ?? "" }, " and more");
    expect(readBack(engine, master).toString()).toBe("shared");
    engine.close();
  });
});

test("a regenerated appender file may be shared from then on, and by then nobody appends to it", () => {
  withDirectory((directory) => {
    const clock = new ManualClock();
    const world = worldOf(directory, { clock });
    const engine = openEngine(world);
    const appender = put(engine, { kind: "appender", extension: "txt" }, "shared");
    const name = commit(engine, runSteps(engine.regenerate(appender)));
    expect(statSync(pathOf(directory, put(engine, target, "shared"))).nlink).toBe(1);
    commit(engine, engine.prepareRemove(name));
    expect(() => put(engine, { kind: "append", name }, "more")).toThrow();
    engine.close();
  });
});

test("what was announced as the whole and is not leaves the file that it was taken for alone", () => {
  for (const durability of ["flushed", "relaxed"] as const) {
    withDirectory((directory) => {
      const engine = openEngine(worldOf(directory, { settings: { dedup: true, durability } }));
      const first = put(engine, target, "the beginning");
      const handle = engine.startWrite(target, "the beginning".length);
      handle.write(Buffer.from("the beginning"));
      handle.write(Buffer.from(", and the end"));
      const second = commit(engine, handle.finish());
      expect(readBack(engine, first).toString()).toBe("the beginning");
      expect(readBack(engine, second).toString()).toBe("the beginning, and the end");
      expect(inodes(directory, [first, second])).toBe(2);
      const third = put(engine, target, "the beginning");
      expect(inodes(directory, [first, third])).toBe(1);
      engine.close();
    });
  }
});

test("what is given up leaves neither a name nor a lock", () => {
  withDirectory((directory) => {
    const engine = openEngine(worldOf(directory));
    const first = put(engine, target, "shared");
    for (const pieces of [1, 3]) {
      const handle = engine.startWrite(target, "shared".length);
      const size = Math.ceil("shared".length / pieces);
      for (let at = 0; at < 6; at += size) handle.write(Buffer.from("shared".slice(at, at + size)));
      handle.abort();
    }
    expect(viewOf(new NodeFiles(), directory).staged).toEqual([]);
    expect(statSync(pathOf(directory, first)).nlink).toBe(1);
    engine.close();
  });
});

test("equal contents of one batch are one, and outlive the one that was first", () => {
  withDirectory((directory) => {
    const engine = openEngine(worldOf(directory));
    const changes = Array.from({ length: 64 }, (_, index) =>
      stage(engine, target, { content: "shared", pieces: 1 + (index % 3) }),
    );
    engine.commit(changes);
    const names = changes.map(({ result }) => result ?? "");
    expect(inodes(directory, names)).toBe(1);
    for (const name of names.slice(0, -1)) commit(engine, engine.prepareRemove(name));
    expect(readBack(engine, names.at(-1) ?? "").toString()).toBe("shared");
    engine.close();
  });
});

test("a file with as many names as there can be is followed by another one", () => {
  const files = new MemoryFiles("/disk");
  files.maxLinks = 4;
  const engine = openEngine({ files, directory: "/disk", settings: { dedup: true } });
  const names = Array.from({ length: 18 }, () => put(engine, target, "shared"));
  const counts = new Map<number, number>();
  for (const name of names) {
    const inode = files.stat(`/disk/data/${name.slice(4)}`, false)?.inode ?? 0;
    counts.set(inode, (counts.get(inode) ?? 0) + 1);
  }
  expect([...counts.values()].sort()).toEqual([2, 4, 4, 4, 4]);
  for (const name of names) expect(readBack(engine, name).toString()).toBe("shared");
  engine.close();
});

test("the next run knows what the last one stored, and a walk what a lost index knew", () => {
  withDirectory((directory) => {
    const clock = new ManualClock();
    const world = worldOf(directory, { clock });
    const first = openEngine(world);
    const name = put(first, target, "shared");
    first.close();
    const second = openEngine({ ...world, seed: 2 });
    const again = put(second, target, "shared");
    second.close();
    for (const file of world.files.list(`${directory}/data/.cairn`) ?? []) {
      if (file.startsWith("index.sqlite")) world.files.remove(`${directory}/data/.cairn/${file}`);
    }
    const third = openEngine({ ...world, seed: 3 });
    runBackground(third, clock);
    const last = put(third, target, "shared");
    expect(inodes(directory, [name, again, last])).toBe(1);
    third.close();
  });
});

test("files that were there before deduplication was turned on are found as well", () => {
  withDirectory((directory) => {
    const clock = new ManualClock();
    const world = worldOf(directory, { clock });
    const plain = openEngine({ ...world, settings: {} });
    const names = ["one", "two"].map((content) => put(plain, target, content));
    plain.close();
    const engine = openEngine({ ...world, seed: 2 });
    runBackground(engine, clock);
    const more = ["one", "two"].map((content) => put(engine, target, content));
    expect(inodes(directory, [...names, ...more])).toBe(2);
    engine.close();
  });
});

test("an upload that is to be held waits only where the content is not here", () => {
  withDirectory((directory) => {
    const engine = openEngine(worldOf(directory));
    const hold = { ...target, hold: true } as const;
    for (const pieces of [1, 3]) {
      const content = `held in ${pieces}`;
      const receive = () => {
        const handle = engine.startWrite(hold, content.length);
        const size = Math.ceil(content.length / pieces);
        for (let at = 0; at < content.length; at += size) {
          handle.write(Buffer.from(content.slice(at, at + size)));
        }
        return handle;
      };
      const first = receive();
      expect(first.held?.()).toMatchObject({ sizeBytes: content.length, crc32: crc32(content) });
      const name = commit(engine, first.finish());
      const second = receive();
      expect(second.held?.()).toBeUndefined();
      expect(inodes(directory, [name, commit(engine, second.finish())])).toBe(1);
    }
    const dropped = engine.startWrite(hold, 5);
    dropped.write(Buffer.from("never"));
    expect(dropped.held?.()).toBeDefined();
    dropped.abort();
    expect(viewOf(new NodeFiles(), directory).staged).toEqual([]);
    engine.close();
  });
});

test("content that another path's upload brought gets a name here, where it is", () => {
  withDirectory((directory) => {
    const world = worldOf(directory);
    const engine = openEngine(world);
    const name = put(engine, target, "shared");
    const held = engine.startWrite({ ...target, hold: true }, 5);
    held.write(Buffer.from("other"));
    const other = held.held?.();
    held.abort();
    if (other === undefined) throw new Error("it is not here");
    expect(engine.prepareContent(other, "jpg")).toBeUndefined();
    put(engine, target, "other");
    const change = engine.prepareContent(other, "jpg");
    const linked = commit(engine, change);
    expect(linked.endsWith(".jpg")).toBe(true);
    expect(readBack(engine, linked).toString()).toBe("other");
    expect(inodes(directory, [name, linked])).toBe(2);
    expect(() => engine.prepareContent(other, "too-long")).toThrow("too-long");
    engine.close();
    const settings = { dedup: true, readOnly: true };
    const readOnly = openEngine({ ...world, settings });
    expect(readOnly.prepareContent(other, "jpg")).toBeUndefined();
    readOnly.close();
  });
});

test("after a failed flush nothing is linked to what may have been lost with it", () => {
  const disk = new MemoryFiles("/disk");
  const troubled = new TroubledFiles(disk);
  const failures: string[] = [];
  const engine = openEngine({
    files: troubled.files,
    directory: "/disk",
    settings: { dedup: true },
    onFlushFailed: ({ code }) => failures.push(code),
  });
  const first = put(engine, target, "shared");
  for (let atCall = 1; failures.length === 0; atCall += 1) {
    troubled.arm({ kind: "fail", atCall, code: "EIO" });
    try {
      put(engine, target, "another");
    } catch (error) {
      expect((error as { code: string }).code).toBe("disk-failed");
    }
  }
  troubled.arm({ kind: "none" });
  const names = [put(engine, target, "shared"), put(engine, target, "shared")];
  const inodeOf = (name: string) => disk.stat(`/disk/data/${name.slice(4)}`, false)?.inode;
  expect(inodeOf(names[0] ?? "")).not.toBe(inodeOf(first));
  expect(inodeOf(names[1] ?? "")).toBe(inodeOf(names[0] ?? ""));
  engine.close();
});

test("files that may share their content are not packed", () => {
  withDirectory((directory) => {
    const world = worldOf(directory, { settings: { dedup: true, packing: "on" } });
    const engine = openPacking(world).engine;
    const names = [put(engine, target, "small"), put(engine, target, "small")];
    for (const name of names) expect(name).toHaveLength("M00/00/00/".length + 34);
    expect(inodes(directory, names)).toBe(1);
    engine.close();
  });
});
