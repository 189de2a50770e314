import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { binlogPath } from "#filestore/binlog/binlog-files.ts";
import { BinlogReader, chunkBytes } from "#filestore/binlog/binlog-reader.ts";
import { type BinlogPosition, binlogStart } from "#filestore/binlog/position.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

const directory = "/sync";

class Binlog {
  readonly files = new MemoryFiles(directory, "/tmp");

  write(index: number, text: string): this {
    return this.#put(binlogPath(directory, index), Buffer.from(text, "latin1"));
  }

  writeCompressed(index: number, text: string): this {
    return this.#put(`${binlogPath(directory, index)}.gz`, gzipSync(text));
  }

  reader(cursor: BinlogPosition = binlogStart): BinlogReader {
    return new BinlogReader({ files: this.files, directory, scratch: "/tmp" }, cursor);
  }

  #put(path: string, bytes: Buffer): this {
    const descriptor = this.files.open(path, "append");
    this.files.write(descriptor, bytes);
    this.files.close(descriptor);
    return this;
  }
}

/** A record's line for the file of a number. */
function line(number: number): string {
  return `1700000000 C M00/00/00/file-${number}\n`;
}

/** Everything up to the present end: numbers of records, and texts of invalid lines. */
function drain(reader: BinlogReader): (number | string)[] {
  const seen: (number | string)[] = [];
  for (;;) {
    const { records, invalid } = reader.read();
    if (records.length === 0 && invalid.length === 0) return seen;
    seen.push(...records.map(({ entry }) => Number(entry.name.split("-")[1])));
    seen.push(...invalid.map(({ text }) => text));
  }
}

test("a growing binlog is read as it grows, whole lines only", () => {
  const binlog = new Binlog().write(0, line(1) + line(2));
  const reader = binlog.reader();
  expect(drain(reader)).toEqual([1, 2]);
  binlog.write(0, line(3).slice(0, 12));
  expect(drain(reader)).toEqual([]);
  binlog.write(0, line(3).slice(12));
  expect(drain(reader)).toEqual([3]);
  expect(reader.cursor).toEqual({ index: 0, offset: 3 * line(1).length });
  reader.close();
  expect(binlog.files.openFiles).toBe(0);
});

test("each record tells where it stands and where the next one does", () => {
  const length = line(1).length;
  const reader = new Binlog().write(0, line(1) + line(2)).reader();
  const { records } = reader.read();
  expect(records.map(({ start, end, line: text }) => [start.offset, end.offset, text])).toEqual([
    [0, length, line(1).trimEnd()],
    [length, 2 * length, line(2).trimEnd()],
  ]);
  const from = new Binlog().write(0, line(1) + line(2)).reader(records[1]?.start);
  expect(drain(from)).toEqual([2]);
});

test("reading goes on in the next files, compressed ones too, and leaves nothing expanded", () => {
  const binlog = new Binlog().writeCompressed(0, line(1)).write(1, line(2)).write(2, line(3));
  const reader = binlog.reader();
  expect(drain(reader)).toEqual([1, 2, 3]);
  expect(reader.cursor).toEqual({ index: 2, offset: line(3).length });
  expect(binlog.files.list("/tmp")).toEqual([]);
  expect(drain(binlog.reader({ index: 0, offset: line(1).length }))).toEqual([2, 3]);
});

test("lines that are no records are reported, and the rest is read", () => {
  const text = `${line(1)}rubbish\n\n${line(2)}${"x".repeat(300)}\n${line(3)}`;
  const seen = drain(new Binlog().write(0, text).reader());
  expect(seen.filter((one) => typeof one === "number")).toEqual([1, 2, 3]);
  expect(seen.filter((one) => typeof one === "string")).toEqual([
    "rubbish",
    "",
    `${"x".repeat(120)}…`,
  ]);
});

test("a torn line is reported when a later file shows that it stays torn", () => {
  const binlog = new Binlog().write(0, `${line(1)}17000`);
  const reader = binlog.reader();
  expect(drain(reader)).toEqual([1]);
  binlog.write(1, line(2));
  expect(drain(reader)).toEqual(["17000", 2]);
});

test("what was written between the end of a file and the sight of the next one is not lost", () => {
  const binlog = new Binlog().write(0, line(1));
  const reader = binlog.reader();
  expect(drain(reader)).toEqual([1]);
  binlog.write(0, line(2)).write(1, line(3));
  expect(drain(reader)).toEqual([2, 3]);
});

test("rubbish without any line end is passed over in pieces", () => {
  const binlog = new Binlog().write(0, "\0".repeat(2 * chunkBytes + 10)).write(0, `\n${line(1)}`);
  const seen = drain(binlog.reader());
  expect(seen).toContain(1);
  expect(seen.length).toBe(4);
});

test("records across the border of a chunk are whole", () => {
  const count = Math.ceil((3 * chunkBytes) / line(1000).length);
  const numbers = Array.from({ length: count }, (_, index) => 1000 + index);
  expect(drain(new Binlog().write(0, numbers.map(line).join("")).reader())).toEqual(numbers);
});

test("a cursor behind the end is reported once and goes on at the end", () => {
  const binlog = new Binlog().write(0, line(1));
  const reader = binlog.reader({ index: 0, offset: 5000 });
  const size = line(1).length;
  expect(drain(reader)).toEqual([`the cursor is behind the end, which is at ${size}`]);
  binlog.write(0, line(2));
  expect(drain(reader)).toEqual([2]);
});

test("a missing file is reported, and the next one is read", () => {
  const reader = new Binlog().write(0, line(1)).write(2, line(2)).reader();
  expect(drain(reader)).toEqual([1, "binlog.001 is missing", 2]);
});

test("a binlog that is not there yet is empty", () => {
  const binlog = new Binlog();
  const reader = binlog.reader();
  expect(drain(reader)).toEqual([]);
  binlog.write(0, line(1));
  expect(drain(reader)).toEqual([1]);
});
