/**
 * Goal: a peer's packed file that is interrupted at any call, by a kill or by a power cut, is there as a whole where it has a record; what
 * lies beside it stays; and delivered again, everything ends as without the interruption, each file with its record.
 * Method: each operation runs once undisturbed, then again for each of its file calls, and stops there; a new engine opens what is left.
 */
import { expect, test } from "vitest";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import type { Durability } from "#filestore/settings.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import type { Files } from "#platform/files.ts";
import { commit, openEngine, readBack, viewOf } from "../../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { smallPacking } from "../../../../support/packed-fixture.ts";
import {
  codeOf,
  peerName,
  peerTime,
  remove,
  replicate,
  stageReplica,
} from "../../../../support/replica-stage.ts";
import { seededRandom } from "../../../../support/seeded-random.ts";
import { Stopped, TroubledFiles } from "../../../../support/troubled-files.ts";

const directory = "/disk";
const packing = { ...smallPacking, mode: "off", trunkFileBytes: 1024 * 1024 } as const;

/** `where`: offset and size of the slot. */
function packed(content: string | Buffer, where: readonly [number, number], later = 0): string {
  const [offset, size] = where;
  const trunk = { fileId: 7, offset, size };
  return peerName(content, { trunk, timestamp: peerTime + later });
}

const long = Buffer.alloc(100_000, "long ");
const files = {
  left: { name: packed("left", [0, 256]), content: "left" },
  one: { name: packed("one", [256, 256]), content: "one" },
  two: { name: packed("second", [512, 256]), content: "second" },
  long: { name: packed(long, [1024, 102_400]), content: long },
  /** In the place of `one` and `two`. */
  later: { name: packed("a later one", [256, 512], 9), content: "a later one" },
  right: { name: packed("right", [103_424, 256]), content: "right" },
} as const;
type Key = keyof typeof files;

interface Operation {
  readonly what: string;
  readonly before: readonly Key[];
  readonly run: (engine: StorePathEngine) => void;
  readonly made: readonly Key[];
  readonly gone: readonly Key[];
}

function create(engine: StorePathEngine, keys: readonly Key[], pieces?: number): void {
  const how = pieces === undefined ? {} : { pieces };
  const changes = keys.map((key) => stageReplica(engine, { ...files[key], ...how }));
  engine.commit(changes);
  for (const { error } of changes) if (error !== undefined) throw error;
}

const operations: readonly Operation[] = [
  ...([undefined, 3] as const).map((pieces) => ({
    what: `a file in ${pieces ?? 1} pieces`,
    before: [],
    run: (engine: StorePathEngine) => create(engine, ["one"], pieces),
    made: ["one" as const],
    gone: [],
  })),
  {
    what: "two side by side and a long one",
    before: [],
    run: (engine) => create(engine, ["one", "two", "long"]),
    made: ["one", "two", "long"],
    gone: [],
  },
  {
    what: "a long one in pieces",
    before: ["one"],
    run: (engine) => create(engine, ["long"], 4),
    made: ["long"],
    gone: [],
  },
  {
    what: "a later one in the slots of two",
    before: ["one", "two"],
    run: (engine) => create(engine, ["later"]),
    made: ["later"],
    gone: ["one", "two"],
  },
  {
    what: "a removal",
    before: ["one", "long"],
    run: (engine) => {
      for (const key of ["one", "long"] as const) remove(engine, files[key].name, peerTime + 20);
    },
    made: [],
    gone: ["one", "long"],
  },
];

function open(files: Files, durability: Durability): StorePathEngine {
  const engine = openEngine({ files, directory, settings: { durability } });
  engine.setPacking(packing);
  return engine;
}

function prepare(memory: MemoryFiles, operation: Operation, durability: Durability) {
  const troubled = new TroubledFiles(memory);
  const engine = open(troubled.files, durability);
  for (const key of [...operation.before, "left", "right"] as const) replicate(engine, files[key]);
  return { troubled, engine };
}

/** Undefined where there is none. */
function contentOf(engine: StorePathEngine, key: Key): string | undefined {
  const { name } = files[key];
  if (codeOf(() => readBack(engine, name)) === "file-missing") return undefined;
  return readBack(engine, name).toString();
}

