/** A directory of a store path: which kind each name is of, and what is passed over. */
import { expect, test } from "vitest";
import { emptyTally, type Finding } from "#filestore/scrub/findings.ts";
import { type ScrubWorld, scrubDirectory } from "#filestore/scrub/scrub-directory.ts";
import { SideRecords } from "#filestore/scrub/side-records.ts";
import { cachedReads } from "#platform/disk-reads.ts";
import { FileError } from "#platform/files.ts";
import { openEngine, put, runSteps } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";

function stage() {
  const files = new MemoryFiles("/disk");
  const engine = openEngine({ files, directory: "/disk" });
  const name = put(engine, { kind: "normal", extension: "bin" }, "content");
  const found: Finding[] = [];
  const world = (more: Partial<ScrubWorld> = {}): ScrubWorld => ({
    ...{ files, data: "/disk/data", disk: cachedReads(files), tally: emptyTally() },
    side: new SideRecords(files, "/disk/data/.cairn"),
    nowSeconds: () => files.nowSeconds + 1000,
    ...{ isBusy: () => false, isSlotBusy: () => false },
    found: (finding) => found.push(finding),
    ...more,
  });
  const look = (with_: ScrubWorld) => {
    runSteps(scrubDirectory(with_, 0, 0));
    return with_.tally;
  };
  return { files, name, world, look, found, path: `/disk/data/${name.slice(4)}` };
}

test("what is not of a FastDFS storage is counted and not read", () => {
  const { files, world, look } = stage();
  writeFile(files, "/disk/data/00/00/readme", "x");
  files.makeDirectory("/disk/data/00/00/folder");
  expect(look(world())).toMatchObject({ files: 1, good: 1, foreign: 2, bytes: 7 });
});

test("a directory that cannot be listed ends nothing", () => {
  const { world, look, files } = stage();
  const list = (): never => {
    throw new FileError("EIO", "EIO: scandir");
  };
  const stat = files.stat.bind(files);
  expect(look(world({ files: { list, stat } }))).toMatchObject({ files: 0, closedDirectories: 1 });
});

test("what is being changed is passed over, and what is wrong only once is unsteady", () => {
  const { world, look, files, path, found } = stage();
  files.rot(path, 0);
  expect(look(world({ isBusy: () => true }))).toMatchObject({ damaged: 0, passedOver: 1 });
  const reads = cachedReads(files);
  let opened = 0;
  const disk = {
    open: (place: string) => {
      opened += 1;
      if (opened === 2) files.rot(path, 0);
      return reads.open(place);
    },
  };
  expect(look(world({ disk }))).toMatchObject({ good: 1, unsteady: 1, damaged: 0 });
  expect(found).toEqual([]);
});

test("what cannot be opened for a reason of its own is unreadable; a machine without room waits", () => {
  const { world, look, found } = stage();
  const failing = (code: string) => ({
    open: (): never => {
      throw new FileError(code, code);
    },
  });
  expect(look(world({ disk: failing("EACCES") }))).toMatchObject({ files: 1, unreadable: 1 });
  expect(found).toMatchObject([{ damage: "unreadable" }]);
  expect(() => look(world({ disk: failing("EMFILE") }))).toThrow("EMFILE");
});
