import fc from "fast-check";
import { expect, test } from "vitest";
import { formatEndpoint } from "#model/endpoint.ts";
import {
  aloneState,
  type ElectionEffect,
  type ElectionEvent,
  type ElectionInput,
  type ElectionPhase,
  type ElectionState,
  type ElectionTransition,
  transition,
} from "#tracker/election/election-machine.ts";
import type { Candidate } from "#tracker/election/placement.ts";

const port = 22122;
const [self, b, c] = ["10.0.0.1:22122", "10.0.0.2:22122", "10.0.0.3:22122"] as const;
const nowMs = 50_000;
const pauseMs = 1500;

const searching: ElectionPhase = { name: "searching", askAtMs: nowMs, why: "" };
const asking: ElectionPhase = { name: "asking", why: "" };
const announcing: ElectionPhase = { name: "announcing" };
const waiting: ElectionPhase = { name: "waiting", best: b, untilMs: nowMs };
const leading: ElectionPhase = { name: "leading", searchAtMs: nowMs };
const following: ElectionPhase = {
  name: "following",
  leader: b,
  failures: 0,
  pingAtMs: nowMs,
  answeredAtMs: nowMs - 1000,
};
const justNamed: ElectionPhase = { ...following, pingAtMs: undefined, answeredAtMs: undefined };
const phases = [aloneState.phase, searching, asking, announcing, waiting, following, leading];

function step(
  phase: ElectionPhase,
  input: Partial<ElectionInput> & Pick<ElectionInput, "name">,
  nominee?: string,
): ElectionTransition {
  return transition({ phase, nominee }, { nowMs, ...input } as ElectionInput);
}

function names(effects: readonly ElectionEffect[]): readonly string[] {
  return effects.map((effect) => (effect.name === "refuse" ? effect.why : effect.name));
}

/** The phase that follows, and the effects. */
function outcome({ state, effects }: ElectionTransition): readonly string[] {
  return [state.phase.name, ...names(effects)];
}

function candidate(last: number, given: Partial<Candidate> = {}): Candidate {
  const endpoint = { address: `10.0.0.${last}`, port };
  return { endpoint, isLeader: false, runningTime: 0, restartInterval: 0, ...given };
}

test("alone, until the storages know other trackers; alone again when they know none", () => {
  const several = { name: "trackers", known: new Set([self, b]), alone: false } as const;
  const none = { name: "trackers", known: new Set([self]), alone: true } as const;
  expect(outcome(step(aloneState.phase, none))).toEqual(["alone"]);
  const first = step(aloneState.phase, several);
  expect(outcome(first)).toEqual(["searching"]);
  expect(outcome(step(first.state.phase, { name: "tick" }))).toEqual(["asking", "ask"]);
  for (const phase of phases.slice(1)) {
    expect(outcome(step(phase, none))).toEqual(["alone", "hang-up"]);
    expect(outcome(step(phase, several))).toEqual([phase.name]);
  }
});

test("a leader, or one who was to be it, that is no tracker any more is forgotten, and so is a nominee", () => {
  const without = { name: "trackers", known: new Set([self, c]), alone: false } as const;
  expect(outcome(step(following, without))).toEqual(["searching", "hang-up"]);
  expect(outcome(step(waiting, without))).toEqual(["searching", "hang-up"]);
  expect(step(searching, without, b).state.nominee).toBeUndefined();
  expect(step(searching, without, c).state.nominee).toBe(c);
});

test("a tick does what is due, and nothing before", () => {
  const due = phases.map((phase) => outcome(step(phase, { name: "tick" })));
  expect(due).toEqual([
    ["alone"],
    ["asking", "ask"],
    ["asking"],
    ["announcing"],
    ["asking", "ask"],
    ["following", "ping"],
    ["leading", "ask"],
  ]);
  const early = phases.map((phase) => outcome(step(phase, { name: "tick", nowMs: nowMs - 1 })));
  expect(early).toEqual(phases.map(({ name }) => [name]));
});

test("only one ping is under way", () => {
  const { state } = step(following, { name: "tick" });
  expect(outcome(step(state.phase, { name: "tick", nowMs: nowMs + 60_000 }))).toEqual([
    "following",
  ]);
});