/** Names whose last record says that they are there. */
function recorded(memory: MemoryFiles): ReadonlySet<string> {
  const names = new Set<string>();
  for (const line of viewOf(memory, directory).binlog.split("\n").slice(0, -1)) {
    const entry = decodeEntry(line);
    if (entry?.kind === "create") names.add(entry.name);
    else if (entry?.kind === "delete") names.delete(entry.name);
    else if (/ d /.test(line)) names.delete(line.split(" ")[2] ?? "");
  }
  return names;
}

function expectSettled(memory: MemoryFiles, operation: Operation, durability: Durability): void {
  const engine = open(memory, durability);
  expect(viewOf(memory, directory).staged).toEqual([]);
  const names = recorded(memory);
  for (const key of Object.keys(files) as Key[]) {
    const content = contentOf(engine, key);
    const isRecorded = names.has(files[key].name);
    // Without a record it is nothing yet, and is delivered again.
    if (isRecorded && content !== undefined) expect(content).toBe(`${files[key].content}`);
    if (isRecorded && !operation.gone.includes(key)) expect(content, key).toBeDefined();
  }
  operation.run(engine);
  const after = recorded(memory);
  for (const key of operation.made)
    expect(after.has(files[key].name), `${key} recorded`).toBe(true);
  for (const key of operation.made) expect(contentOf(engine, key)).toBe(`${files[key].content}`);
  for (const key of operation.gone) expect(contentOf(engine, key)).toBeUndefined();
  for (const key of ["left", "right"] as const) expect(contentOf(engine, key)).toBe(key);
  engine.close();
}

for (const operation of operations) {
  for (const durability of ["relaxed", "flushed"] as const) {
    test(`interrupted at any call, ${durability}: ${operation.what}`, () => {
      const undisturbed = prepare(new MemoryFiles(directory), operation, durability);
      undisturbed.troubled.arm({ kind: "none" });
      operation.run(undisturbed.engine);
      const calls = undisturbed.troubled.count;
      expect(calls).toBeGreaterThan(1);
      for (let atCall = 1; atCall <= calls; atCall += 1) {
        for (let seed = 0; seed <= (durability === "flushed" ? 2 : 0); seed += 1) {
          const memory = new MemoryFiles(directory);
          const { troubled, engine } = prepare(memory, operation, durability);
          troubled.arm({ kind: "stop", atCall });
          expect(() => operation.run(engine)).toThrow(Stopped);
          if (seed > 0) memory.powerCut(seed === 1 ? undefined : seededRandom(seed));
          try {
            expectSettled(memory, operation, durability);
          } catch (error) {
            const where = `call ${atCall} (${troubled.trace.at(-1)}), seed ${seed}`;
            if (error instanceof Error) error.message = `${where}: ${error.message}`;
            throw error;
          }
        }
      }
    });
  }
}

test("what stands behind the first 64 KiB of a slot is looked at before it is written over", () => {
  const memory = new MemoryFiles(directory);
  const engine = open(memory, "flushed");
  const inside = { name: packed("inside", [81_920, 256], 9), content: "inside" };
  replicate(engine, inside);
  expect(replicate(engine, files.long)).toBe("already");
  expect(readBack(engine, inside.name).toString()).toBe("inside");
  // The one that was made later has the space, also of several.
  const after = { name: packed(long, [1024, 102_400], 10), content: long };
  expect(replicate(engine, after)).toBe("");
  expect(codeOf(() => readBack(engine, inside.name))).toBe("file-missing");
  expect(readBack(engine, after.name).equals(long)).toBe(true);
  commit(engine, engine.replication.changes.remove(after.name, peerTime + 30));
  // And what is nobody's gives way.
  const descriptor = memory.open(`${directory}/data/01/02/000007`, "read-write");
  memory.write(descriptor, Buffer.from("rubbish"), 90_000);
  memory.close(descriptor);
  const third = { name: packed(long, [1024, 102_400], 40), content: long };
  expect(replicate(engine, third)).toBe("");
  expect(readBack(engine, third.name).equals(long)).toBe(true);
});
