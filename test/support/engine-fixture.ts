/**
 * A store path's engine over real or simulated files, with reproducible names and times, and what of it one can see from outside.
 * Everything about the disk is read through `Files`, so that both kinds look the same.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Log, type LogRecord } from "#base/log.ts";
import type { RecheckFacts } from "#filestore/recheck-facts.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import {
  type Change,
  StorePathEngine,
  type WriteTarget,
} from "#filestore/worker/store-path-engine.ts";
import type { Databases } from "#platform/databases.ts";
import type { DiskReads } from "#platform/disk-reads.ts";
import type { FileError, Files } from "#platform/files.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { ManualClock } from "./manual-clock.ts";
import { seededRandom } from "./seeded-random.ts";

export interface EngineWorld {
  readonly files: Files;
  readonly directory: string;
  readonly settings?: Partial<StorePathSettings>;
  /** Names are the same for the same seed. */
  readonly seed?: number;
  readonly clock?: ManualClock;
  readonly logs?: LogRecord[];
  readonly onLeaseWanted?: (count: number) => void;
  readonly onFlushFailed?: (error: FileError) => void;
  readonly nameMemory?: SharedArrayBuffer;
  readonly onRecheck?: (facts: RecheckFacts | undefined) => void;
  /** Where deduplication is on; a database without a file unless said otherwise. */
  readonly databases?: Databases;
  /** Left out: by way of `files`. */
  readonly diskReads?: () => DiskReads;
}

const memoryDatabases: Databases = { open: () => nodeDatabases().open(":memory:") };

export function settingsFor(world: EngineWorld): StorePathSettings {
  return {
    index: 0,
    directory: world.directory,
    readOnly: false,
    subdirCount: 16,
    createAllDirectories: false,
    journalBytes: 0,
    distribution: "round-robin",
    rotateCount: 100,
    durability: "flushed",
    packing: "off",
    dedup: false,
    source: { kind: "address", address: "10.9.0.2" },
    adoptBasePath: "",
    ...world.settings,
  };
}

export function openEngine(world: EngineWorld): StorePathEngine {
  return StorePathEngine.open(settingsFor(world), {
    files: world.files,
    clock: world.clock ?? new ManualClock(),
    random: seededRandom(world.seed ?? 1),
    log: new Log("engine", (record) => world.logs?.push(record)),
    onFlushFailed: world.onFlushFailed ?? (() => {}),
    onLeaseWanted: world.onLeaseWanted ?? (() => {}),
    onRecheck: world.onRecheck ?? (() => {}),
    databases: () => world.databases ?? memoryDatabases,
    ...(world.nameMemory === undefined ? {} : { nameMemory: world.nameMemory }),
    ...(world.diskReads === undefined ? {} : { diskReads: world.diskReads }),
  });
}

/** Runs `body` with an empty directory that is removed afterwards. */
export function withDirectory<Result>(body: (directory: string) => Result): Result {
  const directory = mkdtempSync(join(tmpdir(), "cairn-engine-"));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  let result: Result;
  try {
    result = body(directory);
  } catch (error) {
    remove();
    throw error;
  }
  if (result instanceof Promise) return result.finally(remove) as Result;
  remove();
  return result;
}

/** Receives `content` in `pieces` pieces, or as a whole that stays as it is, and prepares its change. */
export function stage(
  engine: StorePathEngine,
  target: WriteTarget,
  how: { readonly content: string | Uint8Array; readonly pieces?: number },
): Change {
  const bytes = Buffer.from(how.content as string);
  const handle = engine.startWrite(target, bytes.length);
  const size = Math.ceil(bytes.length / (how.pieces ?? 1));
  try {
    if (how.pieces === undefined && handle.writeWhole !== undefined) handle.writeWhole(bytes);
    else
      for (let at = 0; at < bytes.length; at += size) handle.write(bytes.subarray(at, at + size));
    return handle.finish();
  } catch (error) {
    handle.abort();
    throw error;
  }
}

/** Receives and commits; the new name, or "". Throws the change's error. */
export function put(
  engine: StorePathEngine,
  target: WriteTarget,
  content: string | Uint8Array,
): string {
  return commit(engine, stage(engine, target, { content }));
}

/** Commits one change, and runs its remainder. Throws its error. */
export function commit(engine: StorePathEngine, change: Change | undefined): string {
  if (change === undefined) return "";
  engine.commit([change]);
  const remainder = change.error === undefined ? engine.remainder(change) : undefined;
  if (remainder !== undefined) engine.runNow(remainder);
  if (change.error !== undefined) throw change.error;
  return change.result ?? "";
}

/** The result of a generator that is run to its end. */
export function runSteps<Result>(steps: Generator<undefined, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The whole content of a file as the engine gives it. */
export function readBack(engine: StorePathEngine, name: string): Buffer {
  const handle = engine.openRead(name);
  try {
    const bytes = Buffer.alloc(handle.sizeBytes);
    const got = handle.read(bytes, 0);
    return bytes.subarray(0, got);
  } finally {
    handle.close();
  }
}

/** What a store path holds: files by their place below `data/`, and the binlog's text. */
export interface StorePathView {
  readonly files: Readonly<Record<string, string>>;
  readonly binlog: string;
  /** Left in `.cairn/tmp`. */
  readonly staged: readonly string[];
}

export function viewOf(files: Files, directory: string): StorePathView {
  const data = `${directory}/data`;
  const found: Record<string, string> = {};
  for (const high of sorted(files, data)) {
    if (!/^[0-9A-F]{2}$/.test(high)) continue;
    for (const low of sorted(files, `${data}/${high}`)) {
      for (const base of sorted(files, `${data}/${high}/${low}`)) {
        found[`${high}/${low}/${base}`] = readText(files, `${data}/${high}/${low}/${base}`);
      }
    }
  }
  const binlogs = sorted(files, `${data}/sync`).filter((name) => /^binlog\.\d+$/.test(name));
  return {
    files: found,
    binlog: binlogs.map((name) => readText(files, `${data}/sync/${name}`)).join(""),
    staged: sorted(files, `${data}/.cairn/tmp`),
  };
}

/** Content as latin1 text. */
export function readText(files: Files, path: string): string {
  const descriptor = files.open(path, "read");
  try {
    const bytes = Buffer.alloc(files.statDescriptor(descriptor).sizeBytes);
    files.read(descriptor, bytes, 0);
    return bytes.toString("latin1");
  } finally {
    files.close(descriptor);
  }
}

function sorted(files: Files, path: string): string[] {
  return [...(files.list(path) ?? [])].sort();
}
