/** The disks of a node over a finder, a store and a map in memory. */
import { expect, test } from "vitest";
import { DiskShelf, pathName } from "#daemon/disk-shelf.ts";
import type { PlacedPath } from "#daemon/shelf-world.ts";
import type { KnownDisk } from "#disks/disk-map.ts";
import { type Passport, parsePassport } from "#disks/passport.ts";
import type { SeenDisk } from "#disks/seen-disk.ts";
import { DiskId } from "#model/disk-id.ts";
import { GroupName } from "#model/group-name.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { someNode, somePassport } from "../../support/passports.ts";
import { turns } from "../../support/settled.ts";

const idOf = (digit: string): DiskId => DiskId(digit.repeat(32));

function disk(digit: string, index: number, fields: Partial<Passport> = {}): SeenDisk {
  const paths = [{ index, id: "e".repeat(32), directory: `store/${pathName(index)}` }];
  const passport = somePassport({ diskId: idOf(digit), paths, ...fields });
  const place = `/mnt/${digit}`;
  return { place, name: place, mountPoint: place, passport: { kind: "genuine", passport } };
}

function stage() {
  const clock = new ManualClock();
  const { log, records } = collectedLog();
  const known = new Map<string, KnownDisk>();
  const { owner, signer } = someNode(1);
  const calls: string[] = [];
  const written: { index: number; name: string; passport: Passport }[] = [];
  const failing = new Set<string>();
  let seen: SeenDisk[] = [];
  let looks = 0;
  const shelf = new DiskShelf({
    ...{ clock, log, identity: { id: owner.id, signer }, name: "box 1" },
    group: GroupName("group1"),
    configured: 0,
    finder: {
      find: async () => {
        looks += 1;
        return seen;
      },
      get isIncomplete() {
        return failing.has("find");
      },
      mount: async (each) => {
        calls.push(`mount ${each.place}`);
        if (failing.has("mount")) throw new Error("no");
        const mountPoint = `/mnt/${each.place}`;
        seen = seen.map((one) => (one === each ? { ...one, place: mountPoint, mountPoint } : one));
        return mountPoint;
      },
      release: async (place) => {
        calls.push(`release ${place}`);
      },
    },
    stamp: () => seen.map(({ place }) => place).join(),
    map: { load: () => [...known.values()], save: (each) => void known.set(each.diskId, each) },
  });
  const store = {
    addPath: async ({ index, directory, takesOver }: PlacedPath) => {
      calls.push(`add ${index} ${directory}${takesOver ? " over" : ""}`);
      if (failing.has("add")) throw new Error("no");
    },
    takePath: async (index: number) => {
      calls.push(`take ${index}`);
      if (failing.has("take")) throw new Error("EIO");
    },
    takePathBriefly: async (index: number) => void calls.push(`take ${index} briefly`),
    pathId: () => "e".repeat(32),
    writeDiskFile: async (index: number, file: { name: string; bytes: Uint8Array }) => {
      const passport = parsePassport(Buffer.from(file.bytes).toString());
      written.push({ index, name: file.name, passport });
    },
  };
  return {
    ...{ shelf, store, clock, known, written, failing },
    see: (...now: SeenDisk[]) => {
      seen = now;
    },
    calls: () => calls.splice(0),
    looks: () => looks,
    events: () => records.map(({ event }) => event),
    pass: async (seconds: number) => {
      for (let half = 0; half < 2 * seconds; half += 1) {
        clock.advance(500);
        await turns(4);
      }
    },
  };
}

