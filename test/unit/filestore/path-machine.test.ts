/** The life of a store path, edge by edge. */
import { expect, test } from "vitest";
import {
  initialPathState,
  type PathInput,
  type PathState,
  type Quarantine,
  transition,
} from "#filestore/path-machine.ts";

const timeoutMs = 20_000;
const nowMs = 1_000_000;
const good: PathState = { name: "good", restarts: 0, sinceMs: 0, late: 0 };
const slow: PathState = { name: "slow", restarts: 0, sinceMs: 0, prompt: 0 };
const hung: Quarantine = {
  name: "quarantined",
  restarts: 0,
  sinceMs: 0,
  cause: "hang",
  problem: "its disk did not answer for 20 s",
  reads: false,
  failedChecks: 0,
  checkAtMs: nowMs,
};
const unflushed: Quarantine = { ...hung, cause: "flush", problem: "EIO", reads: true };

function looked(changes: Partial<Extract<PathInput, { name: "looked" }>> = {}): PathInput {
  return { name: "looked", nowMs, stillMs: 0, probeMs: undefined, ...changes };
}

/** The state's most telling fields and the effects, after one input or several. */
function after(state: PathState, ...inputs: readonly PathInput[]) {
  let effects: readonly string[] = [];
  let last = state;
  for (const input of inputs) {
    const next = transition(last, input, timeoutMs);
    last = next.state;
    effects = next.effects;
  }
  return { state: last, effects };
}

test("opening → good: everything is admitted", () => {
  expect(after(initialPathState, { name: "opened", nowMs, readOnly: undefined })).toEqual({
    state: { name: "good", restarts: 0, sinceMs: nowMs, late: 0 },
    effects: ["admit"],
  });
});

test("opening → quarantined: what can only be read is read, and looked at again later", () => {
  const readOnly = "it is read-only";
  const next = after(initialPathState, { name: "opened", nowMs, readOnly });
  expect(next).toMatchObject({
    state: { name: "quarantined", cause: "read-only", reads: true, problem: readOnly },
    effects: ["admit-reads"],
  });
  expect(after(next.state, looked()).effects).toEqual([]);
  expect(after(next.state, looked({ nowMs: nowMs + 5000 })).effects).toEqual(["check"]);
});

test("opening goes on however long it takes", () => {
  expect(after(initialPathState, looked({ stillMs: 3_600_000 }))).toEqual({
    state: initialPathState,
    effects: [],
  });
});

test("opening → offline: tried again where that may help, else not", () => {
  const ended = { name: "ended", nowMs, problem: "why" } as const;
  expect(after(initialPathState, { ...ended, mayPass: false }).state).toEqual({
    name: "offline",
    restarts: 0,
    sinceMs: nowMs,
    problem: "why",
    restartAtMs: undefined,
  });
  expect(after(initialPathState, { ...ended, mayPass: true }).state).toMatchObject({
    restartAtMs: nowMs + 5000,
  });
});

test("good → slow: a disk that stands still for two seconds, or answers two probes in a row late", () => {
  expect(after(good, looked({ stillMs: 1999 })).state).toEqual(good);
  expect(after(good, looked({ stillMs: 2000 })).state).toEqual({ ...slow, sinceMs: nowMs });
  const late = looked({ probeMs: 900 });
  expect(after(good, late).state).toMatchObject({ name: "good", late: 1 });
  expect(after(good, late, looked(), late).state.name).toBe("slow");
  expect(after(good, late, looked({ probeMs: 3 }), late).state.name).toBe("good");
});

test("good → quarantined, slow → quarantined: a disk that stands still for too long; all who wait are told", () => {
  for (const state of [good, slow]) {
    expect(after(state, looked({ stillMs: 19_999 })).state.name).toBe("slow");
    expect(after(state, looked({ stillMs: 20_250 }))).toEqual({
      state: { ...hung, sinceMs: nowMs },
      effects: ["abandon"],
    });
  }
});

test("good → quarantined: a failed flush ends changes alone", () => {
  for (const state of [good, slow]) {
    expect(after(state, { name: "flush-failed", nowMs, problem: "EIO" })).toEqual({
      state: { ...unflushed, sinceMs: nowMs },
      effects: ["admit-reads"],
    });
  }
});

test("slow: what is older than the deadline is given up at each look", () => {
  expect(after(slow, looked()).effects).toEqual(["expire"]);
  expect(after(slow, looked({ stillMs: 5000 })).effects).toEqual(["expire"]);
});

test("slow → good: after five prompt probes in a row", () => {
  const prompt = looked({ probeMs: 5 });
  const four = after(slow, prompt, looked(), prompt, prompt, prompt);
  expect(four.state).toMatchObject({ name: "slow", prompt: 4 });
  expect(after(four.state, prompt)).toEqual({
    state: { ...good, sinceMs: nowMs },
    effects: ["admit"],
  });
  expect(after(four.state, looked({ probeMs: 900 })).state).toEqual(slow);
  expect(after(four.state, looked({ stillMs: 2000 })).state).toEqual(slow);
});

