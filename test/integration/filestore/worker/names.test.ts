/** Names of new files, the directories they get, and the rules for what may be written. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { Log } from "#base/log.ts";
import type { BinlogRecord } from "#filestore/binlog/binlog-reader.ts";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import { DirectoryChooser, restoreDistribution } from "#filestore/worker/directory-chooser.ts";
import {
  FileLayout,
  isMetadataBase,
  lockKey,
  metadataPlace,
} from "#filestore/worker/file-layout.ts";
import { claimNewPlace, findNameFor } from "#filestore/worker/new-name.ts";
import { openStorePath } from "#filestore/worker/open-store-path.ts";
import type { WriteTarget } from "#filestore/worker/write-start.ts";
import { decodeBase } from "#model/file-id.ts";
import type { Random } from "#platform/random.ts";
import { openEngine, put, settingsFor } from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";

const directory = "/disk";
const request = {
  kind: "normal",
  extension: "txt",
  timestamp: 1_700_000_000,
  size: 3,
  crc32: 77,
} as const;

function openStore(random: Random) {
  const files = new MemoryFiles(directory);
  const clock = new ManualClock();
  const log = new Log("test", () => {});
  const settings = settingsFor({ files, directory });
  const { store } = openStorePath(settings, { files, clock, random, log });
  return { files, store };
}

/** Gives these numbers in turn, then the last one for ever. */
function scripted(...numbers: readonly number[]): Random {
  const left = [...numbers];
  const next = (): number => (left.length > 1 ? (left.shift() ?? 0) : (left[0] ?? 0));
  return { below: (limit) => next() % limit, bytes: (count) => new Uint8Array(count) };
}

test("a name that is taken, on the disk or by a change under way, is not given again", () => {
  // Two numbers a name: digits, then bits.
  const { store, files } = openStore(scripted(1, 1, 1, 1, 2, 2, 1, 1, 2, 2, 3, 3));
  const first = claimNewPlace(store, request);
  const second = claimNewPlace(store, request);
  expect(second.name).not.toBe(first.name);
  writeFile(files, first.path, "there now");
  store.locks.clear();
  store.locks.add(lockKey(second.name));
  const third = claimNewPlace(store, request);
  expect([first.name, second.name]).not.toContain(third.name);
  expect(store.locks.has(lockKey(third.name))).toBe(true);
});

test("where no name is free the file is refused", () => {
  const { store } = openStore(scripted(1));
  claimNewPlace(store, request);
  expect(() => claimNewPlace(store, request)).toThrow("no free name was found in 10 attempts");
});

test("a name for a given directory and end keeps both, and is not locked", () => {
  const { store } = openStore(scripted(1, 2, 3));
  const place = findNameFor(store, request, { directory: { high: 3, low: 4 }, tail: "123.abc" });
  expect(place.name).toMatch(/^M00\/03\/04\/.{27}123\.abc$/);
  expect(place.path).toBe(`/disk/data/${place.name.slice(4)}`);
  expect(store.locks.size).toBe(0);
});

test("names say where they come from, also after that changed", () => {
  const engine = openEngine({ files: new MemoryFiles(directory), directory });
  const target = { kind: "normal", extension: "txt" } as const;
  engine.setSource({ kind: "address", address: "192.168.7.8" });
  const name = put(engine, target, "x");
  expect(decodeBase(name.slice(10))?.source).toEqual({ kind: "address", address: "192.168.7.8" });
});

const layout = new FileLayout("/disk", 10);

test("a logical name is a path below data, in either case of its store path", () => {
  const place = layout.place("M0A/01/FF/some-file");
  expect(place).toEqual({
    high: 1,
    low: 255,
    base: "some-file",
    name: "M0A/01/FF/some-file",
    path: "/disk/data/01/FF/some-file",
  });
  expect(layout.find("M0a/01/FF/some-file")).toEqual(place);
  expect(layout.placeOf({ high: 1, low: 255, base: "some-file" })).toEqual(place);
  expect(layout.directoryOf(place)).toBe("/disk/data/01/FF");
  expect(layout.find("M00/01/FF/some-file")).toBeUndefined();
  expect(() => layout.place("M00/01/FF/some-file")).toThrow("is not a file of this store path");
  expect(new FileLayout("/disk", 0).find("01/FF/some-file")?.name).toBe("M00/01/FF/some-file");
});

test("metadata lies beside its file, even where that has the longest name", () => {
  const longest = `M0A/01/FF/${"x".repeat(117)}`;
  const place = metadataPlace(layout.place(longest));
  expect(place.name).toBe(`${longest}-m`);
  expect(layout.find(place.name)).toEqual(place);
  expect(layout.find(`${longest}xx`)).toBeUndefined();
  expect([isMetadataBase(place.base), isMetadataBase("x-mm")]).toEqual([true, false]);
  const keys = [longest, place.name, longest.slice(4)].map(lockKey);
  expect(new Set(keys).size).toBe(1);
});

const settings = settingsFor({
  files: new MemoryFiles(directory),
  directory,
  settings: { rotateCount: 2, subdirCount: 3 },
});

function recordsOf(lines: readonly string[]): BinlogRecord[] {
  const place = { index: 0, offset: 0 };
  return lines.flatMap((line) => {
    const entry = decodeEntry(line);
    return entry === undefined ? [] : [{ entry, line, start: place, end: place }];
  });
}

