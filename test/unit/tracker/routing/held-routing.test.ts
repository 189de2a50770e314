/**
 * Goal: between storages of ours nobody is sent to one that lacks the file while another one has it, whatever the clocks say.
 * Method: named situations first; then random histories of a group, in which sources write with clocks that jump by decades, replicas
 * receive, report, go away and come back, and any file is asked for at any moment, with any idea of the time at the tracker.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type FetchRules,
  type FileRoute,
  mayServe,
  routeFetch,
  routeFetchAll,
  routeUpdate,
} from "#tracker/routing/route-file.ts";
import type { StorageView } from "#tracker/routing/views.ts";
import { groupView, storageView } from "../../../support/tracker-views.ts";

const now = 1_700_000_000;
const rules: FetchRules = {
  downloadServer: "round-robin",
  maxDelaySeconds: 86_400,
  maxTimeSeconds: 300,
  now,
};
const sourceKey = 7;
const threeWeeks = 21 * 86_400;

function ours(id: string, heldUntil?: number): StorageView {
  const held = new Map(heldUntil === undefined ? [] : [[sourceKey, heldUntil]]);
  return storageView(id, { held, lastSyncedTimestamp: now });
}

function route(given: {
  readonly readable: readonly StorageView[];
  readonly timestamp: number;
  readonly source?: StorageView;
  readonly isNormal?: boolean;
}): FileRoute<StorageView> {
  const { readable, timestamp, source, isNormal = true } = given;
  return {
    group: groupView("group1", { readable, writable: readable }),
    file: { sourceKey, timestamp, isNormal },
    source,
    storeServer: readable[0],
  };
}

function fetchIds(file: FileRoute<StorageView>, at = now): readonly string[] {
  let current = 0;
  return Array.from({ length: 3 }, () => {
    const chosen = routeFetch(file, current, { ...rules, now: at });
    current = chosen?.next ?? current;
    return String(chosen?.storage.id);
  });
}

test("a storage that was off for three weeks is not asked for what it missed, however old that is", () => {
  const [a, late, b] = [ours("a", now), ours("b", now - threeWeeks), ours("c", now)];
  const missed = route({ readable: [a, late, b], timestamp: now - threeWeeks + 5 });
  expect(fetchIds(missed)).toEqual(["a", "c", "a"]);
  const before = route({ readable: [a, late, b], timestamp: now - threeWeeks - 1 });
  expect(fetchIds(before)).toEqual(["a", "b", "c"]);
});

test("a clock in 1970 changes nothing, be it the source's or the tracker's", () => {
  const source = ours("s");
  const [has, lacks] = [ours("a", 101), ours("b", 100)];
  const file = route({ readable: [has, lacks, source], source, timestamp: 100 });
  expect(fetchIds(file)).toEqual(["a", "s", "a"]);
  expect(fetchIds(file, 0)).toEqual(["a", "s", "a"]);
  expect(fetchIds(file, 2 ** 32)).toEqual(["a", "s", "a"]);
});

test("a position is exclusive: files of that very second may be missing", () => {
  const file = { sourceKey, timestamp: 100, isSource: false };
  expect([99, 100, 101].map((until) => mayServe(ours("a", until), file, rules))).toEqual([
    false,
    false,
    true,
  ]);
  expect(mayServe(ours("a", 0xffffffff), { ...file, sourceKey: 8 }, rules)).toBe(false);
});

test("storages of C in the same group are judged by time, as they always were", () => {
  const original = storageView("a", { lastSyncedTimestamp: now - 20 });
  const both = [original, ours("b", now)];
  expect(fetchIds(route({ readable: both, timestamp: now - 10 }))).toEqual(["b", "b", "b"]);
  expect(fetchIds(route({ readable: both, timestamp: now - 30 }))).toEqual(["a", "b", "a"]);
});

test("where nobody surely has a file, who holds most of its source is asked first, and all of ours are named", () => {
  const readable = [ours("a"), ours("b", now - 5), ours("c", now - 3)];
  const file = route({ readable, timestamp: now });
  expect(fetchIds(file)).toEqual(["c", "c", "c"]);
  expect(routeFetchAll(file, rules).map(({ id }) => id)).toEqual(["c", "b", "a"]);
  expect(routeUpdate(file)?.id).toBe("c");
});

test("of C's storages only the store server is a guess, behind ours", () => {
  const file = route({ readable: [storageView("a"), storageView("b"), ours("c")], timestamp: now });
  expect(routeFetchAll(file, rules).map(({ id }) => id)).toEqual(["c", "a"]);
});

test("an appender file is read from its source, else from who has most of it", () => {
  const source = ours("s");
  const others = [ours("a", now - 9), ours("b", now + 9)];
  const read = (readable: readonly StorageView[]): readonly string[] => {
    const file = route({ readable, source, timestamp: now, isNormal: false });
    return routeFetchAll(file, rules).map(({ id }) => id);
  };
  expect([read([...others, source]), read(others)]).toEqual([["s"], ["b", "a"]]);
});

function of<T>(list: readonly T[], at: number): T {
  const found = list[at];
  if (found === undefined) throw new Error(`there is no ${at}`);
  return found;
}

interface Model {
  /** Name times of what each storage made, in its order. */
  readonly made: number[][];
  readonly nameClock: number[];
  /** How many files of each source each storage has: a prefix, since records come in order. */
  readonly has: number[][];
  /** What the tracker was told since the storage came back. */
  readonly told: Map<number, number>[];
  readonly away: boolean[];
}

