/**
 * Goal: every edge of the own status machine. Method: for each input, the outcome from every status, written as a table in which what is
 * not named stays as it is.
 */
import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import {
  type StorageStatus,
  type StorageStatusName,
  storageStatus,
} from "#model/storage-status.ts";
import { type OwnInput, type OwnState, ownTransition } from "#storage/storage-status-machine.ts";

const source = StorageId("10.0.0.2");
const names = Object.keys(storageStatus) as StorageStatusName[];

function state(name: StorageStatusName, given: Partial<OwnState> = {}): OwnState {
  const status = storageStatus[name];
  return { status, settled: true, source: undefined, until: 0, filled: true, ...given };
}

/** Filled by `source`, and not done with it. */
const unfilled = { source, until: 77, filled: false };
const unsettled = { settled: false, filled: false };

function nameOf(status: StorageStatus): StorageStatusName {
  return names.find((name) => storageStatus[name] === status) as StorageStatusName;
}

/** For each status what it becomes, with the effects; those that stay as they are, without effect, are left out. */
function moves(input: OwnInput, given: Partial<OwnState> = {}): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const before = state(name, given);
    const { state: after, effects } = ownTransition(before, input);
    const words = [nameOf(after.status), ...effects.map((effect) => effect.name)];
    if (after === before && effects.length === 0) continue;
    found[name] = words.join(" ");
  }
  return found;
}

function every(become: string, except: readonly StorageStatusName[]): Record<string, string> {
  const left = names.filter((name) => !except.includes(name));
  return Object.fromEntries(left.map((name) => [name, become]));
}

test("a join makes us what the tracker says, unless a store path is being rebuilt", () => {
  for (const told of ["init", "waitSync", "syncing", "online", "active"] as const) {
    const input = { name: "joined", status: storageStatus[told] } as const;
    expect(moves(input), told).toEqual(every(told, [told, "recovery"]));
  }
});

test("with a source we wait for it, without one there is nothing to wait for", () => {
  const decided = { name: "source-decided", source, until: 77 } as const;
  expect(moves(decided, unsettled)).toEqual(every("waitSync save", []));
  expect(ownTransition(state("init", unsettled), decided).state).toEqual(
    state("waitSync", unfilled),
  );
  const alone = { name: "source-decided", source: undefined, until: 0 } as const;
  expect(moves(alone, unsettled)).toEqual(every("online save", []));
  expect(ownTransition(state("init", unsettled), alone).state).toEqual(state("online"));
  // The first answer counts.
  expect(moves(decided)).toEqual({});
});

test("while we are filled the list moves us on", () => {
  const through = ["syncing", "offline", "online", "active"] as const;
  for (const told of through) {
    const expected = told === "active" ? "active save" : told;
    const found = moves({ name: "listed", status: storageStatus[told] }, unfilled);
    const moved = every(expected, told === "active" ? ["recovery"] : [told, "recovery"]);
    expect(found, told).toEqual(moved);
  }
  const { state: after } = ownTransition(state("offline", unfilled), {
    name: "listed",
    status: storageStatus.active,
  });
  expect(after).toEqual(state("active", { ...unfilled, filled: true }));
});

test("once filled, a list that has us as being filled is corrected, and nothing moves", () => {
  for (const told of ["waitSync", "syncing"] as const) {
    for (const name of names.filter((each) => each !== "recovery")) {
      const before = state(name);
      const after = ownTransition(before, { name: "listed", status: storageStatus[told] });
      expect(after, name).toEqual({ state: before, effects: [{ name: "correct-tracker" }] });
    }
  }
});

test("once filled, the list takes us in and out of service", () => {
  for (const told of ["init", "offline", "online", "active"] as const) {
    const found = moves({ name: "listed", status: storageStatus[told] });
    expect(found, told).toEqual(every(told, [told, "recovery"]));
  }
  expect(moves({ name: "listed", status: storageStatus.none })).toEqual({});
  expect(moves({ name: "listed", status: storageStatus.recovery })).toEqual(
    every("recovery", ["recovery"]),
  );
});

test("a record of ours that was given up becomes ours again by joining", () => {
  const found = moves({ name: "listed", status: storageStatus.ipChanged });
  expect(found).toEqual(every("ipChanged rejoin", ["ipChanged", "recovery"]));
});

test("who was deleted is new, and joins as such, also while a path is rebuilt", () => {
  for (const input of [
    { name: "removed" },
    { name: "listed", status: storageStatus.deleted },
  ] as const) {
    expect(moves(input)).toEqual(every("deleted save rejoin", []));
    expect(ownTransition(state("active", unfilled), input).state).toEqual(
      state("deleted", unsettled),
    );
    // Already about to be new.
    expect(moves(input, unsettled)).toEqual(every("deleted", ["deleted"]));
  }
});

test("a source that leaves before it has filled us is replaced, one that has is forgotten", () => {
  const gone = { name: "source-gone" } as const;
  expect(moves(gone)).toEqual({});
  const forgotten = { offline: "offline save", online: "online save", active: "active save" };
  expect(moves(gone, unfilled)).toEqual({
    ...every("init save rejoin", ["offline", "online", "active"]),
    ...forgotten,
  });
  expect(ownTransition(state("syncing", unfilled), gone).state).toEqual(state("init", unsettled));
  expect(ownTransition(state("none", { source }), gone).state).toEqual(state("none"));
});

test("a source that moves stays our source", () => {
  const moved = { name: "moved", from: source, to: StorageId("10.0.0.7") } as const;
  expect(ownTransition(state("waitSync", unfilled), moved)).toEqual({
    state: state("waitSync", { ...unfilled, source: StorageId("10.0.0.7") }),
    effects: [{ name: "save" }],
  });
  expect(moves({ ...moved, from: StorageId("10.0.0.8") }, unfilled)).toEqual({});
});

test("without trackers nobody is sent here, and what is not finished stays so", () => {
  expect(moves({ name: "no-tracker" })).toEqual({ online: "offline", active: "offline" });
});

test("a path that is rebuilt takes a filled storage out of service, and back by a join", () => {
  const began = { name: "recovery-began" } as const;
  expect(moves(began)).toEqual(every("recovery tell-trackers", ["deleted"]));
  expect(moves(began, unfilled)).toEqual({});
  expect(moves({ name: "recovery-ended" })).toEqual({ recovery: "online rejoin" });
});
