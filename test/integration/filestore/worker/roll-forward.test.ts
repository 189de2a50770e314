/**
 * What a start makes of staged files and of the binlog's tail, in states made by hand. `crash-points.test.ts` makes those that
 * really occur.
 */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { formatBound, formatNew } from "#filestore/formats/staged-name.ts";
import type { OpenReport } from "#filestore/worker/open-store-path.ts";
import { makeBase } from "#model/file-base.ts";
import { openEngine, put, viewOf } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";

const directory = "/disk";
const tmp = `${directory}/data/.cairn/tmp`;
const time = 1_700_000_000;

/** The base of a normal file with this content. */
function baseOf(content: string): string {
  return makeBase({
    source: { kind: "address", address: "10.9.0.2" },
    timestamp: time,
    size: content.length,
    crc32: crc32(content),
    randomBits: 5,
    kind: "normal",
    tail: "123.txt",
  });
}

class Disk {
  readonly files = new MemoryFiles(directory);
  readonly #binlog = `${directory}/data/sync/binlog.000`;

  constructor() {
    openEngine({ files: this.files, directory });
  }

  stage(name: string, content: string): this {
    writeFile(this.files, `${tmp}/${name}`, content);
    return this;
  }

  place(name: string, content: string): this {
    for (const path of ["00", "00/00"]) {
      if (this.files.stat(`${directory}/data/${path}`, false) === undefined) {
        this.files.makeDirectory(`${directory}/data/${path}`);
      }
    }
    writeFile(this.files, `${directory}/data/${name}`, content);
    return this;
  }

  record(...lines: readonly string[]): this {
    const descriptor = this.files.open(this.#binlog, "append");
    this.files.write(descriptor, Buffer.from(lines.map((line) => `${time} ${line}\n`).join("")));
    this.files.close(descriptor);
    return this;
  }

