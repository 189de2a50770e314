/** Files of the person at the command line, on a real file system. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { nodeLocalFiles as files } from "#platform/node/node-local-files.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("bytes are written and read at places", async () => {
  const path = new TestWorld().path("f");
  await using file = await files.open(path, "create");
  await file.write(Buffer.from("world"), 6);
  await file.write(Buffer.from("hello "), 0);
  await file.flush();
  const target = Buffer.alloc(20);
  expect(await file.read(target, 0)).toBe(11);
  expect(String(target.subarray(0, 11))).toBe("hello world");
  expect(await file.read(target, 11)).toBe(0);
  await file.truncate(5);
  expect(await file.stat()).toMatchObject({ kind: "file", sizeBytes: 5 });
});

test("each way of opening does what it says", async () => {
  const path = new TestWorld().path("f");
  await expect(files.open(path, "read")).rejects.toMatchObject({ code: "ENOENT", path });
  await (await files.open(path, "create")).close();
  await expect(files.open(path, "create")).rejects.toMatchObject({ code: "EEXIST" });
  writeFileSync(path, "kept");
  await using file = await files.open(path, "update");
  expect((await file.stat()).sizeBytes).toBe(4);
});

test("what is absent is undefined, what is wrong is an error with its sentence", async () => {
  const world = new TestWorld();
  mkdirSync(world.path("d"));
  writeFileSync(world.path("f"), "x");
  symlinkSync(world.path("loop"), world.path("loop"));
  expect(await files.stat(world.path("none"))).toBeUndefined();
  expect(await files.stat(world.path("f/none"))).toBeUndefined();
  expect(await files.readText(world.path("none"))).toBeUndefined();
  expect(await files.remove(world.path("none"))).toBe(false);
  expect(await files.stat(world.path("d"))).toMatchObject({ kind: "directory" });
  expect(await files.stat("/dev/null")).toMatchObject({ kind: "other" });
  await expect(files.readText(world.path("d"))).rejects.toThrow(
    `${world.path("d")}: it is a directory`,
  );
  await expect(files.stat(world.path("loop"))).rejects.toMatchObject({ code: "ELOOP" });
});

test("text is replaced as a whole, and nothing else is left", async () => {
  const world = new TestWorld();
  for (const text of ["one", "two"]) await files.writeText(world.path("f"), text);
  expect(await files.readText(world.path("f"))).toBe("two");
  await files.rename(world.path("f"), world.path("g"));
  expect(readdirSync(world.directory)).toEqual(["g"]);
  expect(await files.remove(world.path("g"))).toBe(true);
});

test("a temporary file has no name", async () => {
  await using file = await files.openTemporary();
  await file.write(Buffer.from("x"), 0);
  expect((await file.stat()).sizeBytes).toBe(1);
});

test("a file system is that of the nearest directory, and tells its space", async () => {
  const world = new TestWorld();
  const here = await files.fileSystemOf(world.directory);
  const there = await files.fileSystemOf(world.path("not/there/yet"));
  expect([there.type, there.mountPoint, there.device, there.totalBytes]).toEqual([
    here.type,
    here.mountPoint,
    here.device,
    here.totalBytes,
  ]);
  expect(here.type).not.toBe("");
  expect(here.freeBytes).toBeGreaterThan(0);
  expect(here.totalBytes).toBeGreaterThan(here.freeBytes);
  expect((await files.fileSystemOf("/proc")).type).toBe("proc");
});

test("whether a directory can be written is found out without leaving anything", async () => {
  const world = new TestWorld();
  await files.probeWrite(world.directory);
  expect(readdirSync(world.directory)).toEqual([]);
  await expect(files.probeWrite(world.path("none"))).rejects.toMatchObject({ code: "ENOENT" });
  await expect(files.probeWrite("/proc")).rejects.toMatchObject({ code: expect.any(String) });
});