test("the best of those that answered leads: ourselves, a leader that there is, or one that will announce itself", () => {
  const from = (own: Candidate | undefined, ...others: readonly Candidate[]): unknown =>
    outcome(step(asking, { name: "placements", own, others, pauseMs }));
  const own = candidate(1, { runningTime: 300 });
  expect({
    nobody: from(undefined),
    onlyOwn: from(own),
    own: from(own, candidate(2), candidate(3)),
    leader: from(own, candidate(2, { isLeader: true }), candidate(3)),
    other: from(own, candidate(2, { runningTime: 600 })),
    withoutGroups: from(undefined, candidate(2)),
  }).toEqual({
    nobody: ["searching"],
    onlyOwn: ["announcing", "announce"],
    own: ["announcing", "announce"],
    leader: ["following", "hang-up", "ping"],
    other: ["waiting"],
    withoutGroups: ["waiting"],
  });
  const { phase } = step(asking, {
    name: "placements",
    own,
    others: [candidate(2, { runningTime: 600 })],
    pauseMs,
  }).state;
  expect(phase).toEqual({ name: "waiting", best: b, untilMs: nowMs + pauseMs });
});

test("answers that come when nobody waits for them change nothing", () => {
  const others = [candidate(2, { isLeader: true, runningTime: 900 })];
  const late = phases
    .filter(({ name }) => name !== "asking" && name !== "leading")
    .map((phase) => outcome(step(phase, { name: "placements", own: undefined, others, pauseMs })));
  expect(late.map((each) => each.length)).toEqual(late.map(() => 1));
});

test("of two leaders the lower one steps down, whichever of them notices", () => {
  const own = candidate(1, { isLeader: true, runningTime: 300 });
  const notice = (...others: readonly Candidate[]): ElectionTransition =>
    step(leading, { name: "placements", own, others, pauseMs });
  expect(outcome(notice(candidate(2, { runningTime: 900 })))).toEqual(["leading"]);
  const greater = notice(candidate(2, { isLeader: true, runningTime: 600 }));
  expect(outcome(greater)).toEqual(["following", "hang-up", "ping"]);
  const lower = notice(candidate(2, { isLeader: true }), candidate(3, { isLeader: true }));
  expect(lower.effects).toEqual([
    { name: "unseat", rival: b },
    { name: "unseat", rival: c },
  ]);
  expect(lower.state.phase.name).toBe("leading");
});

test("we lead when nobody objected, and nobody else was named meanwhile", () => {
  const done = { name: "announced", self, failure: undefined, pauseMs } as const;
  expect(outcome(step(announcing, done, self))).toEqual(["leading"]);
  expect(outcome(step(announcing, done, b))).toEqual(["searching"]);
  expect(outcome(step(announcing, { ...done, failure: "b objects" }, self))).toEqual(["searching"]);
  expect(step(announcing, { ...done, failure: "b objects" }, self).state.phase).toEqual({
    name: "searching",
    askAtMs: nowMs + pauseMs,
    why: "b objects",
  });
  // Somebody else was committed while we announced.
  expect(outcome(step(following, done, self))).toEqual(["following"]);
});

test("whoever is named is noted; a leader steps down for another one, and a follower stands by a leader that is well", () => {
  const name = (phase: ElectionPhase, tracker: string, at = nowMs): readonly unknown[] => {
    const input = { name: "nominated", tracker, isSelf: tracker === self, nowMs: at } as const;
    const done = step(phase, input);
    return [...outcome(done), done.state.nominee];
  };
  for (const phase of [aloneState.phase, searching, asking, announcing, waiting, justNamed]) {
    expect(name(phase, c)).toEqual([phase.name, c]);
  }
  expect(name(leading, c)).toEqual(["searching", "stepped-down", undefined]);
  expect(name(leading, self)).toEqual(["leading", self]);
  expect(name(following, c)).toEqual(["following", "follows", undefined]);
  expect(name(following, b)).toEqual(["following", b]);
  expect(name(following, c, nowMs + 1500)).toEqual(["following", c]);
});

