import { expect, test } from "vitest";
import { request } from "#filestore/worker-messages.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";
import { defaultTrunkParameters, type TrunkParameters } from "#storage/trunk-parameters.ts";
import { TrunkServer, type TrunkServerParts } from "#storage/trunk-server.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { turns } from "../../support/settled.ts";
import { soon } from "../../support/soon.ts";
import { refusal } from "../../support/tracker-harness.ts";
import { MemoryTrunkLog } from "../../support/trunk-log.ts";

const mib = 1024 * 1024;
const parameters: TrunkParameters = {
  ...defaultTrunkParameters,
  enabled: true,
  rules: { slotMinBytes: 256, slotMaxBytes: mib, alignmentBytes: 256, trunkFileBytes: 4 * mib },
  mergesFreeSpace: true,
};

function server(binlog = new MemoryTrunkLog(), changes: Partial<TrunkServerParts> = {}) {
  const clock = new ManualClock();
  const { log, records } = collectedLog();
  let news = 0;
  const trunk = new TrunkServer({
    ...{ clock, log, binlog: binlog.client, subdirCount: 256, storePathCount: () => 2 },
    onNews: () => {
      news += 1;
    },
    onGrown: () => {},
    readers: { pause: async () => {}, resume: () => {} },
    ...changes,
  });
  return { trunk, clock, binlog, records, news: () => news };
}

type Stage = ReturnType<typeof server>;

async function serving(stage: Stage, fileId = 0, given = parameters): Promise<Stage> {
  stage.trunk.begin(given);
  await soon(() => stage.trunk.state).toBe("waiting-for-number");
  stage.trunk.learnFileId(fileId);
  expect(stage.trunk.state).toBe("serving");
  return stage;
}

test("nothing is given before the binlog is loaded and a tracker has told the newest number", async () => {
  const stage = server();
  const { trunk } = stage;
  const ask = (): Promise<number> => refusal(trunk.allocate(0, 100));
  expect([trunk.state, await ask()]).toEqual(["off", 22]);
  trunk.begin(parameters);
  expect([trunk.state, await ask()]).toEqual(["loading", 22]);
  await soon(() => trunk.state).toBe("waiting-for-number");
  expect([stage.news(), await ask()]).toEqual([1, 22]);
  trunk.learnFileId(41);
  expect((await trunk.allocate(0, 100)).fileId).toBe(42);
  expect(stage.news()).toBeGreaterThan(1);
});

test("a slot is given, confirmed once, and freed once", async () => {
  const { trunk } = await serving(server());
  const slot = await trunk.allocate(1, 300);
  expect(slot).toMatchObject({ storePathIndex: 1, fileId: 1, offset: 0, size: 512 });
  expect(await refusal(async17(() => trunk.free(slot)))).toBe(17);
  await trunk.confirm(slot, 0);
  expect(await refusal(trunk.confirm(slot, 0))).toBe(2);
  trunk.free(slot);
  expect(await refusal(async17(() => trunk.free(slot)))).toBe(17);
  expect(await trunk.allocate(1, 300)).toEqual(slot);
  await trunk.confirm(slot, 5);
  expect(await trunk.allocate(1, 300)).toEqual(slot);
  await trunk.confirm(slot, 17);
  expect(await trunk.allocate(1, 300)).not.toEqual(slot);
});

async function async17(action: () => void): Promise<void> {
  action();
}

test("what cannot be is refused", async () => {
  const { trunk } = await serving(server());
  const tries: (readonly [number, number])[] = [
    [0, 0],
    [0, -5],
    [0, mib + 1],
    [2, 100],
  ];
  for (const [path, size] of tries) expect(await refusal(trunk.allocate(path, size))).toBe(22);
  const slot = { storePathIndex: 0, high: 0, low: 0, fileId: 1, offset: 0, size: 512 };
  const strange: Partial<TrunkLocation>[] = [
    { fileId: 0 },
    { size: 0 },
    { size: 5 * mib },
    { storePathIndex: 2 },
  ];
  for (const change of strange) {
    expect(await refusal(async17(() => trunk.free({ ...slot, ...change })))).toBe(22);
  }
});

