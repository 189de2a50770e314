/**
 * Goal: a process that is killed at any moment leaves every change either done, with its record, or not begun; nothing is left
 * over; and what was confirmed is there.
 * Method: each operation runs undisturbed once, which tells what is there before and after it and how many file calls it makes. Then
 * it runs again for each of these calls and stops there for good (a write is half done); a new engine opens what is left. The same
 * calls without a kill, but with the power going: then everything that was not flushed is lost, or any part of it.
 */
import { expect, test } from "vitest";
import type { StorePathSettings } from "#filestore/settings.ts";
import type { Files } from "#platform/files.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  openEngine,
  put,
  type StorePathView,
  stage,
  viewOf,
  withDirectory,
} from "../../../support/engine-fixture.ts";
import { type EngineOperation, engineOperations } from "../../../support/engine-operations.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { seededRandom } from "../../../support/seeded-random.ts";
import { Stopped, TroubledFiles } from "../../../support/troubled-files.ts";

interface Undisturbed {
  readonly before: StorePathView;
  readonly after: StorePathView;
  readonly calls: number;
}

interface Place {
  readonly files: Files;
  readonly directory: string;
  readonly settings: Partial<StorePathSettings>;
}

function runUndisturbed(operation: EngineOperation, place: Place): Undisturbed {
  const troubled = new TroubledFiles(place.files);
  const { directory, settings } = place;
  const engine = openEngine({ files: troubled.files, directory, settings });
  const names = operation.prepare(engine);
  const before = viewOf(place.files, directory);
  troubled.arm({ kind: "none" });
  operation.run(engine, names);
  const calls = troubled.count;
  engine.close();
  return { before, after: viewOf(place.files, directory), calls };
}

/** Stops at the call; true where the operation was confirmed before. */
function runUntil(operation: EngineOperation, place: Place, atCall: number): boolean {
  const troubled = new TroubledFiles(place.files);
  const { directory, settings } = place;
  const engine = openEngine({ files: troubled.files, directory, settings });
  const names = operation.prepare(engine);
  troubled.arm({ kind: "stop", atCall });
  try {
    operation.run(engine, names);
    return true;
  } catch (error) {
    if (error instanceof Stopped) return false;
    throw error;
  }
}

function expectWhole(place: Place, expected: Undisturbed, confirmed: boolean): void {
  const { files, directory, settings } = place;
  const engine = openEngine({ files, directory, seed: 2, settings });
  const view = viewOf(files, directory);
  expect(view.staged).toEqual([]);
  if (confirmed || view.binlog !== expected.before.binlog) expect(view).toEqual(expected.after);
  else expect(view).toEqual(expected.before);
  engine.close();
  // A second start has nothing to do any more.
  const again = openEngine({ files, directory, seed: 3, settings });
  expect(again.openReport).toEqual({ rolledForward: 0, swept: 0, adopted: false });
  expect(viewOf(files, directory)).toEqual(view);
  // And the path is as good as ever.
  const name = put(again, { kind: "normal", extension: "new" }, "after the crash");
  expect(again.facts(name).sizeBytes).toBe(15);
  again.close();
}

function labelled(label: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof Error) error.message = `${label}: ${error.message}`;
    throw error;
  }
}

for (const operation of engineOperations) {
  for (const durability of ["relaxed", "flushed"] as const) {
    test(`killed at any call: ${operation.name}, ${durability}`, () => {
      const settings = { durability, ...operation.settings };
      const expected = withDirectory((directory) =>
        runUndisturbed(operation, { files: new NodeFiles(), directory, settings }),
      );
      expect(expected.after).not.toEqual(expected.before);
      for (let atCall = 1; atCall <= expected.calls; atCall += 1) {
        withDirectory((directory) => {
          const place = { files: new NodeFiles(), directory, settings };
          const confirmed = runUntil(operation, place, atCall);
          expect(confirmed).toBe(false);
          labelled(`call ${atCall}`, () => expectWhole(place, expected, confirmed));
        });
      }
    });
  }

  test(`power cut at any call: ${operation.name}`, () => {
    const directory = "/disk";
    const settings = { durability: "flushed", ...operation.settings } as const;
    const fresh = (): Place => ({ files: new MemoryFiles(directory), directory, settings });
    const expected = runUndisturbed(operation, fresh());
    for (let atCall = 1; atCall <= expected.calls + 1; atCall += 1) {
      for (let seed = 0; seed <= 8; seed += 1) {
        const place = fresh();
        const confirmed = runUntil(operation, place, atCall);
        expect(confirmed).toBe(atCall === expected.calls + 1);
        (place.files as MemoryFiles).powerCut(seed === 0 ? undefined : seededRandom(seed));
        labelled(`call ${atCall}, seed ${seed}`, () => expectWhole(place, expected, confirmed));
      }
    }
  });
}

test("a batch that is interrupted shows exactly the files that are recorded", () => {
  const directory = "/disk";
  const contents = ["one", "two", "three", "four"];
  const run = (files: Files, atCall: number | undefined): number => {
    const troubled = new TroubledFiles(files);
    const engine = openEngine({ files: troubled.files, directory });
    troubled.arm(atCall === undefined ? { kind: "none" } : { kind: "stop", atCall });
    const target = { kind: "normal", extension: "txt" } as const;
    engine.commit(contents.map((content) => stage(engine, target, { content })));
    return troubled.count;
  };
  const calls = run(new MemoryFiles(directory), undefined);
  for (let atCall = 1; atCall <= calls; atCall += 1) {
    for (const cut of [false, true]) {
      const files = new MemoryFiles(directory);
      expect(() => run(files, atCall)).toThrow(Stopped);
      if (cut) files.powerCut(seededRandom(atCall));
      openEngine({ files, directory, seed: 2 }).close();
      const view = viewOf(files, directory);
      const recorded = [...view.binlog.matchAll(/ C M00\/(\S+)\n/g)].map((match) => match[1]);
      expect(Object.keys(view.files).sort()).toEqual(recorded.sort());
      for (const content of Object.values(view.files)) expect(contents).toContain(content);
    }
  }
});
