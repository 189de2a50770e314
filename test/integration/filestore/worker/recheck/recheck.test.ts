/**
 * Goal: where nothing is flushed, a power cut may lose files, and what is served is never another content than was uploaded. Method: a disk
 * in memory that forgets any part of what was not flushed, in random combinations, also of what an engine did before the last cut; and
 * states made by hand. Each file is read as a worker reads it: before its turn has come, and after.
 */
import { expect, test } from "vitest";
import type { LogRecord } from "#base/log.ts";
import type { RecheckFacts } from "#filestore/recheck-facts.ts";
import { settlingMs } from "#filestore/worker/recheck/settling.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  readText,
  viewOf,
} from "../../../../support/engine-fixture.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { openPacking, putPacked } from "../../../../support/packed-fixture.ts";
import { seededRandom } from "../../../../support/seeded-random.ts";
import { writeFile } from "../../../../support/store-path-vectors.ts";

const directory = "/disk";
const settings = { durability: "relaxed" } as const;
const own = `${directory}/data/.cairn`;
const normal = { kind: "normal", extension: "bin" } as const;

/** As a worker serves it; undefined where there is none. */
function served(engine: StorePathEngine, name: string): string | undefined {
  try {
    const proof = engine.proof(name);
    while (proof !== undefined && proof.next().done !== true);
    return readBack(engine, name).toString("latin1");
  } catch (error) {
    if ((error as { readonly code?: string }).code === "file-missing") return undefined;
    throw error;
  }
}

/** An engine on this disk, with what it tells. */
function opened(
  files: MemoryFiles,
  how: { readonly seed?: number; readonly clock?: ManualClock } = {},
) {
  const logs: LogRecord[] = [];
  const told: (RecheckFacts | undefined)[] = [];
  const onRecheck = (facts: RecheckFacts | undefined) => told.push(facts);
  const engine = openEngine({ files, directory, settings, logs, onRecheck, ...how });
  const events = () => logs.map(({ event }) => event);
  return { engine, events, told, turn: () => engine.background.turn(true) };
}

function pathOf(name: string): string {
  return `${directory}/data/${name.slice(4)}`;
}

/** Three files, and an end that may have been a power cut for all that the next start knows. */
function crashed() {
  const files = new MemoryFiles(directory);
  const { engine } = opened(files);
  const names = ["a", "b", "c"].map((letter) => put(engine, normal, letter.repeat(3000)));
  files.remount();
  return { files, names, engine };
}

test("whatever a power cut leaves, what is served is what was uploaded, before and after it was looked at", () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const files = new MemoryFiles(directory);
    const random = seededRandom(seed);
    const contents = new Map<string, string>();
    const packs = seed % 3 === 0;
    for (let run = 0; run < 3; run += 1) {
      const world = { files, directory, seed: seed + 1000 * run, settings };
      const engine = packs
        ? openPacking({ ...world, firstNumber: 1 + 10 * run }).engine
        : openEngine(world);
      for (const [name, content] of contents)
        expect([content, undefined]).toContain(served(engine, name));
      if (random.below(2) === 0) engine.background.turn(true);
      for (let count = 0; count < 12; count += 1) {
        const content = String.fromCharCode(97 + random.below(26)).repeat(1 + random.below(5000));
        const name = packs ? putPacked(engine, content) : put(engine, normal, content);
        contents.set(name, content);
      }
      for (const [name, content] of contents)
        expect([content, undefined]).toContain(served(engine, name));
      if (random.below(3) === 0) engine.close();
      files.powerCut(random);
    }
    const { engine, turn } = packs
      ? { ...openPacking({ files, directory, settings, firstNumber: 90 }), turn: undefined }
      : opened(files);
    (turn ?? (() => engine.background.turn(true)))();
    for (const [name, content] of contents) {
      const got = served(engine, name);
      if (got !== undefined && got !== content)
        console.log(
          seed,
          packs,
          name,
          content.length,
          content[0],
          got.length,
          got[0],
          got.indexOf("\0"),
          files.list(own),
          readText(files, `${own}/state`),
          viewOf(files, directory).binlog,
        );
      expect([content, undefined]).toContain(served(engine, name));
      // Nothing is in doubt any more: the same without another look.
      expect(engine.proof(name)).toBe(undefined);
    }
  }
});

