import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { moveMarks, removeMarks } from "#sync/mark-files.ts";
import { MemorySyncStore } from "../../support/memory-sync-store.ts";

/** With two store paths. */
function store(): MemorySyncStore {
  const made = new MemorySyncStore();
  Object.defineProperty(made, "paths", { value: [{ index: 0 }, { index: 1 }] });
  for (const path of [0, 1]) {
    made.marks.set(`${path}/a.mark`, `mark ${path}`);
    made.marks.set(`${path}/a.aside.mark`, "aside");
  }
  return made;
}

test("marks go on under another name, unless one is there", async () => {
  const moved = store();
  moved.marks.set("1/b.mark", "newer");
  await moveMarks(moved, "a", "b");
  expect(Object.fromEntries(moved.marks)).toEqual({
    "0/b.mark": "mark 0",
    "0/b.aside.mark": "aside",
    "1/b.mark": "newer",
    "1/b.aside.mark": "aside",
  });
});

test("marks of who is gone are removed; a path that cannot be read is told at the end", async () => {
  const removed = store();
  await removeMarks(removed, "a");
  expect(removed.marks.size).toBe(0);
  const troubled = store();
  troubled.trouble = fileStoreError("store-path-offline", "gone");
  await expect(removeMarks(troubled, "a")).rejects.toThrow("gone");
});
