/** A disk that is only read: every call that would change something is refused, the others pass. */
import { expect, test } from "vitest";
import { readOnlyFiles } from "#filestore/scrub/read-only-files.ts";
import { readText } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { everythingIn, writeFile } from "../../../support/store-path-vectors.ts";

test("nothing changes the disk, whatever is tried", () => {
  const files = new MemoryFiles("/disk");
  writeFile(files, "/disk/file", "content");
  const before = everythingIn(files, "/disk");
  const guarded = readOnlyFiles(files);
  const descriptor = guarded.open("/disk/file", "read");
  const tries = [
    ...(["create", "write", "append", "read-write"] as const).map(
      (mode) => () => guarded.open("/disk/file", mode),
    ),
    () => guarded.write(descriptor, Buffer.from("x"), 0),
    () => guarded.truncate(descriptor, 0),
    () => guarded.flush(descriptor),
    () => guarded.flushDirectory("/disk"),
    () => guarded.setModified("/disk/file", 1),
    () => guarded.rename("/disk/file", "/disk/other"),
    () => guarded.remove("/disk/file"),
    () => guarded.removeDirectory("/disk"),
    () => guarded.makeDirectory("/disk/new"),
    () => guarded.makeLink("/disk/link", "file"),
    () => guarded.makeHardLink("/disk/link", "/disk/file"),
    () => guarded.expand("/disk/file", "/disk/other", 1),
    () => guarded.claim("/disk"),
  ];
  for (const act of tries) expect(act).toThrow(expect.objectContaining({ code: "EROFS" }));
  guarded.close(descriptor);
  expect(readText(guarded, "/disk/file")).toBe("content");
  expect(everythingIn(files, "/disk")).toEqual(before);
});