const count = 3;
const storage = fc.nat({ max: count - 1 });
const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("make"), s: storage, r: storage }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("receive"), s: storage, r: storage }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("report"), s: storage, r: storage }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave"), s: storage, r: storage }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("return"), s: storage, r: storage }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("clock"),
      s: storage,
      r: storage,
      to: fc.nat({ max: 0xffffffff }),
    }),
  },
);
type Event = typeof event extends fc.Arbitrary<infer One> ? One : never;

function newModel(): Model {
  const rows = <T>(value: () => T): T[] => Array.from({ length: count }, value);
  return {
    made: rows(() => []),
    nameClock: rows(() => 1000),
    has: rows(() => rows(() => 0)),
    told: rows(() => new Map()),
    away: rows(() => false),
  };
}

/** What the receiver knows: the name time of the first file that it lacks, or the source's clock where it lacks none. */
function heldUntil(model: Model, source: number, replica: number): number {
  const made = of(model.made, source);
  return made[of(of(model.has, replica), source)] ?? of(model.nameClock, source);
}

function play(model: Model, { kind, s, r, ...more }: Event): void {
  switch (kind) {
    case "make":
      // Within a second several files may be made.
      if (of(model.made, s).length % 2 === 0) model.nameClock[s] = of(model.nameClock, s) + 1;
      of(model.made, s).push(of(model.nameClock, s));
      return;
    case "receive":
      if (of(of(model.has, r), s) < of(model.made, s).length)
        of(model.has, r)[s] = of(of(model.has, r), s) + 1;
      return;
    case "report":
      if (of(model.away, r)) return;
      for (let source = 0; source < count; source += 1) {
        if (source !== r) of(model.told, r).set(source, heldUntil(model, source, r));
      }
      return;
    case "leave":
      model.away[r] = true;
      of(model.told, r).clear();
      return;
    case "return":
      model.away[r] = false;
      return;
    default: {
      // The wall clock may be anything; names never run backwards.
      const to = "to" in more ? (more.to as number) : 0;
      model.nameClock[s] = Math.max(of(model.nameClock, s), Math.min(to, 0xffffff00));
    }
  }
}

function hasFile(
  model: Model,
  view: StorageView,
  { source, index }: { readonly source: number; readonly index: number },
): boolean {
  const where = Number(view.id);
  return where === source || of(of(model.has, where), source) > index;
}

function viewsOf(model: Model): readonly StorageView[] {
  return model.told.map((held, at) => storageView(String(at), { held: new Map(held) }));
}

test("whoever is chosen has the file, as soon as one that is there is known to have it", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.nat(), (events, trackerTime) => {
      const model = newModel();
      for (const each of events) play(model, each);
      const all = viewsOf(model);
      const readable = all.filter((_, at) => !model.away[at]);
      for (const [source, made] of model.made.entries()) {
        for (const [index, timestamp] of made.entries()) {
          const file: FileRoute<StorageView> = {
            group: groupView("group1", { readable, writable: readable }),
            file: { sourceKey: source, timestamp, isNormal: true },
            source: all[source],
            storeServer: readable[0],
          };
          const has = (view: StorageView): boolean => hasFile(model, view, { source, index });
          const isKnown = readable.some(
            (view) => view === all[source] || (view.held?.get(source) ?? 0) > timestamp,
          );
          const at = { ...rules, now: trackerTime };
          const chosen = [0, 1, 2].map((current) => routeFetch(file, current, at)?.storage);
          if (isKnown) expect(chosen.every((view) => view !== undefined && has(view))).toBe(true);
          const named = routeFetchAll(file, at);
          if (isKnown) expect(named.every(has)).toBe(true);
          // And where nothing is known for certain, who has it is among those that are named.
          expect(named.some(has)).toBe(readable.some(has));
        }
      }
    }),
    { numRuns: 400 },
  );
});

test("with fresh reports who has the file is chosen, also when its source is away", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), storage, (events, gone) => {
      const model = newModel();
      for (const each of events) play(model, each);
      for (let r = 0; r < count; r += 1) {
        model.away[r] = r === gone;
        play(model, { kind: "report", s: 0, r });
      }
      const all = viewsOf(model);
      const readable = all.filter((_, at) => at !== gone);
      const made = of(model.made, gone);
      for (const [index, timestamp] of made.entries()) {
        // Two files of one second have one position: for the second one it is a guess.
        if (made[index + 1] === timestamp || made[index - 1] === timestamp) continue;
        // So it is for what the source made in its last second: nobody has heard of a later one.
        if (timestamp === of(model.nameClock, gone)) continue;
        const file: FileRoute<StorageView> = {
          group: groupView("group1", { readable, writable: readable }),
          file: { sourceKey: gone, timestamp, isNormal: true },
          source: undefined,
          storeServer: readable[0],
        };
        const has = (view: StorageView): boolean => hasFile(model, view, { source: gone, index });
        const chosen = routeFetch(file, 0, rules)?.storage;
        const changer = routeUpdate(file);
        if (!readable.some(has)) continue;
        expect([chosen, changer].map((view) => view !== undefined && has(view))).toEqual([
          true,
          true,
        ]);
      }
    }),
    { numRuns: 400 },
  );
});