test("a start opens what is there, in the order of indexes, and says of the rest that it is away", async () => {
  const { shelf, known, see } = stage();
  known.set("b", {
    diskId: idOf("b"),
    role: "store",
    seenAt: 1,
    paths: [{ index: 0, id: undefined, directory: "x" }],
  });
  see(disk("c", 2), disk("d", 1, { node: someNode(2).owner }));
  const placed = await shelf.begin();
  expect(placed.map(({ index, directory, why }) => [index, directory, why?.slice(0, 20)])).toEqual([
    [0, "", "its disk (bbbbbbbb) "],
    [1, "", "no disk of this node"],
    [2, "/mnt/c/store/M02", undefined],
  ]);
  expect(shelf.report.disks.map(({ kind }) => kind)).toEqual(["own", "foreign"]);
  expect(shelf.nextIndex).toBe(3);
  expect(shelf.carriers).toEqual([{ diskId: idOf("c"), storePathIndex: 2 }]);
});

test("what comes is mounted and opened, what goes is taken and its mount goes, within a second", async () => {
  const { shelf, store, see, calls, pass } = stage();
  await shelf.begin();
  shelf.start(store);
  await pass(2);
  expect(calls()).toEqual([]);
  see({ ...disk("a", 0), place: "a", mountPoint: undefined });
  await pass(1);
  expect(calls()).toEqual(["mount a", "add 0 /mnt/a/store/M00"]);
  await pass(5);
  see();
  await pass(1);
  expect(calls()).toEqual(["take 0", "release /mnt/a"]);
});

test("a disk that fails its last flush loses its mount all the same", async () => {
  const { shelf, store, see, calls, pass, failing } = stage();
  see(disk("a", 0));
  await shelf.begin();
  shelf.start(store);
  failing.add("take");
  see();
  await pass(1);
  expect(calls()).toEqual(["take 0", "release /mnt/a"]);
});

test("a disk that went and came back between two looks is opened anew, in the same place", async () => {
  const { shelf, store, see, calls, pass } = stage();
  see(disk("a", 0));
  await shelf.begin();
  shelf.start(store);
  see({ ...disk("a", 0), place: "a", mountPoint: undefined });
  await pass(1);
  const opened = ["mount a", "add 0 /mnt/a/store/M00"];
  expect(calls()).toEqual(["take 0", "release /mnt/a", ...opened]);
});

test("what could not be looked into is looked into again after ten seconds", async () => {
  const { shelf, store, looks, pass, failing } = stage();
  failing.add("find");
  await shelf.begin();
  shelf.start(store);
  const before = looks();
  await pass(9);
  expect(looks()).toBe(before);
  await pass(2);
  expect(looks()).toBeGreaterThan(before);
  failing.delete("find");
  await pass(11);
  const after = looks();
  await pass(30);
  expect(looks()).toBe(after);
});

test("what cannot be opened is tried again", async () => {
  const { shelf, store, see, calls, pass, failing, events } = stage();
  await shelf.begin();
  shelf.start(store);
  failing.add("add");
  see(disk("a", 0));
  await pass(1);
  expect(calls()).toEqual(["add 0 /mnt/a/store/M00"]);
  expect(events()).toContain("store-path-not-added");
  failing.clear();
  await pass(11);
  expect(calls()).toEqual(["add 0 /mnt/a/store/M00"]);
  await pass(30);
  expect(calls()).toEqual([]);
});

test("a foreign disk is adopted by a yes: opened over what was there, and its passport says so", async () => {
  const { shelf, store, see, calls, written, known } = stage();
  await shelf.begin();
  shelf.start(store);
  see(
    disk("a", 0),
    disk("f", 1, { node: someNode(2).owner }),
    disk("9", 0, { node: someNode(2).owner }),
  );
  await shelf.look();
  calls();
  expect(await shelf.adopt(idOf("f"))).toEqual([1]);
  expect(calls()).toEqual(["add 1 /mnt/f/store/M01 over"]);
  expect(written.map(({ index, name }) => `${index} ${name}`)).toEqual([
    "1 passport.json",
    "1 passport.copy.json",
  ]);
  expect(written[0]?.passport.node.id).toBe(someNode(1).owner.id);
  expect(known.get(idOf("f"))?.role).toBe("store");
  await expect(shelf.adopt(idOf("9"))).rejects.toMatchObject({ code: "store-path-taken" });
  await expect(shelf.adopt(idOf("a"))).rejects.toMatchObject({ code: "disk-not-foreign" });
  await expect(shelf.adopt(idOf("0"))).rejects.toMatchObject({ code: "disk-unknown" });
});

