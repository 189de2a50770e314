import { expect, test } from "vitest";
import { FreeExtents } from "#filestore/trunk/free-extents.ts";
import { TrunkNotes } from "#filestore/trunk/trunk-notes.ts";
import { FileError } from "#platform/files.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";

const file = { id: 1, high: 0, low: 0, sizeBytes: 4096 };

test("notes are on stable storage when they are written, and read as they were", () => {
  const files = new MemoryFiles("/own");
  const notes = new TrunkNotes({ files, flushed: true, onFlushFailed: () => {} }, "/own");
  expect([notes.readFiles(), notes.readOpen()]).toEqual([undefined, undefined]);
  notes.writeFiles([file]);
  const free = new FreeExtents([{ offset: 8, size: 16 }]);
  notes.writeOpen({ position: { index: 0, offset: 5 }, open: [{ file, free }] });
  files.powerCut();
  expect(notes.readFiles()).toEqual({ files: [file], whole: true });
  const note = notes.readOpen();
  if (note === undefined || note === "damaged") throw new Error("no note");
  expect(note.position).toEqual({ index: 0, offset: 5 });
  expect(note.open.map((each) => [each.file, [...each.free]])).toEqual([
    [file, [{ offset: 8, size: 16 }]],
  ]);
  expect(files.openFiles).toBe(0);
});

test("a damaged note is said to be one", () => {
  const files = new MemoryFiles("/own");
  const notes = new TrunkNotes({ files, flushed: true, onFlushFailed: () => {} }, "/own");
  writeFile(files, "/own/trunk-open", "trunk-open 1 0 5\nfile");
  writeFile(files, "/own/trunk-files", "1 0 0 4096\nrubbish\nend 2\n");
  expect(notes.readOpen()).toBe("damaged");
  expect(notes.readFiles()).toEqual({ files: [file], whole: false });
});

test("a note in steps is left where a later one overtook it", () => {
  const files = new MemoryFiles("/own");
  const notes = new TrunkNotes({ files, flushed: true, onFlushFailed: () => {} }, "/own");
  const noteAt = (offset: number) => ({ position: { index: 0, offset }, open: [] });
  const offset = () => {
    const note = notes.readOpen();
    return note === undefined || note === "damaged" ? note : note.position.offset;
  };
  const steps = notes.writeOpenSteps(noteAt(1));
  expect(steps.next([]).value).toMatchObject([{ kind: "file" }]);
  notes.writeOpen(noteAt(2));
  expect(steps.next([]).done).toBe(true);
  expect(offset()).toBe(2);
  const later = notes.writeOpenSteps(noteAt(3));
  later.next([]);
  expect(later.next([]).value).toEqual([{ kind: "directory", path: "/own" }]);
  expect(later.next([]).done).toBe(true);
  expect(offset()).toBe(3);
  const failing = notes.writeOpenSteps(noteAt(4));
  failing.next([]);
  expect(() => failing.next([new FileError("EIO", "EIO")])).toThrow("EIO");
  expect([offset(), files.openFiles]).toEqual([3, 0]);
});
