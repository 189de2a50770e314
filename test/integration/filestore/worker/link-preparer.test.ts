/** Another name for a file, as CREATE_LINK asks for it (protocol §2.6/20). */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import type { LinkRequest } from "#filestore/worker/link-preparer.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { decodeBase } from "#model/file-id.ts";
import { FileError } from "#platform/files.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  runSteps,
  viewOf,
} from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking } from "../../../support/packed-fixture.ts";

const directory = "/disk";
const normal = { kind: "normal", extension: "txt" } as const;

function opened() {
  const files = new MemoryFiles(directory);
  const clock = new ManualClock();
  return { files, clock, engine: openEngine({ files, directory, clock }) };
}

function link(engine: StorePathEngine, source: string, more: Partial<LinkRequest> = {}): string {
  const request = { source, extension: "lnk", master: "", prefix: "", ...more };
  return commit(engine, runSteps(engine.link(request)));
}

function decoded(name: string) {
  return decodeBase(name.slice(name.lastIndexOf("/") + 1));
}

function linksOf(files: MemoryFiles, name: string): number | undefined {
  return files.stat(`${directory}/data/${name.slice(4)}`, false)?.links;
}

test("another name shares the file, says its size and sum, and has a time of its own", () => {
  const { files, clock, engine } = opened();
  const source = put(engine, normal, "the content");
  clock.advance(50_000);
  const name = link(engine, source);
  expect(decoded(name)).toMatchObject({
    size: 11,
    crc32: crc32("the content"),
    timestamp: 1_700_000_050,
    extension: "lnk",
  });
  expect(linksOf(files, name)).toBe(2);
  expect(engine.facts(name)).toEqual({
    sizeBytes: 11,
    modifiedSeconds: 1_700_000_050,
    crc32: crc32("the content"),
  });
  const { binlog } = viewOf(files, directory);
  expect(binlog).toBe(`1700000000 C ${source}\n1700000050 L ${name} ${source}\n`);
  commit(engine, engine.prepareRemove(source));
  expect(readBack(engine, name).toString()).toBe("the content");
  expect(engine.isLocked(source)).toBe(false);
});

test("the sum of an appender file and of a slave is computed, since their names do not say it", () => {
  const { engine } = opened();
  const appender = put(engine, { kind: "appender", extension: "log" }, "begins");
  put(engine, { kind: "append", name: appender }, " and goes on");
  expect(decoded(link(engine, appender))).toMatchObject({
    isAppender: false,
    size: 18,
    crc32: crc32("begins and goes on"),
  });
  const slave = { kind: "slave", master: appender, prefix: "_s", extension: "png" } as const;
  const name = link(engine, put(engine, slave, "a slave"));
  expect(decoded(name)).toMatchObject({ isSlave: false, size: 7, crc32: crc32("a slave") });
});

test("the other name may be that of a slave, unless it is taken", () => {
  const { files, engine } = opened();
  const source = put(engine, normal, "the content");
  const master = put(engine, normal, "the master");
  const request = { master, prefix: "_link", extension: "jpg" };
  const name = link(engine, source, request);
  expect(name).toBe(master.replace(".txt", "_link.jpg"));
  expect(readBack(engine, name).toString()).toBe("the content");
  expect(linksOf(files, source)).toBe(2);
  expect(() => link(engine, source, request)).toThrow("is there already");
  expect(() => link(engine, source, { ...request, prefix: "" })).toThrow("needs a prefix");
  const missing = { ...request, master: master.replace(".txt", ".xyz") };
  expect(() => link(engine, source, missing)).toThrow("there is no file");
  expect(engine.isLocked(source)).toBe(false);
});

test("what is no regular file of this path gets no other name", () => {
  const { files, engine } = opened();
  const source = put(engine, normal, "the content");
  const codes = (name: string): unknown => {
    try {
      link(engine, name);
      return "made";
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const symbolic = source.replace(".txt", ".sym");
  files.makeLink(`${directory}/data/${symbolic.slice(4)}`, `${directory}/data/${source.slice(4)}`);
  const folder = source.replace(".txt", ".dir");
  files.makeDirectory(`${directory}/data/${folder.slice(4)}`);
  commit(engine, engine.prepareMetadata(source, "overwrite", Buffer.from("a\x02b")));
  const none = [symbolic, folder, `${source}-m`, source.replace("M00", "M01"), "nonsense"];
  expect(none.map(codes)).toEqual(none.map(() => "file-invalid"));
  expect(codes(source.replace(".txt", ".xyz"))).toBe("file-missing");
  expect(() => link(engine, source, { extension: "too-long" })).toThrow("too-long");
});

test("where no further name can be had the file is copied", () => {
  for (const code of ["EMLINK", "EPERM", "EXDEV"]) {
    const { files, engine } = opened();
    const source = put(engine, normal, "the content");
    files.makeHardLink = () => {
      throw new FileError(code, `${code}: refused`);
    };
    const names = [link(engine, source), link(engine, source, { master: source, prefix: "_s" })];
    for (const name of names) {
      expect(linksOf(files, name)).toBe(1);
      expect(readBack(engine, name).toString()).toBe("the content");
    }
    expect(viewOf(files, directory).staged).toEqual([]);
    expect(files.openFiles).toBe(1);
  }
});

test("a link that is given up half-way leaves nothing", () => {
  const { files, engine } = opened();
  const appender = put(engine, { kind: "appender", extension: "log" }, "x".repeat(3_000_000));
  const steps = engine.link({ source: appender, extension: "", master: "", prefix: "" });
  steps.next();
  expect(engine.isLocked(appender)).toBe(true);
  steps.return(undefined as never);
  expect(engine.isLocked(appender)).toBe(false);
  expect(viewOf(files, directory).staged).toEqual([]);
  expect(files.openFiles).toBe(1);
});

test("a path that takes no new files makes no other names", () => {
  const { files, engine } = opened();
  const source = put(engine, normal, "the content");
  engine.close();
  const readOnly = openEngine({ files, directory, settings: { readOnly: true } });
  expect(() => link(readOnly, source)).toThrow("takes no new files");
});

test("a packed file is copied, and the copy outlives it", () => {
  const files = new MemoryFiles(directory);
  const world = { files, directory, settings: { packing: "on" } } as const;
  const engine = openPacking(world).engine;
  const source = put(engine, normal, "small");
  expect(decoded(source)?.isTrunk).toBe(true);
  const name = link(engine, source);
  const slave = link(engine, source, { master: source, prefix: "_s" });
  commit(engine, engine.prepareRemove(source));
  for (const each of [name, slave]) expect(readBack(engine, each).toString()).toBe("small");
  engine.close();
});
