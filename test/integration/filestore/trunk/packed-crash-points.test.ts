/**
 * Goal: as for files of their own: whatever call a process is killed at, and whatever of the unflushed a power cut leaves, a packed
 * file is there exactly when its record is; nothing stands in a trunk file without a record; and no slot is ever given out twice.
 * Method: as in `crash-points.test.ts`. After each crash the slots in the trunk files are compared with the records, and files are
 * created until the old ones would show it if their space were given away.
 */
import { expect, test } from "vitest";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import type { Files } from "#platform/files.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { commit, readBack, stage, withDirectory } from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import {
  openPacking,
  packedViewOf,
  putPacked,
  runBackground,
  walkedTrunkFiles,
} from "../../../support/packed-fixture.ts";
import { seededRandom } from "../../../support/seeded-random.ts";
import { Stopped, TroubledFiles } from "../../../support/troubled-files.ts";

interface Operation {
  readonly name: string;
  readonly prepare: (engine: StorePathEngine, clock: ManualClock) => readonly string[];
  readonly run: (engine: StorePathEngine, names: readonly string[], clock: ManualClock) => unknown;
}

const normal = { kind: "normal", extension: "txt" } as const;
const filler = (letter: string, size = 300): Buffer => Buffer.alloc(size, letter);

const three = (engine: StorePathEngine): readonly string[] =>
  ["a", "b", "c"].map((letter) => putPacked(engine, filler(letter)));

function batch(engine: StorePathEngine, contents: readonly Uint8Array[]): void {
  const changes = contents.map((content) => stage(engine, normal, { content }));
  engine.commit(changes);
  for (const { error } of changes) if (error !== undefined) throw error;
}

/** More trunk files than give slots at a time; the first one rests. */
const many = (engine: StorePathEngine, clock: ManualClock): readonly string[] => {
  const names = Array.from({ length: 25 }, (_, at) =>
    putPacked(engine, filler(String.fromCharCode(97 + at), 3000)),
  );
  runBackground(engine, clock);
  return names;
};

const operations: readonly Operation[] = [
  {
    name: "the first packed file",
    prepare: () => [],
    run: (engine) => putPacked(engine, filler("x")),
  },
  {
    name: "a further packed file",
    prepare: three,
    run: (engine) => putPacked(engine, filler("x")),
  },
  {
    name: "a packed file that comes in pieces",
    prepare: three,
    run: (engine) =>
      commit(engine, stage(engine, normal, { content: filler("x", 2500), pieces: 3 })),
  },
  {
    name: "a batch of packed files",
    prepare: three,
    run: (engine) => batch(engine, [filler("x"), filler("y", 700), filler("z", 0)]),
  },
  {
    name: "delete",
    prepare: three,
    run: (engine, names) => commit(engine, engine.prepareRemove(names[1] ?? "")),
  },
  {
    name: "delete with metadata",
    prepare(engine) {
      const names = three(engine);
      const text = Buffer.from("colour\x02red");
      commit(engine, engine.prepareMetadata(names[1] ?? "", "overwrite", text));
      return names;
    },
    run: (engine, names) => commit(engine, engine.prepareRemove(names[1] ?? "")),
  },
  {
    name: "a file in the place of a deleted one",
    prepare(engine) {
      const names = three(engine);
      commit(engine, engine.prepareRemove(names[1] ?? ""));
      return [names[0] ?? "", names[2] ?? ""];
    },
    run: (engine) => batch(engine, [filler("x", 300), filler("y", 10)]),
  },
  {
    name: "delete, and a file in its place",
    prepare: three,
    run(engine, names) {
      commit(engine, engine.prepareRemove(names[1] ?? ""));
      putPacked(engine, filler("x", 200));
    },
  },
  {
    name: "delete in a trunk file that rests, which is removed or made sparse for that",
    prepare: many,
    run(engine, names, clock) {
      for (const name of names.slice(0, 4)) commit(engine, engine.prepareRemove(name));
      runBackground(engine, clock);
      for (const name of names.slice(5, 9)) commit(engine, engine.prepareRemove(name));
      runBackground(engine, clock);
    },
  },
  {
    name: "a new trunk file while others are full",
    prepare: many,
    run: (engine) =>
      batch(engine, [
        filler("x", 4000),
        filler("y", 4000),
        filler("z", 4000),
        filler("0", 4000),
        filler("1", 4000),
      ]),
  },
];

interface Place {
  readonly files: Files;
  readonly directory: string;
  readonly durability: "relaxed" | "flushed";
}

function begin(operation: Operation, place: Place) {
  const { directory, durability } = place;
  const troubled = new TroubledFiles(place.files);
  const clock = new ManualClock();
  const { engine } = openPacking({
    files: troubled.files,
    directory,
    clock,
    settings: { durability },
  });
  const names = operation.prepare(engine, clock);
  return { troubled, engine, clock, names };
}

