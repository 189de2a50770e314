import { expect, test } from "vitest";
import { maxSystemFilePart } from "#protocol/fastdfs/tracker-cluster.ts";
import { maxGlanceAgeMs, maxSystemFileHoldMs } from "#tracker/limits.ts";
import { SystemFileDesk } from "#tracker/system-file-hold.ts";
import { StillClock } from "../../support/tracker-registry.ts";

function desk(): { readonly desk: SystemFileDesk; readonly clock: StillClock } {
  const clock = new StillClock();
  let version = 0;
  const made = new SystemFileDesk(clock, () => {
    version += 1;
    return [Buffer.alloc(maxSystemFilePart + 5, 65), Buffer.from(`version ${version}`)];
  });
  return { desk: made, clock };
}

test("one at a time copies, until it ends or has been silent for long", () => {
  const { desk: made, clock } = desk();
  const first = made.open();
  expect(first).toBeDefined();
  expect(made.open()).toBeUndefined();
  if (first !== undefined) made.close(first);
  expect(made.open()).toBeDefined();
  clock.seconds += maxSystemFileHoldMs / 1000;
  expect(made.open()).toBeDefined();
});

test("a part keeps the hold, and its files stay as they were", () => {
  const { desk: made, clock } = desk();
  const hold = made.open() ?? [];
  for (let at = 0; at < 5; at += 1) {
    clock.seconds += maxSystemFileHoldMs / 2000;
    expect(Buffer.from(made.part(hold, 1, 0)?.content ?? []).toString()).toBe("version 1");
  }
  expect(made.open()).toBeUndefined();
});

test("a file comes in parts, the last of which is empty", () => {
  const { desk: made } = desk();
  const hold = made.open() ?? [];
  const lengths = [0, maxSystemFilePart, maxSystemFilePart + 5].map(
    (offset) => made.part(hold, 0, offset)?.content.length,
  );
  expect(lengths).toEqual([maxSystemFilePart, 5, 0]);
  expect(made.part(hold, 0, maxSystemFilePart + 6)).toBeUndefined();
  expect(made.part(hold, 4, 0)).toBeUndefined();
});

test("a glance without hold is taken anew now and then only", () => {
  const { desk: made, clock } = desk();
  const one = made.glance();
  expect(made.glance()).toBe(one);
  clock.seconds += maxGlanceAgeMs / 1000 + 1;
  expect(made.glance()).not.toBe(one);
});
