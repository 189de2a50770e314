/** The real calls, on files of this machine: what is in the kernel's memory is read, and nothing else is. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { present } from "#base/assert.ts";
import { residentFiles } from "#platform/node/node-resident-files.ts";
import { pattern } from "../../../support/frame-fixture.ts";
import { type Need, needs, program } from "../../../support/needs.ts";
import { SmallFileSystem, smallFileSystemNeeds } from "../../../support/small-file-system.ts";

const files = residentFiles();
const resident: Need = {
  what: "node:ffi, openat2 and cachestat",
  present: files !== undefined,
  how: "Linux 6.5 or newer",
};
const residentTest = needs(resident);
const memory = new SharedArrayBuffer(100_000);
const offset = 64;
const content = pattern(5000);
let folder = "";

beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "cairn-resident-"));
});

afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

function reader() {
  return present(files, "resident files").readerInto(memory);
}

function newFile(name: string, bytes: Uint8Array = content): string {
  const path = join(folder, name);
  fs.writeFileSync(path, bytes);
  return path;
}

function inMemory(length: number): Buffer {
  return Buffer.from(memory).subarray(offset, offset + length);
}

residentTest("a whole file of the size that was said is read, and one of another is not", () => {
  const path = newFile("whole ä");
  expect(reader().readWhole(path, offset, content.length)).toBe(true);
  expect(inMemory(content.length).equals(content)).toBe(true);
  for (const size of [0, 1, 4096, 4999, 5001, 9000]) {
    expect(reader().readWhole(path, offset, size), `${size} bytes`).toBe(false);
  }
  expect(reader().readWhole(newFile("empty", Buffer.alloc(0)), offset, 0)).toBe(true);
});

residentTest("what is no file, or is not there, is nothing, and nobody waits for it", () => {
  const path = newFile("target");
  const link = join(folder, "link");
  const pipe = join(folder, "pipe");
  fs.symlinkSync(path, link);
  execFileSync("mkfifo", [pipe]);
  const missing = join(folder, "missing");
  const long = join(folder, "x".repeat(5000));
  for (const each of [link, pipe, folder, missing, `${path}/below`, long, ""]) {
    expect(reader().readWhole(each, offset, content.length), each).toBe(false);
    expect(reader().stat(each), each).toBeUndefined();
  }
});

residentTest(
  "size and time of a file with one name are told, of one with more they are not",
  () => {
    const path = newFile("told");
    fs.utimesSync(path, 1_700_000_000.75, 1_700_000_000.75);
    const told = { sizeBytes: content.length, modifiedSeconds: 1_700_000_000 };
    expect(reader().stat(path)).toEqual(told);
    fs.linkSync(path, join(folder, "other name"));
    expect(reader().stat(path)).toBeUndefined();
  },
);

residentTest("reading notes no time, and leaves no descriptor open", () => {
  const path = newFile("quiet");
  fs.utimesSync(path, 1_000_000_000, 1_700_000_000);
  const before = fs.readdirSync("/proc/self/fd").length;
  for (let round = 0; round < 50; round += 1) {
    expect(reader().readWhole(path, offset, content.length)).toBe(true);
    reader().stat(path);
    reader().readWhole(join(folder, "nothing"), offset, 1);
  }
  expect(fs.readdirSync("/proc/self/fd").length).toBe(before);
  expect(fs.statSync(path).atimeMs).toBe(1e12);
});

needs(
  ...smallFileSystemNeeds,
  program("dd", { apt: "coreutils" }),
  resident,
)("what is on the disk alone is not read, until somebody else has read it", () => {
  using disk = new SmallFileSystem(16);
  expect(files?.serves(fs.statSync(disk.path).dev)).toBe(true);
  const path = join(disk.path, "cold");
  fs.writeFileSync(path, pattern(16_000));
  expect(reader().readWhole(path, offset, 16_000)).toBe(true);
  // With a count of 0, `dd` flushes the file and has the kernel forget its pages.
  const forget = [`of=${path}`, "oflag=nocache", "conv=notrunc,fsync", "count=0"];
  execFileSync("dd", forget, { stdio: ["ignore", "ignore", "ignore"] });
  // The second look finds nothing either: the first one has not begun to read.
  expect(reader().readWhole(path, offset, 16_000)).toBe(false);
  expect(reader().readWhole(path, offset, 16_000)).toBe(false);
  expect(fs.readFileSync(path).equals(pattern(16_000))).toBe(true);
  expect(reader().readWhole(path, offset, 16_000)).toBe(true);
});

residentTest(
  "file systems in memory and in user space are not served, nor what is no device",
  () => {
    const { serves } = present(files, "resident files");
    const asked = (device: number) => serves.call(files, device);
    expect(asked(fs.statSync("/proc").dev)).toBe(false);
    expect(asked(fs.statSync("/dev/shm").dev)).toBe(false);
    expect(asked(0)).toBe(false);
  },
);
