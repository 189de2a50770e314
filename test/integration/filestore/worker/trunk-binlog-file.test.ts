import { expect, test } from "vitest";
import { Log, type LogRecord } from "#base/log.ts";
import { TrunkBinlogFile } from "#filestore/worker/trunk-binlog-file.ts";
import type { Files } from "#platform/files.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

const now = 1_795_395_770;

function disk(): MemoryFiles {
  return new MemoryFiles("/d", "/d/data", "/d/data/.cairn");
}

function opened(files: Files, records: LogRecord[] = []): TrunkBinlogFile {
  const log = new Log("test", (record) => records.push(record));
  return new TrunkBinlogFile({ files, log, data: "/d/data", own: "/d/data/.cairn", flushed: true });
}

function text(file: TrunkBinlogFile, name = "binlog", offset = 0): string | undefined {
  const target = Buffer.alloc(4096);
  const read = file.read(name, target, offset);
  return read === undefined ? undefined : target.toString("latin1", 0, read.length);
}

const line = `${now} A 0 0 0 1 0 256\n`;

test("lines are appended and read from anywhere", () => {
  const file = opened(disk());
  expect([file.size(), text(file)]).toEqual([0, ""]);
  expect(file.append(Buffer.from(line))).toBe(line.length);
  file.append(Buffer.from(line));
  expect(text(file, "binlog", line.length)).toBe(line);
  expect(file.read("binlog", Buffer.alloc(4), 9999)).toEqual({ size: 2 * line.length, length: 0 });
  file.close();
  expect(file.append(Buffer.from(line))).toBe(3 * line.length);
});

test("what a crash has torn is cut off before anything follows it", () => {
  const files = disk();
  const records: LogRecord[] = [];
  opened(files).append(Buffer.from(`${line}1795395770 A 0 0`));
  const file = opened(files, records);
  expect(file.append(Buffer.from(line))).toBe(2 * line.length);
  expect(text(file)).toBe(line + line);
  expect(records.map(({ event }) => event)).toEqual(["trunk-binlog-torn"]);
});

test("marks are small files of their own; other names are refused", () => {
  const file = opened(disk());
  expect(text(file, "10.0.0.1_23000.mark")).toBeUndefined();
  file.writeMark("10.0.0.1_23000.mark", Buffer.from("binlog_offset=7\n"));
  expect(text(file, "10.0.0.1_23000.mark")).toBe("binlog_offset=7\n");
  for (const name of ["../x.mark", "a/b.mark", ".mark", "storage_trunk.dat", ""]) {
    expect(() => file.writeMark(name, Buffer.from("x")), name).toThrow("no file of a trunk binlog");
  }
});

test("to begin anew keeps as many backups as wanted, and no snapshot", () => {
  const files = disk();
  const file = opened(files);
  for (const at of [1, 2, 3]) {
    file.append(Buffer.from(line));
    file.reset(2, now + at);
    expect(file.size()).toBe(0);
  }
  expect(files.list("/d/data/trunk")?.sort()).toEqual([
    "binlog",
    "binlog.20261123010252",
    "binlog.20261123010253",
  ]);
  file.append(Buffer.from(line));
  file.reset(0, now);
  expect([file.size(), files.list("/d/data/trunk")?.length]).toEqual([0, 3]);
});

test("to forget its readers removes marks and snapshot, and leaves the binlog", () => {
  const files = disk();
  const file = opened(files);
  file.append(Buffer.from(line));
  file.writeMark("a.mark", Buffer.from("binlog_offset=7\n"));
  files.close(files.open("/d/data/storage_trunk.dat", "create"));
  file.forget();
  expect(files.list("/d/data/trunk")).toEqual(["binlog"]);
  expect([text(file, "snapshot"), text(file)]).toEqual([undefined, line]);
});
