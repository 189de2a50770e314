import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { flowOfBytes } from "#net/byte-flow.ts";
import { CWire } from "../../../support/c-wire.ts";
import { statusOf } from "../../../support/live-node.ts";
import { MemorySyncStore } from "../../../support/memory-sync-store.ts";

const group = "group1";

function stage() {
  const store = new MemorySyncStore();
  const wire = new CWire(store);
  const { handlers, session } = wire;
  const create = (filename: string, text: string, headerStatus = 0) =>
    statusOf(
      handlers.syncCreateFile(
        { headerStatus, fileSize: text.length, timestamp: 50, group, filename },
        session,
        flowOfBytes(Buffer.from(headerStatus === 0 ? text : "")),
      ),
    );
  const range = (kind: "syncAppendFile" | "syncModifyFile", filename: string, offset: number) =>
    statusOf(
      handlers[kind](
        { offset, length: 3, timestamp: 51, group, filename },
        session,
        flowOfBytes(Buffer.from("abc")),
      ),
    );
  return { store, wire, handlers, session, create, range };
}

const appender = "M00/00/00/CgkAAmsDkLqEaconAAAAADUkQcI579.log";
const third = "M00/00/00/CgkAAmsDoW-Aa8rXAAAABTYQpoY625.txt";
const other = "M00/00/00/CgkAAmsDkLqERP_MAAAAAAAAAAA1106773";

test("a new file is stored, one that is there answers EEXIST, and EEXIST writes the record alone", async () => {
  const { store, create } = stage();
  expect(await create(appender, "12345")).toBe(0);
  expect(await create(appender, "12345")).toBe(17);
  expect(await create(other, "12345", 17)).toBe(17);
  expect(store.files.has(other)).toBe(false);
  expect(store.lines).toEqual([`50 c ${appender}`, `50 c ${other}`]);
});

test("appends and modifications: done, EEXIST where they are there, ENOENT where the whole file is wanted", async () => {
  const { create, range } = stage();
  expect(await range("syncAppendFile", appender, 0)).toBe(2);
  await create(appender, "12345");
  expect(await range("syncAppendFile", appender, 7)).toBe(2);
  expect(await range("syncAppendFile", appender, 5)).toBe(0);
  expect(await range("syncAppendFile", appender, 5)).toBe(17);
  expect(await range("syncModifyFile", appender, 2)).toBe(0);
  expect(await range("syncModifyFile", other, 2)).toBe(2);
});

test("a truncation that does not fit is called done once the whole file was had from the sender, and is to be repeated else", async () => {
  const { handlers, session, create, wire } = stage();
  const truncate = (oldSize: number, newSize: number) =>
    statusOf(
      Promise.resolve().then(() =>
        handlers.syncTruncateFile(
          { oldSize, newSize, timestamp: 52, group, filename: appender },
          session,
        ),
      ),
    );
  expect(await truncate(5, 2)).toBe(17);
  expect(wire.unfit).toEqual([appender]);
  wire.hasWhole = false;
  expect(await truncate(5, 2)).toBe(11);
  await create(appender, "12345");
  expect(await truncate(5, 2)).toBe(0);
  expect(await truncate(5, 2)).toBe(17);
  expect(wire.unfit.length).toBe(2);
});

test("deletions and renames say ENOENT where there is nothing, links never fail", async () => {
  const { handlers, session, create, store } = stage();
  const remove = (filename: string) =>
    statusOf(
      Promise.resolve().then(() =>
        handlers.syncDeleteFile({ timestamp: 53, group, filename }, session),
      ),
    );
  const rename = { timestamp: 54, group, filename: other, oldFilename: appender };
  const renamed = () =>
    statusOf(Promise.resolve().then(() => handlers.syncRenameFile(rename, session)));
  await create(appender, "12345");
  expect(await remove(appender)).toBe(0);
  expect(await remove(third)).toBe(2);
  expect(await renamed()).toBe(2);
  const link = { timestamp: 55, group, filename: other, sourceFilename: appender };
  expect(await statusOf(Promise.resolve().then(() => handlers.syncCreateLink(link, session)))).toBe(
    0,
  );
  // The deletion overtook what another storage has to say of the file.
  expect(await create(third, "123")).toBe(17);
  expect(store.files.size).toBe(0);
});

test("another group is invalid; times are noted for who named itself, or else for whose address it is", async () => {
  const { handlers, session, create, wire } = stage();
  const wrong = { timestamp: 1, group: "group2", filename: appender };
  expect(
    await statusOf(Promise.resolve().then(() => handlers.syncDeleteFile(wrong, session))),
  ).toBe(22);
  await create(appender, "12345");
  expect([...wire.receiver.received]).toEqual([["10.0.0.9", 50]]);
  await handlers.reportServerId({ id: StorageId("10.0.0.1") }, session);
  await create(other, "1");
  expect(wire.receiver.received.get(StorageId("10.0.0.1"))).toBe(50);
  const counts = new Map(wire.counters.entries());
  expect(counts.get("syncInBytes")).toEqual({ total: 6, success: 6 });
});