test("what is given and kept is in the binlog before the answer, what is freed within a second or at the end", async () => {
  const stage = await serving(server());
  const { trunk, clock, binlog } = stage;
  const count = (): number => (binlog.text() ?? "").split("\n").length - 1;
  const slots = await Promise.all([
    trunk.allocate(0, 300),
    trunk.allocate(0, 300),
    trunk.allocate(0, 300),
  ]);
  expect(count()).toBe(10);
  // Those who ask together share the writes.
  expect(binlog.asked.filter((kind) => kind === request.trunkLogAppend).length).toBeLessThan(3);
  await Promise.all(slots.map((slot) => trunk.confirm(slot, 0)));
  expect(count()).toBe(13);
  trunk.free(slots[0] as TrunkLocation);
  expect(count()).toBe(13);
  clock.advance(1000);
  await turns();
  expect(count()).toBe(14);
  trunk.free(slots[1] as TrunkLocation);
  await trunk.end();
  expect([trunk.state, count()]).toEqual(["off", 15]);
});

test("a freed slot is given out again when it has rested, and is free for whoever loads the binlog", async () => {
  const stage = await serving(server(new MemoryTrunkLog(), { restMs: 60_000 }));
  const { trunk, clock, binlog } = stage;
  const slot = await trunk.allocate(0, 300);
  await trunk.confirm(slot, 0);
  trunk.free(slot);
  expect(await refusal(async17(() => trunk.free(slot)))).toBe(17);
  clock.advance(59_000);
  const other = await trunk.allocate(0, 300);
  expect(other).not.toEqual(slot);
  await trunk.confirm(other, 0);
  clock.advance(1000);
  expect(await trunk.allocate(0, 300)).toEqual(slot);
  await trunk.confirm(slot, 0);
  trunk.free(slot);
  await trunk.end();
  const next = await serving(server(binlog));
  expect(await next.trunk.allocate(0, 300)).toEqual(slot);
});

test("a slot that a crash took from the memory of its holder's server is not given in parts", async () => {
  const first = await serving(server());
  const kept = await first.trunk.allocate(0, 3000);
  // The first one is gone without a word; what it held is free in the binlog.
  const second = await serving(server(first.binlog));
  await second.trunk.confirm(kept, 0);
  const other = await second.trunk.allocate(0, 1000);
  expect(other.offset).toBe(kept.offset + kept.size);
});

test("the next trunk server goes on where this one ended; held slots are free then", async () => {
  const first = await serving(server(), 7);
  const kept = await first.trunk.allocate(0, 300);
  await first.trunk.confirm(kept, 0);
  const held = await first.trunk.allocate(0, 300);
  await first.trunk.end();
  const second = await serving(server(first.binlog), 3);
  expect(second.trunk.currentFileId).toBe(8);
  expect(second.trunk.freeMb).toBe(3);
  expect(await second.trunk.allocate(0, 300)).toEqual(held);
  expect((await second.trunk.allocate(1, 300)).fileId).toBe(9);
});

test("a snapshot of C is the beginning, the binlog goes on from where it says", async () => {
  const binlog = new MemoryTrunkLog();
  const line = (offset: number, size: number, op = "A"): string =>
    `1795395770 ${op} 0 1 2 5 ${offset} ${size}\n`;
  const old = line(0, 512);
  binlog.append(`${old}${line(1024, 512)}${line(2048, 512, "D")}`);
  const { files } = binlog;
  const snapshot = files.open("/d/data/storage_trunk.dat", "create");
  files.write(snapshot, Buffer.from(`${old.length}\n0 1 2 5 2048 512\n`));
  files.close(snapshot);
  const { trunk } = await serving(server(binlog));
  expect(await trunk.allocate(0, 512)).toMatchObject({ fileId: 5, offset: 1024 });
  expect(await trunk.allocate(0, 512)).toMatchObject({ fileId: 6 });
  const whole = await serving(server(binlog), 0, { ...parameters, reloadsFromBinlog: true });
  expect(await whole.trunk.allocate(0, 512)).toMatchObject({ fileId: 5, offset: 0 });
});