function countCalls(operation: Operation, place: Place): number {
  const { troubled, engine, clock, names } = begin(operation, place);
  const before = packedViewOf(place.files, place.directory);
  troubled.arm({ kind: "none" });
  operation.run(engine, names, clock);
  const calls = troubled.count;
  engine.close();
  expect(packedViewOf(place.files, place.directory)).not.toEqual(before);
  return calls;
}

/** Names of files that the binlog says are there. */
function recorded(binlog: string): string[] {
  const there = new Set<string>();
  for (const line of binlog.split("\n")) {
    const [, operation, name = ""] = line.split(" ");
    if (operation === "C") there.add(name);
    if (operation === "D" || operation === "d") there.delete(name);
  }
  return [...there];
}

/** The content of what was there before the operation. */
function crash(operation: Operation, place: Place, atCall: number): Map<string, Buffer> {
  const { troubled, engine, clock, names } = begin(operation, place);
  const content = new Map(names.map((name) => [name, readBack(engine, name)]));
  troubled.arm({ kind: "stop", atCall });
  try {
    operation.run(engine, names, clock);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
  return content;
}

/**
 * What is there and what is recorded are the same, before and after more files came. `forgot`: a power cut without flushes may have
 * taken records of files whose slots are left; nobody reads them, and their space is not used again.
 */
function expectSound(place: Place, before: ReadonlyMap<string, Buffer>, forgot = false): void {
  const { files, directory, durability } = place;
  const settings = { durability };
  const next = openPacking({ files, directory, seed: 2, firstNumber: 1000, settings });
  const { binlog, staged } = packedViewOf(files, directory);
  expect(staged).toEqual([]);
  const there = recorded(binlog);
  const contents = new Map(
    there.filter((name) => !name.endsWith("-m")).map((name) => [name, readBack(next.engine, name)]),
  );
  for (const [name, bytes] of contents) {
    const isSame = before.get(name)?.equals(bytes) ?? new Set(bytes).size <= 1;
    expect(isSame, name).toBe(true);
  }
  const walked = Object.values(walkedTrunkFiles(files, directory));
  const slots = walked.reduce((sum, { slots: count }) => sum + count, 0);
  const packed = [...contents.keys()].filter((name) => name.length === 60).length;
  if (forgot) {
    expect(slots).toBeGreaterThanOrEqual(packed);
  } else {
    expect(slots).toBe(packed);
    expect(walked.every(({ damagedBytes }) => damagedBytes === 0)).toBe(true);
  }
  next.settle();
  for (let count = 0; count < 20; count += 1) putPacked(next.engine, filler("n", 50 + count * 37));
  for (const [name, bytes] of contents)
    expect(readBack(next.engine, name).equals(bytes)).toBe(true);
  next.engine.close();
  const again = openPacking({ files, directory, seed: 3, firstNumber: 2000, settings });
  expect(again.engine.openReport).toEqual({ rolledForward: 0, swept: 0, adopted: false });
  again.engine.close();
}

/** Real files, except where each of thousands of flushes would be waited for. */
function inPlace<Result>(durability: Place["durability"], body: (place: Place) => Result): Result {
  if (durability === "flushed") {
    return body({ files: new MemoryFiles("/disk"), directory: "/disk", durability });
  }
  return withDirectory((directory) => body({ files: new NodeFiles(), directory, durability }));
}

function labelled(label: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof Error) error.message = `${label}: ${error.message}`;
    throw error;
  }
}

for (const operation of operations) {
  for (const durability of ["relaxed", "flushed"] as const) {
    test(`killed at any call: ${operation.name}, ${durability}`, () => {
      const calls = inPlace(durability, (place) => countCalls(operation, place));
      for (let atCall = 1; atCall <= calls; atCall += 1) {
        inPlace(durability, (place) => {
          const content = crash(operation, place, atCall);
          labelled(`call ${atCall}`, () => expectSound(place, content));
        });
      }
    });
  }

  for (const durability of ["relaxed", "flushed"] as const) {
    test(`power cut at any call: ${operation.name}, ${durability}`, () => {
      const directory = "/disk";
      const fresh = (): Place => ({ files: new MemoryFiles(directory), directory, durability });
      const calls = countCalls(operation, fresh());
      for (let atCall = 1; atCall <= calls + 1; atCall += 1) {
        for (let seed = 0; seed <= 3; seed += 1) {
          const place = fresh();
          const content = crash(operation, place, atCall);
          (place.files as MemoryFiles).powerCut(seed === 0 ? undefined : seededRandom(seed));
          const forgot = durability === "relaxed";
          labelled(`call ${atCall}, seed ${seed}`, () => expectSound(place, content, forgot));
        }
      }
    });
  }
}