test("the rotation is found again in the last creations made here", () => {
  const disk = new FileLayout("/disk", 0);
  // Example 1 of the protocol's §3.11, whose time is 1795395770.
  const file = "CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";
  const at = (place: string, time = 1795395770): string => `${time} C M00/${place}/${file}`;
  const restore = (...lines: readonly string[]) =>
    restoreDistribution(recordsOf(lines), disk, settings);
  expect(restore()).toEqual({ high: 0, low: 0, fileCount: 0 });
  expect(restore(at("01/02"))).toEqual({ high: 1, low: 2, fileCount: 1 });
  expect(restore(at("01/02"), at("01/02"))).toEqual({ high: 2, low: 0, fileCount: 0 });
  expect(restore(at("02/02"), at("02/02"))).toEqual({ high: 0, low: 0, fileCount: 0 });
  const others = [
    at("00/01", 1795395771),
    `${at("00/01")}-m`,
    at("00/01").replace(" C ", " c "),
    at("00/01").replace(" C ", " D "),
    at("00/01").replace("M00", "M01"),
    at("00/07"),
  ];
  expect(restore(at("01/02"), ...others)).toEqual({ high: 1, low: 2, fileCount: 1 });
});

test("the directory advances with the files, or follows the name's hash", () => {
  const state = { high: 0, low: 0, fileCount: 0 };
  const chooser = new DirectoryChooser(settings, state);
  const seen = Array.from({ length: 5 }, () => {
    const { high, low } = chooser.choose("any");
    chooser.advance();
    return `${high}/${low}`;
  });
  expect(seen).toEqual(["0/0", "0/0", "0/1", "0/1", "0/2"]);
  const hashed = new DirectoryChooser({ ...settings, distribution: "hash" }, state);
  const base = "CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";
  expect(hashed.choose(base)).toEqual(hashed.choose(`${base.slice(0, 27)}9999999`));
});

/** Code of the refusal by `startWrite`, or "accepted". */
function refusal(engine: ReturnType<typeof openEngine>, ...args: [WriteTarget, number]): string {
  try {
    engine.startWrite(...args).abort();
    return "accepted";
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

test("what may be written follows the protocol's rules", () => {
  const files = new MemoryFiles(directory);
  const engine = openEngine({ files, directory });
  const normal = put(engine, { kind: "normal", extension: "txt" }, "abc");
  const appender = put(engine, { kind: "appender", extension: "txt" }, "abc");
  const missing = normal.replace("/00/00/", "/00/01/");
  const slave = { kind: "slave", master: normal, prefix: "_s", extension: "jpg" } as const;
  const cases: readonly (readonly [WriteTarget, number, string])[] = [
    [{ kind: "normal", extension: "" }, 0, "accepted"],
    [{ kind: "normal", extension: "tar.gz" }, 5, "accepted"],
    [{ kind: "normal", extension: "toolong" }, 5, "file-invalid"],
    [{ kind: "normal", extension: "a/b" }, 5, "file-invalid"],
    [{ kind: "normal", extension: "é" }, 5, "file-invalid"],
    [{ kind: "normal", extension: "txt" }, -1, "file-invalid"],
    [{ kind: "normal", extension: "txt" }, 1.5, "file-invalid"],
    [{ kind: "normal", extension: "txt" }, 1e13, "store-full"],
    [{ kind: "append", name: appender }, 5, "accepted"],
    [{ kind: "append", name: normal }, 5, "file-invalid"],
    [{ kind: "append", name: `${appender}-m` }, 5, "file-missing"],
    [{ kind: "append", name: appender.replace("/00/00/", "/00/01/") }, 5, "file-missing"],
    [{ kind: "append", name: "nonsense" }, 5, "file-invalid"],
    [{ kind: "modify", name: appender, offset: 3 }, 5, "accepted"],
    [{ kind: "modify", name: appender, offset: 4 }, 5, "file-invalid"],
    [{ kind: "modify", name: appender, offset: -1 }, 5, "file-invalid"],
    [{ kind: "modify", name: normal, offset: 0 }, 5, "file-invalid"],
    [slave, 5, "accepted"],
    [{ ...slave, extension: "" }, 5, "accepted"],
    [{ ...slave, master: missing }, 5, "file-missing"],
    [{ ...slave, master: "M00/00/00/too-short" }, 5, "file-invalid"],
    [{ ...slave, master: normal.replace("M00", "M01") }, 5, "file-invalid"],
    [{ ...slave, prefix: "" }, 5, "file-invalid"],
    [{ ...slave, prefix: "a b" }, 5, "file-invalid"],
    [{ ...slave, prefix: "x".repeat(17) }, 5, "file-invalid"],
    [{ ...slave, prefix: "-m", extension: "" }, 5, "file-invalid"],
    [{ ...slave, prefix: "-m", extension: "jpg" }, 5, "accepted"],
  ];
  for (const [target, length, code] of cases) {
    expect([target, refusal(engine, target, length)]).toEqual([target, code]);
  }
  put(engine, slave, "there");
  expect(refusal(engine, slave, 5)).toBe("file-exists");
});

test("a store path that is set to read-only takes no new files, and everything else", () => {
  const files = new MemoryFiles(directory);
  const writable = openEngine({ files, directory });
  const name = put(writable, { kind: "appender", extension: "log" }, "abc");
  writable.close();
  const engine = openEngine({ files, directory, settings: { readOnly: true } });
  for (const kind of ["normal", "appender"] as const) {
    expect(refusal(engine, { kind, extension: "" }, 1)).toBe("disk-failed");
  }
  put(engine, { kind: "append", name }, "def");
  put(engine, { kind: "slave", master: name, prefix: "_s", extension: "log" }, "slave");
  engine.commit([engine.prepareRemove(name)]);
});
