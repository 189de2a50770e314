/**
 * Goal: the store path of a C storage is taken over in place: its files are served, its binlog goes on, nothing of it is changed.
 * Method: what C FastDFS 6.16.1 really left is opened, in each place where its base path can lie, and looked at byte for byte.
 */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import type { LogRecord } from "#base/log.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { refuseRunningStorage } from "#filestore/worker/adoption.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import type { Files } from "#platform/files.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  readText,
  viewOf,
  withDirectory,
} from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import {
  everythingIn,
  type StorePathVector,
  unpackStorePath,
  writeFile,
} from "../../../support/store-path-vectors.ts";
import { Stopped, TroubledFiles } from "../../../support/troubled-files.ts";

const root = "/store";

function unpacked(vector: StorePathVector): MemoryFiles {
  const files = new MemoryFiles(root);
  unpackStorePath(vector, files, root);
  return files;
}

/** The engine of `path0` or `path1`, with the base path apart from both. */
function openPath(
  files: Files,
  index: number,
  settings: Partial<StorePathSettings> = {},
): StorePathEngine {
  return openEngine({
    files,
    directory: `${root}/path${index}`,
    settings: { index, subdirCount: 2, adoptBasePath: `${root}/base`, ...settings },
  });
}

const slaveMaster = "M01/00/00/fwBNAmsDxeqAMhQgAAAAEcH7iQQ601.txt";
const appender = "M01/00/00/fwBNAmsDxeqEYyFLAAAAAHqFlRU142.log";
const regenerated = "M00/00/00/fwBNAmsDxeqATl2YAAAADqoiGOE301.log";
const emptyFile = "M01/00/00/fwBNAmsDxeqAB1c0AAAAAAAAAAA1614160";

test("files, slaves, appender files and metadata of C are served", () => {
  const files = unpacked("plain");
  const engine = openPath(files, 1);
  expect(engine.openReport).toEqual({ rolledForward: 0, swept: 0, adopted: true });
  expect(readBack(engine, slaveMaster).toString()).toBe("a plain file of C");
  expect(readBack(engine, slaveMaster.replace(".txt", "_big.txt")).toString()).toBe(
    "a plain file of C",
  );
  expect(readBack(engine, appender).toString()).toBe("begin and more");
  expect(readBack(engine, emptyFile).length).toBe(0);
  expect(engine.facts(slaveMaster)).toMatchObject({ sizeBytes: 17, crc32: 3254487300 });
  const metadata = Buffer.from(engine.readMetadata(slaveMaster)).toString("latin1");
  expect(metadata).toBe("ext_name\x02jpg\x01file_size\x02115120\x01height\x0280\x01width\x02160");
  expect(readBack(openPath(files, 0), regenerated).toString()).toBe("begin and more");
});

test("what C left is not changed, and C finds its own again", () => {
  const files = unpacked("plain");
  const before = everythingIn(files, root);
  for (const index of [0, 1]) openPath(files, index).close();
  const after = everythingIn(files, root);
  expect(after).toMatchObject(before);
  const added = Object.keys(after).filter((path) => !(path in before));
  expect(added).toEqual(
    [0, 1].flatMap((index) => [
      `path${index}/data/.cairn/state`,
      `path${index}/data/.cairn/tmp/`,
      `path${index}/data/sync/binlog.000`,
      `path${index}/data/sync/binlog_index.dat`,
    ]),
  );
});

/** Names never run backwards, hence new ones have the time of C's newest. */
test("from a binlog elsewhere the path's own records are taken over, and go on in its own", () => {
  const files = unpacked("plain");
  const foreign = readText(files, `${root}/base/data/sync/binlog.000`);
  const engine = openPath(files, 1);
  const own = foreign.split("\n").filter((line) => line.includes(" M01/"));
  const text = `${own.join("\n")}\n`;
  expect(viewOf(files, `${root}/path1`).binlog).toBe(text);
  expect(engine.binlogPosition()).toEqual({ index: 0, offset: text.length });
  const name = put(engine, { kind: "normal", extension: "txt" }, "ours");
  expect(viewOf(files, `${root}/path1`).binlog).toBe(`${text}1795409386 C ${name}\n`);
  expect(readText(files, `${root}/base/data/sync/binlog.000`)).toBe(foreign);
});

/** As many an installation is: one store path, which is the base path as well. */
function inPlace(): MemoryFiles {
  const files = unpacked("plain");
  files.rename(`${root}/base/data/sync`, `${root}/path0/data/sync`);
  return files;
}

test("a binlog on the path itself goes on where it is", () => {
  for (const adoptBasePath of [`${root}/path0`, `${root}/path0/`, ""]) {
    const files = inPlace();
    const before = viewOf(files, `${root}/path0`).binlog;
    const engine = openPath(files, 0, { adoptBasePath });
    expect(engine.openReport.adopted).toBe(true);
    const name = put(engine, { kind: "normal", extension: "txt" }, "ours");
    expect(viewOf(files, `${root}/path0`).binlog).toBe(`${before}1795409386 C ${name}\n`);
    engine.close();
    expect(openPath(files, 0, { adoptBasePath }).openReport.adopted).toBe(false);
  }
});

test("C's records are never carried out again", () => {
  const files = inPlace();
  const deleted = "M00/00/00/fwBNAmsDxeqAFXonAAAAEcH7iQQ082.txt";
  const path = `${root}/path0/data/sync/binlog.000`;
  writeFile(files, path, `${readText(files, path)}1795409999 D ${deleted}\n`);
  const engine = openPath(files, 0, { adoptBasePath: `${root}/path0` });
  expect(readBack(engine, deleted).toString()).toBe("a plain file of C");
});

