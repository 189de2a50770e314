import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nodeDatabases } from "#platform/node/node-databases.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "cairn-databases-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("statements tell how many rows changed, and give rows back as objects", () => {
  using database = nodeDatabases().open(":memory:");
  database.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, bytes BLOB)");
  const insert = database.prepare("INSERT INTO things (name, bytes) VALUES (?, ?)");
  expect([insert.run("a", Buffer.from([1, 2])), insert.run("b", null)]).toEqual([1, 1]);
  expect(database.prepare("DELETE FROM things").run()).toBe(2);
  insert.run("c", Buffer.from([3]));
  const select = database.prepare("SELECT name, bytes FROM things WHERE name = ?");
  expect(select.get("c")).toEqual({ name: "c", bytes: Buffer.from([3]) });
  expect(select.get("x")).toBeUndefined();
  expect(select.all("c").length).toBe(1);
});

test("a transaction is written ahead, flushed or relaxed as it says", () => {
  using database = nodeDatabases().open(join(directory, "some.sqlite"));
  // SQLite reads such a setting when a statement is prepared.
  const level = (): unknown => database.prepare("PRAGMA synchronous").get();
  expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  expect(database.transaction("relaxed", level)).toEqual({ synchronous: 1 });
  expect(database.transaction("flushed", level)).toEqual({ synchronous: 2 });
});

test("a transaction whose work throws changes nothing", () => {
  using database = nodeDatabases().open(":memory:");
  database.execute("CREATE TABLE numbers (value INTEGER)");
  const insert = database.prepare("INSERT INTO numbers VALUES (?)");
  expect(database.transaction("relaxed", () => insert.run(1))).toBe(1);
  const failing = (): void => {
    insert.run(2);
    throw new Error("half way");
  };
  expect(() => database.transaction("flushed", failing)).toThrowError("half way");
  expect(database.prepare("SELECT value FROM numbers").all()).toEqual([{ value: 1 }]);
});

test("the owner's version is kept in the file", () => {
  const path = join(directory, "some.sqlite");
  const first = nodeDatabases().open(path);
  expect(first.version).toBe(0);
  first.version = 7;
  first.close();
  using second = nodeDatabases().open(path);
  expect(second.version).toBe(7);
});

test("the native part can be handed in, and nothing else is loaded then", () => {
  const databases = nodeDatabases({ nativeBinding: join(directory, "missing.node") });
  expect(() => databases.open(":memory:")).toThrowError(/missing\.node/);
});
