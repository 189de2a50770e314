/**
 * Goal: on a disk that is really full, or that turns read-only, every change is refused as such or done as a whole, nothing stored
 * before is harmed, and a full disk recovers by deletions.
 * Method: an ext4 of a few MiB in a file, mounted for the test. Needs root.
 */
import { expect } from "vitest";
import { AppError } from "#base/app-error.ts";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import type { Durability } from "#filestore/settings.ts";
import { decodeBase } from "#model/file-id.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  runSteps,
  stage,
  viewOf,
} from "../../../support/engine-fixture.ts";
import { needs } from "../../../support/needs.ts";
import { SmallFileSystem, smallFileSystemNeeds } from "../../../support/small-file-system.ts";

const onMountedDisk = needs(...smallFileSystemNeeds);

/** The code of the refusal, or the new name. */
function attempt(action: () => string): string {
  try {
    return action();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

for (const durability of ["relaxed", "flushed"] as Durability[]) {
  onMountedDisk(`a full disk refuses, keeps what it has, and recovers: ${durability}`, () => {
    using disk = new SmallFileSystem(12);
    const directory = disk.path;
    const files = new NodeFiles();
    const settings = { durability, rotateCount: 5 };
    const engine = openEngine({ files, directory, settings });
    const appender = put(engine, { kind: "appender", extension: "log" }, "0123456789");
    const stored = new Map<string, number>();
    const normal = { kind: "normal", extension: "bin" } as const;
    // Large ones until there is no room for them, then smaller ones, down to the last block.
    for (const size of [500_000, 50_000, 4096, 100, 0]) {
      const content = Buffer.alloc(size, "x");
      for (let refused = 0; refused < 3; ) {
        const name = attempt(() => put(engine, normal, content));
        if (name.startsWith("M00/")) stored.set(name, size);
        else refused += 1;
        if (!name.startsWith("M00/")) expect(name).toBe("store-full");
      }
    }
    expect(stored.size).toBeGreaterThan(20);
    const large = Buffer.alloc(200_000, "y");
    const records = Array.from(
      { length: 1000 },
      (_, index) => `name${index}\x02${"v".repeat(200)}`,
    );
    const metadata = Buffer.from(records.join("\x01"));
    const refusals = [
      () => put(engine, { kind: "append", name: appender }, large),
      () => put(engine, { kind: "slave", master: appender, prefix: "_s", extension: "" }, large),
      () => commit(engine, engine.prepareMetadata(appender, "merge", metadata)),
    ].map(attempt);
    expect(refusals).toEqual(["store-full", "store-full", "store-full"]);
    expectWhole(files, directory, stored);
    expect(readBack(engine, appender).toString()).toBe("0123456789");

    const [first = ""] = stored.keys();
    stored.delete(first);
    expect(attempt(() => commit(engine, engine.prepareRemove(first)))).toBe("");
    const again = put(engine, normal, "there is room again");
    stored.set(again, 19);
    put(engine, { kind: "append", name: appender }, large);
    expect(readBack(engine, appender).length).toBe(200_010);
    commit(engine, runSteps(engine.regenerate(appender)));
    engine.close();
    openEngine({ files, directory, settings }).close();
    expectWhole(files, directory, stored);
  });
}

onMountedDisk("a disk that turns read-only refuses changes, and goes on to be read", () => {
  using disk = new SmallFileSystem(12);
  const files = new NodeFiles();
  const engine = openEngine({ files, directory: disk.path });
  const target = { kind: "normal", extension: "bin" } as const;
  const name = put(engine, target, "stored before");
  const pending = stage(engine, target, { content: "staged before" });
  const before = viewOf(files, disk.path);
  disk.breakDown();
  expect(() => commit(engine, pending)).toThrow("cannot store");
  expect(() => put(engine, target, "after")).toThrow("cannot store");
  expect(() => commit(engine, engine.prepareRemove(name))).toThrow("cannot delete");
  expect(readBack(engine, name).toString()).toBe("stored before");
  expect(viewOf(files, disk.path).files).toEqual(before.files);
  expect(() => openEngine({ files: new NodeFiles(), directory: disk.path })).toThrow(AppError);
  expect(() => engine.close()).toThrow("cannot close");
  files[Symbol.dispose]();
  disk.mend();
  const again = openEngine({ files: new NodeFiles(), directory: disk.path });
  expect(viewOf(files, disk.path)).toEqual({ ...before, staged: [] });
  put(again, target, "mended");
});

/** Every stored file is there, whole; nothing but it and the appender file is; every record is one. */
function expectWhole(
  files: NodeFiles,
  directory: string,
  stored: ReadonlyMap<string, number>,
): void {
  const view = viewOf(files, directory);
  const sizes = Object.entries(view.files).map(
    ([path, text]) => [`M00/${path}`, text.length] as const,
  );
  const normal = sizes.filter(([name]) => !name.endsWith(".log"));
  expect(new Map(normal)).toEqual(new Map([...stored].sort(([a], [b]) => (a < b ? -1 : 1))));
  for (const [name, size] of normal) expect(decodeBase(name.slice(10))?.size).toBe(size);
  expect(view.staged).toEqual([]);
  const lines = view.binlog.split("\n");
  expect(lines.pop()).toBe("");
  expect(lines.filter((line) => decodeEntry(line) === undefined)).toEqual([]);
}