test("files of another group cannot be adopted, since the group is part of their ids", async () => {
  const { shelf, see } = stage();
  see(disk("f", 1, { node: someNode(2).owner, group: GroupName("group7") }));
  await expect(shelf.adopt(idOf("f"))).rejects.toMatchObject({ code: "disk-of-other-group" });
});

test("a disk that was let go is not served again as long as it is to stay away", async () => {
  const { shelf, store, see, calls, pass } = stage();
  see(disk("a", 0));
  await shelf.begin();
  shelf.start(store);
  const end = await shelf.letGo((place) => place === "/mnt/a");
  // Whoever lets it go unmounts it.
  expect(calls()).toEqual(["take 0"]);
  see();
  await end((place) => place === "sda1#1");
  see({ ...disk("a", 0), place: "sda1#1", mountPoint: undefined });
  await pass(20);
  expect(calls()).toEqual([]);
  see({ ...disk("a", 0), place: "a", mountPoint: undefined });
  await pass(1);
  expect(calls()).toEqual(["mount a", "add 0 /mnt/a/store/M00"]);
});

test("the passport of a new disk has the next index, and is signed", async () => {
  const { shelf, see } = stage();
  see(disk("a", 0), disk("b", 4));
  await shelf.begin();
  const passport = parsePassport(shelf.newPassport(idOf("c")));
  expect(passport).toMatchObject({
    diskId: idOf("c"),
    paths: [{ index: 5, id: undefined, directory: "store/M05" }],
  });
});

test("a disk that is given takes the store paths of one that is gone, if that was agreed on", async () => {
  const { shelf, known } = stage();
  const away: KnownDisk = {
    ...{ diskId: idOf("b"), role: "store", seenAt: 1 },
    paths: [{ index: 4, id: "e".repeat(32), directory: "store/M04" }],
  };
  known.set("b", away);
  await shelf.begin();
  expect(shelf.lostDisks).toEqual([{ disk: away, storePaths: [4] }]);
  const pathsOf = (text: string) => parsePassport(text).paths.map(({ index }) => index);
  expect(pathsOf(shelf.newPassport(idOf("c"), [4]))).toEqual([4]);
  expect(pathsOf(shelf.newPassport(idOf("c"), []))).toEqual([]);
  expect(pathsOf(shelf.newPassport(idOf("c")))).toEqual([5]);
  expect(() => shelf.newPassport(idOf("c"), [5])).toThrow("not without a disk");
});

test("a path that is held is not opened until it is released, and a stale passport is put right", async () => {
  const { shelf, store, see, calls, written } = stage();
  await shelf.begin();
  shelf.start(store);
  see(disk("a", 0));
  await shelf.look();
  expect(shelf.ownDisks).toMatchObject([{ mountPoint: "/mnt/a", served: [0] }]);
  await shelf.hold(0, "it moves");
  await shelf.look();
  expect(calls()).toEqual(["add 0 /mnt/a/store/M00", "take 0 briefly"]);
  const path = { index: 0, id: "e".repeat(32), directory: "store/M00", moves: 1 };
  const other = { index: 1, id: "e".repeat(32), directory: "store/M01" };
  await shelf.apart(async () => {
    see(disk("a", 0, { paths: [{ ...path, moves: 0 }, other] }), disk("b", 0, { paths: [path] }));
  });
  shelf.release(0);
  await shelf.look();
  expect(calls()).toContain("add 0 /mnt/b/store/M00");
  await shelf.look();
  const last = written.at(-1);
  expect(last?.passport.paths.map(({ index }) => index)).toEqual([1]);
  expect(last?.passport.history.at(-1)?.what).toContain("moved to another disk");
});