test("the one that was noted leads with the second phase, and nobody else", () => {
  const commit = (phase: ElectionPhase, tracker: string, nominee?: string): readonly string[] =>
    outcome(step(phase, { name: "committed", tracker, isSelf: tracker === self }, nominee));
  for (const phase of [searching, asking, announcing, waiting, leading]) {
    expect(commit(phase, c)).toEqual([phase.name, "not-nominated"]);
    expect(commit(phase, c, b)).toEqual([phase.name, "not-nominated"]);
    expect(commit(phase, c, c)).toEqual(["following", "hang-up", "ping"]);
    expect(commit(phase, self, self)).toEqual(["leading", "hang-up"]);
  }
  expect(commit(following, c, c)).toEqual(["following", "hang-up", "ping"]);
  expect(commit(following, b, b)).toEqual(["following"]);
  expect(commit(aloneState.phase, self, self)).toEqual(["alone"]);
});

test("only a leader can be told to reselect", () => {
  const all = phases.map((phase) =>
    outcome(step(phase, { name: "reselect", hasMajority: false, pauseMs })),
  );
  expect(all).toEqual([
    ["alone"],
    ["searching", "not-leading"],
    ["asking", "not-leading"],
    ["announcing", "not-leading"],
    ["waiting", "not-leading"],
    ["following", "not-leading"],
    ["searching"],
  ]);
  // Most trackers follow it, so that the other leader is the one that is cut off.
  expect(outcome(step(leading, { name: "reselect", hasMajority: true, pauseMs }))).toEqual([
    "leading",
  ]);
});

test("a leader is lost after three pings in a row without answer", () => {
  let { state }: ElectionTransition = step({ ...following, pingAtMs: undefined }, { name: "tick" });
  const seen: unknown[] = [];
  const outcomes = ["failed", "failed", "answered", "failed", "failed", "failed"] as const;
  for (const [at, each] of outcomes.entries()) {
    const input = { name: "pinged", leader: b, outcome: each, nowMs: nowMs + at } as const;
    const done = transition(state, input);
    seen.push(outcome(done));
    state = done.state;
  }
  expect(seen).toEqual([
    ["following", "hang-up"],
    ["following", "hang-up"],
    ["following"],
    ["following", "hang-up"],
    ["following", "hang-up"],
    ["searching", "hang-up"],
  ]);
});

test("one that says that it leads no more is left at once; one that was just named is given time", () => {
  const no = { name: "pinged", leader: b, outcome: "not-leading" } as const;
  expect(outcome(step(following, no))).toEqual(["searching", "hang-up"]);
  expect(outcome(step(justNamed, no))).toEqual(["following", "hang-up"]);
  expect(outcome(step({ ...justNamed, failures: 2 }, no))).toEqual(["searching", "hang-up"]);
});

test("what became of a ping to a former leader changes nothing", () => {
  for (const phase of phases) {
    const done = step(phase, { name: "pinged", leader: c, outcome: "failed" });
    expect(outcome(done)).toEqual([phase.name]);
  }
});

/** Trackers of a world in which every message arrives at once or not at all, by a table of who reaches whom. */
class World {
  readonly states: ElectionState[];
  readonly keys: readonly string[];
  readonly cut = new Set<string>();
  readonly down = new Set<number>();
  nowMs = 0;
  readonly count: number;

  constructor(count: number) {
    this.count = count;
    this.keys = Array.from({ length: count }, (_, at) => `10.0.0.${at + 1}:${port}`);
    this.states = this.keys.map(() => aloneState);
    for (let at = 0; at < count; at += 1) this.#meet(at);
  }

