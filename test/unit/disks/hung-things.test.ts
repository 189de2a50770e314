import { expect, test } from "vitest";
import { HungThings } from "#disks/hung-things.ts";
import type { RoundAnswer } from "#disks/probe/probe-messages.ts";
import { diskFacts, mountFacts, partitionFacts } from "../../support/disk-facts.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function answer(fields: Partial<RoundAnswer>): RoundAnswer {
  return {
    ...{ kind: "round", id: 1, disks: [], avoided: [], silentMounts: {}, stuck: 0, tookMs: 1 },
    ...fields,
  };
}

const mounted = diskFacts({ partitions: [partitionFacts({ mounts: [mountFacts()] })] });

test("a mount hangs once it has been silent for three seconds, until it answers", () => {
  const hung = new HungThings(new ManualClock());
  const at = (forMs: number | undefined) =>
    hung.settle(
      answer({ disks: [mounted], silentMounts: forMs === undefined ? {} : { "/srv/a": forMs } }),
    );
  expect(at(400)).toEqual({ disks: [mounted], hung: [], back: [] });
  expect(hung.isInDoubt).toBe(true);
  const words = "its file system at /srv/a does not answer";
  const named = { ...mounted, problems: [words] };
  expect(at(3000)).toEqual({ disks: [named], hung: ["/srv/a"], back: [] });
  expect(hung.isInDoubt).toBe(false);
  expect(at(9000)).toEqual({ disks: [named], hung: [], back: [] });
  expect(at(undefined)).toEqual({ disks: [mounted], hung: [], back: ["/srv/a"] });
});

test("a disk that a child did not come back from is shown as it was, and tried again later", () => {
  const clock = new ManualClock();
  const hung = new HungThings(clock);
  hung.disk("sda#7", mounted);
  expect(hung.avoided()).toEqual(["sda#7"]);
  const other = diskFacts({ name: "sdb", sequence: 8 });
  expect(hung.settle(answer({ disks: [other], avoided: ["sda#7"] })).disks).toEqual([
    { ...mounted, problems: ["it does not answer"] },
    other,
  ]);
  clock.advance(60_000);
  expect(hung.avoided()).toEqual([]);
  // It hangs again: twice as long.
  hung.disk("sda#7", mounted);
  clock.advance(119_000);
  expect(hung.avoided()).toEqual(["sda#7"]);
  clock.advance(1000);
  expect(hung.settle(answer({ disks: [mounted] })).disks).toEqual([mounted]);
  // Once it has answered it is as good as any.
  hung.disk("sda#7", mounted);
  clock.advance(60_000);
  expect(hung.avoided()).toEqual([]);
});

test("a disk that is gone is forgotten", () => {
  const hung = new HungThings(new ManualClock());
  hung.disk("sda#7", mounted);
  expect(hung.settle(answer({})).disks).toEqual([]);
  expect(hung.avoided()).toEqual([]);
});
