/** Moves of store paths over a shelf, a mover and a memory of the test's own: what is done in which order, and what happens when it does not work. */
import { expect, test } from "vitest";
import { type MoverEnd, MoverStopped, type MoverWatch } from "#daemon/mover.ts";
import type { OwnDisk } from "#daemon/shelf-world.ts";
import { StorePathMoves } from "#daemon/store-path-moves.ts";
import type { KnownDisk } from "#disks/disk-map.ts";
import type { DiskWish } from "#disks/moves/move-table.ts";
import type { StorePathMove } from "#disks/moves/store-path-move.ts";
import { type Passport, parsePassport } from "#disks/passport.ts";
import type { MoveFindings, MoveJob } from "#filestore/move/move-messages.ts";
import { DiskId } from "#model/disk-id.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { someNode, somePassport } from "../../support/passports.ts";
import { turns } from "../../support/settled.ts";

const [a, b] = [DiskId("a".repeat(32)), DiskId("b".repeat(32))];
const path = { index: 1, id: "e".repeat(32), directory: "store/M01" };
const tally = { files: 1, bytes: 1, copiedFiles: 1, copiedBytes: 1, passes: 1 };
const nothing: MoveFindings = { unreadable: [], unreadableTotal: 0, rotten: [] };

/** Two disks, and a mover whose jobs end as the test says; by default they succeed. */
function world() {
  const { owner, signer } = someNode(1);
  const disks = new Map<DiskId, Passport>([
    [a, somePassport({ diskId: a, node: owner, paths: [path] })],
    [b, somePassport({ diskId: b, node: owner, paths: [] })],
  ]);
  const calls: string[] = [];
  const outcomes = new Map<string, (watch: MoverWatch) => Promise<MoverEnd>>();
  const done = (findings: MoveFindings = nothing) => Promise.resolve({ tally, findings });
  const own = (): OwnDisk[] =>
    [...disks].map(([diskId, passport]) => {
      const mountPoint = `/mnt/${diskId.slice(0, 1)}`;
      return { diskId, name: mountPoint, mountPoint, passport, served: [1] };
    });
  const run = async (job: MoveJob, watch: MoverWatch): Promise<MoverEnd> => {
    calls.push(job.kind);
    const end = await (outcomes.get(job.kind)?.(watch) ?? done());
    if (job.kind === "commit" || job.kind === "write") {
      for (const { path: at, text } of job.files) {
        disks.set(at.startsWith("/mnt/a") ? a : b, parsePassport(text));
        calls.push(`write ${at}`);
      }
      if (job.kind === "commit") calls.push(...job.removed.map((each) => `remove ${each}`));
    }
    if (job.kind === "delete") calls.push(`delete ${job.directory}`);
    return end;
  };
  return { owner, signer, disks, calls, outcomes, done, own, run };
}

function stage(before: readonly StorePathMove[] = []) {
  const clock = new ManualClock();
  const { owner, signer, disks, calls, outcomes, done, own, run } = world();
  const saved = new Map(before.map((move) => [move.storePath, move]));
  const wishes = new Map<DiskId, DiskWish>();
  const closed: string[] = [];
  const healed: string[] = [];
  const damaged: string[] = [];
  const known: KnownDisk[] = [];
  const moves = new StorePathMoves({
    ...{ clock, log: collectedLog().log, signer },
    memory: {
      load: () => [...saved.values()],
      save: (move) => void saved.set(move.storePath, move),
      wishes: () => wishes,
      wish: (disk, wish) => {
        if (wish === undefined) wishes.delete(disk);
        else wishes.set(disk, wish);
      },
    },
    map: { load: () => known, save: (disk) => void known.push(disk) },
    shelf: {
      get ownDisks() {
        return own();
      },
      owner,
      hold: async (index) => void calls.push(`hold ${index}`),
      release: (index) => void calls.push(`release ${index}`),
      apart: (act) => act(),
      look: async () => void calls.push("look"),
    },
    mover: { run },
    flush: async (mountPoint) => void calls.push(`flush ${mountPoint}`),
  });
  const store = {
    closeForNew: (paths: ReadonlyMap<number, string>) => {
      closed.push([...paths.keys()].join());
    },
    isBusy: () => false,
    heal: async (_: number, place: string) => void healed.push(place),
    stillDamaged: async (_: number, places: readonly string[]) =>
      places.filter((place) => damaged.includes(place)),
  };
  return {
    ...{
      moves,
      store,
      calls,
      closed,
      disks,
      saved,
      wishes,
      outcomes,
      done,
      healed,
      damaged,
      known,
    },
    pass: async (seconds = 0) => {
      clock.advance(seconds * 1000);
      await turns(60);
    },
    phase: () => saved.get(1)?.phase,
  };
}

