/** Which disks are read before anybody gives them, when, and what is told of them. Time is the test's. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import type { VerbResult } from "#disks/helper-protocol.ts";
import { BlankWatch } from "#disks/provision/blank-watch.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import { healthDisk } from "../../../support/disk-health-stage.ts";
import { collectedLog } from "../../../support/frame-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { turns } from "../../../support/settled.ts";

const mebi = 1024 * 1024;
const sizeBytes = 1024 * mebi;
const rate = 512 * mebi;
const bare = (name: string, differs: Partial<DiskFacts> = {}): DiskFacts =>
  healthDisk(name, { mounts: [], sizeBytes, ...differs });

function stage(...disks: DiskFacts[]) {
  const world = {
    clock: new ManualClock(),
    disks,
    busy: false,
    asleep: false,
    taken: "",
    /** What each disk was read to. */
    read: new Map<string, number>(),
    /** What the next answers are, instead of zeros. */
    answer: undefined as Partial<VerbResult<"read">> | AppError | undefined,
    log: collectedLog(),
  };
  const watch = new BlankWatch({
    giving: {
      givings: [],
      read: async (disk, _, bytesPerSecond = 0) => {
        if (world.answer instanceof AppError) throw world.answer;
        const readBytes = Math.min(sizeBytes, (world.read.get(disk) ?? 0) + bytesPerSecond);
        world.read.set(disk, readBytes);
        const done = readBytes === sizeBytes;
        return { done, blank: done, readBytes, sizeBytes, ...world.answer };
      },
    },
    ...{ clock: world.clock, log: world.log.log, bytesPerSecond: rate },
    disks: () => world.disks,
    isTaken: ({ name }) => world.taken === name,
    isBusy: () => world.busy,
    mayRead: () => !world.asleep,
  });
  watch.start();
  const pass = async (seconds: number): Promise<void> => {
    for (let at = 0; at < seconds; at += 1) {
      world.clock.advance(1000);
      await turns();
    }
  };
  const stateOf = (at = 0) => watch.progressOf(world.disks[at] as DiskFacts);
  return { world, watch, pass, stateOf };
}

test("disks on which nothing is known to be are read at a pace, one after the other, until each byte was", async () => {
  const { world, watch, pass, stateOf } = stage(bare("sdb"), bare("sdc"));
  expect(stateOf()).toBeUndefined();
  await pass(1);
  expect(stateOf()).toEqual({ state: "reading", readBytes: rate, sizeBytes });
  expect(stateOf(1)).toBeUndefined();
  await pass(1);
  expect(stateOf()).toEqual({ state: "blank", readBytes: sizeBytes, sizeBytes });
  await pass(2);
  expect(stateOf(1)?.state).toBe("blank");
  world.read.clear();
  await pass(10);
  expect(world.read.size).toBe(0);
  watch.stop();
});

test("what has something on it, belongs to somebody or is too small is not read", async () => {
  const signature = { type: "ext4", kind: "file-system" } as unknown as DiskFacts["signatures"][0];
  const { world, pass } = stage(
    bare("sda", { ofSystem: true }),
    bare("sdb", { signatures: [signature] }),
    bare("sdc", { sizeBytes: 1 }),
    bare("sdd", { bus: "virtual" }),
    bare("sde", { holders: ["md0"] }),
    bare("sdf", { problems: ["it hangs"] }),
    bare("sdg", { sequence: undefined }),
    healthDisk("sdh", { sizeBytes }),
    bare("sdi"),
  );
  world.taken = "sdi";
  await pass(5);
  expect(world.read.size).toBe(0);
});

test("it waits while clients are served and while the disk sleeps, and goes on where it was", async () => {
  const { world, pass, stateOf } = stage(bare("sdb"));
  await pass(1);
  world.busy = true;
  await pass(5);
  expect(stateOf()).toEqual({ state: "waiting", readBytes: rate, sizeBytes });
  Object.assign(world, { busy: false, asleep: true });
  await pass(5);
  expect(stateOf()?.state).toBe("waiting");
  world.asleep = false;
  await pass(1);
  expect(stateOf()?.state).toBe("blank");
});

test("data and what cannot be read end it, and the latter is told where", async () => {
  const { world, watch, pass, stateOf } = stage(bare("sdb"), bare("sdc"));
  world.answer = { done: true, blank: false, readBytes: 7 * mebi, unreadableAtBytes: 7 * mebi };
  await pass(1);
  expect(stateOf()?.state).toBe("unreadable");
  expect(watch.unreadableAt(world.disks[0] as DiskFacts)).toBe(7 * mebi);
  expect(world.log.records.at(-1)).toMatchObject({ event: "disk-not-readable", level: "warn" });
  world.answer = { done: true, blank: false, readBytes: 9 * mebi, dataAtBytes: 9 * mebi + 3 };
  await pass(1);
  expect(stateOf(1)?.state).toBe("data");
  expect(watch.unreadableAt(world.disks[1] as DiskFacts)).toBeUndefined();
  // Another plugging is another disk.
  world.disks[0] = bare("sdb", { sequence: 2 });
  world.answer = undefined;
  world.read.clear();
  await pass(2);
  expect(stateOf()?.state).toBe("blank");
});

test("a disk that somebody works on is left for a minute", async () => {
  const { world, pass, stateOf } = stage(bare("sdb"));
  world.answer = new AppError("device-busy", "sdb is wanted for more");
  await pass(1);
  world.answer = undefined;
  await pass(58);
  expect([stateOf()?.state, world.read.size]).toEqual(["waiting", 0]);
  await pass(3);
  expect(stateOf()?.state).toBe("blank");
});
