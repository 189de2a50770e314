import { expect, test } from "vitest";
import { Log, type LogRecord } from "#base/log.ts";
import { BinlogWriter } from "#filestore/binlog/binlog-writer.ts";
import { FileError, type Files } from "#platform/files.ts";
import { readText } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/sync";
const first = "1700000000 C M00/00/00/first-file\n";
const second = "1700000000 C M00/00/00/second-file\n";

function noFailure(error: FileError): never {
  throw error;
}

function writer(files: Files, logs: LogRecord[] = [], rotationBytes?: number): BinlogWriter {
  return BinlogWriter.open({
    files,
    directory,
    log: new Log("test", (record) => logs.push(record)),
    ...(rotationBytes === undefined ? {} : { rotationBytes }),
  });
}

function write(files: Files, path: string, text: string): void {
  const descriptor = files.open(path, "write");
  files.write(descriptor, Buffer.from(text, "latin1"));
  files.close(descriptor);
}

test("a new binlog begins at nothing, with its index", () => {
  const files = new MemoryFiles(directory);
  const binlog = writer(files);
  expect(binlog.position).toEqual({ index: 0, offset: 0 });
  binlog.append(first);
  binlog.append(second);
  expect(binlog.position).toEqual({ index: 0, offset: first.length + second.length });
  expect(readText(files, "/sync/binlog.000")).toBe(first + second);
  expect(readText(files, "/sync/binlog_index.dat")).toBe("current_write=0\ncurrent_compress=0\n");
});

test("it goes on where a C storage stopped, and keeps what that noted", () => {
  const files = new MemoryFiles(directory);
  write(files, "/sync/binlog.003", first);
  write(files, "/sync/binlog_index.dat", "current_write=3\ncurrent_compress=2\n");
  const binlog = writer(files, [], 10);
  expect(binlog.position).toEqual({ index: 3, offset: first.length });
  binlog.rotateWhenFull(noFailure);
  expect(readText(files, "/sync/binlog_index.dat")).toBe("current_write=4\ncurrent_compress=2\n");
});

test("the bare index of old storages is followed, and a file that it does not know yet", () => {
  const files = new MemoryFiles(directory);
  write(files, "/sync/binlog.index", "1");
  write(files, "/sync/binlog.001", first);
  expect(writer(files).position).toEqual({ index: 1, offset: first.length });
  write(files, "/sync/binlog.002", "");
  expect(writer(files).position).toEqual({ index: 2, offset: 0 });
});

test("a last line without its end is cut off, and said so", () => {
  for (const torn of ["17000", "\0".repeat(10_000)]) {
    const files = new MemoryFiles(directory);
    const logs: LogRecord[] = [];
    write(files, "/sync/binlog.000", first + torn);
    expect(writer(files, logs).position).toEqual({ index: 0, offset: first.length });
    expect(readText(files, "/sync/binlog.000")).toBe(first);
    expect(logs.map(({ event, data }) => [event, data.bytes])).toEqual([
      ["binlog-torn-line-dropped", torn.length],
    ]);
    write(files, "/sync/binlog.000", torn);
    expect(writer(files).position.offset).toBe(0);
  }
});

test("a full file is followed by the next one, at the border of a batch", () => {
  const files = new MemoryFiles(directory);
  const binlog = writer(files, [], first.length + 1);
  binlog.append(first);
  binlog.rotateWhenFull(noFailure);
  expect(binlog.position).toEqual({ index: 0, offset: first.length });
  binlog.append(second);
  expect(readText(files, "/sync/binlog.000")).toBe(first + second);
  binlog.rotateWhenFull(noFailure);
  binlog.append(second);
  expect(binlog.position).toEqual({ index: 1, offset: second.length });
  expect(readText(files, "/sync/binlog.001")).toBe(second);
  expect(readText(files, "/sync/binlog_index.dat")).toContain("current_write=1\n");
  binlog.close();
  expect(files.openFiles).toBe(0);
});

test("a flush that fails before the next file is told, and the full one stays the last", () => {
  const troubled = new TroubledFiles(new MemoryFiles(directory));
  const binlog = writer(troubled.files, [], first.length);
  binlog.append(first);
  troubled.arm({ kind: "fail", atCall: 1, code: "EIO" });
  const told: string[] = [];
  expect(() => binlog.rotateWhenFull(({ code }) => void told.push(code))).toThrow("EIO");
  expect([told, troubled.trace, binlog.position.index]).toEqual([["EIO"], ["flush"], 0]);
  binlog.rotateWhenFull(noFailure);
  expect(binlog.position).toEqual({ index: 1, offset: 0 });
});

test("a batch larger than any before is written whole", () => {
  const files = new MemoryFiles(directory);
  const batch = first.repeat(5000);
  const binlog = writer(files);
  binlog.append(batch);
  expect(readText(files, "/sync/binlog.000")).toBe(batch);
});

test("what was appended can be taken back", () => {
  const files = new MemoryFiles(directory);
  const binlog = writer(files);
  binlog.append(first);
  const { position } = binlog;
  binlog.append(second);
  binlog.takeBack(position);
  expect(binlog.position).toEqual(position);
  binlog.append(second);
  expect(readText(files, "/sync/binlog.000")).toBe(first + second);
});

/** Writes half and fails, as a full disk does. */
class HalfWriting extends MemoryFiles {
  failing = 0;
  refusedCuts = 0;

  override write(descriptor: number, bytes: Uint8Array, position?: number): void {
    const fails = this.failing > 0;
    super.write(descriptor, fails ? bytes.subarray(0, bytes.length / 2) : bytes, position);
    if (!fails) return;
    this.failing -= 1;
    throw new FileError("ENOSPC", "full");
  }

  override truncate(descriptor: number, sizeBytes: number): void {
    if (this.refusedCuts > 0) {
      this.refusedCuts -= 1;
      throw new FileError("EIO", "refused");
    }
    super.truncate(descriptor, sizeBytes);
  }
}

test("a write that fails leaves nothing", () => {
  const files = new HalfWriting(directory);
  const binlog = writer(files);
  binlog.append(first);
  files.failing = 1;
  expect(() => binlog.append(second)).toThrow("full");
  expect(readText(files, "/sync/binlog.000")).toBe(first);
  binlog.append(second);
  expect(readText(files, "/sync/binlog.000")).toBe(first + second);
});

test("what a failed write left is cut off before the next one, or there is no next one", () => {
  const files = new HalfWriting(directory);
  const binlog = writer(files);
  binlog.append(first);
  files.failing = 1;
  files.refusedCuts = 2;
  expect(() => binlog.append(second)).toThrow("full");
  expect(binlog.position.offset).toBe(first.length);
  expect(() => binlog.append(second)).toThrow("refused");
  binlog.append(second);
  expect(readText(files, "/sync/binlog.000")).toBe(first + second);
});
