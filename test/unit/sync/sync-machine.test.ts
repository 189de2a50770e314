import fc from "fast-check";
import { expect, test } from "vitest";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { maxRetryMs } from "#sync/limits.ts";
import {
  describeLink,
  type LinkEffect,
  type LinkInput,
  type LinkState,
  newLink,
  transition,
} from "#sync/sync-machine.ts";

const { init, waitSync, syncing, deleted, ipChanged, offline, online, active, recovery, none } =
  storageStatus;
const settledPlan = { needSyncOld: false, oldDone: false, until: 0 };

/** Runs inputs one after the other; effects of all of them. */
function run(inputs: readonly LinkInput[], from: LinkState = newLink) {
  let state = from;
  const effects: LinkEffect[] = [];
  for (const input of inputs) {
    const next = transition(state, input);
    state = next.state;
    effects.push(...next.effects);
  }
  return { state, effects };
}

const status = (value: StorageStatus | undefined): LinkInput => ({ name: "status", status: value });
const loaded = (plan: LinkState["plan"] | "settled" = "settled"): LinkInput => ({
  name: "loaded",
  plan: plan === "settled" ? settledPlan : plan,
});
const unmarked: LinkInput = { name: "loaded", plan: undefined };
const source = (isSelf: boolean, until = 50): LinkInput => ({
  name: "source",
  filler: isSelf ? "self" : "other",
  until,
});
const nobody: LinkInput = { name: "source", filler: "nobody", until: 0 };
const [connected, retry, caughtUp]: readonly LinkInput[] = [
  { name: "connected" },
  { name: "retry" },
  { name: "caught-up" },
];
const failed: LinkInput = { name: "failed", why: "no route" };
const sending = run([loaded(), status(active), connected as LinkInput]).state;

function names(effects: readonly LinkEffect[]): string[] {
  return effects.map(({ name }) => name);
}

test("an ACTIVE peer whose mark is there is connected to and sent to", () => {
  const { state, effects } = run([loaded(), status(active), connected as LinkInput]);
  expect(state.phase).toBe("sending");
  expect(effects).toEqual([
    { name: "connect" },
    { name: "begin", plan: settledPlan, startOver: false },
  ]);
});

test.each([
  undefined,
  init,
  offline,
  online,
  recovery,
])("to a peer of status %s nothing is sent, and the reason is said", (value) => {
  const { state, effects } = run([loaded(), status(value)]);
  expect(state.phase).toBe("waiting");
  expect(effects).toEqual([]);
  expect(describeLink(state)).toMatch(/^waits: /);
  expect(run([status(value)], sending)).toMatchObject({
    state: { phase: "waiting" },
    effects: [{ name: "disconnect" }],
  });
});

test.each([deleted, ipChanged, none])("a peer of status %s is gone", (value) => {
  const { state, effects } = run([status(value)], sending);
  expect(state.phase).toBe("gone");
  expect(names(effects)).toEqual(["disconnect"]);
  expect(describeLink(state)).toBe("the peer has left the group");
  expect(run([status(active)], state).state.phase).toBe("connecting");
});

test("nothing happens before the marks were read", () => {
  expect(run([status(active), { name: "hours", open: true }])).toMatchObject({
    state: { phase: "loading" },
    effects: [],
  });
});

test("without a mark a tracker is asked who fills the peer; nobody: everything is sent from the start", () => {
  const asked = run([unmarked, status(active)]);
  expect(asked.state.phase).toBe("asking");
  expect(names(asked.effects)).toEqual(["ask-source"]);
  const answered = run([nobody, connected as LinkInput], asked.state);
  expect(answered.effects).toEqual([
    { name: "connect" },
    { name: "begin", plan: settledPlan, startOver: true },
  ]);
});

test("a new member is filled: SYNCING is told when sending begins, OFFLINE at the end, then its ACTIVE is waited for", () => {
  const plan = { needSyncOld: true, oldDone: false, until: 50 };
  const begun = run([unmarked, status(waitSync), source(true), connected as LinkInput]);
  expect(begun.effects).toEqual([
    { name: "ask-source" },
    { name: "connect" },
    { name: "report", status: syncing },
    { name: "begin", plan, startOver: true },
  ]);
  expect(describeLink(begun.state)).toBe("fills the new peer with all files");
  // Trackers that have not heard of it yet.
  expect(run([status(waitSync)], begun.state)).toEqual({ state: begun.state, effects: [] });
  const done = run([status(syncing), caughtUp as LinkInput], begun.state);
  expect(done.effects).toEqual([
    { name: "save-plan", plan: { ...plan, oldDone: true } },
    { name: "report", status: offline },
    { name: "disconnect" },
  ]);
  expect(done.state.phase).toBe("waiting");
  expect(run([status(syncing), status(waitSync)], done.state).state.phase).toBe("waiting");
  const grown = run([status(offline), status(active), connected as LinkInput], done.state);
  expect(names(grown.effects)).toEqual(["connect", "begin"]);
  expect(describeLink(grown.state)).toBe("sends changes as they happen");
});

