/** What a start makes of new files that are recorded and not there, or not whole, in states made by hand. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import type { LogRecord } from "#base/log.ts";
import { maxBatch } from "#filestore/worker/commit-queue.ts";
import { createdBy } from "#filestore/worker/create-recovery.ts";
import { makeBase } from "#model/file-base.ts";
import { FileError } from "#platform/files.ts";
import { openEngine, put, type StorePathView, viewOf } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";

const directory = "/disk";
const settings = { durability: "relaxed" } as const;
const time = 1_700_000_000;

function nameOf(content: string, number = 1, kind: "normal" | "appender" = "normal"): string {
  const base = makeBase({
    source: { kind: "address", address: "10.9.0.2" },
    timestamp: time,
    size: content.length,
    crc32: crc32(content),
    randomBits: number,
    kind,
    tail: "123.txt",
  });
  return `M00/00/00/${base}`;
}

/** A disk with these files and records, left by a process that was killed. */
class Left extends MemoryFiles {
  fullAt: "append" | undefined;
  badName = "";
  readonly logs: LogRecord[] = [];

  constructor(records: readonly string[], files: Readonly<Record<string, string>>) {
    super(directory);
    openEngine({ files: this, directory, settings });
    for (const path of ["00", "00/00"]) this.makeDirectory(`${directory}/data/${path}`);
    for (const [name, content] of Object.entries(files)) {
      writeFile(this, `${directory}/data/${name.slice(4)}`, content);
    }
    const binlog = this.open(`${directory}/data/sync/binlog.000`, "append");
    this.write(binlog, Buffer.from(records.map((line) => `${time} ${line}\n`).join("")));
    this.close(binlog);
  }

  override open(...[path, mode]: Parameters<MemoryFiles["open"]>): number {
    if (this.badName !== "" && path.endsWith(this.badName.slice(4))) {
      throw new FileError("EIO", "EIO: cannot be read");
    }
    return super.open(path, mode);
  }

  override write(...[descriptor, bytes, position]: Parameters<MemoryFiles["write"]>): void {
    const isAmends = Buffer.from(bytes).toString("latin1").includes(" d M00/");
    if (this.fullAt === "append" && isAmends) throw new FileError("ENOSPC", "ENOSPC: full");
    super.write(descriptor, bytes, position);
  }

  /** Starts, and returns what is there, with the records that the start wrote, without their time. */
  start(): StorePathView & { readonly swept: number; readonly added: string } {
    const before = viewOf(this, directory).binlog.length;
    const { logs } = this;
    const engine = openEngine({ files: this, directory, settings, logs });
    const view = viewOf(this, directory);
    const added = view.binlog.slice(before).replace(/^\d+ /gm, "");
    return { ...view, swept: engine.openReport.swept, added };
  }
}

const whole = nameOf("content");

test("a file that is missing is recorded as gone, for this node alone", () => {
  const disk = new Left([`C ${whole}`], {});
  expect(disk.start()).toMatchObject({ files: {}, swept: 0, added: `d ${whole}\n` });
  expect(disk.logs.map(({ event }) => event)).toContain("new-files-not-whole");
  expect(disk.start()).toMatchObject({ added: "" });
});

test("a file that is shorter, longer or has another content goes, and is recorded as gone", () => {
  for (const content of ["", "cont", "content and more", "CONTENT"]) {
    const disk = new Left([`C ${whole}`], { [whole]: content });
    expect(disk.start()).toMatchObject({ files: {}, swept: 1, added: `d ${whole}\n` });
  }
});

test("only of the latest the content is read", () => {
  const names = Array.from({ length: maxBatch + 2 }, (_, number) => nameOf("content", number));
  const files = Object.fromEntries(names.map((name) => [name, "CONTENT"]));
  const { added } = new Left(
    names.map((name) => `C ${name}`),
    files,
  ).start();
  const gone = names.slice(2).map((name) => `d ${name}\n`);
  expect(added).toBe(gone.join(""));
});

test("whole files, and names that do not tell what is whole, are left alone", () => {
  const appender = nameOf("content", 2, "appender");
  const slave = whole.replace(".txt", "_small.png");
  const changed = nameOf("content", 4);
  const deleted = nameOf("content", 5);
  const records = [`C ${whole}`, `C ${appender}`, `C ${slave}`, `C ${whole}-m`];
  records.push(
    `C ${changed}`,
    `U ${changed}`,
    `C ${deleted}`,
    `D ${deleted}`,
    "C M00/00/00/others",
  );
  const files = { [whole]: "content", [`${whole}-m`]: "a\x02b", [slave]: "x", [appender]: "y" };
  const { added, swept } = new Left(records, files).start();
  expect([added, swept]).toEqual(["", 0]);
});

test("what says that a file is not here has no time, so that nobody takes it for a deletion", () => {
  const disk = new Left([`C ${whole}`], {});
  disk.start();
  expect(viewOf(disk, directory).binlog).toBe(`${time} C ${whole}\n0 d ${whole}\n`);
});

/** A peer's name may say another CRC-32 than its content, as those of old releases and of links do. */
test("what a peer made goes where it is missing or has another size, and stays whatever its content is", () => {
  const missing = new Left([`c ${whole}`], {});
  expect(missing.start()).toMatchObject({ files: {}, added: `d ${whole}\n` });
  const short = new Left([`c ${whole}`], { [whole]: "cont" });
  expect(short.start()).toMatchObject({ files: {}, swept: 1, added: `d ${whole}\n` });
  const other = new Left([`c ${whole}`], { [whole]: "CONTENT" });
  expect(other.start()).toMatchObject({ swept: 0, added: "" });
});

test("a file that cannot be read keeps nobody from starting, nor does a full disk", () => {
  const bad = new Left([`C ${whole}`], { [whole]: "content" });
  bad.badName = whole;
  const before = bad.openFiles;
  const engine = openEngine({ files: bad, directory, settings, logs: bad.logs });
  expect(bad.logs.map(({ event }) => event)).toContain("new-file-not-read");
  expect(bad.openFiles).toBe(before + 1);
  put(engine, { kind: "normal", extension: "txt" }, "goes on");
  const full = new Left([`C ${whole}`], { [whole]: "cont" });
  full.fullAt = "append";
  expect(full.start()).toMatchObject({ files: {}, swept: 1, added: "" });
  expect(full.logs.map(({ event }) => event)).toContain("binlog-not-amended");
});

test("only records of new files whose names tell their size are looked at", () => {
  const disk = new Left([], {});
  expect(disk.start()).toMatchObject({ added: "" });
  const place = { name: whole, path: "/x", high: 0, low: 0, base: whole.slice(10) };
  const entry = { timestamp: time, replica: false, name: whole, kind: "create" } as const;
  const start = { index: 0, offset: 0 };
  const record = { entry, start, end: start, line: "" };
  const created = { place, sizeBytes: 7, crc32: crc32("content") };
  expect(createdBy(place, record)).toEqual(created);
  const replica = { ...record, entry: { ...entry, replica: true } };
  expect(createdBy(place, replica)).toEqual({ ...created, crc32: undefined });
  expect(createdBy({ ...place, base: "short" }, record)).toBeUndefined();
});
