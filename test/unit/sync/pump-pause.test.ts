import { expect, test } from "vitest";
import { PumpPause } from "#sync/pump-pause.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { ManualClock } from "../../support/manual-clock.ts";

test("each wait in a row is twice as long, a minute at most, and the reason is told once", () => {
  const clock = new ManualClock();
  const { log, records } = collectedLog();
  const pause = new PumpPause({ clock, log, peer: "10.0.0.2", storePathIndex: 3 });
  let overs = 0;
  const waits = Array.from({ length: 8 }, () => {
    const ms = pause.begin("no room", () => {
      overs += 1;
    });
    expect(pause.isOn).toBe(true);
    clock.advance(ms);
    expect(pause.isOn).toBe(false);
    return ms / 1000;
  });
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  expect([overs, records.length]).toEqual([8, 1]);
  pause.begin("no room", () => {});
  pause.cutShort();
  expect([pause.isOn, pause.problem]).toEqual([false, "no room"]);
  expect(pause.begin("gone", () => {})).toBe(1000);
  pause.forget();
  expect([pause.problem, pause.isOn]).toEqual([undefined, true]);
  pause.restart();
  expect(pause.isOn).toBe(false);
});
