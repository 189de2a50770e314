/** Files whose versions met, and what all members have in the end. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { makeBase } from "#model/file-base.ts";
import type { StorageId } from "#model/storage-id.ts";
import { ContestedFiles } from "#sync/anti-entropy/contested-files.ts";
import {
  contestRestMs,
  contestRetryMs,
  maxContestedFiles,
  maxContestTries,
} from "#sync/anti-entropy/limits.ts";
import { collectedLog } from "../../../support/frame-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { ModelStorage } from "../../../support/model-storage.ts";
import { turns } from "../../../support/settled.ts";

function appender(number: number, kind: "appender" | "normal" = "appender"): string {
  const source = { kind: "address", address: "10.9.0.2" } as const;
  const facts = { size: 0, crc32: 0, randomBits: number, timestamp: 1_700_000_000 };
  return `M00/00/01/${makeBase({ source, ...facts, kind, tail: "123.txt" })}`;
}

const name = appender(1);

class Notes {
  readonly marks = new Map<string, string>();
  writes = 0;

  async readMark(index: number, mark: string): Promise<string | undefined> {
    return this.marks.get(`${index} ${mark}`);
  }

  async writeMark(index: number, mark: string, text: string): Promise<void> {
    this.writes += 1;
    this.marks.set(`${index} ${mark}`, text);
  }

  async removeMark(index: number, mark: string): Promise<void> {
    this.marks.delete(`${index} ${mark}`);
  }
}

function stage(storages: readonly ModelStorage[], notes = new Notes()) {
  const clock = new ManualClock();
  const [own, ...others] = storages as [ModelStorage, ...ModelStorage[]];
  for (const other of others) other.asker = own;
  let away: readonly ModelStorage[] = [];
  const contested = new ContestedFiles({
    ...{ clock, log: collectedLog().log, store: own, notes },
    peers: () => others.filter((each) => !away.includes(each)).map((files) => ({ files })),
    absent: () => away.map(({ title }) => title as StorageId),
  });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    contested.look();
    await turns(2);
  };
  return {
    ...{ contested, pass, notes },
    leave: (...gone: ModelStorage[]) => {
      away = gone;
    },
    contents: (of = name) => storages.map(({ files }) => files.get(of)?.content),
  };
}

function copies(...contents: readonly (readonly [content: string, time: number])[]) {
  return contents.map(([content, modifiedSeconds], at) => {
    const storage = new ModelStorage(`${at}`);
    storage.put(name, { content, modifiedSeconds });
    return storage;
  });
}

test("of copies of one time and size that with the later bytes is everywhere, once they rest", async () => {
  // Seed 655: a modification was lost where a later append met it, and was there before the append in the third copy.
  const { contested, pass, contents } = stage(copies(["a1", 5], ["a2", 5], ["b1", 5], ["a1", 5]));
  await contested.note(name);
  await pass(contestRestMs - 1);
  expect(contents()).toEqual(["a1", "a2", "b1", "a1"]);
  await pass(1);
  expect(contents()).toEqual(["b1", "b1", "b1", "b1"]);
  expect(contested.size).toBe(1);
  await pass(contestRetryMs);
  expect(contested.size).toBe(0);
});

test("the later version wins, then the larger one, and what a member deleted stays so", async () => {
  const storages = copies(["zz", 5], ["a", 6], ["bb", 6], ["gone", 1]);
  storages[3]?.delete(name, 9);
  const { contested, pass, contents } = stage(storages);
  await contested.note(name);
  await pass(contestRestMs);
  expect(contents()).toEqual(["bb", "bb", "bb", undefined]);
});

test("whoever is away is compared with when it is back; a file that is gone is forgotten", async () => {
  const storages = copies(["b", 5], ["a", 5]);
  const { contested, pass, contents, leave } = stage(storages);
  leave(...storages.slice(1));
  await contested.note(name);
  await pass(contestRestMs);
  leave();
  await pass(contestRetryMs - 1);
  expect(contents()).toEqual(["b", "a"]);
  await pass(1);
  expect(contents()).toEqual(["b", "b"]);
  storages[0]?.delete(name, 9);
  await pass(contestRetryMs);
  expect(contested.size).toBe(0);
});

test("what cannot be asked is tried again, though not for ever; a new contest begins anew", async () => {
  const [own, other] = copies(["b", 5], ["a", 5]) as [ModelStorage, ModelStorage];
  other.factsOf = () => Promise.reject(fileStoreError("disk-failed", "no answer"));
  const { contested, pass } = stage([own, other]);
  await contested.note(name);
  for (let tries = 1; tries < maxContestTries; tries += 1) await pass(contestRetryMs);
  expect(contested.size).toBe(1);
  await contested.note(name);
  await pass(contestRestMs - 1);
  for (let tries = 1; tries <= maxContestTries; tries += 1) {
    expect(contested.size).toBe(1);
    await pass(contestRetryMs);
  }
  expect(contested.size).toBe(0);
});

test("only appender files count, and the oldest go when there are too many", async () => {
  const { contested } = stage(copies(["a", 5]));
  await contested.note(appender(1, "normal"));
  await contested.note("no name");
  expect(contested.size).toBe(0);
  for (let number = 0; number <= maxContestedFiles; number += 1) {
    await contested.note(appender(number));
  }
  expect(contested.size).toBe(maxContestedFiles);
});

test("what was to be compared is so after a restart as well, and is noted once", async () => {
  const storages = copies(["b", 5], ["a", 5]);
  const before = stage(storages);
  await before.contested.note(name);
  await before.contested.note(name);
  expect(before.notes.writes).toBe(1);
  const { contested, pass, contents, notes } = stage(storages, before.notes);
  await contested.load(0);
  await pass(contestRestMs);
  expect(contents()).toEqual(["b", "b"]);
  await pass(contestRetryMs);
  await pass(1000);
  expect(contested.size).toBe(0);
  expect(notes.marks.size).toBe(0);
});

test("a note that cannot be written is told, and the file is compared all the same", async () => {
  const notes = new Notes();
  notes.writeMark = () => Promise.reject(fileStoreError("disk-failed", "full"));
  const { contested, pass, contents } = stage(copies(["b", 5], ["a", 5]), notes);
  await contested.note(name);
  await pass(contestRestMs);
  expect(contents()).toEqual(["b", "b"]);
});