test("a binlog that cannot be read or written is read and written later", async () => {
  const stage = server();
  const { trunk, clock, binlog } = stage;
  binlog.away = true;
  trunk.begin(parameters);
  await turns();
  expect(trunk.state).toBe("loading");
  binlog.away = false;
  clock.advance(5000);
  await soon(() => trunk.state).toBe("waiting-for-number");
  trunk.learnFileId(0);
  const slot = await trunk.allocate(0, 300);
  binlog.away = true;
  expect(await refusal(trunk.allocate(0, 300))).toBe(5);
  expect(await refusal(trunk.confirm(slot, 0))).toBe(5);
  binlog.away = false;
  clock.advance(1000);
  await turns();
  await trunk.end();
  const again = await serving(server(binlog));
  expect((await again.trunk.allocate(0, 300)).offset).toBe(slot.offset + slot.size);
  expect(stage.records.map(({ event }) => event)).toContain("trunk-binlog-not-written");
});

test("a compression joins neighbours, tells the readers to begin anew, and leaves what is free", async () => {
  const steps: string[] = [];
  const readers = {
    pause: async () => {
      steps.push("pause");
    },
    resume: () => {
      steps.push("resume");
    },
  };
  const stage = await serving(server(new MemoryTrunkLog(), { readers }));
  const { trunk, binlog } = stage;
  const slots: TrunkLocation[] = [];
  for (let at = 0; at < 6; at += 1) {
    const slot = await trunk.allocate(0, 256);
    await trunk.confirm(slot, 0);
    slots.push(slot);
  }
  for (const slot of slots.slice(0, 3)) trunk.free(slot);
  const held = await trunk.allocate(0, 300);
  await trunk.compress();
  expect(steps).toEqual(["pause", "resume"]);
  const lines = (binlog.text() ?? "")
    .trimEnd()
    .split("\n")
    .map((text) => text.split(" ").slice(-2).join("+"));
  expect(lines.sort()).toEqual(["0+768", "1536+512", `${2048}+${4 * mib - 2048}`].sort());
  await trunk.confirm(held, 0);
  await trunk.end();
  const next = await serving(server(binlog));
  expect(await next.trunk.allocate(0, 768)).toMatchObject({ offset: 0, size: 768 });
});

test("trunk files without a used slot leave the binlog with a compression and at a begin, where the tracker says so", async () => {
  const binlog = new MemoryTrunkLog();
  const given = { ...parameters, deletesUnused: true };
  const first = await serving(server(binlog), 0, given);
  const { trunk } = first;
  const slot = await trunk.allocate(0, 300);
  await trunk.confirm(slot, 0);
  await trunk.compress();
  expect(trunk.freeMb).toBe(3);
  trunk.free(slot);
  await trunk.compress();
  expect([trunk.freeMb, binlog.text()]).toEqual([0, ""]);
  const next = await trunk.allocate(0, 300);
  expect(next.fileId).toBe(2);
  await trunk.confirm(next, 0);
  trunk.free(next);
  await trunk.end();
  for (const advance of [true, false]) {
    const options = { ...given, advance: { ...given.advance, enabled: advance } };
    const { trunk: later } = await serving(server(binlog), 2, options);
    // What is made in advance is unused as well, and stays.
    expect(later.freeMb).toBe(advance ? 4 : 0);
    await later.end();
  }
});

test("the clock asks for a compression at the time that the tracker says", async () => {
  const day = 86_400;
  const compression = {
    intervalSeconds: day,
    minIntervalSeconds: 0,
    timeBase: { hour: 3, minute: 0 },
  };
  const stage = await serving(server(), 0, { ...parameters, compression });
  const { trunk, clock, binlog } = stage;
  await trunk.allocate(0, 300);
  for (let minute = 0; minute < 1441; minute += 1) clock.advance(60_000);
  await expect
    .poll(() => binlog.asked.filter((kind) => kind === request.trunkLogCompress))
    .toHaveLength(1);
  await trunk.end();
});

