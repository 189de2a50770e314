/** New files that are not staged: what is there when, and what becomes of those that the disk refuses. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { CreateChange } from "#filestore/worker/changes/create-change.ts";
import { PlaceChange } from "#filestore/worker/changes/place-change.ts";
import type { Change, StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { decodeBase } from "#model/file-id.ts";
import { FileError, type Files } from "#platform/files.ts";
import {
  type EngineWorld,
  openEngine,
  put,
  readBack,
  stage,
  viewOf,
} from "../../../../support/engine-fixture.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";

const directory = "/disk";
const relaxed = { durability: "relaxed" } as const;
const normal = { kind: "normal", extension: "txt" } as const;

/** A disk some of whose calls are refused. */
class Refusing extends MemoryFiles {
  readonly refused = new Set<keyof Files>();

  override write(...args: Parameters<MemoryFiles["write"]>): void {
    // Of a full disk's write a part is there.
    if (this.refused.has("write")) super.write(args[0], args[1].subarray(0, 2));
    this.#require("write", args[1].length < 30);
    super.write(...args);
  }

  override remove(path: string): boolean {
    this.#require("remove", true);
    return super.remove(path);
  }

  /** Records are longer than these files, and are let through. */
  #require(call: keyof Files, isOurs: boolean): void {
    if (isOurs && this.refused.has(call)) throw new FileError("ENOSPC", "ENOSPC: refused");
  }
}

function setUp(world: Partial<EngineWorld> = {}): {
  readonly disk: Refusing;
  readonly engine: StorePathEngine;
} {
  const disk = new Refusing(directory);
  return { disk, engine: openEngine({ files: disk, directory, settings: relaxed, ...world }) };
}

/** The letters of the records. */
function letters(disk: MemoryFiles): string {
  const { binlog } = viewOf(disk, directory);
  return [...binlog.matchAll(/^\d+ (.) /gm)].map((match) => match[1]).join("");
}

function isDirect(change: Change): boolean {
  if (!(change instanceof PlaceChange)) return change instanceof CreateChange;
  return false;
}

test("before the commit nothing is there, not even staged; after it the file is", () => {
  const { disk, engine } = setUp();
  const change = stage(engine, normal, { content: "the body" });
  expect(isDirect(change)).toBe(true);
  expect(viewOf(disk, directory)).toEqual({ files: {}, binlog: "", staged: [] });
  engine.commit([change]);
  const name = change.result ?? "";
  expect(viewOf(disk, directory).files).toEqual({ [name.slice(4)]: "the body" });
  expect(letters(disk)).toBe("C");
  expect(readBack(engine, name).toString()).toBe("the body");
  expect([engine.isLocked(name), disk.openFiles]).toEqual([false, 1]);
});

test("its bytes are read at the commit, and not afterwards", () => {
  const { disk, engine } = setUp();
  const body = Buffer.from("as it was");
  const handle = engine.startWrite(normal, body.length);
  handle.writeWhole?.(body);
  const change = handle.finish();
  engine.commit([change]);
  body.fill("x");
  expect(Object.values(viewOf(disk, directory).files)).toEqual(["as it was"]);
});

test("what is flushed, shared, held, an appender file or comes in pieces is staged", () => {
  const { engine } = setUp();
  const { engine: flushed } = setUp({ settings: {} });
  const { engine: shared } = setUp({ settings: { ...relaxed, dedup: true } });
  const content = "abc";
  const changes = [
    stage(flushed, normal, { content }),
    stage(shared, normal, { content }),
    stage(engine, { ...normal, hold: true }, { content }),
    stage(engine, { kind: "appender", extension: "log" }, { content }),
    stage(engine, normal, { content, pieces: 1 }),
    stage(engine, normal, { content, pieces: 3 }),
  ];
  expect(changes.map(isDirect)).toEqual(changes.map(() => false));
});

test("what was given up or refused before its commit leaves nothing, and its name is free", () => {
  const { disk, engine } = setUp();
  const handle = engine.startWrite(normal, 3);
  handle.writeWhole?.(Buffer.from("abc"));
  handle.abort();
  handle.abort();
  const change = stage(engine, normal, { content: "abc" });
  engine.refuse([change], fileStoreError("disk-failed", "no"));
  expect(change.error?.code).toBe("disk-failed");
  expect(viewOf(disk, directory)).toEqual({ files: {}, binlog: "", staged: [] });
});

test("a directory that was removed behind our back is made again", () => {
  const { disk, engine } = setUp();
  const change = stage(engine, normal, { content: "abc" });
  disk.removeDirectory(`${directory}/data/00/00`);
  disk.removeDirectory(`${directory}/data/00`);
  engine.commit([change]);
  expect(change.error).toBeUndefined();
  expect(Object.values(viewOf(disk, directory).files)).toEqual(["abc"]);
});

test("one that the disk refuses fails alone, and what was made of it goes again", () => {
  const { disk, engine } = setUp();
  const first = stage(engine, normal, { content: "first" });
  const long = stage(engine, normal, { content: "longer than a record".repeat(20) });
  const empty = stage(engine, normal, { content: "" });
  disk.refused.add("write");
  const refused = put.bind(undefined, engine, normal, "refused");
  engine.commit([first, long, empty]);
  expect(first.error?.code).toBe("store-full");
  expect(refused).toThrow("store");
  disk.refused.clear();
  expect(empty.error).toBeUndefined();
  const { files, binlog } = viewOf(disk, directory);
  expect(Object.keys(files)).toContain(empty.result?.slice(4));
  expect(Object.values(files)).not.toContain("fi");
  expect(binlog).toMatch(/ C (\S+)\n(?:.*\n)* ?\d+ D \1\n/);
});

test("a part that cannot be removed is removed by the next start, however the path was closed", () => {
  for (const closes of [true, false]) {
    const { disk, engine } = setUp();
    disk.refused.add("write").add("remove");
    const change = stage(engine, normal, { content: "abcdef" });
    engine.commit([change]);
    expect(change.error?.code).toBe("store-full");
    disk.refused.clear();
    expect(Object.values(viewOf(disk, directory).files)).toEqual(["ab"]);
    if (closes) engine.close();
    openEngine({ files: disk, directory, settings: relaxed });
    expect(viewOf(disk, directory).files).toEqual({});
    expect(letters(disk)).toBe("CD");
  }
});

test("a file that has the name already stays as it is, and keeps its record", () => {
  const { disk, engine } = setUp();
  const change = stage(engine, normal, { content: "abc" });
  const name = (change as CreateChange).lines.split(" ")[2]?.trim() ?? "";
  const path = `${directory}/data/${name.slice(4)}`;
  const descriptor = disk.open(path, "create");
  disk.write(descriptor, Buffer.from("abc"));
  disk.close(descriptor);
  engine.commit([change]);
  expect(change.error?.code).toBe("disk-failed");
  expect(Object.values(viewOf(disk, directory).files)).toEqual(["abc"]);
  expect(letters(disk)).toBe("C");
});

test("its time is the one in its name, also where the second turned before the commit", () => {
  const clock = new ManualClock();
  const { disk, engine } = setUp({ clock });
  for (const waitMs of [0, 5, 990, 2500]) {
    clock.advance(500);
    const change = stage(engine, normal, { content: "abc" });
    clock.advance(waitMs);
    disk.nowSeconds = Math.floor(clock.nowMs() / 1000);
    engine.commit([change]);
    const name = change.result ?? "";
    expect(engine.facts(name).modifiedSeconds).toBe(decodeBase(name.slice(10))?.timestamp);
  }
});
