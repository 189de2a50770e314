/** The list of damaged files: kept over restarts, bounded, and left out line by line where it is damaged. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Finding } from "#filestore/scrub/findings.ts";
import { maxDamaged } from "#filestore/scrub/limits.ts";
import {
  DamagedFiles,
  formatDamaged,
  parseDamaged,
} from "#filestore/worker/scrub/damaged-files.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { writeFile } from "../../../../support/store-path-vectors.ts";

const finding: Finding = {
  place: "00/01/name.jpg",
  damage: "content",
  sizeBytes: 5,
  crc32: 7,
  region: undefined,
};
const region = { fileId: 1, offset: 4096, size: 1024, before: undefined };
const packed: Finding = {
  ...{ place: "00/01/000001@4096", sizeBytes: 1024, crc32: undefined, region },
  damage: "slot-header",
};

test("a line reads as it was written, and any other text is none", () => {
  for (const each of [finding, packed, { ...packed, region: { ...region, before: 0 } }]) {
    const file = { ...each, state: "aside", since: 1_700_000_000 } as const;
    expect(parseDamaged(formatDamaged(file))).toEqual(file);
  }
  fc.assert(
    fc.property(fc.string(), (line) => {
      const parsed = parseDamaged(line);
      expect(parsed === undefined || formatDamaged(parsed) === line).toBe(true);
    }),
  );
});

test("what was found is known after a restart, with what became of it", () => {
  const files = new MemoryFiles("/own");
  const damaged = new DamagedFiles(files, "/own");
  damaged.add(finding, 100);
  damaged.add(packed, 101);
  damaged.setState(finding.place, "aside");
  damaged.add({ ...finding, damage: "size" }, 200);
  damaged.save();
  const again = new DamagedFiles(files, "/own");
  expect(again.all).toEqual([
    { ...finding, state: "aside", since: 100 },
    { ...packed, state: "found", since: 101 },
  ]);
  again.remove(finding.place);
  again.remove(packed.place);
  again.save();
  expect(files.list("/own")).toEqual([]);
  writeFile(
    files,
    "/own/scrub-damaged",
    `rubbish\n${formatDamaged({ ...finding, state: "lost", since: 1 })}\n`,
  );
  expect(new DamagedFiles(files, "/own").total).toBe(1);
});

test("more than it keeps in mind are counted", () => {
  const damaged = new DamagedFiles(new MemoryFiles("/own"), "/own");
  for (let at = 0; at < maxDamaged + 5; at += 1) {
    damaged.add({ ...finding, place: `00/01/${at}` }, 1);
  }
  expect(damaged.all).toHaveLength(maxDamaged);
  expect(damaged.total).toBe(maxDamaged + 5);
});
