/** When this storage compares itself with whom after it lost something, and until when that counts. */
import { expect, test } from "vitest";
import { StorageId } from "#model/storage-id.ts";
import { comparisonMark, OwedComparisons } from "#storage/owed-comparisons.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { turns } from "../../support/settled.ts";

const [one, other] = [StorageId("10.0.0.1"), StorageId("10.0.0.2")];

function stage() {
  const notes = new Map<number, string>();
  const mends: {
    readonly why: string;
    readonly mended: (compared: readonly StorageId[]) => void;
  }[] = [];
  const requests: string[] = [];
  const world = { members: [one, other] as StorageId[] | undefined, away: new Set<StorageId>() };
  const owed = new OwedComparisons({
    log: collectedLog().log,
    store: {
      readMark: async (path) => notes.get(path),
      writeMark: async (path, name, text) => {
        if (name === comparisonMark) notes.set(path, text);
      },
      removeMark: async (path) => {
        notes.delete(path);
      },
    },
    members: () => world.members?.map((id) => ({ id, isAvailable: !world.away.has(id) })),
    mend: (why, mended) => mends.push({ why, mended }),
    request: (why) => requests.push(why),
  });
  return { owed, notes, mends, requests, world };
}

test("a rebuilt path is in doubt until all that can be asked were compared with, and noted until all were", async () => {
  const { owed, notes, mends, requests, world } = stage();
  await owed.note(1, "recovered");
  world.away.add(other);
  owed.owe(1, "recovered");
  expect(owed.doubt).toContain("store path 1 was rebuilt");
  owed.look();
  expect(mends.map(({ why }) => why)).toEqual(["recovered"]);
  mends[0]?.mended([one]);
  expect([owed.doubt, owed.isOwed(one), owed.isOwed(other)]).toEqual([undefined, false, true]);
  owed.look();
  expect(mends.length).toBe(1);
  world.away.clear();
  owed.look();
  expect(mends.length).toBe(2);
  world.away.add(other);
  owed.look();
  world.away.clear();
  owed.look();
  expect(requests).toEqual(["recovered"]);
  expect(await owed.noted(1)).toBe("recovered");
  mends[1]?.mended([one, other]);
  await turns(5);
  expect([notes.size, owed.isOwed(other)]).toEqual([0, false]);
});

test("who was filled compares itself with all, is in no doubt, and owes its peers nothing", async () => {
  const { owed, mends } = stage();
  await owed.filled(0);
  expect(await owed.noted(0)).toBe("filled");
  expect(mends.map(({ why }) => why)).toEqual(["filled"]);
  expect([owed.doubt, owed.isOwed(one)]).toEqual([undefined, false]);
});

test("what is lost while a loss is mended is mended anew; whoever leaves the group is not waited for", async () => {
  const { owed, notes, mends, world } = stage();
  owed.owe(0, "recovered");
  await owed.note(1, "recovered");
  owed.owe(1, "recovered");
  expect(mends.length).toBe(2);
  mends[0]?.mended([one, other]);
  expect([owed.isOwed(one), owed.doubt]).toEqual([true, expect.stringContaining("0, 1")]);
  mends[1]?.mended([one]);
  world.members = [one];
  owed.look();
  await turns(5);
  expect([notes.size, owed.isOwed(other)]).toEqual([0, false]);
});

test("while no tracker has told of members nothing is settled; where there are none it is at once", async () => {
  const { owed, notes, world } = stage();
  world.members = undefined;
  await owed.note(0, "recovered");
  owed.owe(0, "recovered");
  await turns(5);
  expect([notes.size, owed.doubt !== undefined]).toEqual([1, true]);
  world.members = [];
  owed.look();
  await turns(5);
  expect([notes.size, owed.doubt]).toEqual([0, undefined]);
});
