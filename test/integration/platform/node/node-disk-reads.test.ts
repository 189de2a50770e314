/** Reads past the cache give what ordinary reads give, at any place; what others have in the cache stays there where the file system takes direct reads. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type DiskReads, maxDiskRead } from "#platform/disk-reads.ts";
import { NodeDiskReads } from "#platform/node/node-disk-reads.ts";
import { systemCalls } from "#platform/node/node-system-calls.ts";
import { seededRandom } from "../../../support/seeded-random.ts";

const directory = mkdtempSync(join(tmpdir(), "cairn-disk-reads-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const calls = systemCalls();

function written(name: string, bytes: Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  const descriptor = openSync(path, "r+");
  fsyncSync(descriptor);
  closeSync(descriptor);
  return path;
}

function readAt(disk: DiskReads, path: string, { at, length }: { at: number; length: number }) {
  const file = disk.open(path);
  try {
    return Buffer.from(file.read(length, at));
  } finally {
    file.close();
  }
}

test("any range of a file reads as it was written, and less than asked for only at the end", () => {
  const random = seededRandom(3);
  const bytes = Buffer.from(random.bytes(2_000_123));
  const path = written("whole", bytes);
  const disk = new NodeDiskReads(calls && ((...range) => calls.forget(...range)));
  for (const size of [0, 1, 511, 4096, 5000]) {
    const small = written(`small-${size}`, bytes.subarray(0, size));
    expect(
      readAt(disk, small, { at: 0, length: maxDiskRead }).equals(bytes.subarray(0, size)),
    ).toBe(true);
  }
  for (let count = 0; count < 60; count += 1) {
    const at = random.below(bytes.length + 5000);
    const length = random.below(maxDiskRead + 10_000);
    const got = readAt(disk, path, { at, length });
    const expected = bytes.subarray(at, at + Math.min(length, maxDiskRead));
    expect(got.equals(expected), `${length} bytes at ${at}`).toBe(true);
  }
});

test("facts tell times to the nanosecond, and reading changes none of them", () => {
  const path = written("facts", Buffer.from("content"));
  utimesSync(path, 1_000_000_000, 1_600_000_000.25);
  const before = statSync(path, { bigint: true });
  const file = new NodeDiskReads().open(path);
  file.read(100, 0);
  expect(file.facts()).toEqual({
    kind: "file",
    sizeBytes: 7,
    modifiedNs: before.mtimeNs,
    changedNs: before.ctimeNs,
    inode: Number(before.ino),
  });
  expect(file.size()).toBe(7);
  file.close();
  expect(statSync(path, { bigint: true }).atimeNs).toBe(before.atimeNs);
});

test("a link is not followed, what is missing is told, and a directory has no size", () => {
  const disk = new NodeDiskReads();
  const link = join(directory, "link");
  symlinkSync("whole", link);
  expect(() => disk.open(link)).toThrow(expect.objectContaining({ code: "ELOOP" }));
  expect(() => disk.open(join(directory, "none"))).toThrow(
    expect.objectContaining({ code: "ENOENT" }),
  );
  const folder = join(directory, "folder");
  mkdirSync(folder);
  // A directory cannot be opened for direct reads everywhere.
  try {
    const opened = disk.open(folder);
    expect(opened.size()).toBe(undefined);
    opened.close();
  } catch (error) {
    expect(error).toMatchObject({ code: "EINVAL" });
  }
});

test("what was told in advance reads the same: of several files at once, of the next pieces, and where somebody goes on elsewhere", () => {
  // Goal: no byte of one read ever shows in another one, whatever was begun, dropped or too long for its file.
  // Method: random orders of telling, opening, reading and closing, compared with the content.
  const random = seededRandom(7);
  const contents = new Map<string, Buffer>();
  for (const size of [1, 4096, 5000, 65_536, 65_537, 1_048_576, 3_000_001]) {
    const bytes = Buffer.from(random.bytes(size));
    contents.set(written(`ahead-${size}`, bytes), bytes);
  }
  const paths = [...contents.keys()];
  const some = (): string => paths[random.below(paths.length)] as string;
  const disk = new NodeDiskReads();
  for (let round = 0; round < 150; round += 1) {
    for (let count = random.below(6); count > 0; count -= 1) {
      const path = some();
      // Now and then more than there is.
      disk.expect(path, (contents.get(path)?.length ?? 0) + random.below(2) * 9000);
    }
    if (random.below(10) === 0) disk.expectNothing();
    if (random.below(3) === 0) disk.begin();
    const path = some();
    const bytes = contents.get(path) as Buffer;
    const file = disk.open(path);
    let at = random.below(4) === 0 ? random.below(bytes.length) : 0;
    for (let piece = 0; piece < 4 && at < bytes.length; piece += 1) {
      const length = random.below(2) === 0 ? maxDiskRead : 4096 * (1 + random.below(64));
      const got = file.read(length, at);
      if (random.below(2) === 0) file.ahead?.(length, at + got.length);
      if (random.below(2) === 0) file.ahead?.(length, at + got.length + length);
      const wanted = bytes.subarray(at, at + length);
      expect(got.equals(wanted), `${length} of ${path} at ${at}`).toBe(true);
      at += random.below(8) === 0 ? 1 + random.below(5000) : got.length;
    }
    file.close();
  }
  disk.close();
  expect(disk.expect(some(), 100)).toBe(false);
});

test("a file that is gone, or is a link, is told by its opening, not by being expected", () => {
  const disk = new NodeDiskReads();
  const path = join(directory, "expected-none");
  disk.expect(path, 100);
  expect(() => disk.open(path)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  disk.close();
});