test("rotated and compressed binlogs are read, from the first that there is", () => {
  const files = unpacked("plain");
  const sync = `${root}/base/data/sync`;
  const lines = readText(files, `${sync}/binlog.000`).split("\n").slice(0, -1);
  const part = (from: number, to: number): string => `${lines.slice(from, to).join("\n")}\n`;
  files.remove(`${sync}/binlog.000`);
  writeFile(files, `${sync}/binlog.001.gz`, gzipSync(part(0, 5)));
  writeFile(files, `${sync}/binlog.002.gz`, gzipSync(part(5, 9)));
  writeFile(files, `${sync}/binlog.003`, part(9, lines.length));
  writeFile(files, `${sync}/binlog_index.dat`, "current_write=3\ncurrent_compress=3\n");
  openPath(files, 0);
  const own = lines.filter((line) => line.includes(" M00/"));
  expect(viewOf(files, `${root}/path0`).binlog).toBe(`${own.join("\n")}\n`);
  expect(viewOf(files, `${root}/path0`).staged).toEqual([]);
});

test("lines that nobody can read are left out, and counted", () => {
  const files = unpacked("plain");
  const path = `${root}/base/data/sync/binlog.000`;
  writeFile(files, path, `rubbish\n${readText(files, path)}1795409999 C M00/00/0`);
  const logs: LogRecord[] = [];
  const directory = `${root}/path0`;
  const settings = { subdirCount: 2, adoptBasePath: `${root}/base` };
  openEngine({ files, directory, logs, settings });
  expect(logs.map(({ event, data }) => [event, data.lines ?? data.binlog])).toEqual([
    ["binlog-lines-not-adopted", 1],
    ["store-path-adopted", true],
  ]);
});

test("an adoption that is interrupted anywhere is done by the next start", () => {
  const calm = unpacked("plain");
  openPath(calm, 1);
  const expected = viewOf(calm, `${root}/path1`);
  const counted = new TroubledFiles(unpacked("plain"));
  counted.arm({ kind: "none" });
  openPath(counted.files, 1);
  for (let atCall = 1; atCall <= counted.count; atCall += 1) {
    const files = unpacked("plain");
    const troubled = new TroubledFiles(files);
    troubled.arm({ kind: "stop", atCall });
    expect(() => openPath(troubled.files, 1)).toThrow(Stopped);
    openPath(files, 1);
    expect(viewOf(files, `${root}/path1`)).toEqual(expected);
  }
});

test("what lies where the binlog is to go is refused, not overwritten", () => {
  const files = unpacked("plain");
  files.makeDirectory(`${root}/path1/data/sync`);
  writeFile(files, `${root}/path1/data/sync/notes.txt`, "mine");
  expect(() => openPath(files, 1)).toThrow("holds something that is not a binlog: move it away");
  files.remove(`${root}/path1/data/sync/notes.txt`);
  expect(openPath(files, 1).openReport.adopted).toBe(true);
});

test("a tree of another number of directories is refused before anything is written", () => {
  const files = unpacked("plain");
  const before = everythingIn(files, root);
  for (const subdirCount of [1, 3, 256]) {
    expect(() => openPath(files, 0, { subdirCount })).toThrow("has 2 directories a level");
  }
  expect(everythingIn(files, root)).toEqual(before);
});

test("a C storage that runs there is not disturbed", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    unpackStorePath("plain", files, directory);
    const base = `${directory}/base`;
    const writePid = (pid: string): void => writeFile(files, `${base}/data/fdfs_storaged.pid`, pid);
    // This process is there, but it is no storage.
    for (const pid of [`${process.pid}\n`, "999999999", "rubbish"]) {
      writePid(pid);
      refuseRunningStorage(files, base);
    }
    refuseRunningStorage(files, "");
    refuseRunningStorage(files, `${directory}/nowhere`);
  });
  const files = unpacked("plain");
  writeFile(files, `${root}/base/data/fdfs_storaged.pid`, "4711");
  for (const path of ["/proc", "/proc/4711"]) files.makeDirectory(path);
  writeFile(files, "/proc/4711/comm", "fdfs_storaged\n");
  expect(() => openPath(files, 0)).toThrow(AppError);
  expect(() => openPath(files, 0)).toThrow("runs on /store/base as process 4711: stop it first");
});

test("a path that nobody used before is not adopted", () => {
  const files = new MemoryFiles(root, `${root}/data`, `${root}/data/.cairn`);
  const engine = openEngine({ files, directory: root, settings: { adoptBasePath: "/nowhere" } });
  expect(engine.openReport.adopted).toBe(false);
});

test("appended to, described and deleted: C's files are files like ours", () => {
  const files = unpacked("plain");
  const engine = openPath(files, 1);
  put(engine, { kind: "append", name: appender }, ", by us");
  expect(readBack(engine, appender).toString()).toBe("begin and more, by us");
  commit(engine, engine.prepareMetadata(slaveMaster, "merge", Buffer.from("width\x021")));
  expect(Buffer.from(engine.readMetadata(slaveMaster)).toString("latin1")).toContain("width\x021");
  commit(engine, engine.prepareRemove(slaveMaster));
  expect(() => engine.openRead(slaveMaster)).toThrow("there is no file");
});

test("what C wrote to the binlog between two of our runs is never carried out", () => {
  const files = inPlace();
  const settings = { adoptBasePath: `${root}/path0` };
  const engine = openPath(files, 0, settings);
  const name = put(engine, { kind: "normal", extension: "txt" }, "ours");
  engine.close();
  const path = `${root}/path0/data/sync/binlog.000`;
  writeFile(files, path, `${readText(files, path)}1795409999 D ${name}\n`);
  const again = openPath(files, 0, settings);
  expect(again.openReport).toEqual({ rolledForward: 0, swept: 0, adopted: false });
  expect(readBack(again, name).toString()).toBe("ours");
});