  open(): OpenReport & { readonly visible: Readonly<Record<string, string>> } {
    const before = this.files.openFiles;
    const engine = openEngine({ files: this.files, directory });
    const { files, staged } = viewOf(this.files, directory);
    expect(staged).toEqual([]);
    // The binlog's.
    expect(this.files.openFiles).toBe(before + 1);
    return { ...engine.openReport, visible: files };
  }
}

const adopted = false;
const base = baseOf("content");
const place = { high: 0, low: 0, base };
const name = `M00/00/00/${base}`;
const start = { index: 0, offset: 0 };

test("what no record speaks of is swept, whatever it is called", () => {
  const disk = new Disk().stage("1.part", "x").stage(formatNew(place), "content");
  disk.stage(formatBound(place, start), "content").stage("rubbish", "x").stage("00.00..", "x");
  expect(disk.open()).toEqual({ rolledForward: 0, swept: 5, adopted, visible: {} });
});

test("a recorded new file is put into its place, and its directory is made", () => {
  const disk = new Disk().stage(formatNew(place), "content").record(`C ${name}`);
  const visible = { [`00/00/${base}`]: "content" };
  expect(disk.open()).toEqual({ rolledForward: 1, swept: 0, adopted, visible });
  expect(disk.open()).toEqual({ rolledForward: 0, swept: 0, adopted, visible });
});

test("a new file that a power cut shortened is not shown, since its name knows its size", () => {
  const disk = new Disk().stage(formatNew(place), "cont").record(`C ${name}`);
  expect(disk.open()).toEqual({ rolledForward: 0, swept: 1, adopted, visible: {} });
});

test("a file that is in its place already stays, and one that was deleted since does not come back", () => {
  const twice = new Disk().stage(formatNew(place), "content").record(`C ${name}`);
  twice.place(`00/00/${base}`, "content");
  const visible = { [`00/00/${base}`]: "content" };
  expect(twice.open()).toEqual({ rolledForward: 0, swept: 1, adopted, visible });
  const deleted = new Disk().stage(formatNew(place), "content");
  deleted.record(`C ${name}`, `D ${name}`);
  expect(deleted.open()).toEqual({ rolledForward: 0, swept: 1, adopted, visible: {} });
});

test("records before the checkpoint, of other store paths, and of C that nobody staged do nothing", () => {
  const disk = new Disk().record(`D ${name}`, "D M01/00/00/on-another-store-path", `C ${name}`);
  disk.place(`00/00/${base}`, "content");
  disk.open();
  const visible = { [`00/00/${base}`]: "content" };
  expect(disk.open()).toEqual({ rolledForward: 0, swept: 0, adopted, visible });
});

test("a bound body is for the record at its place alone", () => {
  const appender = makeBase({
    source: { kind: "address", address: "10.9.0.2" },
    timestamp: time,
    size: 0,
    crc32: 0,
    randomBits: 1,
    kind: "appender",
    tail: "123.log",
  });
  const target = { high: 0, low: 0, base: appender };
  const line = `M M00/00/00/${appender} 2 3`;
  const disk = new Disk().place(`00/00/${appender}`, "0123456789").record(line, line);
  const second = { index: 0, offset: `${time} ${line}\n`.length };
  disk.stage(formatBound(target, start), "old").stage(formatBound(target, second), "new");
  const visible = { [`00/00/${appender}`]: "01new56789" };
  expect(disk.open()).toEqual({ rolledForward: 1, swept: 1, adopted, visible });
});

test("a body that is shorter than its record, or has no file to go to, changes nothing", () => {
  const line = `A ${name} 7 5`;
  const cut = new Disk().place(`00/00/${base}`, "content").record(line);
  cut.stage(formatBound(place, start), "bod");
  const visible = { [`00/00/${base}`]: "content" };
  expect(cut.open()).toEqual({ rolledForward: 0, swept: 1, adopted, visible });
  const gone = new Disk().record(line).stage(formatBound(place, start), "body!");
  expect(gone.open()).toEqual({ rolledForward: 0, swept: 1, adopted, visible: {} });
});

test("deleted, truncated and renamed files become so", () => {
  const other = baseOf("other");
  const disk = new Disk();
  disk.place("00/00/deleted-file", "x").place("00/00/deleted-file-m", "a\x02b");
  disk.place("00/00/truncated-file", "0123456789").place("00/00/old-name-of-it", "content");
  disk.record("D M00/00/00/deleted-file", "T M00/00/00/truncated-file 10 4");
  disk.record(`R M00/00/00/${other} M00/00/00/old-name-of-it`);
  expect(disk.open()).toEqual({
    rolledForward: 3,
    swept: 0,
    adopted,
    visible: { "00/00/truncated-file": "0123", [`00/00/${other}`]: "content" },
  });
  // The metadata that the deletion had not recorded yet is recorded now.
  expect(viewOf(disk.files, directory).binlog).toMatch(/ D M00\/00\/00\/deleted-file-m\n$/);
});

test("only the last record of a name counts", () => {
  const disk = new Disk().place("00/00/some-file-or-other", "0123456789");
  const some = "M00/00/00/some-file-or-other";
  disk.record(`D ${some}`, `T ${some} 10 4`, `C ${some}`);
  const visible = { "00/00/some-file-or-other": "0123456789" };
  expect(disk.open()).toEqual({ rolledForward: 0, swept: 0, adopted, visible });
});

test("a rename whose both names are there is left alone where they are two files", () => {
  const disk = new Disk().place("00/00/old-name-of-it", "old").place("00/00/new-name-of-it", "new");
  disk.record("R M00/00/00/new-name-of-it M00/00/00/old-name-of-it");
  expect(disk.open().visible).toEqual({
    "00/00/new-name-of-it": "new",
    "00/00/old-name-of-it": "old",
  });
});

test("what was rolled forward is flushed before the engine serves", () => {
  const disk = new Disk();
  const engine = openEngine({ files: disk.files, directory });
  put(engine, { kind: "normal", extension: "txt" }, "first");
  disk.stage(formatNew(place), "content");
  for (const path of [tmp, `${directory}/data/sync`]) disk.files.flushDirectory(path);
  const staged = disk.files.open(`${tmp}/${formatNew(place)}`, "read");
  disk.files.flush(staged);
  disk.record(`C ${name}`);
  expect(disk.open().rolledForward).toBe(1);
  disk.files.powerCut();
  expect(disk.open().visible[`00/00/${base}`]).toBe("content");
});
