/** The way of a store path from disk to disk: each step by itself, and walks with kills and failures anywhere. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type MoveEffect,
  type MoveInput,
  type MoveRules,
  type MoveState,
  transition,
} from "#disks/moves/move-machine.ts";

const retire: MoveRules = { purpose: "retire", leavesUnreadable: false };
const rebalance: MoveRules = { purpose: "rebalance", leavesUnreadable: false };
const waiting: MoveState = { phase: "waiting", problem: undefined };

function walk(inputs: readonly MoveInput[], rules = retire, from = waiting) {
  const effects: MoveEffect[] = [];
  let state = from;
  for (const input of inputs) {
    const next = transition(state, input, rules);
    state = next.state;
    effects.push(...next.effects);
  }
  return { phase: state.phase, problem: state.problem, effects };
}

const copied = (unreadable = 0): MoveInput => ({ name: "copied", unreadable });
const whole: readonly MoveInput[] = [
  { name: "begin" },
  copied(),
  { name: "taken" },
  copied(),
  { name: "committed" },
  { name: "served" },
];

test("it is not over before clients are served from the new place", () => {
  expect(walk(whole.slice(0, -1)).phase).toBe("committing");
});

test("a path is copied while it serves, taken, copied to the end, and served from its new place", () => {
  const { phase, effects } = walk(whole);
  expect(phase).toBe("done");
  expect(effects).toEqual(["copy", "take", "copy-rest", "commit", "serve"]);
});

test("after a rebalance what is left at the old place is deleted", () => {
  const { phase, effects } = walk([...whole, { name: "cleaned" }], rebalance);
  expect(phase).toBe("done");
  expect(effects.slice(-2)).toEqual(["serve", "clean"]);
});

test("what cannot be read stops it before anything is switched, unless somebody says otherwise", () => {
  const stopped = walk([{ name: "begin" }, copied(2)]);
  expect(stopped.phase).toBe("copying");
  expect(stopped.problem).toContain("2 files could not be read");
  const late = walk([{ name: "begin" }, copied(), { name: "taken" }, copied(1)]);
  expect(late).toMatchObject({ phase: "copying", effects: ["copy", "take", "copy-rest", "serve"] });
  const left = walk([{ name: "begin" }, copied(2)], { ...retire, leavesUnreadable: true });
  expect(left.phase).toBe("switching");
});

test("it can be called off until the passports are written", () => {
  const cancel: MoveInput = { name: "cancel" };
  expect(walk([cancel])).toMatchObject({ phase: "cancelled", effects: ["discard"] });
  expect(walk([{ name: "begin" }, cancel]).effects).toEqual(["copy", "discard"]);
  expect(walk([{ name: "begin" }, copied(), cancel]).effects).toEqual([
    ...(["copy", "take", "serve", "discard"] as const),
  ]);
  const late = walk([...whole.slice(0, 4), cancel]);
  expect(late.phase).toBe("committing");
  expect(walk([...whole, cancel]).phase).toBe("done");
  // Unless the target was lost in the middle of it.
  const abandon: MoveInput = { name: "abandon" };
  const reclaimed: MoveInput = { name: "reclaimed" };
  expect(walk([...whole.slice(0, 4), abandon]).phase).toBe("committing");
  expect(walk([...whole.slice(0, 4), abandon, reclaimed])).toMatchObject({
    phase: "cancelled",
    effects: ["copy", "take", "copy-rest", "commit", "reclaim", "serve"],
  });
  expect(walk([{ name: "begin" }, abandon]).phase).toBe("copying");
});

test("after a kill the passports say how it goes on", () => {
  const found = (at: "source" | "target" | "neither"): MoveInput => ({ name: "found", at });
  const from = (phase: MoveState["phase"]): MoveState => ({ phase, problem: undefined });
  expect(walk([found("source")], retire, from("switching")).effects).toEqual(["copy"]);
  expect(walk([found("source")], retire, from("committing")).effects).toEqual(["serve", "copy"]);
  expect(walk([found("target")], retire, from("committing")).effects).toEqual(["serve"]);
  const served: MoveInput = { name: "served" };
  expect(walk([found("target"), served], retire, from("committing")).phase).toBe("done");
  expect(walk([found("neither")], retire, from("committing"))).toMatchObject({
    phase: "committing",
    effects: [],
  });
  expect(walk([found("target")], rebalance, from("cleaning")).effects).toEqual(["clean"]);
});

const anyInput: fc.Arbitrary<MoveInput> = fc.oneof(
  fc.constantFrom<MoveInput>(
    ...(["begin", "taken", "committed", "cleaned", "cancel"] as const).map((name) => ({ name })),
  ),
  fc.record({ name: fc.constant("copied" as const), unreadable: fc.nat(2) }),
  fc.record({ name: fc.constant("failed" as const), why: fc.constant("no") }),
  fc.record({
    name: fc.constant("found" as const),
    at: fc.constantFrom("source", "target", "neither"),
  }),
);

test("whatever happens, nothing is committed or cleaned before all was copied while nobody could change it, and nothing is discarded or copied again after", () => {
  fc.assert(
    fc.property(
      fc.array(anyInput, { maxLength: 40 }),
      fc.constantFrom(retire, rebalance),
      (inputs, rules) => {
        let state = waiting;
        let isTaken = false;
        let isWhole = false;
        let hasArrived = false;
        for (const input of inputs) {
          const before = state;
          const next = transition(state, input, rules);
          state = next.state;
          if (before.phase === "switching" && input.name === "copied") {
            isWhole = isTaken && input.unreadable === 0;
          }
          if (before.phase === "switching" && input.name === "taken") isTaken = true;
          if (next.effects.includes("serve")) isTaken = false;
          // A run that begins after a kill serves the path where it is found.
          if (input.name === "found" && input.at === "source") isTaken = false;
          if (next.effects.includes("commit")) expect(isWhole || !isTaken).toBe(true);
          if (["cleaning", "done"].includes(state.phase)) hasArrived = true;
          if (hasArrived) {
            expect(["cleaning", "done"]).toContain(state.phase);
            expect(next.effects).not.toContain("discard");
            expect(next.effects).not.toContain("copy");
            expect(next.effects).not.toContain("take");
          } else {
            expect(next.effects).not.toContain("clean");
          }
        }
      },
    ),
  );
});
