/** Packed files that a power cut spoiled and no record names: what becomes of their slots, and of those beside them. */
import { expect, test } from "vitest";
import { decodeBase } from "#model/file-id.ts";
import { readBack, readText, viewOf } from "../../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { openPacking, putPacked, walkedTrunkFiles } from "../../../../support/packed-fixture.ts";
import { replicate } from "../../../../support/replica-stage.ts";
import { writeFile } from "../../../../support/store-path-vectors.ts";

const directory = "/disk";
const trunkFile = `${directory}/data/00/00/000001`;
const state = `${directory}/data/.cairn/state`;
const settings = { durability: "relaxed" } as const;
const offsetOf = (name: string): number => decodeBase(name.slice(10))?.trunk?.offset ?? -1;

/** Three packed files, and an end that may have been a power cut; their records are older than what a start looks at. */
function crashed() {
  const files = new MemoryFiles(directory);
  const { engine } = openPacking({ files, directory, settings });
  const names = ["a", "b", "c"].map((letter) => putPacked(engine, letter.repeat(300)));
  const { length } = viewOf(files, directory).binlog;
  const settled = readText(files, state)
    .replace(/binlog_offset=\d+/, `binlog_offset=${length}`)
    .replace(/settled_offset=\d+/, `settled_offset=${length}`);
  writeFile(files, state, settled);
  files.remount();
  const note = `${directory}/data/.cairn/trunk-open`;
  writeFile(
    files,
    note,
    readText(files, note)
      .replace("trunk-open 1 0 0", `trunk-open 1 0 ${length}`)
      .replace("\n0 16384\n", "\n972 15412\n"),
  );
  const write = (offset: number, bytes: Uint8Array): void => {
    const descriptor = files.open(trunkFile, "read-write");
    files.write(descriptor, bytes, offset);
    files.close(descriptor);
  };
  const start = () => {
    const next = openPacking({ files, directory, seed: 2, firstNumber: 100, settings });
    const read = (name: string): string | undefined => {
      try {
        const proof = next.engine.proof(name);
        while (proof !== undefined && proof.next().done !== true);
        return readBack(next.engine, name).toString();
      } catch {
        return undefined;
      }
    };
    return { ...next, read };
  };
  return { files, names, write, start };
}

test("a slot with another content than its header says is zeros, is kept, and takes the file when it comes back", () => {
  const { files, names, write, start } = crashed();
  const [first = "", second = "", third = ""] = names;
  write(offsetOf(second) + 24 + 100, Buffer.from("rot"));
  const { engine, read, settle } = start();
  expect(names.map(read)).toEqual(["a".repeat(300), undefined, "c".repeat(300)]);
  settle();
  expect(walkedTrunkFiles(files, directory)["00/00/000001"]).toMatchObject({
    slots: 2,
    damagedBytes: 0,
  });
  const more = Array.from({ length: 20 }, (_, at) => putPacked(engine, `${at}`.repeat(200)));
  expect(replicate(engine, { name: second, content: "b".repeat(300) })).toBe("");
  expect([first, second, third].map(read)).toEqual(["a", "b", "c"].map((text) => text.repeat(300)));
  for (const [at, name] of more.entries()) expect(read(name)).toBe(`${at}`.repeat(200));
});

test("what reads like a slot, and is none, costs nothing but its first bytes", () => {
  const { names, write, start } = crashed();
  const second = names[1] ?? "";
  // A header that lies about the size of its slot, and ends it in the middle of the third file.
  const header = Buffer.alloc(4);
  header.writeUInt32BE(324 + 100);
  write(offsetOf(second) + 1, header);
  const { read, settle } = start();
  settle();
  expect(names.map(read)).toEqual(["a".repeat(300), undefined, "c".repeat(300)]);
});

test("trunk files that did not change lately are passed over, and those that are cut off are looked at to their end", () => {
  const { files, names, write, start } = crashed();
  write(offsetOf(names[1] ?? "") + 24 + 100, Buffer.from("rot"));
  const settled = readText(files, state).replace(/settled_since=\d+/, "settled_since=1800000000");
  const before = settled;
  writeFile(files, state, before);
  const { settle } = start();
  settle();
  expect(walkedTrunkFiles(files, directory)["00/00/000001"]?.slots).toBe(2);

  const cut = crashed();
  const descriptor = cut.files.open(trunkFile, "read-write");
  cut.files.truncate(descriptor, offsetOf(cut.names[2] ?? "") + 100);
  cut.files.close(descriptor);
  const next = cut.start();
  next.settle();
  expect(cut.names.map(next.read)).toEqual(["a".repeat(300), "b".repeat(300), undefined]);
  expect(cut.files.stat(trunkFile, false)?.sizeBytes).toBe(offsetOf(cut.names[2] ?? "") + 100);
});

test("a slot whose record is lost as well is kept for the file, which a peer may have", () => {
  const files = new MemoryFiles(directory);
  const { engine } = openPacking({ files, directory, settings });
  const kept = putPacked(engine, "kept".repeat(50));
  const { length } = viewOf(files, directory).binlog;
  const content = "peers have it".repeat(20);
  const lost = putPacked(engine, content);
  const binlog = `${directory}/data/sync/binlog.000`;
  writeFile(files, binlog, readText(files, binlog).slice(0, length));
  const slotSize = decodeBase(lost.slice(10))?.trunk?.size ?? 0;
  const descriptor = files.open(trunkFile, "read-write");
  files.write(descriptor, Buffer.alloc(slotSize), offsetOf(lost));
  files.close(descriptor);
  files.remount();
  const next = openPacking({ files, directory, seed: 2, firstNumber: 100, settings });
  const numberOf = (name: string) => decodeBase(name.slice(10))?.trunk?.fileId;
  const others = Array.from({ length: 5 }, (_, at) => putPacked(next.engine, `${at}`.repeat(99)));
  expect(others.map(numberOf)).toEqual([100, 100, 100, 100, 100]);
  expect(replicate(next.engine, { name: lost, content })).toBe("");
  next.settle();
  next.engine.settleRecheck();
  // All of the first trunk file is there to be used, but for the two.
  const more = Array.from({ length: 150 }, (_, at) => putPacked(next.engine, `${at}`.repeat(99)));
  expect(more.map(numberOf)).toContain(1);
  for (const [name, text] of [
    [kept, "kept".repeat(50)],
    [lost, content],
  ] as const) {
    expect(readBack(next.engine, name).toString()).toBe(text);
  }
});
