/** The parts of peers' changes that can be looked at by themselves. */
import { expect, test } from "vitest";
import { binlogStart } from "#filestore/binlog/position.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { maxRemovedNames, RemovedNames } from "#filestore/worker/replicas/removed-names.ts";
import { PresentFile, toldBy } from "#filestore/worker/replicas/replica-content.ts";
import { type RangeTarget, rangeOutcome } from "#filestore/worker/replicas/replica-range.ts";
import { performReplica } from "#filestore/worker/replicas/replica-requests.ts";
import { slotLockKey } from "#filestore/worker/replicas/replica-slot.ts";
import { startReplica } from "#filestore/worker/replicas/start-replica.ts";
import { SyncMarks } from "#filestore/worker/replicas/sync-marks.ts";
import { hasMadeTail } from "#model/file-base.ts";
import type { FileStat } from "#platform/files.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { codeOf, peerName } from "../../../../support/replica-stage.ts";
import { writeFile } from "../../../../support/store-path-vectors.ts";

const layout = new FileLayout("/disk", 0);

function removed(binlog = "") {
  const files = new MemoryFiles("/disk", layout.data, layout.sync);
  if (binlog !== "") writeFile(files, `${layout.sync}/binlog.000`, binlog);
  const position = { index: 0, offset: binlog.length };
  const names = new RemovedNames({ files, layout, binlog: { position } });
  const covers = (name: string, timestamp: number, versioned = false) =>
    names.covers({ name, base: name.slice(10) }, { timestamp, versioned });
  return { names, covers };
}

test("a name that is given once is covered whatever the time is, others before their removal", () => {
  const { names, covers } = removed();
  const name = peerName("x");
  const slave = name.replace(".txt", "_s.txt");
  for (const each of [name, slave]) names.note(each, 100);
  expect([covers(name, 50), covers(name, 200)]).toEqual([true, true]);
  expect([covers(slave, 99), covers(slave, 100)]).toEqual([true, false]);
  names.forget(name);
  expect(covers(name, 50)).toBe(false);
});

test("what ours made in the second of its removal is what was removed, and what is made anew is later", () => {
  // Seeds 405 and 778: a slave was made and deleted within a second, and its creation came once more, late.
  const { names, covers } = removed();
  const slave = peerName("x").replace(".txt", "_s.txt");
  const metadata = `${slave}-m`;
  names.note(slave, 100);
  names.note(slave, 90);
  expect([covers(slave, 100, true), covers(slave, 101, true)]).toEqual([true, false]);
  expect([covers(metadata, 100, true), covers(metadata, 101, true)]).toEqual([true, false]);
  const timeOfNew = (name: string, now: number) =>
    names.timeOfNew({ name, base: name.slice(10) }, now);
  expect([timeOfNew(slave, 95), timeOfNew(slave, 100), timeOfNew(slave, 200)]).toEqual([
    ...[101, 101, 200],
  ]);
  expect([timeOfNew(metadata, 95), timeOfNew(peerName("y"), 95)]).toEqual([101, 95]);
});

