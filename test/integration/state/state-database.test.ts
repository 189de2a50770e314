import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hasCode } from "#base/app-error.ts";
import { Log, type LogRecord } from "#base/log.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { migrate } from "#state/migrate.ts";
import { openStateDatabase, stateMigrations } from "#state/state-database.ts";

const databases = nodeDatabases();
let directory = "";
let records: LogRecord[] = [];
const log = new Log("state", (record) => records.push(record));

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "cairn-state-"));
  records = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("a new database is brought to the newest layout, and stays there", () => {
  const path = join(directory, "state.sqlite");
  openStateDatabase(databases, path, log).close();
  using again = openStateDatabase(databases, path, log);
  expect(again.version).toBe(stateMigrations.length);
  expect(records.map((record) => record.event)).toEqual(["state-migrated"]);
});

test("a database of a newer release is opened as it is", () => {
  const path = join(directory, "state.sqlite");
  const newer = openStateDatabase(databases, path, log);
  newer.version = 1000;
  newer.close();
  using database = openStateDatabase(databases, path, log);
  expect(database.version).toBe(1000);
  expect(records.at(-1)?.event).toBe("state-of-newer-release");
});

test("a file that is no database, or no directory, is named in the error", () => {
  const path = join(directory, "state.sqlite");
  writeFileSync(path, "this is no database, and long enough to be looked at as one".repeat(20));
  const failures = [path, join(directory, "missing", "state.sqlite")].map((each) => {
    try {
      openStateDatabase(databases, each, log).close();
      return false;
    } catch (error) {
      return hasCode(error, "state-unusable") && error.message.includes(each);
    }
  });
  expect(failures).toEqual([true, true]);
});

test("a step that fails leaves the database at the version before it", () => {
  using database = databases.open(join(directory, "some.sqlite"));
  const steps = [
    { number: 1, name: "one", sql: "CREATE TABLE one (a INTEGER)" },
    { number: 2, name: "two", sql: "CREATE TABLE two (a INTEGER); nonsense" },
  ];
  expect(() => migrate(database, steps)).toThrowError(/version 2 \(two\)/);
  expect(database.version).toBe(1);
  expect(() => database.prepare("SELECT * FROM two")).toThrowError();
});