test("who does not fill the new member waits until it is ACTIVE, and says so", () => {
  const { state } = run([unmarked, status(waitSync), source(false)]);
  expect(state.phase).toBe("waiting");
  expect(describeLink(state)).toContain("another storage fills it");
  const { effects } = run(
    [status(syncing), source(false), status(active), connected as LinkInput],
    state,
  );
  expect(effects).toContainEqual({
    name: "begin",
    plan: { needSyncOld: false, oldDone: false, until: 50 },
    startOver: true,
  });
});

test("a peer that is to be filled anew is sent everything anew, also where sending was under way", () => {
  const { state, effects } = run([status(waitSync)], sending);
  expect(names(effects)).toEqual(["disconnect", "ask-source"]);
  expect(run([source(true), connected as LinkInput], state).effects).toContainEqual({
    name: "begin",
    plan: { needSyncOld: true, oldDone: false, until: 50 },
    startOver: true,
  });
});

test("of a SYNCING peer a tracker is asked again: who has become its source starts over, others go by their mark", () => {
  const asked = run([loaded(), status(syncing)]);
  expect(names(asked.effects)).toEqual(["ask-source"]);
  const become = run([source(true), connected as LinkInput], asked.state);
  expect(become.effects).toContainEqual({
    name: "begin",
    plan: { needSyncOld: true, oldDone: false, until: 50 },
    startOver: true,
  });
  const halfDone = { needSyncOld: true, oldDone: false, until: 40 };
  const goesOn = run([loaded(halfDone), status(syncing), source(true), connected as LinkInput]);
  expect(goesOn.effects).toContainEqual({ name: "begin", plan: halfDone, startOver: false });
  expect(run([loaded(), status(syncing), source(false)]).state.phase).toBe("waiting");
});

test("who comes back after another one took its place does not fill the peer any more, and goes on from its mark", () => {
  const halfDone = { needSyncOld: true, oldDone: false, until: 40 };
  for (const value of [syncing, active]) {
    const asked = run([loaded(halfDone), status(value)]);
    expect(names(asked.effects), String(value)).toEqual(["ask-source"]);
    const replaced = run([source(false), status(active), connected as LinkInput], asked.state);
    expect(replaced.effects, String(value)).toEqual([
      { name: "connect" },
      { name: "begin", plan: settledPlan, startOver: false },
    ]);
    // A tracker that has forgotten, as after the loss of its state, takes nobody's place.
    for (const answer of [nobody, source(true)]) {
      expect(run([answer, connected as LinkInput], asked.state).effects).toEqual([
        { name: "connect" },
        { name: "begin", plan: halfDone, startOver: false },
      ]);
    }
  }
  expect(run([source(false)], run([loaded(halfDone), status(syncing)]).state).state.phase).toBe(
    "waiting",
  );
  const done = { ...halfDone, oldDone: true };
  expect(names(run([loaded(done), status(active)]).effects)).toEqual(["connect"]);
});

test("a mark that is found under another name counts for a peer that goes on, and not for one that begins", () => {
  const found: LinkInput = { name: "mark-found", plan: settledPlan };
  const asked = run([unmarked, status(active), nobody]).state;
  expect(run([found, connected as LinkInput], asked).effects).toEqual([
    { name: "begin", plan: settledPlan, startOver: false },
  ]);
  // Later links go by the mark as well, and what was found too late does nothing.
  const begun = run([connected as LinkInput], asked).state;
  expect(run([found], begun).state).toBe(begun);
  const begins = run([unmarked, status(waitSync), source(true), found, connected as LinkInput]);
  expect(begins.effects).toContainEqual({
    name: "begin",
    plan: { needSyncOld: true, oldDone: false, until: 50 },
    startOver: true,
  });
  const filledSince = run(
    [status(waitSync), source(false), status(active), found, connected as LinkInput],
    run([unmarked]).state,
  );
  expect(filledSince.effects.at(-1)).toMatchObject({ name: "begin", startOver: true });
});