test("the end of the binlog tells what was removed, but not what a crash took", () => {
  const [one, two, three, four] = [1, 2, 3, 4].map((number) => peerName("x", { number }));
  const binlog = [`5 D ${one}`, `6 d ${two}`, `0 d ${three}`, `7 D ${four}`, `8 U ${four}`];
  const { covers } = removed(`${binlog.join("\n")}\n`);
  expect([one, two, three, four].map((name) => covers(name ?? "", 1))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("old removals are forgotten when there are too many", () => {
  const { names, covers } = removed();
  const first = peerName("x");
  names.note(first, 1);
  for (let number = 0; number < maxRemovedNames; number += 1) names.note(`name ${number}`, 1);
  expect(covers(first, 0)).toBe(true);
  for (let number = 0; number < maxRemovedNames; number += 1) names.note(`more ${number}`, 1);
  expect(covers(first, 0)).toBe(false);
});

test("a range fits, is there already, or does not fit", () => {
  const stat = (sizeBytes: number): FileStat => ({ kind: "file", sizeBytes }) as FileStat;
  const place = layout.place(peerName("", { kind: "appender" }));
  const range = { place, offset: 5, lengthBytes: 3, timestamp: 1 };
  const outcomes = (kind: "append" | "modify") =>
    [undefined, stat(4), stat(5), stat(7), stat(8)].map((each) =>
      rangeOutcome(each, { ...range, kind }),
    );
  expect(outcomes("append")).toEqual(["missing", "differs", undefined, "differs", "already"]);
  expect(outcomes("modify")).toEqual(["missing", "differs", undefined, undefined, undefined]);
});

test("slots are told apart by file and offset", () => {
  const slot = { path: "/a", offset: 5 } as Parameters<typeof slotLockKey>[0];
  expect(slotLockKey(slot)).not.toBe(slotLockKey({ ...slot, offset: 6 }));
  expect(slotLockKey(slot)).not.toBe(slotLockKey({ ...slot, path: "/b" }));
});

test("what is not there is not compared, and requests that are none are refused", () => {
  const files = new MemoryFiles("/disk");
  const store = { files, layout, settings: { subdirCount: 256 } } as never;
  expect(PresentFile.find(store, layout.place(peerName("x")), 1)).toBeUndefined();
  const range = { kind: "replica-append", name: peerName("x"), offset: 0, timestamp: 1 } as const;
  expect(codeOf(() => startReplica(store, range, 1))).toBe("file-invalid");
  const marks = new SyncMarks({ files, layout, staged: undefined as never });
  expect(codeOf(() => marks.read("binlog.000", 1))).toBe("file-invalid");
  const record = { kind: 69, id: 1, text: "", text2: "", a: 0 } as never;
  const engine = { replication: { changes: {} } } as never;
  const parts = { engine, requireChanges: () => {}, waits: () => false } as never;
  expect(codeOf(() => performReplica(record, parts))).toBe("file-invalid");
  expect(binlogStart.offset).toBe(0);
});

test("a modification whose bytes came with an earlier change is written for its time, which keeps that one out", () => {
  // Seeds 3274 and 30241: the earlier one was delivered once more, late, with the bytes of before.
  const stat = { kind: "file", sizeBytes: 10, modifiedSeconds: 52 } as FileStat;
  const outcome = (kind: "append" | "modify", timestamp: number, isSame: boolean) => {
    const target = { kind, offset: 8, lengthBytes: 2, timestamp, versioned: true };
    return rangeOutcome(stat, target as RangeTarget, isSame);
  };
  expect([outcome("modify", 56, true), outcome("modify", 52, true)]).toEqual([
    undefined,
    "already",
  ]);
  expect([outcome("modify", 51, false), outcome("append", 56, true)]).toEqual([
    "differs",
    "already",
  ]);
});

test("what is noted of the path itself, and what marks pass over, survives a power cut; how far a peer has come need not", () => {
  const files = new MemoryFiles("/disk", layout.data, layout.sync, "/disk/tmp");
  let parts = 0;
  const newPart = (): string => {
    parts += 1;
    return `/disk/tmp/${parts}`;
  };
  const marks = new SyncMarks({ files, layout, staged: { newPart } as never });
  const names = ["cairn-recovery.mark", "10.0.0.1_23000.0.aside.mark", "10.0.0.1_23000.mark"];
  for (const name of names) marks.write(name, Buffer.from("noted"));
  files.powerCut();
  expect(names.map((name) => marks.read(name, 100))).toEqual(["noted", "noted", undefined]);
});

test("a slave whose name is as long as a normal one tells nothing of its content", () => {
  const name = peerName("content").slice(10);
  expect(toldBy(name)?.size).toBe(7);
  expect(toldBy(name.replace("123.txt", "123_0.s"))).toBeUndefined();
  for (const [tail, isMade] of [
    ["1234567", true],
    ["12.jpeg", true],
    [".tar.gz", true],
    ["123456.", false],
    ["12-s.md", false],
  ] as const) {
    expect(hasMadeTail(name.slice(0, 27) + tail)).toBe(isMade);
  }
});
