import { expect, test } from "vitest";
import type { LogRecord } from "#base/log.ts";
import { FileError } from "#platform/files.ts";
import { commit, readBack, viewOf } from "../../../../support/engine-fixture.ts";
import {
  directory,
  journalBytes,
  open,
  openJournaled,
  staged,
} from "../../../../support/journal-stage.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { putPacked } from "../../../../support/packed-fixture.ts";
import { seededRandom } from "../../../../support/seeded-random.ts";
import { writeFile } from "../../../../support/store-path-vectors.ts";

const own = `${directory}/data/.cairn`;

test("what the journal alone had on stable storage is there after a power cut", () => {
  const files = new MemoryFiles(directory);
  const { engine } = openJournaled(files);
  const names = ["first", "second"].map((content) => putPacked(engine, content));
  const gone = putPacked(engine, "gone");
  commit(engine, engine.prepareRemove(gone));
  files.powerCut();
  const logs: LogRecord[] = [];
  const again = open(files, logs).engine;
  expect(names.map((name) => readBack(again, name).toString())).toEqual(["first", "second"]);
  expect(() => again.openRead(gone)).toThrow();
  expect(logs.map(({ event }) => event)).toContain("journal-replayed");
});

test("after an orderly end the journal counts no more", () => {
  const files = new MemoryFiles(directory);
  const { engine } = openJournaled(files);
  const name = putPacked(engine, "content");
  engine.close();
  files.powerCut();
  const logs: LogRecord[] = [];
  expect(readBack(open(files, logs).engine, name).toString()).toBe("content");
  expect(logs.map(({ event }) => event)).not.toContain("journal-replayed");
});

test("space that was given to a file which the journal did not take is left alone", () => {
  const files = new MemoryFiles(directory);
  const { engine } = openJournaled(files);
  const small = putPacked(engine, "in the journal");
  commit(engine, engine.prepareRemove(small));
  // Fills the freed space as well, and is flushed by itself.
  const large = Array.from({ length: 30 }, (_, at) => staged(engine, `${at} `.repeat(900)));
  engine.commit(large);
  files.powerCut();
  const again = open(files).engine;
  for (const [at, { result }] of large.entries()) {
    expect(readBack(again, result ?? "").toString()).toBe(`${at} `.repeat(900));
  }
});

test("a check after a failed flush writes again what the journal alone may have", () => {
  const files = new MemoryFiles(directory);
  const { engine } = openJournaled(files);
  const name = putPacked(engine, "content");
  expect(engine.runNow(engine.check(true))).toBeGreaterThan(0);
  // As if the journal had been lost afterwards.
  for (const number of [0, 1]) files.remove(`${directory}/data/.cairn/journal.${number}`);
  files.flushDirectory(`${directory}/data/.cairn`);
  files.powerCut();
  expect(readBack(open(files).engine, name).toString()).toBe("content");
});

test("a journal of rubbish is no journal", () => {
  const files = new MemoryFiles(directory);
  const { engine } = openJournaled(files);
  const name = putPacked(engine, "content");
  engine.close();
  const random = seededRandom(3);
  for (const number of [0, 1]) {
    const path = `${directory}/data/.cairn/journal.${number}`;
    const descriptor = files.open(path, "read-write");
    files.write(descriptor, random.bytes(journalBytes / 2), 0);
    files.flush(descriptor);
    files.close(descriptor);
  }
  files.remove(`${directory}/data/.cairn/state`);
  files.flushDirectory(`${directory}/data/.cairn`);
  expect(readBack(open(files).engine, name).toString()).toBe("content");
});

/** What there is of the journal. */
function segments(files: MemoryFiles): readonly string[] {
  return (files.list(own) ?? []).filter((name) => name.startsWith("journal.")).sort();
}

test("a journal that is not wanted any more is removed when all that it holds is on the disk", () => {
  for (const settings of [{ journalBytes: 0 }, { durability: "relaxed" }] as const) {
    for (const end of ["orderly", "kill", "power-cut"]) {
      const files = new MemoryFiles(directory);
      const { engine } = openJournaled(files);
      const name = putPacked(engine, "in the journal alone");
      const gone = putPacked(engine, "gone");
      commit(engine, engine.prepareRemove(gone));
      writeFile(files, `${own}/journal.1.new`, "of a run that did not end");
      expect(segments(files)).toEqual(["journal.0", "journal.1", "journal.1.new"]);
      if (end === "orderly") engine.close();
      if (end === "power-cut") files.powerCut();
      open(files, [], settings);
      expect(segments(files)).toEqual([]);
      files.powerCut();
      const again = open(files, [], settings).engine;
      expect(readBack(again, name).toString()).toBe("in the journal alone");
      expect(() => again.openRead(gone)).toThrow();
      expect(viewOf(files, directory).binlog).toContain(`${name}\n`);
    }
  }
});

test("it stays where a start on a full disk cannot note that it counts no more", () => {
  const files = new MemoryFiles(directory);
  const name = putPacked(openJournaled(files).engine, "in the journal alone");
  const { open: openFile } = files;
  files.open = (path, mode) => {
    if (path.endsWith("state.new")) throw new FileError("ENOSPC", "full");
    return openFile.call(files, path, mode);
  };
  const full = open(files, [], { journalBytes: 0 }).engine;
  expect(readBack(full, name).toString()).toBe("in the journal alone");
  expect(segments(files)).toEqual(["journal.0", "journal.1"]);
  files.open = openFile;
  open(files, [], { journalBytes: 0 });
  expect(segments(files)).toEqual([]);
});

test("one that cannot be removed keeps nobody from the path", () => {
  const files = new MemoryFiles(directory);
  openJournaled(files).engine.close();
  files.remove = (path) => {
    throw new FileError("EIO", `EIO: ${path}`, path);
  };
  const logs: LogRecord[] = [];
  open(files, logs, { journalBytes: 0 });
  expect(logs.map(({ event }) => event)).toContain("journal-not-removed");
});