test("a file that is cut off, or has another content, is set aside, recorded as not here, counted and listed", () => {
  const { files, names } = crashed();
  const [one = "", two = "", three = ""] = names;
  // Older than the tail: no start looks at them.
  writeFile(
    files,
    `${own}/state`,
    readText(files, `${own}/state`).replace(
      "binlog_offset=0",
      `binlog_offset=${viewOf(files, directory).binlog.length}`,
    ),
  );
  writeFile(files, pathOf(one), "");
  writeFile(files, pathOf(two), "b".repeat(1024));
  writeFile(files, pathOf(three), `${"c".repeat(2000)}${"\0".repeat(1000)}`);
  const { engine, events, told, turn } = opened(files);
  expect(told).toEqual([{ why: "power-cut", state: "running", percent: 0, lost: 0, examples: [] }]);
  for (const name of names) expect(served(engine, name)).toBe(undefined);
  turn();
  for (const name of names) expect(served(engine, name)).toBe(undefined);
  expect(told.at(-1)).toMatchObject({ state: "done", percent: 100, lost: 3, examples: names });
  expect(viewOf(files, directory).binlog.trim().split("\n").slice(-3)).toEqual(
    names.map((name) => `0 d ${name}`),
  );
  const aside = (files.list(`${own}/aside`) ?? []).sort();
  expect(aside).toEqual([two, three].map((name) => `00.00.${name.slice(10)}`).sort());
  expect(readText(files, `${own}/aside/00.00.${two.slice(10)}`)).toBe("b".repeat(1024));
  const list = readText(files, `${own}/lost-files`).split("\n");
  expect(list.slice(0, 3).map((line) => line.slice(line.indexOf(" ") + 1))).toEqual([
    `${one} 0 bytes`,
    `${two} 1024 bytes`,
    `${three} 3000 bytes`,
  ]);
  expect(events()).toEqual(["files-in-doubt", "files-lost", "files-rechecked"]);
  // One comes back; then nothing is in doubt.
  writeFile(files, pathOf(two), "b".repeat(3000));
  engine.settleRecheck();
  expect(files.list(`${own}/aside`)).toEqual([`00.00.${three.slice(10)}`]);
  expect(told.at(-1)).toMatchObject({ state: "settled", lost: 2 });
  expect(events().at(-1)).toBe("files-lost-for-good");
  expect(files.stat(`${own}/recheck`, false)).toBe(undefined);
});

test("an orderly end leaves only what was stored last in doubt, and after a rest nothing", () => {
  const files = new MemoryFiles(directory);
  const clock = new ManualClock();
  const first = opened(files, { clock });
  const names = ["a", "b"].map((letter) => put(first.engine, normal, letter.repeat(3000)));
  const appender = put(first.engine, { kind: "appender", extension: "log" }, "begin");
  first.engine.close();
  files.remount();
  writeFile(files, pathOf(names[0] ?? ""), "aaa");
  files.remove(pathOf(names[1] ?? ""));
  const second = opened(files, { clock });
  expect(served(second.engine, names[0] ?? "")).toBe(undefined);
  second.turn();
  expect(second.told.at(-1)).toMatchObject({ state: "done", lost: 2, examples: names });
  expect(served(second.engine, appender)).toBe("begin");
  second.engine.settleRecheck();
  put(second.engine, normal, "one more");
  clock.advance(settlingMs);
  second.engine.close();
  files.remount();
  const third = opened(files, { clock });
  expect([third.events(), third.told]).toEqual([[], []]);
});

test("a walk goes on where it was after an orderly end, and is not asked for by an end of a run that flushed", () => {
  const { files, names } = crashed();
  const note = `${own}/recheck`;
  const second = opened(files);
  expect(readText(files, note)).toContain("leaves_done=0\n");
  second.turn();
  second.engine.close();
  files.remount();
  expect(readText(files, note)).toContain("leaves_done=65536\n");
  const third = opened(files, { clock: new ManualClock() });
  third.turn();
  expect(third.told.at(-1)).toMatchObject({ state: "done", lost: 0 });
  third.engine.settleRecheck();
  expect(third.told.at(-1)).toBe(undefined);
  expect(served(third.engine, names[0] ?? "")).toBe("a".repeat(3000));

  const other = new MemoryFiles(directory);
  const flushed = { files: other, directory, settings: { durability: "flushed" } } as const;
  put(openEngine(flushed), normal, "flushed");
  const told: unknown[] = [];
  openEngine({ ...flushed, onRecheck: (facts) => told.push(facts) });
  expect(told).toEqual([]);
  expect(other.stat(note, false)).toBe(undefined);
});