const retire = { storePath: 1, source: a, target: b };

test("a path is copied, taken, copied to the end, committed on both disks and served again", async () => {
  const { moves, store, calls, closed, disks, phase, pass, known } = stage();
  moves.start(store);
  moves.add([retire], "retire");
  expect(closed.at(-1)).toBe("1");
  expect(() => moves.add([retire], "retire")).toThrow("being moved already");
  await pass();
  expect(phase()).toBe("done");
  expect(calls).toEqual([
    ...["copy", "flush /mnt/b", "hold 1", "copy-rest", "flush /mnt/b", "commit"],
    ...["passport.json", "passport.copy.json"].map((name) => `write /mnt/b/.cairn-disk/${name}`),
    ...["passport.json", "passport.copy.json"].map((name) => `write /mnt/a/.cairn-disk/${name}`),
    ...["remove /mnt/a/.cairn-disk/state.copy", "release 1", "look"],
  ]);
  expect(disks.get(a)?.paths).toEqual([]);
  expect(disks.get(b)?.paths).toEqual([{ ...path, moves: 1 }]);
  // Remembered before anything was written, and of both afterwards.
  expect(known.map(({ diskId, paths }) => [diskId, paths.length])).toEqual([
    [b, 1],
    [a, 0],
  ]);
  expect(closed.at(-1)).toBe("");
  await moves.stop();
});

test("a copy gives way to whoever waits for a disk, but not while clients wait for the path itself", async () => {
  const { moves, store, outcomes, phase, pass, done } = stage();
  const gaveWay: string[] = [];
  for (const kind of ["copy", "copy-rest"] as const) {
    outcomes.set(kind, ({ isBusy }) => {
      gaveWay.push(`${kind} ${isBusy()}`);
      return done();
    });
  }
  moves.start({ ...store, isBusy: () => true });
  moves.add([retire], "retire");
  await pass();
  expect([phase(), gaveWay]).toEqual(["done", ["copy true", "copy-rest false"]]);
  await moves.stop();
});

test("after a rebalance the old directory goes", async () => {
  const { moves, store, calls, phase, pass } = stage();
  moves.start(store);
  moves.add([retire], "rebalance");
  await pass();
  expect(phase()).toBe("done");
  expect(calls.at(-1)).toBe("delete /mnt/a/store/M01");
  await moves.stop();
});

test("what does not work is tried again, with its words, and the path is served meanwhile", async () => {
  const { moves, store, calls, saved, outcomes, phase, pass, done } = stage();
  outcomes.set("copy-rest", () => Promise.reject(new Error("the disk is full")));
  moves.start(store);
  moves.add([retire], "retire");
  await pass();
  expect(saved.get(1)).toMatchObject({ phase: "copying", problem: "the disk is full" });
  expect(calls.slice(-2)).toEqual(["release 1", "look"]);
  outcomes.set("copy-rest", () => done());
  await pass(31);
  expect(phase()).toBe("done");
  await moves.stop();
});

