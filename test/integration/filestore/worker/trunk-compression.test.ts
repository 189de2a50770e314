/**
 * Goal: whatever ends a compression, the binlog tells the same free list as one that was never compressed, lines that were written
 * meanwhile included. Method: a disk in memory stops, fails or loses its power at each of its calls in turn; then the binlog is opened
 * again and replayed.
 */
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import { GroupAllocator, type SlotEvent } from "#filestore/trunk/group-allocator.ts";
import { TrunkLogReplay } from "#filestore/trunk/trunk-log-replay.ts";
import { TrunkBinlogFile } from "#filestore/worker/trunk-binlog-file.ts";
import { FileError, type Files } from "#platform/files.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { seededRandom } from "../../../support/seeded-random.ts";
import { Stopped, type Trouble, TroubledFiles } from "../../../support/troubled-files.ts";

const rules = {
  slotMinBytes: 256,
  slotMaxBytes: 65_536,
  alignmentBytes: 256,
  trunkFileBytes: 4 * 1024 * 1024,
};
const now = 1_795_395_770;

function opened(files: Files): TrunkBinlogFile {
  const log = new Log("test", () => {});
  return new TrunkBinlogFile({ files, log, data: "/d/data", own: "/d/data/.cairn", flushed: true });
}

/** A group's life, in which most lines cancel each other. */
class Life {
  readonly slots = new GroupAllocator(rules, 256);
  /** All lines, and how many of them were there before the last append. */
  readonly events: SlotEvent[] = [];
  settled = 0;
  readonly #file: TrunkBinlogFile;

  constructor(file: TrunkBinlogFile) {
    this.#file = file;
  }

  store(count: number): void {
    const events: SlotEvent[] = [];
    for (let at = 0; at < count; at += 1) {
      const given = this.slots.allocate(0, 300 + at);
      if (given === undefined) throw new Error("no slot");
      events.push(...given.events, ...(this.slots.confirm(given.location, true) ?? []));
      if (at % 3 === 0) events.push(...(this.slots.free(given.location) ?? []));
    }
    this.settled = this.events.length;
    this.events.push(...events);
    const lines = events.map(({ kind, location }) => trunkLogLine(kind, now, location));
    this.#file.append(Buffer.from(lines.join("")));
    this.settled = this.events.length;
  }

  /** What may be free according to the binlog: of an append that was interrupted any number of lines counts. */
  possible(): readonly (readonly string[])[] {
    const slots = new GroupAllocator(rules, 256);
    const states: (readonly string[])[] = [];
    for (const [at, event] of this.events.entries()) {
      if (at >= this.settled) states.push(freeOf(slots));
      slots.replay(event);
    }
    return [...states, freeOf(slots)];
  }
}

function freeOf(slots: GroupAllocator): string[] {
  return [...slots.slots()].map(({ fileId, offset, size }) => `${fileId} ${offset} ${size}`).sort();
}

function replayed(file: TrunkBinlogFile): string[] {
  const slots = new GroupAllocator(rules, 256);
  const target = Buffer.alloc(1024 * 1024);
  const read = file.read("binlog", target, 0);
  const replay = new TrunkLogReplay((event) => slots.replay(event));
  replay.add(target.subarray(0, read?.length ?? 0));
  expect([replay.invalid, replay.pending]).toEqual([0, 0]);
  return freeOf(slots);
}

function disk(): MemoryFiles {
  return new MemoryFiles("/d", "/d/data", "/d/data/.cairn");
}

function compress(files: Files, arm: () => void): Life {
  const file = opened(files);
  const life = new Life(file);
  life.store(60);
  file.writeMark("a.mark", Buffer.from("binlog_offset=7\n"));
  arm();
  try {
    const steps = file.compress(0, now);
    for (let step = steps.next(); step.done !== true; step = steps.next()) life.store(3);
  } catch (error) {
    if (!(error instanceof Stopped) && !(error instanceof FileError)) throw error;
  }
  return life;
}

test("what remains is what is free, and the readers have to begin anew", () => {
  const files = disk();
  const before = opened(files);
  new Life(before).store(200);
  const size = before.size();
  before.close();
  const again = disk();
  const life = compress(again, () => {});
  const file = opened(again);
  expect(replayed(file)).toEqual(freeOf(life.slots));
  expect(file.size()).toBeLessThan(size / 3);
  expect(again.list("/d/data/trunk")).toEqual(["binlog"]);
});

test("the old binlog can be kept as a backup", () => {
  const files = disk();
  const file = opened(files);
  new Life(file).store(10);
  for (const _step of file.compress(1, now));
  expect(files.list("/d/data/trunk")?.sort()).toEqual(["binlog", "binlog.20261123010250"]);
});

function callsOf(): number {
  const files = disk();
  const troubled = new TroubledFiles(files);
  compress(troubled.files, () => troubled.arm({ kind: "none" }));
  return troubled.count;
}

const count = callsOf();
const kinds = ["stop", "fail", "power"] as const;

test.each(kinds)("a compression that ends by %s at any call loses nothing", (kind) => {
  expect(count).toBeGreaterThan(20);
  for (let atCall = 1; atCall <= count; atCall += 1) {
    const files = disk();
    const troubled = new TroubledFiles(files);
    const trouble: Trouble =
      kind === "fail" ? { kind: "fail", atCall, code: "EIO" } : { kind: "stop", atCall };
    const life = compress(troubled.files, () => troubled.arm(trouble));
    if (kind === "power") files.powerCut(atCall % 2 === 0 ? seededRandom(atCall) : undefined);
    const file = opened(files);
    const where = `at call ${atCall}, ${troubled.trace[atCall - 1]}`;
    expect(life.possible(), where).toContainEqual(replayed(file));
    expect(files.list("/d/data/trunk")?.filter((name) => !name.endsWith(".mark"))).toEqual([
      "binlog",
    ]);
  }
});

test("a compression that is given up in the middle is settled before the next line", () => {
  const files = disk();
  const file = opened(files);
  const life = new Life(file);
  life.store(60);
  const steps = file.compress(0, now);
  steps.next();
  expect(() => file.reset(0, now)).toThrow("being compressed");
  life.store(3);
  steps.return(0);
  life.store(3);
  expect(replayed(file)).toEqual(freeOf(life.slots));
  expect(files.list("/d/data/trunk")).toEqual(["binlog"]);
});
