/**
 * Goal: a file call that fails ends the change that needed it with an error that says so, leaves its file as it was or as it was to
 * become, and harms nothing else: names are free again, descriptors closed, the binlog has whole lines only, the next change works.
 * Method: each operation runs once for each of its file calls, which fails once. What is there afterwards, and after a new start, must be
 * what was there before or after an undisturbed run.
 */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import type { Durability } from "#filestore/settings.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import type { FileError } from "#platform/files.ts";
import {
  openEngine,
  put,
  type StorePathView,
  stage,
  viewOf,
} from "../../../support/engine-fixture.ts";
import { type EngineOperation, engineOperations } from "../../../support/engine-operations.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { replicaOperations } from "../../../support/replica-operations.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";

interface Attempt {
  readonly disk: MemoryFiles;
  readonly engine: StorePathEngine;
  readonly names: readonly string[];
  readonly before: StorePathView;
  readonly troubled: TroubledFiles;
}

function prepare(operation: EngineOperation, durability: Durability): Attempt {
  const disk = new MemoryFiles(directory);
  const troubled = new TroubledFiles(disk);
  const settings = { durability, ...operation.settings };
  const engine = openEngine({ files: troubled.files, directory, settings });
  const names = operation.prepare(engine);
  return { disk, engine, names, before: viewOf(disk, directory), troubled };
}

/** The error's code, or undefined where it worked nevertheless. */
function run(operation: EngineOperation, attempt: Attempt): string | undefined {
  try {
    operation.run(attempt.engine, attempt.names);
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

/** What the disk refused half-way, and what cannot be undone, is carried out by the next start. */
function mayBeHalf(operation: EngineOperation): boolean {
  return operation.name.startsWith("modify") || operation.name === "delete with metadata";
}

const ways = (["flushed", "relaxed"] as const).flatMap((durability) =>
  ["EIO", "ENOSPC"].map((code) => ({ durability, code })),
);

for (const operation of [...engineOperations, ...replicaOperations]) {
  for (const { durability, code } of ways) {
    test(`each call may fail with ${code}: ${operation.name}, ${durability}`, () => {
      const undisturbed = prepare(operation, durability);
      undisturbed.troubled.arm({ kind: "none" });
      run(operation, undisturbed);
      const calls = undisturbed.troubled.count;
      const { before } = undisturbed;
      const after = viewOf(undisturbed.disk, directory);
      let failures = 0;
      for (let atCall = 1; atCall <= calls; atCall += 1) {
        const attempt = prepare(operation, durability);
        const { disk, engine, troubled, names } = attempt;
        troubled.arm({ kind: "fail", atCall, code });
        const failure = run(operation, attempt);
        const where = `${troubled.trace[atCall - 1]} (call ${atCall})`;
        troubled.arm({ kind: "none" });
        if (failure !== undefined) {
          failures += 1;
          expect(failure, where).toBe(code === "EIO" ? "disk-failed" : "store-full");
        }
        const view = viewOf(disk, directory);
        const allowed = failure === undefined ? [after.files] : [before.files, after.files];
        if (failure === undefined || !mayBeHalf(operation)) {
          expect(allowed, where).toContainEqual(view.files);
        }
        expect(names.filter((name) => engine.isLocked(name))).toEqual([]);
        // The binlog's.
        expect(disk.openFiles, where).toBe(1);
        expectWholeLines(view.binlog);
        put(engine, { kind: "normal", extension: "ok" }, "goes on");
        expectSameAfterRestart(disk, [before.files, after.files]);
      }
      expect(failures).toBeGreaterThan(0);
    });
  }
}

/** The engine is left as a killed process leaves it. */
function expectSameAfterRestart(disk: MemoryFiles, allowed: readonly object[]): void {
  const engine = openEngine({ files: disk, directory, seed: 2 });
  const { files, staged, binlog } = viewOf(disk, directory);
  const rest = Object.entries(files).filter(([name]) => !name.endsWith(".ok"));
  expect(allowed).toContainEqual(Object.fromEntries(rest));
  expect(staged).toEqual([]);
  expectWholeLines(binlog);
  engine.close();
}

function expectWholeLines(binlog: string): void {
  const lines = binlog.split("\n");
  expect(lines.pop()).toBe("");
  expect(lines.filter((line) => decodeEntry(line) === undefined)).toEqual([]);
}

test("of a batch whose flush fails no change is acknowledged, and none is left", () => {
  const commitThree = (atCall: number) => {
    const disk = new MemoryFiles(directory);
    const troubled = new TroubledFiles(disk);
    const failures: string[] = [];
    const onFlushFailed = ({ code }: FileError): unknown => failures.push(code);
    const engine = openEngine({ files: troubled.files, directory, onFlushFailed });
    const appender = put(engine, { kind: "appender", extension: "log" }, "begin");
    const target = { kind: "normal", extension: "txt" } as const;
    const changes = [
      stage(engine, target, { content: "first" }),
      stage(engine, target, { content: "second" }),
      stage(engine, { kind: "append", name: appender }, { content: " end" }),
    ];
    troubled.arm({ kind: "fail", atCall, code: "EIO" });
    engine.commit(changes);
    return { disk, troubled, failures, codes: changes.map((change) => change.error?.code) };
  };
  const { trace } = commitThree(Number.POSITIVE_INFINITY).troubled;
  const flushes = trace.flatMap((call, index) => (call.startsWith("flush") ? [index + 1] : []));
  // The staged names and contents; the binlog; the directory, and the appender file.
  expect(flushes.length).toBe(7);
  for (const atFlush of flushes) {
    const { disk, failures, codes } = commitThree(atFlush);
    expect(codes).toEqual(["disk-failed", "disk-failed", "disk-failed"]);
    expect(failures).toEqual(["EIO"]);
    const { files, staged, binlog } = viewOf(disk, directory);
    expect([Object.values(files), staged]).toEqual([["begin"], []]);
    expect(namesThatStand(binlog)).toEqual(Object.keys(files));
    openEngine({ files: disk, directory, seed: 2 });
    expect(viewOf(disk, directory).files).toEqual(files);
  }
});

/** What the records say is there. */
function namesThatStand(binlog: string): readonly string[] {
  const names = new Set<string>();
  for (const [, kind, name = ""] of binlog.matchAll(/^\d+ (.) M00\/(\S+)/gm)) {
    if (kind === "C") names.add(name);
    if (kind === "D") names.delete(name);
  }
  return [...names];
}
