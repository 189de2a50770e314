/** The native part of the database, loaded from bytes as the single executable does it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { expect, test } from "vitest";
import { loadAddon, sqliteAddon } from "#platform/node/native-addons.ts";

const packageFolder = dirname(
  createRequire(import.meta.url).resolve("better-sqlite3/package.json"),
);
const bytes = readFileSync(join(packageFolder, `prebuilds/linux-${process.arch}.node`));

test("an addon loads from its bytes, works, and leaves no file behind", () => {
  const folder = mkdtempSync(join(tmpdir(), "cairn-addon-test-"));
  try {
    const addon = loadAddon(bytes, [folder]);
    expect(readdirSync(folder)).toEqual([]);
    // The package's types know of paths only.
    const nativeBinding = addon as unknown as string;
    using database = closing(new SqliteDatabase(":memory:", { nativeBinding }));
    expect(database.handle.prepare("select 6 * 7 as answer").get()).toEqual({ answer: 42 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a folder that takes no library is passed over", () => {
  expect(loadAddon(bytes, ["/proc", tmpdir()])).toHaveProperty("Database");
});

test("no usable folder is an error that says what to do", () => {
  expect(() => loadAddon(bytes, ["/proc", "/no/such/folder"])).toThrow(/without noexec/);
  expect(() => loadAddon(new Uint8Array(64), [tmpdir()])).toThrow(/cannot be loaded/);
});

test("outside of the executable the package finds its own addon", () => {
  expect(sqliteAddon()).toBeUndefined();
});

function closing(handle: SqliteDatabase.Database) {
  return { handle, [Symbol.dispose]: () => handle.close() };
}
