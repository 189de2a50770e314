/**
 * Goal: an empty disk in the place of a store path is told from a mount point without its disk, and from another path's disk. Method: store
 * paths in memory whose devices the test chooses, opened as a node does that remembers what was there.
 */
import { expect, test } from "vitest";
import type { KnownPath } from "#filestore/settings.ts";
import type { FileStat } from "#platform/files.ts";
import { openEngine, put } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

class MountedFiles extends MemoryFiles {
  mounted = true;

  override stat(path: string, follow: boolean): FileStat | undefined {
    if (path.endsWith("/..")) return this.stat("/", follow);
    const stat = super.stat(path, follow);
    return stat && { ...stat, device: this.mounted && path.startsWith("/disk") ? 8 : 1 };
  }
}

const newId = "0123456789abcdef0123456789abcdef";
const laterId = "fedcba9876543210fedcba9876543210";

function world() {
  const files = new MountedFiles();
  files.makeDirectory("/disk");
  return files;
}

function open(files: MountedFiles, id: string, known?: KnownPath) {
  const identity = { newId: id, ...(known === undefined ? {} : { known }) };
  return openEngine({ files, directory: "/disk", settings: { identity } });
}

function identityAfter(files: MountedFiles, id: string, known?: KnownPath) {
  const engine = open(files, id, known);
  engine.close();
  return engine.openReport.identity;
}

test("a path gets an id once, and tells that it has files", () => {
  const files = world();
  const first = { id: newId, ownMount: true, isNew: true, hadFiles: false, lostBinlog: false };
  expect(identityAfter(files, newId)).toEqual(first);
  expect(identityAfter(files, laterId)).toEqual({ ...first, isNew: false, hadFiles: true });
});

test("what an interrupted start left is as new as it was, until the id is known", () => {
  const files = world();
  const first = { id: newId, ownMount: true, isNew: true, hadFiles: false, lostBinlog: false };
  expect(identityAfter(files, newId)).toEqual(first);
  expect(identityAfter(files, newId, { id: laterId, ownMount: true })).toEqual(first);
});

test("an empty disk where another one was is a new path without files; without its disk the path is refused, untouched", () => {
  const known = { id: laterId, ownMount: true };
  expect(identityAfter(world(), newId, known)).toMatchObject({ isNew: true, hadFiles: false });
  const files = world();
  files.mounted = false;
  expect(() => open(files, newId, known)).toThrow("is not mounted");
  expect(files.list("/disk")).toEqual([]);
  // A directory that was never a mount may be emptied.
  expect(identityAfter(files, newId, { ...known, ownMount: false })).toMatchObject({ isNew: true });
});

test("another path's disk is refused; its own one is known on whatever mount", () => {
  const files = world();
  identityAfter(files, newId);
  expect(() => open(files, laterId, { id: laterId, ownMount: true })).toThrow("another store path");
  files.mounted = false;
  expect(identityAfter(files, laterId, { id: newId, ownMount: true })).toMatchObject({ id: newId });
});

test("another path's disk is taken over where that is said, and is known from then on", () => {
  const files = world();
  identityAfter(files, newId);
  const known = { id: laterId, ownMount: true };
  const identity = { newId: laterId, known };
  const engine = openEngine({ files, directory: "/disk", settings: { identity, takesOver: true } });
  engine.close();
  expect(engine.openReport.identity).toMatchObject({ id: newId, isNew: false, hadFiles: true });
});

test("a binlog that is gone is noticed until what that cost is mended", () => {
  const files = world();
  const engine = open(files, newId);
  put(engine, { kind: "normal", extension: "" }, "x");
  engine.close();
  const known = { id: newId, ownMount: true };
  expect(identityAfter(files, laterId, known)).toMatchObject({ lostBinlog: false, hadFiles: true });
  files.remove("/disk/data/sync/binlog.000");
  expect(identityAfter(files, laterId, known)).toMatchObject({ lostBinlog: true, hadFiles: true });
  const again = open(files, laterId, known);
  expect(again.openReport.identity?.lostBinlog).toBe(true);
  again.settleRecheck();
  again.close();
  const checked = open(files, laterId, known);
  expect(checked.openReport.identity?.lostBinlog).toBe(true);
  checked.background.turn(true);
  checked.settleRecheck();
  checked.close();
  expect(identityAfter(files, laterId, known)).toMatchObject({ lostBinlog: false });
});

test("files without an id, as an earlier release or a C storage left them, are files", () => {
  const files = world();
  const engine = openEngine({ files, directory: "/disk" });
  put(engine, { kind: "normal", extension: "" }, "x");
  engine.close();
  expect(identityAfter(files, newId)).toMatchObject({ isNew: true, hadFiles: true });
});
