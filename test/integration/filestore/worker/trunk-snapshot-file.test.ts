/** The snapshot beside a trunk binlog: whole or not there, and never of another binlog. */
import { expect, test } from "vitest";
import { Log, type LogRecord } from "#base/log.ts";
import { TrunkBinlogFile } from "#filestore/worker/trunk-binlog-file.ts";
import { readText } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

const line = "1795395770 A 0 0 0 1 0 256\n";
const path = "/d/data/storage_trunk.dat";

function opened(files = new MemoryFiles("/d", "/d/data", "/d/data/.cairn")) {
  const records: LogRecord[] = [];
  const log = new Log("test", (record) => records.push(record));
  const parts = { files, log, data: "/d/data", own: "/d/data/.cairn", flushed: true };
  const file = new TrunkBinlogFile(parts);
  const piece = (which: "first" | "last" | "both" | "none", binlogBytes = file.size()) =>
    file.writeSnapshot({
      isFirst: which === "first" || which === "both",
      isLast: which === "last" || which === "both",
      lines: Buffer.from(line),
      binlogBytes,
    });
  return { files, file, piece, records };
}

test("it comes in pieces, and is there as a whole after a power cut; until then the one before is", () => {
  const { files, file, piece } = opened();
  file.append(Buffer.from(line));
  expect(piece("both")).toBe(true);
  file.append(Buffer.from(line));
  expect([piece("first"), piece("none")]).toEqual([true, true]);
  expect(readText(files, path)).toBe(`27\n${line}`);
  expect(piece("last")).toBe(true);
  files.powerCut();
  expect(readText(files, path)).toBe(`54\n${line}${line}${line}`);
});

test("what is appended meanwhile does not matter; another binlog, or another size at the begin, ends it", () => {
  const { files, file, piece } = opened();
  file.append(Buffer.from(line));
  expect([piece("both", 26), piece("last")]).toEqual([false, false]);
  piece("first");
  file.append(Buffer.from(line));
  expect(piece("last")).toBe(true);
  const others: readonly (() => unknown)[] = [
    () => file.reset(0, 1),
    () => file.forget(),
    () => [...file.compress(0, 1)],
  ];
  for (const becomeAnother of others) {
    piece("first");
    becomeAnother();
    expect(piece("last")).toBe(false);
    expect(files.stat(path, true)).toBeUndefined();
  }
});

test("one that says more than the binlog has, or is none, is dropped before the binlog grows", () => {
  for (const text of ["28\n", "rubbish", ""]) {
    const { files, file, piece } = opened();
    file.append(Buffer.from(line));
    piece("both");
    file.close();
    const descriptor = files.open(path, "write");
    files.write(descriptor, Buffer.from(text));
    files.close(descriptor);
    const again = opened(files);
    expect(again.file.read("snapshot", Buffer.alloc(9), 0)).toBeDefined();
    again.file.append(Buffer.from(line));
    expect(files.stat(path, true)).toBeUndefined();
    expect(again.records.map(({ event }) => event)).toEqual(["trunk-snapshot-dropped"]);
  }
});
