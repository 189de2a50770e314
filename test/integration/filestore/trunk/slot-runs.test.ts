/** Slots that lie side by side are written together, and fail together. */
import { expect, test } from "vitest";
import { maxRunBytes, SlotRuns } from "#filestore/trunk/slot-runs.ts";
import { TrunkDescriptors } from "#filestore/trunk/trunk-descriptors.ts";
import type { StagedChange } from "#filestore/worker/changes/staged-change.ts";
import { readText } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

function setUp() {
  const memory = new MemoryFiles("/t");
  for (const name of ["a", "b"]) writeFile(memory, `/t/${name}`, Buffer.alloc(3 * maxRunBytes));
  const troubled = new TroubledFiles(memory);
  const runs = new SlotRuns(troubled.files, new TrunkDescriptors(troubled.files));
  const add = (path: string, offset: number, content: string | Buffer) => {
    const slotSize = Math.max(100, content.length + 24);
    return runs.add({
      path,
      offset,
      slotSize,
      header: { slotSize, size: content.length, crc32: 1, timestamp: 2, tail: "123.txt" },
      content: Buffer.from(content as string),
    });
  };
  return { memory, troubled, runs, add };
}

test("neighbours are one write; others, other files and what is too much begin another", () => {
  const { memory, troubled, runs, add } = setUp();
  const first = add("/t/a", 200, "one");
  expect(add("/t/a", 300, "two")).toBe(first);
  expect(first).toMatchObject({ state: "open", length: 200 });
  const elsewhere = add("/t/a", 500, "three");
  expect(elsewhere).not.toBe(first);
  expect(first.state).toBe("written");
  const other = add("/t/b", 600, "four");
  const much = add("/t/b", 700, Buffer.alloc(maxRunBytes));
  expect(much).not.toBe(other);
  // Nothing is worth waiting for behind so much.
  expect(much.state).toBe("written");
  expect(other.state).toBe("written");
  expect(troubled.trace.filter((call) => call === "write").length).toBe(4);
  const text = readText(memory, "/t/a");
  expect(text.slice(224, 227) + text.slice(324, 327) + text.slice(524, 529)).toBe("onetwothree");
  expect(text.slice(227, 300)).toBe("\0".repeat(73));
  runs.settle(first);
});

test("a write that fails ends the changes of its run and no others", () => {
  const { troubled, runs, add } = setUp();
  const good = add("/t/a", 0, "good");
  const change = (run: unknown) => ({ run }) as unknown as StagedChange;
  const [one, two, three, four] = [
    change(good),
    change(add("/t/b", 0, "bad")),
    change(undefined),
    change(good),
  ] as const;
  const bad = add("/t/b", 100, "bad");
  const five = change(bad);
  troubled.arm({ kind: "fail", atCall: 1, code: "ENOSPC" });
  const failures = runs.stageTogether([one, two, three, four, five]);
  expect([...failures.keys()]).toEqual([two, five]);
  expect(failures.get(two)).toMatchObject({ code: "ENOSPC" });
  expect(runs.stageTogether([one, four]).size).toBe(0);
});

test("without its trunk file a run fails", () => {
  const { runs, add } = setUp();
  const run = add("/t/none", 0, "x");
  runs.settle(run);
  expect(run.state).toMatchObject({ code: "ENOENT" });
});
