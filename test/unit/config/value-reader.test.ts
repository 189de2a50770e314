import { expect, test } from "vitest";
import { present } from "#base/assert.ts";
import { schema, schemaByKey } from "#config/schema.ts";
import { readDefault, ValueReader } from "#config/value-reader.ts";

/** A reader whose lines are the lengths of the paths that it asks for. */
function reader(): ValueReader {
  return new ValueReader({ source: "s", lineOf: (path) => path.length }, "/d");
}

test("tables of settings become values with the line of their path", () => {
  const read = reader();
  read.readTable(
    schema.entries,
    { tracker: { port: 1, trunk: { enabled: true } }, node: { data_dir: "x" } },
    [],
  );
  expect(read.problems).toEqual([]);
  expect(read.assignments).toEqual([
    { key: "tracker.port", value: 1, origin: { source: "s", line: 2 } },
    { key: "tracker.trunk.enabled", value: true, origin: { source: "s", line: 3 } },
    { key: "node.data_dir", value: "/d/x", origin: { source: "s", line: 2 } },
  ]);
});

test("a list is not taken when one of its tables is wrong", () => {
  const read = reader();
  read.readTable(
    schema.entries,
    { storage: { path: [{ directory: "/a" }, { directory: "" }] } },
    [],
  );
  expect(read.assignments).toEqual([]);
  expect(read.problems).toEqual([
    {
      source: "s",
      line: 4,
      key: "storage.path[1].directory",
      message: expect.stringContaining("a path"),
    },
  ]);
});

test("plain text is read as the setting wants it", () => {
  const read = reader();
  read.readText(present(schemaByKey.get("storage.trackers"), "key"), "a,b:1");
  read.readText(present(schemaByKey.get("storage.path"), "key"), "/a,b");
  expect(read.assignments.map(({ value }) => value)).toEqual([
    [
      { addresses: ["a"], port: 22122 },
      { addresses: ["b"], port: 1 },
    ],
    [
      { directory: "/a", readonly: false, takeOver: false },
      { directory: "/d/b", readonly: false, takeOver: false },
    ],
  ]);
});

test("a default is a value with absolute paths, or has to be given", () => {
  expect(readDefault(schema.entries.node.entries.data_dir, "/d")).toEqual({ value: "/d/data" });
  expect(readDefault(schema.entries.storage.entries.path.entries.directory, "/d")).toEqual({
    problem: "missing; give a path",
  });
});

test("a list of tables with a slip in it is not taken for the name of a directory", () => {
  const read = reader();
  read.readText(present(schemaByKey.get("storage.path"), "key"), '[{"directory":"/a"}]');
  expect(read.assignments).toEqual([]);
  expect(read.problems).toMatchObject([
    { key: "storage.path", message: expect.stringContaining('[{directory="…"}]') },
  ]);
});
