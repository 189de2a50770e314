/** What reading a file for its checksum says of it. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { emptyTally } from "#filestore/scrub/findings.ts";
import { readContent, readStated } from "#filestore/scrub/read-content.ts";
import { cachedReads } from "#platform/disk-reads.ts";
import { FileError } from "#platform/files.ts";
import { runSteps } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";

function world() {
  const files = new MemoryFiles("/disk");
  writeFile(files, "/disk/file", "0123456789");
  return { files, world: { disk: cachedReads(files), tally: emptyTally() } };
}

test("a file is read in pieces, and a file of another size is not read", () => {
  const { world: reading } = world();
  const sizes: number[] = [];
  const pace = { pieceBytes: 4, began: () => {}, ended: (bytes: number) => sizes.push(bytes) };
  const read = runSteps(readContent({ ...reading, pace }, "/disk/file", 10));
  expect(read).toEqual({ state: "read", sizeBytes: 10, crc32: crc32("0123456789") });
  expect(sizes).toEqual([4, 4, 2]);
  expect(runSteps(readContent(reading, "/disk/file", 11))).toEqual({
    state: "other-size",
    sizeBytes: 10,
  });
  expect(reading.tally.bytes).toBe(10);
});

test("what is gone, is no file, or is not given by the disk, are answers; other failures are not", () => {
  const { files, world: reading } = world();
  files.makeLink("/disk/link", "file");
  expect(runSteps(readContent(reading, "/disk/none", undefined)).state).toBe("gone");
  expect(runSteps(readContent(reading, "/disk/link", undefined)).state).toBe("irregular");
  expect(runSteps(readContent(reading, "/disk", undefined)).state).toBe("irregular");
  files.failReads("/disk/file", new FileError("EIO", "EIO"));
  expect(runSteps(readContent(reading, "/disk/file", undefined))).toEqual({
    state: "unreadable",
    sizeBytes: 10,
  });
  files.failReads("/disk/file", new FileError("EMFILE", "EMFILE"));
  expect(() => runSteps(readContent(reading, "/disk/file", undefined))).toThrow("EMFILE");
  expect(files.openFiles).toBe(0);
});

test("facts are told where the file is the same before and after", () => {
  const { files, world: reading } = world();
  expect(runSteps(readStated(reading, "/disk/file")).facts).toMatchObject({ sizeBytes: 10 });
  const pace = {
    pieceBytes: 4,
    began: () => {},
    ended: () => {
      files.nowSeconds += 1;
      files.setModified("/disk/file", files.nowSeconds);
    },
  };
  const changed = runSteps(readStated({ ...reading, pace }, "/disk/file"));
  expect(changed).toMatchObject({ content: { state: "read" }, facts: undefined });
});
