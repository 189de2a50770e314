/** What a start looks at, refuses, makes and notes. Simulated disks, except where the system itself must refuse. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { Log, type LogRecord } from "#base/log.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { openStorePath } from "#filestore/worker/open-store-path.ts";
import { FileError } from "#platform/files.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  readText,
  settingsFor,
  stage,
  viewOf,
  withDirectory,
} from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { seededRandom } from "../../../support/seeded-random.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";

/** Code and message of a refused start. */
function refusal(
  files: MemoryFiles | NodeFiles,
  settings: Partial<StorePathSettings> = {},
  path = directory,
): string {
  try {
    openEngine({ files, directory: path, settings }).close();
    return "opened";
  } catch (error) {
    if (error instanceof AppError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

function write(files: MemoryFiles, path: string, text: string): void {
  const descriptor = files.open(path, "write");
  files.write(descriptor, Buffer.from(text, "latin1"));
  files.close(descriptor);
}

test("an empty directory becomes a store path with nothing in it but ours", () => {
  withDirectory((path) => {
    const engine = openEngine({ files: new NodeFiles(), directory: path });
    expect(engine.openReport).toEqual({ rolledForward: 0, swept: 0, adopted: false });
    expect(engine.binlogPosition()).toEqual({ index: 0, offset: 0 });
    expect(readFileSync(`${path}/data/.cairn/state`, "latin1")).toBe(
      "version=1\nsubdir_count=16\nbinlog_index=0\nbinlog_offset=0\nclean=0\nname_limit=1700000010\n",
    );
    engine.close();
    engine.close();
    expect(readFileSync(`${path}/data/.cairn/state`, "latin1")).toContain("clean=1\n");
    expect(existsSync(`${path}/data/00`)).toBe(false);
    expect(readFileSync(`${path}/data/sync/binlog.000`).length).toBe(0);
  });
});

test("the parts are handed on as they are", () => {
  const files = new MemoryFiles(directory);
  const opened = openStorePath(settingsFor({ files, directory: "/disk//" }), {
    files,
    clock: new ManualClock(),
    random: seededRandom(1),
    log: new Log("test", () => {}),
  });
  expect(opened.store.layout.directory).toBe("/disk");
  expect(opened.report.adopted).toBe(false);
});

test("a directory that is not there, or none, is refused with what to do", () => {
  const files = new MemoryFiles("/other");
  expect(refusal(files)).toBe(
    "store-path-unfit: /disk is not a directory: mount the disk, or make the directory",
  );
  write(files, directory, "");
  expect(refusal(files)).toContain("is not a directory");
});

test("a second engine on the same directory is refused", () => {
  withDirectory((path) => {
    const engine = openEngine({ files: new NodeFiles(), directory: path });
    expect(refusal(new NodeFiles(), {}, path)).toContain("store-path-busy: ");
    engine.close();
  });
});

test("another number of directories than the store path was made for is refused", () => {
  const files = new MemoryFiles(directory);
  openEngine({ files, directory }).close();
  expect(refusal(files, { subdirCount: 32 })).toBe(
    "store-path-unfit: /disk has 16 directories a level, the configuration says 32: " +
      "set the number of subdirectories to 16, or use another store path",
  );
  expect(refusal(files)).toBe("opened");
});

test("a state of a newer release is refused", () => {
  const files = new MemoryFiles(directory);
  openEngine({ files, directory }).close();
  const state = readText(files, "/disk/data/.cairn/state");
  write(files, "/disk/data/.cairn/state", state.replace("version=1", "version=2"));
  expect(refusal(files)).toContain("was written by a newer release (format 2)");
});

test("without a legible state, and with one of a place that the binlog does not reach, its end is looked at", () => {
  const files = new MemoryFiles(directory);
  const engine = openEngine({ files, directory });
  const name = put(engine, { kind: "appender", extension: "log" }, "0123456789");
  commit(engine, engine.prepareTruncate(name, 4));
  engine.close();
  // As if the end had come between the record and the truncation.
  write(files, `/disk/data/${name.slice(4)}`, "0123456789");
  const beyond = "version=1\nsubdir_count=16\nbinlog_index=0\nbinlog_offset=9999\nclean=0\n";
  for (const [text, size, events] of [
    [readText(files, "/disk/data/.cairn/state"), 10, []],
    ["\0\0\0", 4, ["engine-state-damaged"]],
    [beyond, 4, ["files-in-doubt"]],
  ] as const) {
    write(files, `/disk/data/${name.slice(4)}`, "0123456789");
    write(files, "/disk/data/.cairn/state", text);
    const logs: LogRecord[] = [];
    const again = openEngine({ files, directory, logs });
    expect(again.facts(name).sizeBytes).toBe(size);
    expect(logs.map(({ event }) => event)).toEqual(events);
  }
});

test("what the system refuses is said in words", () => {
  const cases = [
    ["EROFS", "store-path-unfit: /disk is on a read-only file system"],
    ["EACCES", "store-path-unfit: /disk may not be written by this user"],
    ["ENOSPC", "store-full: cannot open /disk: the disk is full"],
    ["EIO", "disk-failed: cannot open /disk: EIO"],
  ] as const;
  for (const [code, message] of cases) {
    const files = new MemoryFiles(directory);
    files.makeDirectory = () => {
      throw new FileError(code, `${code}: refused`);
    };
    expect(refusal(files)).toContain(message);
  }
});

test("a full disk that was in use before is opened, and can be read and emptied", () => {
  const files = new MemoryFiles(directory);
  const engine = openEngine({ files, directory });
  const name = put(engine, { kind: "normal", extension: "txt" }, "abc");
  engine.close();
  const { open } = files;
  files.open = (path, mode) => {
    if (path.endsWith("state.new")) throw new FileError("ENOSPC", "full");
    return open.call(files, path, mode);
  };
  const logs: LogRecord[] = [];
  const full = openEngine({ files, directory, logs });
  expect(logs.map(({ event }) => event)).toEqual(["checkpoint-not-written"]);
  expect(readBack(full, name).toString()).toBe("abc");
  commit(full, full.prepareRemove(name));
  expect(viewOf(files, directory).files).toEqual({});
  // The note still says where to look, and now that it was not the end.
  expect(readText(files, "/disk/data/.cairn/state")).toContain("clean=0\n");
});

test("a start that fails half-way can be repeated", () => {
  const calls = new TroubledFiles(new MemoryFiles(directory));
  calls.arm({ kind: "none" });
  openEngine({ files: calls.files, directory });
  for (let atCall = 1; atCall <= calls.count; atCall += 1) {
    const files = new MemoryFiles(directory);
    const troubled = new TroubledFiles(files);
    troubled.arm({ kind: "fail", atCall, code: "EIO" });
    try {
      openEngine({ files: troubled.files, directory });
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect(files.openFiles).toBe(0);
    }
    files.powerCut(seededRandom(atCall));
    const engine = openEngine({ files, directory });
    put(engine, { kind: "normal", extension: "txt" }, "abc");
  }
});

test("all directories are made where the settings ask for it", () => {
  withDirectory((path) => {
    const files = new NodeFiles();
    mkdirSync(`${path}/data/03`, { recursive: true });
    const settings = { createAllDirectories: true, subdirCount: 4 };
    openEngine({ files, directory: path, settings }).close();
    const made = ["00", "01", "02", "03"].flatMap((high) =>
      (files.list(`${path}/data/${high}`) ?? []).sort().map((low) => `${high}/${low}`),
    );
    expect(made.length).toBe(16);
    expect(made.at(-1)).toBe("03/03");
    expect(statSync(`${path}/data/02/01`).mode & 0o777).toBe(0o755);
  });
});

test("files go on where the last run stopped in the rotation of directories", () => {
  const files = new MemoryFiles(directory);
  const settings = { rotateCount: 3, subdirCount: 2 };
  const clock = new ManualClock();
  const places: string[] = [];
  for (let run = 0; run < 7; run += 1) {
    const engine = openEngine({ files, directory, settings, clock, seed: run });
    for (let index = 0; index < 2; index += 1) {
      clock.advance(1000);
      const name = put(engine, { kind: "normal", extension: "txt" }, "abc");
      clock.advance(1000);
      places.push(name.slice(4, 9));
      // None of these counts, not even a slave whose name is as long as that of a normal file.
      put(engine, { kind: "slave", master: name, prefix: "_abc", extension: "" }, "slave");
      commit(engine, engine.prepareMetadata(name, "overwrite", Buffer.from("a\x02b")));
    }
    if (run % 2 === 0) engine.close();
  }
  expect(places.join(" ")).toBe(
    "00/00 00/00 00/00 00/01 00/01 00/01 01/00 01/00 01/00 01/01 01/01 01/01 00/00 00/00",
  );
});

test("directories by hash depend on the name alone", () => {
  const files = new MemoryFiles(directory);
  const engine = openEngine({ files, directory, settings: { distribution: "hash" } });
  const places = new Set<string>();
  for (let index = 0; index < 50; index += 1) {
    places.add(put(engine, { kind: "normal", extension: "txt" }, `${index}`).slice(4, 9));
  }
  expect(places.size).toBeGreaterThan(30);
});

test("the checkpoint moves on, so that a start after a crash reads the end of the binlog only", () => {
  const files = new MemoryFiles(directory);
  const engine = openEngine({ files, directory });
  const name = put(engine, { kind: "appender", extension: "log" }, "0123456789");
  const target = { kind: "normal", extension: "txt" } as const;
  const noted = (): number =>
    Number(/binlog_offset=(\d+)/.exec(readText(files, "/disk/data/.cairn/state"))?.[1]);
  expect(noted()).toBe(0);
  const batch = () => Array.from({ length: 1000 }, () => stage(engine, target, { content: "" }));
  while (engine.binlogPosition().offset < 1024 * 1024) engine.commit(batch());
  expect(noted()).toBeGreaterThanOrEqual(1024 * 1024);
  commit(engine, engine.prepareTruncate(name, 3));
  const logs: LogRecord[] = [];
  const again = openEngine({ files, directory, logs });
  expect(again.openReport).toEqual({ rolledForward: 0, swept: 0, adopted: false });
  expect(again.facts(name).sizeBytes).toBe(3);
});

test("lines of the tail that are no records are passed over", () => {
  const files = new MemoryFiles(directory);
  openEngine({ files, directory });
  write(
    files,
    "/disk/data/sync/binlog.000",
    "rubbish\n1700000000 D M00/00/00/was-never-there\ntorn",
  );
  const logs: LogRecord[] = [];
  const engine = openEngine({ files, directory, logs });
  expect(engine.openReport.rolledForward).toBe(0);
  expect(logs.map(({ event }) => event)).toContain("binlog-torn-line-dropped");
});

test("the path can vanish below an open engine: requests fail, nothing is made in its place", () => {
  withDirectory((path) => {
    const engine = openEngine({ files: new NodeFiles(), directory: path });
    const name = put(engine, { kind: "normal", extension: "txt" }, "abc");
    rmSync(`${path}/data`, { recursive: true });
    const target = { kind: "normal", extension: "txt" } as const;
    expect(() => put(engine, target, "def")).toThrow("cannot store a file");
    expect(() => engine.openRead(name)).toThrow("there is no file");
    expect(existsSync(`${path}/data`)).toBe(false);
    writeFileSync(`${path}/data`, "not even this");
    expect(() => engine.openRead(name)).toThrow("there is no file");
  });
});
