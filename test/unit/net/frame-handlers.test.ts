/** The table that a server looks commands up in. */
import { expect, test } from "vitest";
import { addHandlers, type HandlerEntry } from "#net/frame-handlers.ts";
import { common } from "#protocol/fastdfs/common.ts";
import { storageMetadata } from "#protocol/fastdfs/storage-metadata.ts";

test("families are added by command number, each message with its own handler", () => {
  const table = new Map<number, HandlerEntry<undefined>>();
  const activeTest = (): void => {};
  const quit = (): void => {};
  addHandlers(table, common, { activeTest, quit });
  addHandlers(table, storageMetadata, {
    setMetadata: () => {},
    getMetadata: () => ({ metadata: new Uint8Array(0) }),
  });
  expect([...table.keys()].sort((one, other) => one - other)).toEqual([13, 15, 82, 111]);
  expect(table.get(111)).toEqual({ message: common.activeTest, handle: activeTest });
  expect(table.get(82)?.handle).toBe(quit);
});
