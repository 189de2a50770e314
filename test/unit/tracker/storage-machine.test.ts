import fc from "fast-check";
import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import {
  isGone,
  type StorageInput,
  type StorageState,
  type Transition,
  transition,
} from "#tracker/storage-machine.ts";

const { init, waitSync, syncing, ipChanged, deleted, offline, online, active, recovery, none } =
  storageStatus;
const every: readonly StorageStatus[] = [
  init,
  waitSync,
  syncing,
  ipChanged,
  deleted,
  offline,
  online,
  active,
  recovery,
];
const source = { id: StorageId("10.0.0.1"), until: 1700000000 };

function from(status: StorageStatus, withSource = false): StorageState {
  return { status, source: withSource ? source : undefined };
}

/** What becomes of each status, as a list of status numbers in the order of `every`. */
function outcomes(input: StorageInput): readonly StorageStatus[] {
  return every.map((status) => transition(from(status), input).state.status);
}

function effectNames(result: Transition): readonly string[] {
  return result.effects.map((effect) => (effect.name === "refuse" ? effect.why : effect.name));
}

const join = (initializing: boolean, reported: number): StorageInput => ({
  name: "join",
  initializing,
  reported,
});

test("any message brings a storage of ours back that was away, and changes nothing else", () => {
  const expected = every.map((status) => (status === offline ? active : status));
  expect(outcomes({ name: "alive" })).toEqual(expected);
  expect(effectNames(transition(from(offline), { name: "alive" }))).toEqual(["announce"]);
  expect(transition(from(none), { name: "alive" }).state.status).toBe(none);
});

test("an unknown storage that is initializing starts as INIT, at the end of the changelog", () => {
  const result = transition(from(none), join(true, -1));
  expect(result.state.status).toBe(init);
  expect(effectNames(result)).toEqual(["changelog-from-end", "tell-anew", "announce"]);
});

test("an unknown storage that was filled elsewhere keeps what it reports, ACTIVE and what is away as ONLINE", () => {
  const reported = [init, waitSync, syncing, offline, online, active, recovery];
  const results = reported.map((status) => transition(from(none), join(false, status)));
  expect(results.map((result) => result.state.status)).toEqual([
    init,
    waitSync,
    syncing,
    online,
    online,
    online,
    online,
  ]);
});

test("an unknown storage with a status that it cannot have is refused", () => {
  const impossible = [-1, deleted, ipChanged, none, 8, 50];
  const results = impossible.map((status) => transition(from(none), join(false, status)));
  expect(results).toEqual(
    impossible.map(() => ({
      state: from(none),
      effects: [{ name: "refuse", why: "impossible" }],
    })),
  );
});

test("a join takes OFFLINE and RECOVERY to ONLINE, DELETED and IP_CHANGED to INIT, and leaves the rest", () => {
  const after = [init, waitSync, syncing, init, init, online, online, active, online];
  expect(outcomes(join(true, -1))).toEqual(after);
  expect(outcomes(join(false, active))).toEqual(after);
});

test("who joins is told everything anew, and one that was gone starts without a past", () => {
  expect(effectNames(transition(from(active), join(false, active)))).toEqual(["tell-anew"]);
  expect(effectNames(transition(from(offline), join(false, active)))).toEqual([
    "tell-anew",
    "announce",
  ]);
  const back = transition(from(deleted, true), join(false, offline));
  expect(back.state).toEqual(from(init));
  expect(effectNames(back)).toEqual([
    "reset-record",
    "changelog-from-end",
    "announce",
    "tell-anew",
  ]);
});

test("a beat or disk report makes active, but not who is being filled or gone", () => {
  const after = [init, waitSync, syncing, ipChanged, deleted, active, active, active, active];
  expect(outcomes({ name: "heard" })).toEqual(after);
  expect(effectNames(transition(from(active), { name: "heard" }))).toEqual([]);
  expect(effectNames(transition(from(online), { name: "heard" }))).toEqual(["announce"]);
});

test("a chosen sync source makes WAIT_SYNC and is recorded; nobody to choose makes ONLINE", () => {
  const chosen = every.map((status) => transition(from(status), { name: "source-chosen", source }));
  const gone = (status: StorageStatus): boolean => isGone({ status });
  expect(chosen.map(({ state }) => state)).toEqual(
    every.map((status) => (gone(status) ? from(status) : from(waitSync, true))),
  );
  expect(outcomes({ name: "source-chosen", source: undefined })).toEqual(
    every.map((status) => (gone(status) ? status : online)),
  );
});

test("SYNC_NOTIFY without source ends the filling", () => {
  const after = [online, online, online, ipChanged, deleted, offline, online, active, recovery];
  expect(outcomes({ name: "source-told", source: undefined })).toEqual(after);
});

