/**
 * Goal: on a disk that uploads filled to the last byte everything can be deleted by id, whatever is killed in between, and then uploads
 * are taken again; nothing acknowledged is lost, and nobody but deletions and truncations uses the reserve.
 * Method: an ext4 of a few MiB in a file, mounted for the test. Needs root. Deletions are killed at each of their file calls in turn.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import type { LogRecord } from "#base/log.ts";
import type { Durability } from "#filestore/settings.ts";
import { reserveBytes } from "#filestore/worker/limits.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  stage,
  withDirectory,
} from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { needs } from "../../../support/needs.ts";
import { openPacking, runBackground } from "../../../support/packed-fixture.ts";
import { SmallFileSystem, smallFileSystemNeeds } from "../../../support/small-file-system.ts";
import { Stopped, TroubledFiles } from "../../../support/troubled-files.ts";

const onMountedDisk = needs(...smallFileSystemNeeds);
const normal = { kind: "normal", extension: "bin" } as const;
const packing = { slotMaxBytes: 64 * 1024, trunkFileBytes: 1024 * 1024 };

interface Opened {
  readonly engine: StorePathEngine;
  readonly troubled: TroubledFiles;
  readonly settle: () => void;
  /** As a kill would. */
  readonly drop: () => void;
}

/** Opens engines one after the other on one directory, with names and trunk files of their own. */
function opener(directory: string, how: { durability: Durability; isPacked: boolean }) {
  const logs: LogRecord[] = [];
  const clock = new ManualClock();
  let runs = 0;
  const open = (): Opened => {
    const files = new NodeFiles();
    const troubled = new TroubledFiles(files);
    runs += 1;
    clock.advance(2000);
    const settings = { durability: how.durability, subdirCount: 1 };
    const world = { files: troubled.files, directory, settings, logs, clock, seed: runs };
    const firstNumber = 100 * runs;
    const engine = how.isPacked
      ? openPacking({ ...world, packing, firstNumber }).engine
      : openEngine(world);
    const settle = (): void => {
      clock.advance(2000);
      runBackground(engine, clock);
    };
    return { engine, troubled, settle, drop: () => files[Symbol.dispose]() };
  };
  return { open, logs };
}

/** The new name; undefined where the disk is full. */
function tryPut(engine: StorePathEngine, content: Uint8Array): string | undefined {
  try {
    return put(engine, normal, content);
  } catch (error) {
    if (error instanceof AppError && error.code === "store-full") return undefined;
    throw error;
  }
}

/** Large ones until there is no room for them, then smaller ones, down to nothing. */
function fill(engine: StorePathEngine): Map<string, Buffer> {
  const stored = new Map<string, Buffer>();
  for (const size of [500_000, 50_000, 3000, 700, 100, 0]) {
    for (let refused = 0; refused < 3; ) {
      const content = Buffer.alloc(size, stored.size + 1);
      const name = tryPut(engine, content);
      if (name === undefined) refused += 1;
      else stored.set(name, content);
    }
  }
  return stored;
}

for (const durability of ["relaxed", "flushed"] as const) {
  for (const isPacked of [false, true]) {
    const what = `${durability}, ${isPacked ? "packed" : "a file each"}`;
    onMountedDisk(
      `what is on a full disk can be deleted, with kills in between, and it takes files again: ${what}`,
      () => {
        using disk = new SmallFileSystem(isPacked ? 10 : 8);
        const { open, logs } = opener(disk.path, { durability, isPacked });
        let run = open();
        run.settle();
        const reserve = join(disk.path, "data/.cairn/reserve");
        expect(statSync(reserve).size).toBe(reserveBytes);
        const stored = fill(run.engine);
        expect(stored.size).toBeGreaterThan(20);
        expect(statSync(reserve).size).toBe(reserveBytes);

        const names = [...stored.keys()].reverse();
        for (const [index, name] of names.entries()) {
          const isKilled = index % 3 === 0 && index < 60;
          const atCall = 1 + index / 3;
          if (isKilled) run.troubled.arm({ kind: "stop", atCall });
          try {
            expect(commit(run.engine, run.engine.prepareRemove(name))).toBe("");
            stored.delete(name);
          } catch (error) {
            if (!(error instanceof Stopped)) throw error;
          }
          if (isKilled) {
            run.drop();
            run = open();
            for (const [each, content] of stored) {
              // The one that was killed is there or not, as a whole.
              if (each === name && !isThere(run.engine, each)) continue;
              expect(readBack(run.engine, each).equals(content)).toBe(true);
            }
            if (!isThere(run.engine, name)) stored.delete(name);
          }
        }
        expect(logs.map(({ event }) => event)).toContain("reserve-in-use");
        for (const name of stored.keys()) commit(run.engine, run.engine.prepareRemove(name));
        run.settle();
        run.settle();
        expect(statSync(reserve).size).toBe(reserveBytes);
        const again = Buffer.alloc(400_000, "again");
        for (let count = 0; count < 5; count += 1) {
          const name = put(run.engine, normal, again);
          expect(readBack(run.engine, name).equals(again)).toBe(true);
        }
        run.engine.close();
      },
      120_000,
    );
  }
}

