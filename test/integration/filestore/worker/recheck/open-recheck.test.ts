/** What a start notes before anything else. */
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import type { EngineState } from "#filestore/formats/engine-state.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { findDoubts } from "#filestore/worker/recheck/open-recheck.ts";
import { readRecheckNote } from "#filestore/worker/recheck/recheck.ts";
import { FileError } from "#platform/files.ts";
import { readText } from "../../../../support/engine-fixture.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { seededRandom } from "../../../../support/seeded-random.ts";
import { writeFile } from "../../../../support/store-path-vectors.ts";

const own = "/disk/data/.cairn";
const end = { index: 0, offset: 500 };
const state: EngineState = {
  ...{ version: 1, subdirCount: 16, checkpoint: { index: 0, offset: 0 }, clean: false },
  settled: { position: { index: 0, offset: 100 }, since: 1_699_999_000 },
};

function stage() {
  const files = new MemoryFiles("/disk", "/disk/data", own);
  const events: string[] = [];
  const log = new Log("test", ({ event }) => events.push(event));
  const parts = { files, clock: new ManualClock(), random: seededRandom(1), log };
  const layout = new FileLayout("/disk", 0);
  const find = (found: EngineState | "damaged", timestamp = 1_699_999_999) => {
    const entry = { kind: "create", name: "M00/00/00/x", replica: false, timestamp } as const;
    const record = { entry, line: "", start: end, end };
    return findDoubts(parts, layout, { state: found, end, recent: [record], flushed: false });
  };
  return { files, events, find };
}

test("doubts are on the disk, for good, when the start goes on", () => {
  const { files, events, find } = stage();
  const note = find(state);
  expect(note).toMatchObject({ why: "power-cut", since: 1_699_999_000, walks: true });
  expect(events).toEqual(["files-in-doubt"]);
  files.powerCut();
  expect(readRecheckNote(files, own)).toEqual(note);
});

test("without doubts nothing is written, and an old note stays as it is", () => {
  const { files, events, find } = stage();
  const rested = { ...state, clean: true, settled: { position: end, since: 1 } };
  expect(find(rested)).toBe(undefined);
  expect(files.list(own)).toEqual([]);
  find(state);
  const text = readText(files, `${own}/recheck`);
  expect(find(rested)).toMatchObject({ walks: true });
  expect(readText(files, `${own}/recheck`)).toBe(text);
  expect(events).toEqual(["files-in-doubt"]);
});

test("a note that cannot be read leaves everything in doubt, as young as the newest records, by a clock that is right", () => {
  const { files, events, find } = stage();
  writeFile(files, `${own}/recheck`, "why=");
  expect(find("damaged")).toMatchObject({ why: "binlog-lost", since: 1_699_998_799 });
  expect(events).toContain("recheck-note-damaged");
  files.remove(`${own}/recheck`);
  expect(find("damaged", 1_800_000_000)?.since).toBe(0);
});

test("a full disk is looked through without a note; another failure ends the start", () => {
  for (const code of ["ENOSPC", "EIO"]) {
    const { files, events, find } = stage();
    files.write = () => {
      throw new FileError(code, `${code}: refused`);
    };
    if (code === "EIO") {
      expect(() => find(state)).toThrow("EIO");
    } else {
      expect(find(state)).toMatchObject({ walks: true });
      expect(events).toContain("recheck-not-noted");
    }
  }
});