test("an orderly end leaves a snapshot, and the next term reads what came after it alone", async () => {
  const first = await serving(server(), 7);
  const held = await first.trunk.allocate(0, 300);
  const kept = await first.trunk.allocate(0, 300);
  await first.trunk.confirm(kept, 0);
  await first.trunk.end();
  const { binlog } = first;
  const size = binlog.text()?.length ?? 0;
  expect(binlog.text("snapshot")?.split("\n")[0]).toBe(String(size));
  expect(first.records.map(({ event }) => event)).toContain("trunk-snapshot");
  const second = await serving(server(binlog), 3);
  expect(second.trunk.currentFileId).toBe(8);
  expect(await second.trunk.allocate(0, 300)).toEqual(held);
  // As after a kill: no end.
  const third = await serving(server(binlog), 3);
  expect(third.trunk.freeMb).toBe(second.trunk.freeMb);
  await third.trunk.end();
  const writes = binlog.asked.filter((kind) => kind === request.trunkLogSnapshot).length;
  const fourth = await serving(server(binlog), 3);
  await fourth.trunk.end();
  expect(binlog.asked.filter((kind) => kind === request.trunkLogSnapshot).length).toBe(writes);
});

test("slots that the binlog calls free and that hold a file are left out where that is wanted, for good", async () => {
  const binlog = new MemoryTrunkLog();
  for (let at = 0; at < 300; at += 1) binlog.append(`1795395770 A 0 1 2 5 ${at * 512} 512\n`);
  binlog.append("1795395770 A 1 1 2 6 0 512\n");
  const looked: number[] = [];
  const slotsInUse = async (slots: readonly TrunkLocation[]): Promise<readonly TrunkLocation[]> => {
    looked.push(slots.length);
    if (slots[0]?.storePathIndex === 1) throw new Error("the path is away");
    return slots.filter(({ offset }) => offset === 1024);
  };
  const without = await serving(server(binlog, { slotsInUse }));
  expect([looked, without.trunk.freeMb]).toEqual([[], 0]);
  const checking = { ...parameters, checksOccupying: true };
  const stage = await serving(server(binlog, { slotsInUse }), 0, checking);
  expect(looked).toEqual([128, 128, 44, 1]);
  const events = stage.records.map(({ event }) => event);
  expect(events).toContain("trunk-slots-occupied");
  expect(events).toContain("trunk-slots-not-looked-into");
  await stage.trunk.end();
  expect(binlog.text()).toContain(" D 0 1 2 5 1024 512\n");
  const given = new Set<number>();
  const next = await serving(server(binlog));
  for (let at = 0; at < 299; at += 1) given.add((await next.trunk.allocate(0, 512)).offset);
  expect([given.size, given.has(1024)]).toEqual([299, false]);
});

test("trunk files are made in advance at their time, until so much is free or no path has room", async () => {
  const advance = {
    enabled: true,
    timeBase: { hour: 0, minute: 0 },
    intervalSeconds: 60,
    thresholdBytes: 13 * mib,
  };
  let paths: (number | undefined)[] = [0, 1, 0, 1, 0];
  const pathForFile = (): number | undefined => paths.shift();
  const stage = await serving(server(undefined, { pathForFile }), 0, { ...parameters, advance });
  const { trunk, clock, binlog } = stage;
  clock.advance(60_000);
  await turns();
  expect([trunk.freeMb, trunk.currentFileId]).toEqual([12, 3]);
  await trunk.flush();
  expect(
    binlog
      .text()
      ?.match(/ A [01] \d+ \d+ \d 0 4194304/g)
      ?.map((line) => line[3]),
  ).toEqual([..."010"]);
  clock.advance(60_000);
  await turns();
  expect(trunk.currentFileId).toBe(3);
  for (let at = 0; at < 5; at += 1) await trunk.allocate(0, mib);
  paths = [undefined];
  clock.advance(60_000);
  await turns();
  expect(stage.records.findLast(({ event }) => event === "trunk-files-in-advance")?.data).toEqual({
    wanted: 1,
    made: 0,
  });
  const off = await serving(server(undefined, { pathForFile: () => 0 }));
  off.clock.advance(120_000);
  expect(off.trunk.freeMb).toBe(0);
});
