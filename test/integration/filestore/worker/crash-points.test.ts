/**
 * Goal: a process that is killed at any moment leaves every change either done, with its record, or not begun, or, where it was a new
 * file without flushes, undone, with a record of that; nothing is left over; and what was confirmed is there.
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
import { replicaOperations } from "../../../support/replica-operations.ts";
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
  /** A change that was not confirmed may be undone. */
  readonly mayUndo?: boolean;
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
  if (place.mayUndo === true && isUndone(view, expected)) {
    expect(view.files).toEqual(expected.before.files);
  } else if (confirmed || view.binlog !== expected.before.binlog) {
    expect(view).toEqual(expected.after);
  } else {
    expect(view).toEqual(expected.before);
  }
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

/** The record of a new file stands, and one that takes it back for this node alone. */
function isUndone(view: StorePathView, { after }: Undisturbed): boolean {
  const more = view.binlog.slice(after.binlog.length);
  return view.binlog.startsWith(after.binlog) && /^\d+ d M00\/\S+\n$/.test(more);
}

function labelled(label: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof Error) error.message = `${label}: ${error.message}`;
    throw error;
  }
}

for (const operation of [...engineOperations, ...replicaOperations]) {
  for (const durability of ["relaxed", "flushed"] as const) {
    test(`killed at any call: ${operation.name}, ${durability}`, () => {
      const settings = { durability, ...operation.settings };
      const expected = withDirectory((directory) =>
        runUndisturbed(operation, { files: new NodeFiles(), directory, settings }),
      );
      expect(expected.after).not.toEqual(expected.before);
      const mayUndo = durability === "relaxed" && operation.isUnstaged === true;
      for (let atCall = 1; atCall <= expected.calls; atCall += 1) {
        withDirectory((directory) => {
          const place = { files: new NodeFiles(), directory, settings, mayUndo };
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

for (const operation of [...engineOperations, ...replicaOperations]) {
  if (operation.isUnstaged !== true) continue;
  // Anything may be lost. The note that the path is in use, and its directories, were flushed at the start.
  test(`power cut without flushes at any call: ${operation.name}, never a part of a recorded file`, () => {
    const directory = "/disk";
    const settings = { durability: "relaxed", ...operation.settings } as const;
    const fresh = (): Place => ({ files: new MemoryFiles(directory), directory, settings });
    const expected = runUndisturbed(operation, fresh());
    let undone = 0;
    for (let atCall = 1; atCall <= expected.calls + 1; atCall += 1) {
      for (let seed = 0; seed <= 24; seed += 1) {
        const place = fresh();
        runUntil(operation, place, atCall);
        (place.files as MemoryFiles).powerCut(seed === 0 ? undefined : seededRandom(seed));
        openEngine({ files: place.files, directory, seed: 2, settings }).close();
        const view = viewOf(place.files, directory);
        const where = `call ${atCall}, seed ${seed}`;
        expect(view.staged, where).toEqual([]);
        if (isUndone(view, expected)) {
          undone += 1;
          expect(view.files, where).toEqual(expected.before.files);
        } else if (view.binlog !== expected.before.binlog) {
          expect(view, where).toEqual(expected.after);
        }
      }
    }
    expect(undone).toBeGreaterThan(0);
  });
}

test.each([
  "flushed",
  "relaxed",
] as const)("an interrupted batch, %s: what is recorded is what is shown", (durability) => {
  const directory = "/disk";
  const contents = ["one", "two", "three", "four"];
  const settings = { durability };
  const run = (files: Files, atCall: number | undefined): number => {
    const troubled = new TroubledFiles(files);
    const engine = openEngine({ files: troubled.files, directory, settings });
    troubled.arm(atCall === undefined ? { kind: "none" } : { kind: "stop", atCall });
    const target = { kind: "normal", extension: "txt" } as const;
    engine.commit(contents.map((content) => stage(engine, target, { content })));
    return troubled.count;
  };
  const calls = run(new MemoryFiles(directory), undefined);
  for (let atCall = 1; atCall <= calls; atCall += 1) {
    for (const cut of durability === "flushed" ? [false, true] : [false]) {
      const files = new MemoryFiles(directory);
      expect(() => run(files, atCall)).toThrow(Stopped);
      if (cut) files.powerCut(seededRandom(atCall));
      openEngine({ files, directory, seed: 2, settings }).close();
      const view = viewOf(files, directory);
      const recorded = new Set<string>();
      for (const [, kind, name = ""] of view.binlog.matchAll(/ ([Cd]) M00\/(\S+)\n/g)) {
        if (kind === "C") recorded.add(name);
        else expect(recorded.delete(name)).toBe(true);
      }
      expect(Object.keys(view.files).sort()).toEqual([...recorded].sort());
      for (const content of Object.values(view.files)) expect(contents).toContain(content);
    }
  }
});
