import { expect, test } from "vitest";
import type { Caller } from "#control/caller.ts";
import { diskImportHandlers } from "#daemon/disk-import-operations.ts";

const caller = {} as Caller;

test("a disk or a directory goes to the imports, with the own group where none is named", async () => {
  const asked: unknown[] = [];
  const handlers = diskImportHandlers(
    () => ({
      imports: [],
      disk: (id) => {
        asked.push(id);
        return id;
      },
      directory: (...words) => {
        asked.push(words);
        return "an id";
      },
    }),
    () => "group1",
  );
  expect(await handlers.importDisk({ disk: "d" }, caller)).toEqual({ id: "d" });
  expect(await handlers.importDisk({ directory: "/old" }, caller)).toEqual({ id: "an id" });
  await handlers.importDisk({ directory: "/old", group: "group3", storePath: 2 }, caller);
  expect(asked).toEqual(["d", ["/old", "group1", 0], ["/old", "group3", 2]]);
  expect(await handlers.listImports({}, caller)).toEqual({ imports: [] });
  for (const input of [{}, { disk: "d", directory: "/old" }]) {
    expect(() => handlers.importDisk(input, caller)).toThrow("either a disk or a directory");
  }
  const none = diskImportHandlers(
    () => undefined,
    () => "group1",
  );
  expect(() => none.listImports({}, caller)).toThrow("stores no files");
});
