import { expect, test } from "vitest";
import { makeTrunkFile } from "#filestore/trunk/make-trunk-file.ts";
import { DirectoryTree } from "#filestore/worker/directory-tree.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

test("a trunk file has its size, is not made twice, and outlives a power cut where changes are flushed", () => {
  for (const flushed of [true, false]) {
    const files = new MemoryFiles("/disk", "/disk/data");
    for (const path of ["/", "/disk"]) files.flushDirectory(path);
    const tree = new DirectoryTree(files, new FileLayout("/disk", 0), flushed);
    const file = { path: "/disk/data/01/02/000007", high: 1, low: 2, sizeBytes: 4096 };
    makeTrunkFile({ files, tree, flushed }, file);
    expect(() => makeTrunkFile({ files, tree, flushed }, file)).toThrow("EEXIST");
    expect([files.stat(file.path, false)?.sizeBytes, files.openFiles]).toEqual([4096, 0]);
    files.powerCut();
    expect(files.stat(file.path, false)?.sizeBytes).toBe(flushed ? 4096 : undefined);
  }
});
