/** The line that shows how far a transfer is. */
import { expect, test } from "vitest";
import { formatProgress, ProgressBar } from "#cli/render/progress-bar.ts";
import type { Clock } from "#platform/clock.ts";
import { TestTerminal } from "../../../support/test-world.ts";

const mebibyte = 1024 * 1024;
const facts = {
  label: "holiday-pictures.tar",
  doneBytes: 25 * mebibyte,
  totalBytes: 100 * mebibyte,
  bytesPerSecond: 5 * mebibyte,
};

test("what does not fit is left out, the least important first", () => {
  expect(formatProgress(facts, 120)).toBe(
    "holiday-pictures.tar  25% [======                  ] 25 MiB of 100 MiB 5.0 MiB/s, 15 s left",
  );
  expect(formatProgress(facts, 79)).toBe(
    "holiday-pictures.tar  25% 25 MiB of 100 MiB 5.0 MiB/s, 15 s left",
  );
  expect(formatProgress(facts, 40)).toBe("…day-pictures.tar  25% 25 MiB of 100 MiB");
  expect(formatProgress(facts, 20)).toBe("…y-pictures.tar  25%");
  for (let columns = 0; columns < 130; columns += 1) {
    expect(formatProgress(facts, columns).length).toBeLessThanOrEqual(columns);
  }
});

test("an empty transfer is complete, an unknown speed is not told", () => {
  const empty = { label: "x", doneBytes: 0, totalBytes: 0, bytesPerSecond: 0 };
  expect(formatProgress(empty, 80)).toBe(`x 100% [${"=".repeat(24)}] 0 B of 0 B`);
});

function barOf(visible: boolean) {
  const terminal = new TestTerminal();
  let now = 0;
  const clock: Clock = {
    nowMs: () => now,
    monotonicMs: () => now,
    after: () => ({ cancel: () => {} }),
    every: () => ({ cancel: () => {} }),
  };
  const bar = new ProgressBar({ terminal, clock }, { label: "f", totalBytes: 1000, visible });
  return { terminal, bar, wait: (ms: number) => (now += ms) };
}

test("it is drawn a few times a second at most, and wiped at the end", () => {
  const { terminal, bar, wait } = barOf(true);
  wait(1000);
  for (let count = 0; count < 100; count += 1) bar.add(1);
  expect(terminal.errors.split("\r").length).toBe(2);
  wait(100);
  bar.add(400);
  expect(terminal.errors).toContain("50%");
  bar.end();
  expect(terminal.errors.endsWith("\r\u001b[K")).toBe(true);
});

test("invisible it writes nothing, and nothing is wiped that was never drawn", () => {
  const { terminal, bar, wait } = barOf(false);
  wait(1000);
  bar.add(500);
  bar.end();
  expect(terminal.errors).toBe("");
});