test("quarantined → checking: as soon as the disk moves again, and not before", () => {
  expect(after(hung, looked({ stillMs: 30_000 }))).toEqual({ state: hung, effects: [] });
  expect(after(hung, looked())).toEqual({
    state: { ...hung, name: "checking" },
    effects: ["check"],
  });
  expect(after(unflushed, looked()).effects).toEqual(["check"]);
});

test("quarantined: a disk that serves reads and then hangs serves nothing", () => {
  expect(after(unflushed, looked({ stillMs: 20_000 }))).toEqual({
    state: { ...unflushed, reads: false },
    effects: ["abandon"],
  });
});

test("quarantined: a flush that fails after all when the disk answers again is the graver cause", () => {
  const failed = { name: "flush-failed", nowMs, problem: "EIO" } as const;
  expect(after(hung, failed).state).toMatchObject({ cause: "flush", problem: "EIO", reads: false });
  expect(after(unflushed, { ...failed, problem: "other" }).state).toEqual(unflushed);
});

test("checking → good", () => {
  const checking = { ...hung, name: "checking" } as const;
  expect(after(checking, { name: "checked", nowMs, problem: undefined })).toEqual({
    state: { ...good, sinceMs: nowMs },
    effects: ["admit"],
  });
});

test("checking → opening: a worker that could only read is replaced", () => {
  const checking = { ...unflushed, name: "checking", cause: "read-only" } as const;
  expect(after(checking, { name: "checked", nowMs, problem: undefined })).toEqual({
    state: { name: "opening", restarts: 0 },
    effects: ["restart"],
  });
});

test("checking → quarantined: a failed check, tried again after pauses that grow to five minutes; reads are served", () => {
  const pauses: number[] = [];
  let state: PathState = hung;
  for (let round = 0; round < 9; round += 1) {
    const checking = after(state, looked({ nowMs: nowMs * 100 * (round + 1) })).state;
    expect(checking.name).toBe("checking");
    const failed = after(checking, { name: "checked", nowMs, problem: `no ${round}` });
    expect(failed.effects).toEqual(round === 0 ? ["admit-reads"] : []);
    expect(failed.state).toMatchObject({ name: "quarantined", problem: `no ${round}` });
    state = failed.state;
    if (state.name === "quarantined") pauses.push((state.checkAtMs - nowMs) / 1000);
  }
  expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
});

test("checking: a check that hangs is waited for, and no second one is asked for", () => {
  const checking = { ...unflushed, name: "checking" } as const;
  const still = after(checking, looked({ stillMs: 20_000 }));
  expect(still).toEqual({ state: { ...checking, reads: false }, effects: ["abandon"] });
  expect(after(still.state, looked({ nowMs: nowMs * 2 })).effects).toEqual([]);
});

test("anything → offline: a worker that ended", () => {
  const checking = { ...hung, name: "checking" } as const;
  for (const state of [good, slow, hung, checking]) {
    const ended = { name: "ended", nowMs, problem: "a bug", mayPass: true } as const;
    expect(after(state, ended)).toEqual({
      state: {
        name: "offline",
        restarts: 0,
        sinceMs: nowMs,
        problem: "a bug",
        restartAtMs: nowMs + 5000,
      },
      effects: [],
    });
  }
});

test("offline → opening: by schedule, a few times, and anew after ten good minutes", () => {
  const pauses: (number | undefined)[] = [];
  let state: PathState = good;
  for (let round = 0; round < 7; round += 1) {
    state = after(state, { name: "ended", nowMs, problem: "a bug", mayPass: true }).state;
    if (state.name !== "offline") expect.fail(state.name);
    pauses.push(state.restartAtMs === undefined ? undefined : (state.restartAtMs - nowMs) / 1000);
    expect(after(state, looked({ nowMs: (state.restartAtMs ?? nowMs) - 1 })).effects).toEqual([]);
    const next = after(state, looked({ nowMs: nowMs * 100 }));
    if (state.restartAtMs === undefined) {
      expect(next).toEqual({ state, effects: [] });
    } else {
      expect(next.effects).toEqual(["restart"]);
      state = after(next.state, { name: "opened", nowMs, readOnly: undefined }).state;
    }
  }
  expect(pauses).toEqual([5, 10, 20, 40, 80, 160, undefined]);
  const restarted: PathState = { ...good, restarts: 3, sinceMs: nowMs };
  expect(after(restarted, looked({ nowMs: nowMs + 599_999 })).state).toEqual(restarted);
  expect(after(restarted, looked({ nowMs: nowMs + 600_000 })).state).toMatchObject({ restarts: 0 });
});

test("what comes late or out of place changes nothing", () => {
  const offline = after(good, { name: "ended", nowMs, problem: "p", mayPass: false }).state;
  const checked = { name: "checked", nowMs, problem: undefined } as const;
  const failed = { name: "flush-failed", nowMs, problem: "EIO" } as const;
  const cases: readonly (readonly [PathState, PathInput])[] = [
    [good, checked],
    [hung, checked],
    [offline, checked],
    [offline, failed],
    [offline, looked()],
    [offline, { name: "ended", nowMs, problem: "again", mayPass: true }],
    [initialPathState, failed],
    [initialPathState, checked],
    [good, { name: "opened", nowMs, readOnly: undefined }],
  ];
  for (const [state, input] of cases) expect(after(state, input)).toEqual({ state, effects: [] });
});
