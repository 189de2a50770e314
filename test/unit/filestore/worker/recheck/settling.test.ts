import { expect, test } from "vitest";
import type { SettledMark } from "#filestore/formats/engine-state.ts";
import { Settling, settlingMs } from "#filestore/worker/recheck/settling.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";

const at = (offset: number) => ({ index: 0, offset });
const begin = 1_700_000_000 - 1;

/** A manual clock whose wall clock can be set. */
class SteppedClock extends ManualClock {
  stepMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.stepMs;
  }
}

test("what was recorded less than ten minutes ago is never settled, what is twice as old is", () => {
  const clock = new SteppedClock();
  const settling = new Settling({ clock, mounting: undefined }, undefined, at(0));
  const recorded: { readonly atMs: number; readonly end: number }[] = [];
  for (let end = 1; end <= 400; end += 1) {
    clock.advance(7000 + ((end * 7919) % 60_000));
    settling.look(at(end));
    const nowMs = clock.monotonicMs();
    recorded.push({ atMs: nowMs, end });
    const { position, since } = settling.mark as SettledMark;
    const young = recorded.find((each) => nowMs - each.atMs < settlingMs);
    expect(position.offset).toBeLessThan(young?.end ?? 0);
    const old = recorded.filter((each) => nowMs - each.atMs > 2 * settlingMs + 67_000);
    expect(position.offset).toBeGreaterThanOrEqual(old.at(-1)?.end ?? 0);
    expect(since * 1000).toBeLessThanOrEqual(clock.nowMs() - Math.min(nowMs, settlingMs));
  }
});

test("after a rest of ten minutes everything is settled but what ends it", () => {
  const clock = new SteppedClock();
  const settling = new Settling({ clock, mounting: undefined }, undefined, at(0));
  settling.look(at(10));
  clock.advance(settlingMs);
  settling.look(at(10));
  expect(settling.mark).toEqual({ position: at(10), since: begin + settlingMs / 1000 });
  clock.advance(settlingMs);
  settling.look(at(20));
  expect(settling.mark?.position).toEqual(at(10));
});

test("what the last run left is settled ten minutes after the start", () => {
  const clock = new SteppedClock();
  const from = { position: at(5), since: 1_600_000_000 };
  const settling = new Settling({ clock, mounting: undefined }, from, at(50));
  for (let minute = 0; minute < 10; minute += 1) {
    expect(settling.mark).toEqual(from);
    clock.advance(60_000);
    settling.look(at(60 + minute));
  }
  expect(settling.mark).toEqual({ position: at(50), since: begin });
  // A mark behind the binlog's end says nothing.
  expect(
    new Settling({ clock, mounting: undefined }, { ...from, position: at(51) }, at(50)).mark
      ?.position,
  ).toEqual(at(50));
});

test("of a clock that steps the earliest time counts, and a note that is later is due", () => {
  const clock = new SteppedClock();
  const settling = new Settling({ clock, mounting: undefined }, undefined, at(0));
  const noted = settling.mark?.since ?? 0;
  expect(settling.isBefore(noted)).toBe(false);
  clock.stepMs = -1_000_000_000_000;
  settling.look(at(1));
  expect(settling.isBefore(noted)).toBe(true);
  expect(settling.mark?.since).toBe(begin - 1_000_000_000);
  clock.stepMs = 0;
  for (let minute = 0; minute < 19; minute += 1) {
    clock.advance(60_000);
    settling.look(at(2 + minute));
    expect(settling.mark?.since).toBe(begin - 1_000_000_000);
  }
  clock.advance(60_000);
  settling.look(at(30));
  expect(settling.mark?.since).toBeGreaterThan(begin);
});

test("the mark says through which mount it was, and not through which one the last run's was", () => {
  const from = { position: at(5), since: 1_600_000_000, mounting: "boot:1" };
  const markOf = (mounting: string | undefined) =>
    new Settling({ clock: new SteppedClock(), mounting }, from, at(50)).mark;
  expect(markOf("boot:2")).toEqual({ ...from, mounting: "boot:2" });
  expect(markOf(undefined)).toEqual({ position: at(5), since: 1_600_000_000 });
});

test("of a run that flushes there is a mark until what an earlier one left is settled", () => {
  const clock = new SteppedClock();
  const from = { position: at(5), since: 1_600_000_000 };
  const parts = { clock, mounting: undefined, until: at(50) };
  const settling = new Settling(parts, from, at(50));
  for (let minute = 0; minute < 10; minute += 1) {
    expect(settling.mark).toEqual(from);
    clock.advance(60_000);
    settling.look(at(50 + minute));
  }
  expect(settling.mark).toBe(undefined);
  expect(new Settling(parts, { ...from, position: at(50) }, at(50)).mark).toBe(undefined);
});
