/** What a trunk server has still to be told, across ends of the process. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { TrunkLocation } from "#model/trunk-location.ts";
import { isRepeatable, maxOwed, type News, OwedNews, parseOwedNews } from "#storage/owed-news.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { MemoryTrunkLog } from "../../support/trunk-log.ts";

const slot = (offset: number): TrunkLocation => ({
  ...{ storePathIndex: 1, high: 2, low: 3, fileId: 4, offset, size: 512 },
});
const kept = (offset: number): News => ({ kind: "confirm", location: slot(offset), status: 0 });
const freed = (offset: number): News => ({ kind: "free", location: slot(offset), status: 0 });

async function opened(disk: MemoryTrunkLog) {
  const { log, records } = collectedLog();
  const owed = new OwedNews(disk.client, log);
  await owed.load();
  return { owed, records };
}

/** What a further process finds. */
async function found(disk: MemoryTrunkLog): Promise<readonly string[]> {
  const { owed } = await opened(disk);
  const words: string[] = [];
  for (let { first } = owed; first !== undefined; first = owed.first) {
    words.push(`${first.kind} ${first.status} ${first.location.offset}`);
    await owed.settled(first);
  }
  return words;
}

test("what was not told is there after the end of the process, in order, and what was told is not", async () => {
  const disk = new MemoryTrunkLog();
  const { owed } = await opened(disk);
  await owed.push(kept(0));
  await owed.push(freed(512));
  await owed.push(kept(1024));
  const { first } = owed;
  if (first !== undefined) await owed.settled(first);
  expect(await found(disk)).toEqual(["free 0 512", "confirm 0 1024"]);
  expect(disk.text("owed")).toBe("");
});

test("news that must not be said twice is gone from the disk before it is said, and comes back where it was not", async () => {
  const disk = new MemoryTrunkLog();
  const { owed } = await opened(disk);
  await owed.push(kept(0));
  await owed.push(freed(512));
  const { first } = owed;
  if (first === undefined) throw new Error("nothing is owed");
  expect(
    [first, freed(1), { ...kept(1), status: 17 }, { ...kept(1), status: 5 }].map(isRepeatable),
  ).toEqual([true, false, true, false]);
  expect(await owed.saying(first)).toBe(true);
  const before = disk.text("owed");
  await owed.settled(first);
  const { first: free } = owed;
  if (free === undefined) throw new Error("nothing is owed");
  expect(await owed.saying(free)).toBe(true);
  expect(parseOwedNews(before ?? "").items.length).toBe(2);
  expect(parseOwedNews(disk.text("owed") ?? "").items).toEqual([]);
  await owed.notSaid(free);
  expect(await found(disk)).toEqual(["free 0 512"]);
});

test("where the disk is away news is kept in mind, nothing that is written there is said, and later it is noted", async () => {
  const disk = new MemoryTrunkLog();
  const { owed, records } = await opened(disk);
  await owed.push(freed(0));
  disk.away = true;
  const { first } = owed;
  if (first === undefined) throw new Error("nothing is owed");
  expect(await owed.saying(first)).toBe(false);
  await owed.push(freed(512));
  expect(owed.length).toBe(2);
  expect(records.map(({ event }) => event)).toEqual(["trunk-news-not-noted"]);
  disk.away = false;
  expect(await owed.saying(first)).toBe(true);
  await owed.settled(first);
  const { first: second } = owed;
  // It is not on the disk, so that no end of the process can bring it back.
  expect(second === undefined ? undefined : await owed.saying(second)).toBe(true);
});

test("what came before the disk could be read comes behind what was there", async () => {
  const disk = new MemoryTrunkLog();
  const earlier = await opened(disk);
  await earlier.owed.push(kept(0));
  const { owed } = { owed: new OwedNews(disk.client, collectedLog().log) };
  disk.away = true;
  expect(await owed.load()).toBe(false);
  await owed.push(kept(512));
  expect([owed.isLoaded, owed.length]).toEqual([false, 1]);
  disk.away = false;
  expect(await owed.load()).toBe(true);
  expect(await owed.load()).toBe(true);
  expect(await found(disk)).toEqual(["confirm 0 0", "confirm 0 512"]);
});

test("there is a limit, and the file does not grow for ever", async () => {
  const disk = new MemoryTrunkLog();
  const { owed, records } = await opened(disk);
  await owed.push(kept(7));
  for (let round = 0; round < 2500; round += 1) {
    await owed.push(kept(round));
    const item = owed.first;
    if (item !== undefined) await owed.settled(item);
  }
  expect((disk.text("owed") ?? "").length).toBeLessThan(150_000);
  await Promise.all(Array.from({ length: maxOwed }, (_, at) => owed.push(kept(at))));
  expect(owed.length).toBe(maxOwed);
  expect(records.map(({ event }) => event)).toContain("trunk-slot-forgotten");
}, 30_000);

test("a torn end and foreign lines say nothing, and nothing is glued to them", async () => {
  const disk = new MemoryTrunkLog();
  const { owed } = await opened(disk);
  await owed.push(kept(0));
  const whole = disk.text("owed") ?? "";
  await disk.client.appendOwed(Buffer.from("2 free 0 1 2 3 4 5"));
  expect(await found(disk)).toEqual(["confirm 0 0"]);
  await disk.client.replaceOwed(Buffer.from(`${whole}2 free 0 1 2 3`));
  const again = await opened(disk);
  await again.owed.push(freed(512));
  expect(await found(disk)).toEqual(["confirm 0 0", "free 0 512"]);
  expect(parseOwedNews("rubbish\n1 said\n3 confirm 0 1 2\n4 free 0 1 2 3 4 5 6\n")).toEqual({
    number: 4,
    items: [{ number: 4, kind: "free", status: 0, location: { ...slot(5), size: 6 } }],
  });
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseOwedNews(text);
    }),
  );
});

test("a disk that is away is worth a word only where something is owed", async () => {
  const disk = new MemoryTrunkLog();
  disk.away = true;
  const { owed, records } = await opened(disk);
  expect(records.filter(({ level }) => level === "warn")).toEqual([]);
  await owed.push(kept(0));
  await owed.load();
  await owed.load();
  const warned = records.filter(({ level }) => level === "warn");
  expect(warned.map(({ event }) => event)).toEqual(["trunk-news-not-noted"]);
});
