/** Times that never run backwards, whatever the wall clock does. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { NameClock, NameWords, SteadyClock } from "#filestore/name-clock.ts";
import { NameTimes, noteAheadSeconds } from "#filestore/worker/name-times.ts";
import type { Clock } from "#platform/clock.ts";

/** A wall clock that is set, and a monotonic one that goes on. */
class TwoClocks implements Clock {
  wallMs = 1_700_000_000_000;
  goneMs = 5000;
  nowMs(): number {
    return this.wallMs;
  }
  monotonicMs(): number {
    return this.goneMs;
  }
  pass(ms: number): void {
    this.wallMs += ms;
    this.goneMs += ms;
  }
  after(): never {
    throw new Error("not here");
  }
  every(): never {
    throw new Error("not here");
  }
}

const start = 1_700_000_000;

function paths(clock: Clock, count = 1) {
  const names = new NameClock(clock);
  const parts = { clock, memory: names.memory, start };
  const times = Array.from({ length: count }, (_, storePathIndex) => {
    const each = new NameTimes({ ...parts, storePathIndex });
    each.noted(each.nextLimit);
    return each;
  });
  return { names, times, words: new NameWords(names.memory), all: times.map((_, path) => path) };
}

test("a steady clock goes on where the wall clock steps back, and follows it forward", () => {
  const clock = new TwoClocks();
  const steady = new SteadyClock(clock, 0);
  const began = steady.nowMs();
  clock.pass(1000);
  expect(steady.nowMs()).toBe(began + 1000);
  clock.wallMs -= 365 * 86_400_000;
  expect(steady.nowMs()).toBe(began + 1000);
  clock.pass(2500);
  expect(steady.nowMs()).toBe(began + 3500);
  clock.wallMs += 366 * 86_400_000;
  expect(steady.nowMs()).toBe(clock.wallMs);
});

test("nothing is told before a path was opened", () => {
  const names = new NameClock(new TwoClocks());
  expect(names.tell([])).toBe(0);
});

test("what is told waits for names that are not recorded, on serving paths alone", () => {
  const clock = new TwoClocks();
  const { names, times, all } = paths(clock, 2);
  const [one, two] = times as [NameTimes, NameTimes];
  const first = one.take();
  clock.pass(3000);
  const second = two.take();
  clock.pass(2000);
  expect(names.tell(all)).toBe(start);
  one.give(first);
  expect(names.tell(all)).toBe(start + 3);
  expect(names.tell([0])).toBe(start + 5);
  two.give(second);
  clock.pass(1000);
  expect(names.tell(all)).toBe(start + 6);
});

test("what is told never passes the limit on the disk", () => {
  const clock = new TwoClocks();
  const { names, times, all } = paths(clock);
  const [one] = times as [NameTimes];
  clock.pass(60_000);
  expect(names.tell(all)).toBe(start + noteAheadSeconds);
  expect(one.isNoteDue).toBe(false);
  one.give(one.take());
  expect(one.isNoteDue).toBe(true);
  one.noted(one.nextLimit);
  expect(one.isNoteDue).toBe(false);
  expect(names.tell(all)).toBe(start + 60);
});

test("a limit that could not be noted is tried again when that much time has passed", () => {
  const clock = new TwoClocks();
  const { times } = paths(clock);
  const [one] = times as [NameTimes];
  clock.pass(noteAheadSeconds * 1000);
  one.give(one.take());
  one.skipNote(one.nextLimit);
  expect(one.isNoteDue).toBe(false);
  clock.pass(noteAheadSeconds * 1000);
  one.give(one.take());
  expect(one.isNoteDue).toBe(true);
});

test("a name that was taken while the floor rose gets the time of the floor", () => {
  const clock = new TwoClocks();
  const { times, words } = paths(clock);
  words.raiseFloor(start + 100);
  const [one] = times as [NameTimes];
  expect(one.take()).toBe((start + 100) * 1000);
  expect(words.oldestUnrecorded(0)).toBeLessThanOrEqual(start + 100);
});

test("seconds behind 2038 are ordinary ones", () => {
  const clock = new TwoClocks();
  clock.wallMs = 4_000_000_000_000;
  const { names, times, all } = paths(clock);
  const [one] = times as [NameTimes];
  const ms = one.take();
  one.noted(one.nextLimit);
  expect(names.tell(all)).toBe(4_000_000_000);
  one.give(ms);
});

test("a time is given back once", () => {
  const { times } = paths(new TwoClocks());
  const [one] = times as [NameTimes];
  const ms = one.take();
  one.give(ms);
  expect(() => one.give(ms)).toThrow();
});

/**
 * Goal: whatever the clock does, no name is below what was told before it was taken, nor below what was told while it was on its way,
 * and neither runs backwards, over ends of the process in any moment. Method: random steps of two paths with a model of what is on
 * the disk.
 */
test("names and what is told never contradict each other, also over restarts", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("take" as const), path: fc.nat(1) }),
    fc.record({ kind: fc.constant("give" as const), path: fc.nat(1) }),
    fc.record({ kind: fc.constant("note" as const), path: fc.nat(1) }),
    fc.record({ kind: fc.constant("tell" as const) }),
    fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(20_000) }),
    fc.record({ kind: fc.constant("step" as const), ms: fc.integer({ min: -1e11, max: 1e9 }) }),
    fc.record({ kind: fc.constant("restart" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = new TwoClocks();
      const disk = [start, start];
      let told = 0;
      let lastName = [0, 0];
      const open = () => {
        const names = new NameClock(clock);
        const times = disk.map((limit, storePathIndex) => {
          const began = Math.max(limit, Math.floor(clock.nowMs() / 1000));
          const each = new NameTimes({
            ...{ clock, memory: names.memory, storePathIndex },
            start: Math.min(began, 0xffffffff),
          });
          disk[storePathIndex] = each.nextLimit;
          each.noted(each.nextLimit);
          return each;
        });
        return { names, times, onWay: [[], []] as number[][] };
      };
      let node = open();
      for (const each of steps) {
        if (each.kind === "take") {
          const ms = node.times[each.path]?.take() ?? 0;
          expect(Math.floor(ms / 1000)).toBeGreaterThanOrEqual(told);
          expect(ms).toBeGreaterThanOrEqual(lastName[each.path] ?? 0);
          lastName[each.path] = ms;
          node.onWay[each.path]?.push(ms);
        } else if (each.kind === "give") {
          const ms = node.onWay[each.path]?.pop();
          if (ms !== undefined) node.times[each.path]?.give(ms);
        } else if (each.kind === "note") {
          const times = node.times[each.path];
          if (times?.isNoteDue === true) {
            disk[each.path] = times.nextLimit;
            times.noted(times.nextLimit);
          }
        } else if (each.kind === "tell") {
          const now = node.names.tell([0, 1]);
          expect(now).toBeGreaterThanOrEqual(told);
          for (const ms of node.onWay.flat()) {
            expect(Math.floor(ms / 1000)).toBeGreaterThanOrEqual(now);
          }
          told = now;
        } else if (each.kind === "pass") clock.pass(each.ms);
        else if (each.kind === "step") clock.wallMs = Math.max(0, clock.wallMs + each.ms);
        else {
          // What earlier names say is in the binlog, and none of this test's business.
          lastName = [0, 0];
          node = open();
        }
      }
    }),
  );
});
