/** A store path on a file system that can only be read: its files are served, and it is taken for writing once that is possible. */
import { expect, test } from "vitest";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { FileError, type Files } from "#platform/files.ts";
import { commit, openEngine, put, readBack } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

const directory = "/disk";

/** What the kernel does when it has mounted a file system for reading alone. */
function readOnlyView(disk: MemoryFiles, state: { writable: boolean }): Files {
  const refuse = (path: string): never => {
    throw new FileError("EROFS", `EROFS: read-only file system, ${path}`, path);
  };
  const view = Object.create(disk) as Files;
  return Object.assign(view, {
    open: (path: string, mode: Parameters<Files["open"]>[1]) =>
      mode === "read" || state.writable ? disk.open(path, mode) : refuse(path),
    makeDirectory: (path: string) => {
      if (!state.writable && disk.stat(path, true) === undefined) refuse(path);
      disk.makeDirectory(path);
    },
    rename: (from: string, to: string) => (state.writable ? disk.rename(from, to) : refuse(from)),
    remove: (path: string) => (state.writable ? disk.remove(path) : refuse(path)),
    claim: (path: string) => {
      if (!state.writable) refuse(path);
    },
    ...readsOf(disk),
  });
}

/** Methods with private parts need the object itself. */
function readsOf(disk: MemoryFiles): Partial<Files> {
  return {
    close: (descriptor) => disk.close(descriptor),
    read: (descriptor, target, position) => disk.read(descriptor, target, position),
    write: (descriptor, bytes, position) => disk.write(descriptor, bytes, position),
    truncate: (descriptor, size) => disk.truncate(descriptor, size),
    flush: (descriptor) => disk.flush(descriptor),
    flushDirectory: (path) => disk.flushDirectory(path),
    stat: (path, follow) => disk.stat(path, follow),
    statDescriptor: (descriptor) => disk.statDescriptor(descriptor),
    setModified: (path, seconds) => disk.setModified(path, seconds),
    list: (path) => disk.list(path),
    readLink: (path) => disk.readLink(path),
    space: (path) => disk.space(path),
  };
}

function check(engine: StorePathEngine): number {
  return engine.runNow(engine.check(false));
}

test("what is stored is served, its metadata too, and nothing is touched", () => {
  const disk = new MemoryFiles(directory);
  const before = openEngine({ files: disk, directory });
  const name = put(before, { kind: "normal", extension: "txt" }, "content");
  commit(before, before.prepareMetadata(name, "overwrite", Buffer.from("a\x021")));
  before.close();
  const engine = openEngine({ files: readOnlyView(disk, { writable: false }), directory });
  expect(engine.openReport).toEqual({
    rolledForward: 0,
    swept: 0,
    adopted: false,
    readOnly: "its file system can only be read",
  });
  expect(readBack(engine, name).toString()).toBe("content");
  expect(Buffer.from(engine.readMetadata(name)).toString()).toBe("a\x021");
  expect(engine.facts(name)).toMatchObject({ sizeBytes: 7 });
  expect(engine.space()).toMatchObject({ totalBytes: 1e12 });
  engine.close();
  expect(disk.openFiles).toBe(0);
});

test("a check fails until the path can be written, and a new start settles the rest", () => {
  const disk = new MemoryFiles(directory);
  const before = openEngine({ files: disk, directory });
  const name = put(before, { kind: "normal", extension: "" }, "content");
  const state = { writable: false };
  const files = readOnlyView(disk, state);
  const engine = openEngine({ files, directory });
  expect(() => check(engine)).toThrow(/take the path for writing/);
  state.writable = true;
  expect(check(engine)).toBe(0);
  engine.close();
  const again = openEngine({ files, directory });
  expect(again.openReport.readOnly).toBe(undefined);
  expect(readBack(again, name).toString()).toBe("content");
  put(again, { kind: "normal", extension: "" }, "more");
  again.close();
});

test("a read-only directory that never was a store path stays unfit, and one of another layout as well", () => {
  const empty = new MemoryFiles(directory);
  const files = readOnlyView(empty, { writable: false });
  expect(() => openEngine({ files, directory })).toThrow(/read-only file system/);
  const disk = new MemoryFiles(directory);
  openEngine({ files: disk, directory }).close();
  const other = { settings: { subdirCount: 32 }, directory };
  expect(() => openEngine({ ...other, files: readOnlyView(disk, { writable: false }) })).toThrow(
    expect.objectContaining({ code: "store-path-unfit" }),
  );
});
