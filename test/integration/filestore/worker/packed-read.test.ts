/** Packed files are read whole with their header, or piece by piece as long as they are there. */
import { expect, test } from "vitest";
import { commit } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked } from "../../../support/packed-fixture.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";
const packing = { trunkFileBytes: 2 ** 20, slotMaxBytes: 2 ** 19 };

function setUp() {
  const troubled = new TroubledFiles(new MemoryFiles(directory));
  return { troubled, ...openPacking({ files: troubled.files, directory, packing }) };
}

test("two readers of small files do not disturb each other", () => {
  const { engine } = setUp();
  const [one, two] = ["one", "two, longer"].map((text) => engine.openRead(putPacked(engine, text)));
  const target = Buffer.alloc(20);
  const read = (handle: typeof one, position: number, length: number): string => {
    const got = handle?.read(target.subarray(0, length), position) ?? 0;
    return target.toString("latin1", 0, got);
  };
  expect([read(one, 0, 2), read(two, 5, 20), read(one, 1, 20)]).toEqual(["on", "longer", "ne"]);
  expect([read(one, 3, 5), read(two, 99, 5)]).toEqual(["", ""]);
  one?.close();
  two?.close();
});

test("a small file is one call; a large one a call a piece, with a look at its header", () => {
  const { engine, troubled } = setUp();
  const small = putPacked(engine, Buffer.alloc(64 * 1024, "s"));
  const large = putPacked(engine, Buffer.alloc(64 * 1024 + 1, "l"));
  const target = Buffer.alloc(64 * 1024 + 1);
  troubled.arm({ kind: "none" });
  const handle = engine.openRead(small);
  expect(handle.read(target, 0)).toBe(64 * 1024);
  expect(troubled.trace).toEqual(["read"]);
  troubled.arm({ kind: "none" });
  expect(engine.openRead(large).read(target, 0)).toBe(64 * 1024 + 1);
  expect(troubled.trace).toEqual(["read", "read", "read"]);
  expect(target.every((byte) => byte === 0x6c)).toBe(true);
});

test("a file that is deleted, or whose slot is another's, while it is read ends the reading", () => {
  const { engine } = setUp();
  const name = putPacked(engine, Buffer.alloc(100_000, "x"));
  const handle = engine.openRead(name);
  const target = Buffer.alloc(1000);
  expect(handle.read(target, 50_000)).toBe(1000);
  commit(engine, engine.prepareRemove(name));
  expect(() => handle.read(target, 51_000)).toThrow("deleted while it was read");
  putPacked(engine, Buffer.alloc(100_000, "y"));
  expect(() => handle.read(target, 51_000)).toThrow("deleted while it was read");
});

test("a disk that fails is told as that, not as a file that is missing", () => {
  const { engine, troubled } = setUp();
  const name = putPacked(engine, "content");
  troubled.arm({ kind: "fail", atCall: 1, code: "EIO" });
  expect(() => engine.openRead(name)).toThrow("EIO");
  const large = engine.openRead(putPacked(engine, Buffer.alloc(100_000)));
  troubled.arm({ kind: "fail", atCall: 2, code: "EIO" });
  expect(() => large.read(Buffer.alloc(10), 0)).toThrow("EIO");
});