  #meet(at: number): void {
    this.apply(at, { name: "trackers", known: new Set(this.keys), alone: false });
  }

  reaches(from: number, to: number): boolean {
    return !this.down.has(from) && !this.down.has(to) && !this.cut.has(`${from} ${to}`);
  }

  restart(at: number): void {
    this.down.delete(at);
    this.states[at] = aloneState;
    this.#meet(at);
  }

  tick(): void {
    this.nowMs += 500;
    for (let at = 0; at < this.count; at += 1) {
      if (!this.down.has(at)) this.apply(at, { name: "tick" });
    }
  }

  apply(at: number, input: ElectionEvent): readonly string[] {
    const before = this.states[at] ?? aloneState;
    const { state, effects } = transition(before, { ...input, nowMs: this.nowMs } as ElectionInput);
    this.states[at] = state;
    for (const effect of effects) this.#perform(at, effect);
    return effects.flatMap((effect) => (effect.name === "refuse" ? [effect.why] : []));
  }

  /** A storage says that there are two leaders. */
  complain(to: number): void {
    const key = this.keys[to];
    const followers = this.followed().filter(
      (leader, at) => leader === key && this.reaches(at, to),
    );
    const hasMajority = 2 * (followers.length + 1) > this.count;
    this.apply(to, { name: "reselect", hasMajority, pauseMs: 1000 + to * 400 });
  }

  leaders(): readonly number[] {
    return this.states.flatMap(({ phase }, at) =>
      phase.name === "leading" && !this.down.has(at) ? [at] : [],
    );
  }

  followed(): readonly (string | undefined)[] {
    return this.states.map(({ phase }) => (phase.name === "following" ? phase.leader : undefined));
  }

  #candidate(at: number): Candidate {
    const isLeader = this.states[at]?.phase.name === "leading";
    return candidate(at + 1, { isLeader });
  }

  #perform(at: number, effect: ElectionEffect): void {
    const others = this.keys.map((_, to) => to).filter((to) => to !== at && this.reaches(at, to));
    // Pauses differ from tracker to tracker, as chance makes them.
    const pause = 1000 + at * 400;
    switch (effect.name) {
      case "ask": {
        const own = this.#candidate(at);
        const found = others.map((to) => this.#candidate(to));
        this.apply(at, { name: "placements", own, others: found, pauseMs: pause });
        return;
      }
      case "announce":
        this.#announce(at, others, pause);
        return;
      case "ping": {
        const to = this.keys.indexOf(effect.leader);
        const leads = this.states[to]?.phase.name === "leading";
        const result = others.includes(to) ? (leads ? "answered" : "not-leading") : "failed";
        this.apply(at, { name: "pinged", leader: effect.leader, outcome: result });
        return;
      }
      case "unseat": {
        const to = this.keys.indexOf(effect.rival);
        if (others.includes(to)) this.complain(to);
        return;
      }
      default:
    }
  }

  #announce(at: number, others: readonly number[], pauseMs: number): void {
    const tracker = formatEndpoint(this.#candidate(at).endpoint);
    const tell = (name: "nominated" | "committed", to: number): readonly string[] =>
      this.apply(to, { name, tracker, isSelf: to === at });
    tell("nominated", at);
    let objections = others.flatMap((to) => tell("nominated", to));
    if (objections.length === 0) objections = others.flatMap((to) => tell("committed", to));
    const failure = objections[0];
    this.apply(at, { name: "announced", self: tracker, failure, pauseMs });
  }
}

test("whatever happens, trackers that all reach each other agree on one leader soon after", () => {
  // Goal: agreement after any history. Method: machines that talk at once or not at all; crashes, restarts, lines cut in one direction
  // only, storages that complain; then quiet for thirty seconds.
  const at = fc.nat({ max: 3 });
  const event = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant("ticks" as const), one: at, other: at }),
    },
    fc.record({
      kind: fc.constantFrom("cut" as const, "heal", "crash", "restart", "complain"),
      one: at,
      other: at,
    }),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 4 }),
      fc.array(event, { maxLength: 40 }),
      (count, run) => {
        const world = new World(count);
        for (const { kind, one, other } of run) {
          if (kind === "ticks") for (let each = 0; each <= other * 4; each += 1) world.tick();
          if (one >= count || other >= count) continue;
          if (kind === "cut") world.cut.add(`${one} ${other}`);
          if (kind === "heal") world.cut.delete(`${one} ${other}`);
          if (kind === "crash") world.down.add(one);
          if (kind === "restart") world.restart(one);
          if (kind === "complain" && !world.down.has(one)) world.complain(one);
        }
        world.cut.clear();
        for (const down of [...world.down]) world.restart(down);
        for (let each = 0; each < 60; each += 1) world.tick();
        const leaders = world.leaders();
        expect(leaders.length).toBe(1);
        const [leader = -1] = leaders;
        const expected = world.keys.map((_, each) =>
          each === leader ? undefined : world.keys[leader],
        );
        expect(world.followed()).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});

test("a line that is cut between one follower and the leader makes no second leader where others see both", () => {
  const world = new World(3);
  for (let each = 0; each < 20; each += 1) world.tick();
  const [leader = -1] = world.leaders();
  const lonely = (leader + 1) % 3;
  world.cut.add(`${lonely} ${leader}`);
  for (let each = 0; each < 200; each += 1) {
    world.tick();
    expect(world.leaders()).toEqual([leader]);
  }
});