test("of files whose names tell nothing those with zeros for a content are not served, and appender files stay", () => {
  const { files, engine, names } = crashed();
  const master = names[0] ?? "";
  const appender = put(engine, { kind: "appender", extension: "log" }, "x".repeat(6000));
  const slaves = ["_whole", "_zeros", "_empty"].map((prefix) =>
    put(engine, { kind: "slave", master, prefix, extension: "bin" }, "s".repeat(700)),
  );
  for (const name of names.slice(0, 2)) {
    commit(engine, engine.prepareMetadata(name, "overwrite", Buffer.from("colour\x02red")));
  }
  writeFile(files, pathOf(slaves[1] ?? ""), "\0".repeat(700));
  writeFile(files, pathOf(slaves[2] ?? ""), "");
  writeFile(files, `${pathOf(names[1] ?? "")}-m`, "\0".repeat(10));
  writeFile(files, pathOf(appender), `${"x".repeat(4096)}${"\0".repeat(1904)}`);
  const before = files.stat(pathOf(appender), false)?.modifiedSeconds ?? 0;
  const next = opened(files);
  const found = () => [...slaves, appender].map((name) => served(next.engine, name)?.length);
  expect(found()).toEqual([700, undefined, undefined, undefined]);
  expect(() => next.engine.proof(`${names[1]}-m`)?.next()).toThrow("was lost");
  next.turn();
  // Nobody else may have it; a peer's copy of the same version counts for more.
  expect(found()).toEqual([700, undefined, undefined, 6000]);
  expect(files.stat(pathOf(appender), false)?.modifiedSeconds).toBe(before - 1);
  expect(next.engine.readMetadata(master).toString()).toBe("colour\x02red");
  expect(() => next.engine.readMetadata(names[1] ?? "")).toThrow("no file");
  expect(next.told.at(-1)).toMatchObject({ lost: 4 });
});

test("a file that is not whole because a change of it is under way, or that is new, is left alone", () => {
  const { files, names } = crashed();
  const { engine, told, turn } = opened(files);
  const change = engine.prepareRemove(names[0] ?? "");
  writeFile(files, pathOf(names[0] ?? ""), "a");
  const fresh = put(engine, normal, "new");
  turn();
  expect(told.at(-1)).toMatchObject({ state: "done", lost: 0 });
  commit(engine, change);
  expect(served(engine, fresh)).toBe("new");
});

test("a process that was killed leaves nothing in doubt, not even an empty slave file", () => {
  const files = new MemoryFiles(directory);
  const first = opened(files);
  const master = put(first.engine, normal, "master");
  const target = { kind: "slave", master, prefix: "_empty", extension: "bin" } as const;
  const slave = put(first.engine, target, "");
  // Killed, and killed again after an orderly end.
  for (const ends of [[], ["orderly"], []]) {
    const next = opened(files);
    expect([next.events(), next.told]).toEqual([[], []]);
    expect(next.engine.proof(slave)).toBe(undefined);
    expect([served(next.engine, master), served(next.engine, slave)]).toEqual(["master", ""]);
    if (ends.length > 0) next.engine.close();
  }
});

test("doubt is left by a power cut, by another mount, and where nobody tells of it, and stays through kills", () => {
  const ends: Readonly<Record<string, (files: MemoryFiles) => void>> = {
    power: (files) => files.powerCut(seededRandom(1)),
    mount: (files) => files.remount(),
    silence: (files) => {
      files.tellsMounting = false;
    },
  };
  for (const end of Object.values(ends)) {
    const { files } = crashed();
    opened(files).engine.close();
    const before = opened(files);
    put(before.engine, normal, "one more");
    end(files);
    const next = opened(files);
    expect(next.events()).toContain("files-in-doubt");
    expect(next.told.at(-1)).toMatchObject({ why: "power-cut", state: "running" });
    files.tellsMounting = true;
    const killed = opened(files);
    expect(killed.told.at(-1)).toMatchObject({ why: "power-cut", state: "running" });
    killed.turn();
    killed.engine.settleRecheck();
    expect(opened(files).told).toEqual([]);
  }
});

test("what was not flushed is in doubt for a while after everything is", () => {
  for (const minutes of [0, 30]) {
    const files = new MemoryFiles(directory);
    const clock = new ManualClock();
    const relaxed = opened(files, { clock });
    put(relaxed.engine, normal, "left to the kernel");
    relaxed.engine.close();
    const flushed = { files, directory, clock, settings: { durability: "flushed" } } as const;
    const engine = openEngine(flushed);
    for (let minute = 0; minute < minutes; minute += 1) {
      clock.advance(60_000);
      put(engine, normal, `flushed ${minute}`);
    }
    engine.close();
    files.powerCut();
    const told: (RecheckFacts | undefined)[] = [];
    openEngine({ ...flushed, onRecheck: (facts) => told.push(facts) });
    expect(told.length).toBe(minutes === 0 ? 1 : 0);
  }
});