/** To the last block: what a file system holds back for writes that wait is there again when they are done. */
function fillUp(path: string): void {
  const descriptor = openSync(path, "w");
  try {
    for (let full = 0; full < 4; ) {
      try {
        writeSync(descriptor, Buffer.alloc(64 * 1024, "junk"));
      } catch (error) {
        expect(error).toMatchObject({ code: "ENOSPC" });
        fsyncSync(descriptor);
        full += 1;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

function isThere(engine: StorePathEngine, name: string): boolean {
  try {
    engine.facts(name);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === "file-missing") return false;
    throw error;
  }
}

onMountedDisk("a commit on a full disk carries out its removals and truncations alone", () => {
  using disk = new SmallFileSystem(8);
  const { open } = opener(disk.path, { durability: "flushed", isPacked: false });
  const { engine, settle } = open();
  settle();
  const appender = put(engine, { kind: "appender", extension: "log" }, Buffer.alloc(100_000, "a"));
  const first = put(engine, normal, "first");
  const second = put(engine, normal, "second");
  // Their records take more than the block that the binlog may have room in.
  const many = Array.from({ length: 100 }, () => put(engine, normal, "many"));
  const staged = stage(engine, normal, { content: "staged while there was room" });
  const other = engine.prepareMetadata(second, "overwrite", Buffer.from("a\x02b"));
  const junk = join(disk.path, "junk");
  fillUp(junk);
  while (tryPut(engine, Buffer.alloc(0)) !== undefined);
  const removal = engine.prepareRemove(first);
  const truncation = engine.prepareTruncate(appender, 10);
  const removals = many.map((name) => engine.prepareRemove(name));
  const changes = [staged, removal, truncation, ...removals].flatMap((change) => change ?? []);
  engine.commit(other === undefined ? changes : [...changes, other]);
  expect([staged.error?.code, other?.error?.code]).toEqual(["store-full", "store-full"]);
  expect([removal, ...removals].filter((each) => each.error !== undefined)).toEqual([]);
  expect(truncation?.error).toBeUndefined();
  expect(isThere(engine, first)).toBe(false);
  expect(readBack(engine, appender).toString()).toBe("aaaaaaaaaa");
  expect(readBack(engine, second).toString()).toBe("second");
  rmSync(junk);
  put(engine, normal, Buffer.alloc(300_000, "room"));
  engine.close();
});

onMountedDisk("an old path gets its reserve when there is room, and only then", () => {
  using disk = new SmallFileSystem(8);
  const junk = join(disk.path, "junk");
  expect(() => writeFileSync(junk, Buffer.alloc(16 * 1024 ** 2))).toThrow("ENOSPC");
  const reserve = join(disk.path, "data/.cairn/reserve");
  rmSync(junk);
  writeFileSync(junk, Buffer.alloc(6 * 1024 ** 2));
  const { open } = opener(disk.path, { durability: "flushed", isPacked: false });
  const { engine, settle } = open();
  settle();
  expect(() => statSync(reserve)).toThrow("ENOENT");
  // It was never there, so nobody is refused for its sake.
  put(engine, normal, "stored");
  rmSync(junk);
  settle();
  const { size, blocks } = statSync(reserve);
  expect([size, blocks * 512 >= size]).toEqual([reserveBytes, true]);
  engine.close();
});

test("a reserve that a power cut left short is made whole by the next start", () => {
  withDirectory((directory) => {
    const { open } = opener(directory, { durability: "flushed", isPacked: false });
    const one = open();
    one.settle();
    one.engine.close();
    one.drop();
    const reserve = join(directory, "data/.cairn/reserve");
    writeFileSync(reserve, "short");
    const two = open();
    put(two.engine, normal, "stored");
    expect(statSync(reserve).size).toBe(reserveBytes);
    two.engine.close();
    two.drop();
  });
});