test("files that cannot be read are looked after, and hold it up until they are well or somebody says otherwise", async () => {
  const { moves, store, outcomes, saved, phase, pass, done, healed, damaged } = stage();
  const bad = { unreadable: ["00/01/x"], unreadableTotal: 1, rotten: ["00/02/y"] };
  outcomes.set("copy", () => done(bad));
  moves.start(store);
  moves.add([retire], "retire");
  await pass();
  expect(healed).toEqual(["00/01/x", "00/02/y"]);
  expect(saved.get(1)?.problem).toContain("one file could not be read");
  // It was set aside, and nobody has a good one.
  damaged.push("00/01/x");
  outcomes.set("copy", () => done());
  await pass(31);
  expect(phase()).toBe("copying");
  expect(saved.get(1)?.unreadable).toEqual(["00/01/x"]);
  moves.leaveUnreadable(1);
  await pass();
  expect(phase()).toBe("done");
  expect(() => moves.leaveUnreadable(1)).toThrow("is not being moved");
  await moves.stop();
});

test("a move is called off while it copies, and what was copied goes", async () => {
  const { moves, store, outcomes, calls, phase, wishes, pass } = stage();
  outcomes.set(
    "copy",
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new MoverStopped()));
      }),
  );
  moves.start(store);
  wishes.set(a, "retire");
  moves.add([retire], "retire");
  await pass();
  expect(moves.moves).toMatchObject([{ phase: "copying", tally: undefined }]);
  for (const disk of [a, b]) expect(() => moves.requireIdle(disk, "it")).toThrow("on its way");
  moves.cancel(1);
  await pass();
  expect(phase()).toBe("cancelled");
  expect(calls.at(-1)).toBe("delete /mnt/b/store/M01.moving");
  expect(wishes.get(a)).toBe("drain");
  expect(() => moves.requireIdle(a, "it")).not.toThrow();
  expect(() => moves.cancel(1)).toThrow("is not being moved");
  await moves.stop();
});

test("a stop ends the work, and the next start goes on with it", async () => {
  const first = stage();
  first.outcomes.set(
    "copy",
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new MoverStopped()));
      }),
  );
  first.moves.start(first.store);
  first.moves.add([retire], "retire");
  await first.pass();
  await first.moves.stop();
  expect(first.phase()).toBe("copying");
  const next = stage([...first.saved.values()]);
  next.moves.start(next.store);
  await next.pass();
  expect(next.phase()).toBe("done");
  await next.moves.stop();
});

test("after a kill in the middle of the passports, these decide; what has arrived cannot be called off", async () => {
  const begun: StorePathMove = {
    ...retire,
    ...{ purpose: "retire", phase: "committing", problem: undefined, leavesUnreadable: false },
    ...{ unreadable: [], begunAt: 1, endedAt: undefined },
  };
  const arrived = stage([begun]);
  arrived.disks.set(b, somePassport({ diskId: b, paths: [{ ...path, moves: 1 }] }));
  expect(() => arrived.moves.cancel(1)).toThrow("has arrived");
  arrived.moves.start(arrived.store);
  await arrived.pass();
  expect(arrived.phase()).toBe("done");
  expect(arrived.calls).toEqual(["release 1", "look"]);
  await arrived.moves.stop();
  const away = stage([begun]);
  away.disks.delete(b);
  away.moves.start(away.store);
  await away.pass();
  expect(away.saved.get(1)).toMatchObject({
    phase: "committing",
    problem: expect.stringContaining("plug it in"),
  });
  // The target never comes back: the source has the path again, whatever that one says then.
  away.moves.cancel(1);
  await away.pass();
  expect(away.phase()).toBe("cancelled");
  expect(away.disks.get(a)?.paths).toEqual([{ ...path, moves: 2 }]);
  expect(away.known.map(({ diskId, paths }) => [diskId, paths.length])).toEqual([[a, 1]]);
  expect(away.calls.slice(-2)).toEqual(["release 1", "look"]);
  await away.moves.stop();
});

test("paths on a disk that is drained take no new files until it is not any more", async () => {
  const { moves, store, closed, pass } = stage();
  moves.start(store);
  moves.wish(a, "drain");
  expect(closed.at(-1)).toBe("1");
  moves.wish(a, undefined);
  expect(closed.at(-1)).toBe("");
  moves.lookAgain();
  await pass();
  await moves.stop();
});