test("SYNC_NOTIFY with a source takes INIT to WAIT_SYNC, and records the source where there is none", () => {
  const input = { name: "source-told", source: { ...source, until: 5 } } as const;
  expect(outcomes(input)).toEqual(every.map((status) => (status === init ? waitSync : status)));
  expect(transition(from(active), input).state.source).toEqual(input.source);
  expect(transition(from(active, true), input).state.source).toEqual(source);
});

test("a source that is gone is forgotten", () => {
  expect(transition(from(waitSync, true), { name: "source-gone" }).state).toEqual(from(waitSync));
});

test("another storage's view only raises the status of one that is being filled or away", () => {
  const reported = (status: StorageStatus): readonly StorageStatus[] =>
    outcomes({ name: "reported", status });
  expect(reported(syncing)).toEqual([
    init,
    syncing,
    syncing,
    ipChanged,
    deleted,
    offline,
    online,
    active,
    recovery,
  ]);
  expect(reported(offline)).toEqual([
    init,
    offline,
    offline,
    ipChanged,
    deleted,
    offline,
    online,
    active,
    recovery,
  ]);
  expect(reported(recovery)).toEqual([
    init,
    recovery,
    recovery,
    ipChanged,
    deleted,
    recovery,
    online,
    active,
    recovery,
  ]);
  expect(reported(none)).toEqual(every);
});

test("another storage's view that one is deleted or moved is adopted, but not for one that we hear", () => {
  const expected = (status: StorageStatus): readonly StorageStatus[] => [
    init,
    status,
    status,
    status,
    status,
    status,
    online,
    active,
    recovery,
  ];
  expect(outcomes({ name: "reported", status: deleted })).toEqual(expected(deleted));
  expect(outcomes({ name: "reported", status: ipChanged })).toEqual(expected(ipChanged));
});

test("the leader's view is taken over, available as OFFLINE until the next beat", () => {
  const told = (status: StorageStatus): readonly StorageStatus[] =>
    outcomes({ name: "told", status });
  const available = [offline, offline, offline, offline, offline, offline, online, active, offline];
  expect(told(active)).toEqual(available);
  expect(told(online)).toEqual(available);
  expect(told(waitSync)).toEqual(every.map(() => waitSync));
  expect(told(none)).toEqual(every);
});

test("a lost connection makes ACTIVE and ONLINE OFFLINE, silence only ACTIVE", () => {
  const lost = [init, waitSync, syncing, ipChanged, deleted, offline, offline, offline, recovery];
  const silent = [init, waitSync, syncing, ipChanged, deleted, offline, online, offline, recovery];
  expect(outcomes({ name: "connection-lost" })).toEqual(lost);
  expect(outcomes({ name: "silent" })).toEqual(silent);
  expect(effectNames(transition(from(active), { name: "silent" }))).toEqual([
    "tell-anew",
    "announce",
  ]);
});

test("only what is not available can be deleted, and only once", () => {
  const results = every.map((status) => transition(from(status, true), { name: "delete" }));
  expect(results.map((result) => effectNames(result).join(" "))).toEqual([
    "reset-record announce",
    "reset-record announce",
    "reset-record announce",
    "not-found",
    "already-done",
    "reset-record announce",
    "busy",
    "busy",
    "busy",
  ]);
  expect(transition(from(offline, true), { name: "delete" }).state).toEqual(from(deleted));
});

test("only what is not available can give its address up, and only once", () => {
  const results = every.map((status) => transition(from(status), { name: "address-given-up" }));
  expect(results.map((result) => effectNames(result).join(" "))).toEqual([
    "announce",
    "announce",
    "announce",
    "already-done",
    "not-found",
    "announce",
    "busy",
    "busy",
    "busy",
  ]);
});

test("what is gone comes back by a join only, and every change of status is announced", () => {
  const anyStatus = fc.constantFrom(...every);
  const input: fc.Arbitrary<StorageInput> = fc.oneof(
    fc.record({
      name: fc.constant("join" as const),
      initializing: fc.boolean(),
      reported: fc.integer({ min: -1, max: 99 }),
    }),
    fc.record({
      name: fc.constantFrom("source-chosen" as const, "source-told" as const),
      source: fc.constantFrom(source, undefined),
    }),
    fc.record({ name: fc.constant("reported" as const), status: anyStatus }),
    fc.record({
      name: fc.constantFrom(
        "heard" as const,
        "source-gone" as const,
        "connection-lost" as const,
        "silent" as const,
        "delete" as const,
        "address-given-up" as const,
      ),
    }),
  );
  fc.assert(
    fc.property(anyStatus, fc.array(input, { maxLength: 20 }), (start, inputs) => {
      let state = from(start);
      for (const each of inputs) {
        const { state: next, effects } = transition(state, each);
        if (isGone(state) && each.name !== "join") expect(isGone(next)).toBe(true);
        if (next.status !== state.status) {
          expect(effects.map((effect) => effect.name)).toContain("announce");
        }
        if (effects.some((effect) => effect.name === "refuse")) expect(next).toEqual(state);
        state = next;
      }
    }),
    { numRuns: 300 },
  );
});
