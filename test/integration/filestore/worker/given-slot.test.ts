/** Slots of the group's trunk server: their file is made or extended, and a slot that is in use is refused. */
import { expect, test } from "vitest";
import { commit, put, readBack, readText } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked } from "../../../support/packed-fixture.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";

const directory = "/disk";
const slot = { high: 1, low: 2, fileId: 7, offset: 1024, size: 256 };
const target = { kind: "slot", extension: "txt", slot } as const;

function setUp() {
  const files = new MemoryFiles(directory);
  const { engine } = openPacking({ files, directory, packing: { mode: "served" } });
  return { files, engine, path: `${directory}/data/01/02/000007` };
}

test("the trunk file is on stable storage with its whole size before the first slot counts", () => {
  const { files, engine, path } = setUp();
  const name = put(engine, target, "content");
  files.powerCut();
  expect(readText(files, path).length).toBe(16 * 1024);
  const next = openPacking({ files, directory, seed: 2 });
  expect(readBack(next.engine, name).toString()).toBe("content");
});

test("a header that says nothing but a kind and sizes belongs to nobody; any other is in use", () => {
  const { files, engine, path } = setUp();
  put(engine, { ...target, slot: { ...slot, offset: 0 } }, "makes the file");
  const write = (offset: number, text: string): void => {
    const descriptor = files.open(path, "read-write");
    files.write(descriptor, Buffer.from(text, "latin1"), offset);
    files.close(descriptor);
  };
  write(1024, "F\0\0\x01\0\0\0\0\x05");
  expect(readBack(engine, put(engine, target, "x")).toString()).toBe("x");
  write(2048 + 9, "\x01");
  const other = { ...target, slot: { ...slot, offset: 2048 } };
  expect(() => put(engine, other, "x")).toThrow(expect.objectContaining({ code: "file-exists" }));
});

test("a slot in which a file begins further inside is in use; what is left over from deleted files is not", () => {
  const { files, engine, path } = setUp();
  const stored = put(engine, { ...target, slot: { ...slot, offset: 2048 } }, "acknowledged");
  const joined = { ...target, slot: { ...slot, offset: 1024, size: 4096 } };
  expect(() => put(engine, joined, "x")).toThrow(expect.objectContaining({ code: "file-exists" }));
  expect(readBack(engine, stored).toString()).toBe("acknowledged");
  commit(engine, engine.prepareRemove(stored));
  const descriptor = files.open(path, "read-write");
  files.write(descriptor, Buffer.from("F left over"), 3000);
  files.close(descriptor);
  expect(readBack(engine, put(engine, joined, "x")).toString()).toBe("x");
});

test("a short trunk file is extended; what cannot be one is refused", () => {
  const { files, engine, path } = setUp();
  files.makeDirectory(`${directory}/data/01`);
  files.makeDirectory(`${directory}/data/01/02`);
  writeFile(files, path, Buffer.alloc(100));
  const name = put(engine, target, "content");
  expect(readText(files, path).length).toBe(16 * 1024);
  commit(engine, engine.prepareRemove(name));
  expect(() => put(engine, { ...target, slot: { ...slot, low: 16 } }, "x")).toThrow("no directory");
  expect(() => put(engine, { ...target, slot: { ...slot, size: 30 } }, "long enough")).toThrow(
    "no room",
  );
});

test("a file of our own is none of the trunk server's", () => {
  const files = new MemoryFiles(directory);
  const { engine } = openPacking({ files, directory });
  putPacked(engine, "ours");
  const ours = { ...target, slot: { ...slot, high: 0, low: 0, fileId: 1 } };
  expect(() => put(engine, ours, "x")).toThrow("not the trunk server's");
});
