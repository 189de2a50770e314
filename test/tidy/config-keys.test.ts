/** Settings that nobody reads. */
import { expect, test } from "vitest";
import { schemaKeys } from "#config/schema.ts";
import { propertyName } from "#config/setting.ts";
import { readSources } from "./repository.ts";
import { findUnreadKeys, type PropertyPath } from "./rules/config-keys.ts";
import { parseSource } from "./source.ts";

const key: PropertyPath = ["tracker", "trunk", "fileSizeBytes"];

function unread(path: string, text: string): string[] {
  return findUnreadKeys([parseSource(path, text)], [key]);
}

/** A secret may stand in a file of its own; the config itself reads that one, and its setting. */
const secretFiles = new Set(
  schemaKeys.flatMap(({ key, entry }) =>
    entry.kind === "setting" && entry.secret ? [`${key}_file`] : [],
  ),
);

/** All settings, those of the tables in a list too. */
function allKeys(): PropertyPath[] {
  const keys = schemaKeys.filter(({ key }) => !secretFiles.has(key));
  return keys.flatMap(({ property, entry }) => {
    if (entry.kind !== "table-list") return [property];
    const columns = Object.entries(entry.entries).map(([name, each]) => propertyName(name, each));
    return [property, ...columns.map((name) => [...property, name])];
  });
}

test("every setting is read by somebody", () => {
  expect(findUnreadKeys(readSources(["src"]), allKeys())).toEqual([]);
});

test("a member of the table or of the section's folder is a read", () => {
  expect(unread("src/daemon/a.ts", "f(config.tracker.trunk.fileSizeBytes);")).toEqual([]);
  expect(unread("src/daemon/a.ts", "f(trunkConfig.fileSizeBytes);")).toEqual([]);
  expect(unread("src/tracker/a.ts", "f(this.#settings.fileSizeBytes);")).toEqual([]);
  expect(unread("src/tracker/a.ts", "const { fileSizeBytes } = settings;")).toEqual([]);
  expect(unread("src/daemon/a.ts", "const { fileSizeBytes } = config.trunk;")).toEqual([]);
});

test("a setting that only the config knows is found, and so is one whose name is another's", () => {
  const missing = ["tracker.trunk.fileSizeBytes is read by nobody"];
  expect(unread("src/config/a.ts", "f(config.tracker.trunk.fileSizeBytes);")).toEqual(missing);
  expect(unread("src/storage/a.ts", "f(disk.fileSizeBytes);")).toEqual(missing);
  expect(unread("src/storage/a.ts", "const { fileSizeBytes } = disk;")).toEqual(missing);
  expect(unread("src/tracker/a.ts", "const fileSizeBytes = 1;")).toEqual(missing);
});
