/** The log of free trunk space: short, right as far as it goes, and written anew when it is long. */
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { FreeExtents } from "#filestore/trunk/free-extents.ts";
import { minCompressedBytes, TrunkLog } from "#filestore/trunk/trunk-log.ts";
import { TrunkSpace } from "#filestore/trunk/trunk-space.ts";
import { readText } from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const path = "/own/trunk.log";
const file = { id: 7, high: 1, low: 2, sizeBytes: 4096 };

function setUp(memory = new MemoryFiles("/own")) {
  const troubled = new TroubledFiles(memory);
  const events: string[] = [];
  const log = new TrunkLog({
    files: troubled.files,
    clock: new ManualClock(),
    log: new Log("test", ({ event }) => events.push(event)),
    path,
    storePathIndex: 3,
  });
  return { memory, troubled, log, events };
}

function readAll(log: TrunkLog): { readonly lines: string[]; readonly whole: boolean } {
  const lines: string[] = [];
  const steps = log.read((kind, { fileId, offset, size }) =>
    lines.push(`${kind} ${fileId} ${offset} ${size}`),
  );
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return { lines, whole: step.value };
}

test("changes that go on from each other are one line, as C writes lines", () => {
  const { memory, log } = setUp();
  log.restate(file, [{ offset: 0, size: 4096 }]);
  for (const offset of [0, 256, 512]) log.note("used", file, { offset, size: 256 });
  log.note("free", file, { offset: 256, size: 256 });
  expect(log.close()).toBe(true);
  expect(readText(memory, path)).toBe(
    "1700000000 D 3 1 2 7 0 4096\n1700000000 A 3 1 2 7 0 4096\n" +
      "1700000000 D 3 1 2 7 0 768\n1700000000 A 3 1 2 7 256 256\n",
  );
  expect(readAll(setUp(memory).log)).toEqual({
    lines: ["used 7 0 4096", "free 7 0 4096", "used 7 0 768", "free 7 256 256"],
    whole: true,
  });
});

test("a line that has no end was being written; any other that is none makes the log worthless", () => {
  const { memory } = setUp();
  const line = "1 A 3 1 2 7 0 4096\n";
  writeFile(memory, path, `${line}1 D 3 1 2 7 0 25`);
  expect(readAll(setUp(memory).log)).toEqual({ lines: ["free 7 0 4096"], whole: true });
  for (const wrong of ["rubbish\n", "1 A 4 1 2 7 0 4096\n", "\n", "1 X 3 1 2 7 0 1\n"]) {
    writeFile(memory, path, `${line}${wrong}${line}`);
    expect(readAll(setUp(memory).log).whole, wrong).toBe(false);
  }
  writeFile(memory, path, "");
  expect(readAll(setUp(memory).log)).toEqual({ lines: [], whole: true });
  memory.remove(path);
  expect(readAll(setUp(memory).log)).toEqual({ lines: [], whole: false });
});

test("a log that has grown is written anew with what is known, and goes on behind it", () => {
  const { memory, log } = setUp();
  const space = new TrunkSpace();
  space.register(file, "/7", new FreeExtents([{ offset: 512, size: 1024 }]));
  expect(log.isWorthCompressing(1)).toBe(false);
  for (let count = 0; count * 25 < minCompressedBytes; count += 1) {
    log.note(count % 2 === 0 ? "used" : "free", file, { offset: 0, size: 256 });
  }
  log.write();
  const before = memory.stat(path, false)?.sizeBytes ?? 0;
  expect(log.isWorthCompressing(1)).toBe(true);
  expect(log.isWorthCompressing(before)).toBe(false);
  const steps = log.compress(space);
  steps.next();
  log.note("used", file, { offset: 600, size: 64 });
  while (steps.next().done !== true);
  expect(log.isWorthCompressing(1)).toBe(false);
  log.close();
  expect(readText(memory, path)).toBe(
    "1700000000 A 3 1 2 7 512 1024\n1700000000 D 3 1 2 7 600 64\n",
  );
  expect(memory.openFiles).toBe(0);
});

test("a log that the disk refuses is left alone, and written anew later", () => {
  const { memory, troubled, log, events } = setUp();
  log.note("used", file, { offset: 0, size: 1 });
  log.write();
  troubled.arm({ kind: "fail", atCall: 1, code: "ENOSPC" });
  log.note("used", file, { offset: 10, size: 1 });
  log.write();
  log.note("used", file, { offset: 20, size: 1 });
  log.write();
  expect(events).toEqual(["trunk-log-not-written"]);
  expect(log.isWorthCompressing(0)).toBe(true);
  while (log.compress(new TrunkSpace()).next().done !== true);
  log.note("used", file, { offset: 30, size: 1 });
  expect(log.close()).toBe(true);
  expect(readText(memory, path)).toBe("1700000000 D 3 1 2 7 30 1\n");
});
