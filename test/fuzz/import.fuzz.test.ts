/**
 * Goal: whatever stands on a foreign disk, all of it is told in bounded time, twice the same, and nothing lies outside of its file; and
 * whatever stands in a list is read as lines or left out. Method: what FastDFS has left with random bytes changed and random files added.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { foreignDiskFiles } from "#filestore/import/foreign-disk-files.ts";
import { type ForeignStep, foreignFiles, slotOfKey } from "#filestore/import/foreign-files.ts";
import { readList } from "#filestore/import/import-list.ts";
import type { Files } from "#platform/files.ts";
import { MemoryFiles } from "../support/memory-files.ts";
import { unpackStorePath, writeFile } from "../support/store-path-vectors.ts";

const maxSteps = 10_000;
const trunk = "/old/path1/data/00/00/000002";

function told(from: Files): readonly ForeignStep[] {
  const steps: ForeignStep[] = [];
  const files = foreignDiskFiles(from, "/old/path1");
  for (const step of foreignFiles({ directory: "/old/path1", index: 1, files })) {
    steps.push(step);
    if (steps.length > maxSteps) throw new Error("it does not come to its end");
  }
  return steps;
}

const change = fc.record({ at: fc.nat({ max: 4096 }), byte: fc.nat({ max: 255 }) });
const nameParts = fc.constantFrom(
  ...["fwBNAmsDxpmIPW_4AAAAEcH7iQQ", "AAAAAgAABAAAAAEA", "420", ".txt", "_big", "-m", "0000000"],
);
const names = fc.array(fc.array(nameParts, { minLength: 1, maxLength: 6 }), { maxLength: 6 });

/** Links to anywhere, and directories, where files or directories are expected. */
const places = fc.constantFrom(
  ...["00", "00/02", "02", "sync", "00/00/000001", "00/00/fwBNAmsDxeqEYyFLAAAAAHqFlRU142.log"],
);
const oddities = fc.array(
  fc.record({
    place: places,
    target: fc.constantFrom("directory", "/", ".", "..", "/secret", "/x/data/00/00/000002", "00"),
  }),
  { maxLength: 4 },
);

test("a disk with anything on it is walked to its end", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), names, oddities, (changes, added, odd) => {
      const files = new MemoryFiles("/old");
      unpackStorePath("trunk", files, "/old");
      const size = files.stat(trunk, false)?.sizeBytes ?? 0;
      const descriptor = files.open(trunk, "read-write");
      for (const { at, byte } of changes) {
        if (at < size) files.write(descriptor, Buffer.of(byte), at);
      }
      files.close(descriptor);
      for (const parts of added) writeFile(files, `/old/path1/data/00/00/${parts.join("")}`, "x");
      for (const { place, target } of odd) {
        const path = `/old/path1/data/${place}`;
        if (files.stat(path, false) !== undefined) continue;
        if (target === "directory") files.makeDirectory(path);
        else files.makeLink(path, target);
      }
      const steps = told(files as Files);
      expect(told(files as Files)).toEqual(steps);
      for (const step of steps) {
        if (step.kind !== "file") continue;
        const { path, offset, sizeBytes } = step.file.content;
        expect(path.startsWith("/old/path1/data/")).toBe(true);
        expect(files.stat(path, false)?.kind).toBe("file");
        expect(offset + sizeBytes).toBeLessThanOrEqual(files.stat(path, false)?.sizeBytes ?? 0);
      }
      expect(files.openFiles).toBe(0);
    }),
  );
});

test("any list is read", () => {
  const word = fc.constantFrom(
    "#",
    "begun",
    "done",
    "left",
    "group1/M00/00/00/a",
    "M00/00/00",
    "5",
  );
  const line = fc.array(fc.oneof(word, fc.string({ maxLength: 12 })), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const old = { group: "group1", newGroup: "group2", storePath: "M00" };
      const texts = lines.map((words) => words.join(" "));
      expect(readList(texts, old, slotOfKey).files).toBeLessThanOrEqual(lines.length);
    }),
  );
});