test("a fill whose end was told and not heard is told again", () => {
  const plan = { needSyncOld: true, oldDone: true, until: 40 };
  const { state } = run([loaded(plan), status(syncing), source(true), connected as LinkInput]);
  expect(run([caughtUp as LinkInput], state).effects).toEqual([
    { name: "report", status: offline },
    { name: "disconnect" },
  ]);
});

test("an ordinary end of the binlog changes nothing", () => {
  expect(run([caughtUp as LinkInput], sending)).toEqual({ state: sending, effects: [] });
});

test("outside of the hours nothing is sent", () => {
  const closed = run([{ name: "hours", open: false }], sending);
  expect(closed).toMatchObject({ state: { phase: "waiting" }, effects: [{ name: "disconnect" }] });
  expect(describeLink(closed.state)).toContain("hours");
  expect(run([{ name: "hours", open: true }], closed.state).effects).toEqual([{ name: "connect" }]);
});

test("failures are followed by pauses of 1 s to 60 s, each twice the one before, until something was acknowledged", () => {
  let state = sending;
  const pauses: number[] = [];
  for (let at = 0; at < 9; at += 1) {
    const broken = run([failed], state);
    expect(names(broken.effects)).toEqual(["disconnect", "pause"]);
    expect(describeLink(broken.state)).toBe("tries again soon: no route");
    const [, pause] = broken.effects;
    pauses.push(pause?.name === "pause" ? pause.ms : 0);
    state = run([retry as LinkInput, connected as LinkInput], broken.state).state;
  }
  expect(pauses).toEqual([
    1000,
    2000,
    4000,
    8000,
    16_000,
    32_000,
    maxRetryMs,
    maxRetryMs,
    maxRetryMs,
  ]);
  const [, pause] = run([{ name: "progress" }, failed], state).effects;
  expect(pause).toEqual({ name: "pause", ms: 1000 });
});

test("a peer that comes back is tried at once, and late failures of what has ended do nothing", () => {
  const paused = run([failed], sending).state;
  expect(run([status(offline), status(active)], paused).effects).toEqual([{ name: "connect" }]);
  expect(run([failed], paused)).toEqual({ state: paused, effects: [] });
  expect(run([retry as LinkInput], sending)).toEqual({ state: sending, effects: [] });
});

test("whatever happens in whatever order: nothing is sent to whom it must not, and every state that rests says why", () => {
  const input = fc.oneof(
    fc.constantFrom(undefined, ...Object.values(storageStatus)).map(status),
    fc.constantFrom<LinkInput>(
      ...[loaded(), unmarked, loaded({ needSyncOld: true, oldDone: false, until: 9 })],
      ...[source(true), source(false), nobody, failed],
      ...[
        { name: "connected" } as const,
        { name: "retry" } as const,
        { name: "progress" } as const,
      ],
      ...[{ name: "caught-up" } as const, { name: "hours", open: false } as const],
      { name: "hours", open: true },
    ),
  );
  fc.assert(
    fc.property(fc.array(input, { maxLength: 40 }), (inputs) => {
      let state = newLink;
      let isOpen = false;
      for (const each of inputs) {
        const next = transition(state, each);
        for (const effect of next.effects) {
          if (effect.name === "disconnect") isOpen = false;
          if (effect.name === "begin") {
            expect(isOpen).toBe(false);
            isOpen = true;
          }
        }
        ({ state } = next);
        expect(isOpen).toBe(state.phase === "sending");
        if (isOpen) expect([active, waitSync, syncing]).toContain(state.status);
        if (isOpen && state.status !== active && state.sourceKnown) {
          expect(state.plan?.needSyncOld).toBe(true);
        }
        if (state.phase === "waiting" || state.phase === "pausing") {
          expect(state.problem).not.toBe("");
        }
        expect(describeLink(state).length).toBeGreaterThan(5);
      }
    }),
    { numRuns: 2000 },
  );
});

test("whoever waits for another one to fill the peer asks again when in doubt, and fills it where that is its own part by now", () => {
  const doubt: LinkInput = { name: "doubt" };
  for (const before of [source(false), nobody]) {
    for (const told of [waitSync, syncing] as const) {
      const waiting = run([loaded(), status(told), before]).state;
      expect(waiting.phase).toBe("waiting");
      const asking = run([doubt], waiting);
      expect(names(asking.effects)).toEqual(["ask-source"]);
      expect(run([before], asking.state).state).toEqual(waiting);
      const own = run([source(true)], asking.state).state;
      expect([own.phase, own.plan?.needSyncOld, own.startOver]).toEqual(["connecting", true, true]);
    }
  }
  for (const told of [active, offline] as const) {
    expect(names(run([loaded(), status(told), doubt]).effects)).not.toContain("ask-source");
  }
});
