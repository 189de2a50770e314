/** The copying of a store path on real directories: whatever changes, a last pass over a path at rest makes it the same. */
import {
  appendFileSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { removeTree } from "#filestore/move/tree-copy.ts";
import { makeBase, makeTail } from "#model/file-base.ts";
import type { DiskReads } from "#platform/disk-reads.ts";
import { FileError } from "#platform/files.ts";
import { NodeDiskReads } from "#platform/node/node-disk-reads.ts";
import { NodeMoveFiles } from "#platform/node/node-move-files.ts";
import { MoveStage, treeOf } from "../../../support/move-stage.ts";

const oldSeconds = 1_700_000_000;

function put(stage: MoveStage, place: string, content: string | Uint8Array): string {
  const path = join(stage.source, "data", place);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  utimesSync(path, oldSeconds, oldSeconds);
  return path;
}

const unfinished = (stage: MoveStage): string => `${stage.target}.moving`;

/** Reads that fail for these places, as a disk does that has bad blocks. */
function badReads(isBad: (path: string) => boolean): DiskReads {
  const real = new NodeDiskReads();
  return {
    open: (path) => {
      const file = real.open(path);
      if (!isBad(path)) return file;
      const fail = (): never => {
        throw new FileError("EIO", "EIO: i/o error, read", path);
      };
      return {
        facts: () => file.facts(),
        size: () => file.size(),
        read: fail,
        close: () => file.close(),
      };
    },
  };
}

test("names, contents, times, shared files, links and holes are the same at the other place", () => {
  using stage = new MoveStage();
  put(stage, "00/00/a", "content");
  utimesSync(put(stage, "00/01/empty", ""), 1_600_000_000, 1_600_000_000);
  const first = put(stage, "00/02/first", "shared");
  linkSync(first, join(stage.source, "data/00/00/second"));
  symlinkSync("../x", join(stage.source, "data/00/00/link"));
  const sparse = put(stage, "00/03/000001", "");
  truncateSync(sparse, 64 * 1024 * 1024);
  const descriptor = openSync(sparse, "r+");
  writeSync(descriptor, Buffer.from("in the middle"), 0, 13, 33 * 1024 * 1024 + 5);
  closeSync(descriptor);
  writeFileSync(join(stage.source, "data/.cairn/state"), "state");
  writeFileSync(join(stage.source, "data/.cairn/claim"), "");
  const { files, bytes, copiedFiles } = stage.copy();
  expect({ files, copiedFiles }).toEqual({ files: 6, copiedFiles: 5 });
  expect(bytes).toBe(7 + 6 + 6 + 64 * 1024 * 1024 + 5);
  rmSync(join(stage.source, "data/.cairn/claim"));
  expect(treeOf(join(unfinished(stage), "data/00"))).toEqual(treeOf(join(stage.source, "data/00")));
  expect(readFileSync(join(unfinished(stage), "data/.cairn/state"), "utf8")).toBe("state");
  expect(readlinkSync(join(unfinished(stage), "data/00/00/link"))).toBe("../x");
  const copy = statSync(join(unfinished(stage), "data/00/03/000001"));
  expect(copy.blocks * 512).toBeLessThan(1024 * 1024);
  expect(existsSync(join(unfinished(stage), "data/.cairn/claim"))).toBe(false);
});

test("what is there already is not copied again, what changed, came or went is", async () => {
  using stage = new MoveStage();
  for (let file = 0; file < 50; file += 1)
    put(stage, `00/0${file % 7}/f${file}`, `content ${file}`);
  // A copy counts when the source has been at rest for two seconds.
  await new Promise((resolve) => setTimeout(resolve, 2100));
  expect(stage.copy().copiedFiles).toBe(50);
  expect(stage.copy().copiedFiles).toBe(0);
  appendFileSync(join(stage.source, "data/00/01/f1"), "more");
  // A change that only the time that nobody can set shows.
  put(stage, "00/02/f2", "CONTENT 2");
  rmSync(join(stage.source, "data/00/03/f3"));
  put(stage, "00/04/new", "new");
  renameSync(join(stage.source, "data/00/05/f5"), join(stage.source, "data/00/06/renamed"));
  expect(stage.copy().copiedFiles).toBeLessThanOrEqual(4);
  expect(treeOf(unfinished(stage))).toEqual(treeOf(stage.source));
});

test("a copy that was broken off goes on; half a file never counts", async () => {
  using stage = new MoveStage();
  for (let file = 0; file < 20; file += 1)
    put(stage, `00/00/f${file}`, Buffer.alloc(100_000, file));
  await new Promise((resolve) => setTimeout(resolve, 2100));
  let reads = 0;
  const real = new NodeDiskReads();
  stage.reads = {
    open: (path) => {
      reads += 1;
      if (reads === 12) stage.stop();
      return real.open(path);
    },
  };
  const { source, target } = stage;
  expect(stage.run({ kind: "copy", source, target }).post).toBe("stopped");
  // As a kill leaves it: a file of the right size with other content.
  writeFileSync(join(unfinished(stage), "data/00/00/f9"), Buffer.alloc(100_000, 77));
  new Int32Array(stage.words).fill(0);
  stage.reads = real;
  const { copiedFiles } = stage.copy();
  expect(copiedFiles).toBeGreaterThan(5);
  expect(copiedFiles).toBeLessThan(20);
  expect(treeOf(unfinished(stage))).toEqual(treeOf(stage.source));
});

test("what changes while it is copied is copied again by the next pass", () => {
  using stage = new MoveStage();
  const path = put(stage, "00/00/grows", Buffer.alloc(3 * 1024 * 1024, 1));
  const real = new NodeDiskReads();
  let changes = 1;
  stage.reads = {
    open: (name) => {
      const file = real.open(name);
      return {
        facts: () => file.facts(),
        size: () => file.size(),
        close: () => file.close(),
        read: (length, position) => {
          const piece = file.read(length, position);
          // Behind what was read, and with its old time: nothing but the change itself tells.
          if (changes-- > 0) {
            const descriptor = openSync(path, "r+");
            writeSync(descriptor, Buffer.from("changed"), 0, 7, 0);
            closeSync(descriptor);
            utimesSync(path, oldSeconds, oldSeconds);
          }
          return piece;
        },
      };
    },
  };
  stage.copy("copy");
  stage.copy();
  expect(treeOf(unfinished(stage))).toEqual(treeOf(stage.source));
});

test("a file that its disk does not give is named, and everything else is copied", () => {
  using stage = new MoveStage();
  put(stage, "00/00/well", "well");
  put(stage, "00/01/bad", "bad");
  put(stage, ".cairn/aside/remains", "what is left");
  stage.reads = badReads((path) => path.endsWith("/bad") || path.endsWith("/remains"));
  const found = stage.copy();
  expect(found).toMatchObject({ unreadable: ["00/01/bad"], unreadableTotal: 1 });
  expect(Object.keys(treeOf(unfinished(stage)))).toEqual(["data/00/00/well"]);
  stage.reads = new NodeDiskReads();
  expect(stage.copy().unreadable).toEqual([]);
  expect(treeOf(unfinished(stage))).toEqual(treeOf(stage.source));
});

test("a target that fails ends the copy, and no file of the source is blamed", () => {
  using stage = new MoveStage();
  put(stage, "00/00/a", "a");
  stage.files = Object.assign(new NodeMoveFiles(), {
    write: () => {
      throw new FileError("EIO", "EIO: i/o error, write");
    },
  });
  const { source, target } = stage;
  expect(stage.run({ kind: "copy", source, target })).toMatchObject({
    post: "failed",
    code: "disk-failed",
  });
});

test("content that is not what the name says is named as well, and copied as it is", () => {
  using stage = new MoveStage();
  const name = (content: string): string => {
    const source = { kind: "address", address: "10.0.0.1" } as const;
    const told = { timestamp: 1_700_000_000, size: content.length, crc32: crc32(content) };
    const tail = makeTail("bin", 12_345);
    return makeBase({ ...told, source, kind: "normal", randomBits: 7, tail });
  };
  put(stage, `00/00/${name("good")}`, "good");
  const bad = `00/01/${name("rotten")}`;
  put(stage, bad, "Rotten");
  expect(stage.copy().rotten).toEqual([bad]);
  expect(treeOf(unfinished(stage))).toEqual(treeOf(stage.source));
});

test("a tree is removed with everything in it", () => {
  using stage = new MoveStage();
  put(stage, "00/00/a", "a");
  removeTree(new NodeMoveFiles(), stage.source, () => {});
  expect(existsSync(stage.source)).toBe(false);
  removeTree(new NodeMoveFiles(), stage.source, () => {});
});

type Change = {
  readonly file: number;
  readonly what: "write" | "append" | "remove" | "link" | "truncate";
  readonly seed: number;
};

const anyChanges = fc.array(
  fc.record({
    file: fc.nat(9),
    what: fc.constantFrom("write", "append", "remove", "link", "truncate") as fc.Arbitrary<
      Change["what"]
    >,
    seed: fc.nat(255),
  }),
  { maxLength: 15 },
);

function change(stage: MoveStage, { file, what, seed }: Change): void {
  const place = `0${file % 3}/00/f${file}`;
  const path = join(stage.source, "data", place);
  if (what === "write" || !existsSync(path)) put(stage, place, Buffer.alloc(seed * 37, seed));
  else if (what === "append") appendFileSync(path, Buffer.alloc(seed, 1));
  else if (what === "remove") rmSync(path);
  else if (what === "truncate") truncateSync(path, Math.floor(statSync(path).size / 2));
  else {
    const other = join(stage.source, "data", `0${seed % 3}/00/f${seed % 10}`);
    mkdirSync(dirname(other), { recursive: true });
    if (!existsSync(other)) linkSync(path, other);
  }
}

test("whatever changes between passes, the last one makes both the same", () => {
  fc.assert(
    fc.property(fc.array(anyChanges, { minLength: 1, maxLength: 4 }), (rounds) => {
      using stage = new MoveStage();
      for (const changes of rounds) {
        for (const each of changes) change(stage, each);
        stage.copy("copy");
      }
      for (const each of rounds[0] ?? []) change(stage, each);
      const { files, bytes } = stage.copy();
      const tree = treeOf(stage.source);
      expect(treeOf(unfinished(stage))).toEqual(tree);
      expect(files).toBe(Object.keys(tree).length);
      expect(bytes).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 40 },
  );
});
