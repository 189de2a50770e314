/**
 * Goal: whatever two storages have, lack, have deleted and have forgotten, one comparison makes them alike, nothing that was deleted comes
 * back, and nothing that neither deleted is lost. Method: random histories on two storages in memory, of which some changes reach one only,
 * and of which binlogs forget some; then a round from one side.
 */

import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { settledHorizon } from "#filestore/inventory/horizons.ts";
import { makeBase } from "#model/file-base.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { compareAndRepair, newProgress } from "#sync/anti-entropy/compare-round.ts";
import { RepairRunner } from "#sync/anti-entropy/repair-runner.ts";
import { collectedLog } from "../../../support/frame-fixture.ts";
import { ModelStorage } from "../../../support/model-storage.ts";

const source = { kind: "address", address: "10.9.0.2" } as const;
const begin = 1_700_000_000;

function nameOf(at: number, kind: "normal" | "appender" | "trunk", content: string): string {
  const facts = {
    size: content.length,
    crc32: crc32(content),
    randomBits: at,
    timestamp: begin + at,
  };
  const trunk = { fileId: 1 + (at % 2), offset: 512 * (at % 3), size: 512 };
  const tail = "123.txt";
  const made = { source, ...facts, kind, tail };
  const base = makeBase(kind === "trunk" ? { ...made, trunk } : made);
  return `M00/0${at % 3}/0${at % 2}/${base}`;
}

const manners = { share: 100, patient: true };

async function round(here: ModelStorage, there: ModelStorage) {
  there.asker = here;
  const { log } = collectedLog();
  const rest = () => Promise.resolve();
  const runner = new RepairRunner({ log, store: here, peer: there, others: [], lanes: 3, rest });
  const progress = newProgress();
  await compareAndRepair({
    ...{ clock: nodeClock, signal: new AbortController().signal, storePathIndex: 0 },
    ...{ here, there, horizons: here.horizons, manners, runner, progress, recheckMs: 0 },
  });
  return { tally: runner.tally, progress, problem: runner.lastProblem };
}

function pair() {
  return { here: new ModelStorage("here"), there: new ModelStorage("there") };
}

interface Step {
  readonly file: number;
  readonly kind: "normal" | "appender" | "metadata" | "trunk";
  readonly change: "put" | "change" | "delete";
  readonly reaches: "both" | "here" | "there";
  readonly forgotten: boolean;
}

const steps = fc.array(
  fc.record<Step>({
    file: fc.nat(7),
    kind: fc.constantFrom("normal", "appender", "metadata", "trunk"),
    change: fc.constantFrom("put", "put", "change", "delete"),
    reaches: fc.constantFrom("both", "here", "there"),
    forgotten: fc.boolean(),
  }),
  { maxLength: 40 },
);

/** What a client would expect to be there, and the two storages after their history. */
function played(history: readonly Step[]) {
  const { here, there } = pair();
  const expected = new Map<string, string | undefined>();
  const at = { here: [here], there: [there], both: [here, there] };
  let second = begin + 1000;
  for (const { file, kind, change, reaches, forgotten } of history) {
    second += 1;
    const number = kind === "trunk" ? 0 : file;
    const first = nameOf(number, kind === "metadata" ? "normal" : kind, "0");
    const name = kind === "metadata" ? `${first}-m` : first;
    const isMutable = kind === "appender" || kind === "metadata";
    const wasDeleted = expected.has(name) && expected.get(name) === undefined;
    // Names are given once, but those of metadata; only what is there is changed or deleted.
    if (change === "put" ? expected.has(name) && kind !== "metadata" : !expected.get(name))
      continue;
    if (change === "put" && kind === "metadata" && expected.get(name) !== undefined) continue;
    if (change === "change" && !isMutable) continue;
    for (const storage of at[reaches]) {
      if (change === "delete") storage.delete(name, second);
      else
        storage.put(name, {
          content: change === "put" ? "0" : `${second}`,
          modifiedSeconds: second,
        });
    }
    expected.set(name, change === "delete" ? undefined : change === "put" ? "0" : `${second}`);
    // A log that forgets that something was made; a deletion that no log has cannot be known.
    if (forgotten && change !== "delete" && !wasDeleted && kind !== "trunk") {
      for (const storage of at[reaches]) storage.log.delete(name);
    }
  }
  return { here, there, expected };
}

test("random divergent storages become alike; what was deleted stays deleted, all else is there", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const { here, there, expected } = played(history);
      const { tally } = await round(here, there);
      expect(tally.failed).toBe(0);
      const wanted = [...expected].filter(([, content]) => content !== undefined);
      for (const storage of [here, there]) {
        const found = [...storage.files].map(([name, { content }]) => [name, content]);
        expect(found.sort()).toEqual(wanted.sort());
      }
      const again = await round(here, there);
      expect(again.progress).toMatchObject({ differing: 0, found: 0 });
    }),
    { numRuns: 300 },
  );
}, 60_000);

test("a binlog that is gone costs nothing: files come from the other side, and are not taken for deleted", async () => {
  const { here, there } = pair();
  for (let at = 0; at < 5; at += 1) {
    const name = nameOf(at, "normal", `${at}`);
    if (at !== 2) here.put(name, { content: `${at}`, modifiedSeconds: begin + at });
    there.put(name, { content: `${at}`, modifiedSeconds: begin + at });
  }
  there.log.clear();
  here.log.clear();
  const { tally } = await round(here, there);
  expect(tally).toMatchObject({ copiedHere: 1, copiedThere: 0, deletedHere: 0, deletedThere: 0 });
  expect(here.files.size).toBe(5);
});

test("what is younger than both know to be there is left alone", async () => {
  const { here, there } = pair();
  const [old, young] = [nameOf(1, "normal", "1"), nameOf(2, "normal", "2")] as const;
  for (const name of [old, young])
    there.put(name, { content: name === old ? "1" : "2", modifiedSeconds: begin });
  const word = 0x0a090002;
  here.horizons = new Map([[word, begin + 2]]);
  there.horizons = new Map([[word, settledHorizon]]);
  await round(here, there);
  expect([...here.files.keys()]).toEqual([old]);
  // Of a source that only one of both knows nothing is certain.
  there.horizons = new Map();
  here.files.clear();
  await round(here, there);
  expect(here.files.size).toBe(0);
});

test("a slot that was given to another file on one side: the old file goes, the new one comes", async () => {
  const { here, there } = pair();
  const [before, after] = [nameOf(0, "trunk", "a"), nameOf(6, "trunk", "bb")] as const;
  here.put(before, { content: "a", modifiedSeconds: begin });
  there.put(before, { content: "a", modifiedSeconds: begin });
  there.delete(before, begin + 9);
  there.put(after, { content: "bb", modifiedSeconds: begin + 6 });
  await round(here, there);
  expect([...here.files.keys()]).toEqual([after]);
  expect([...there.files.keys()]).toEqual([after]);
});

test("a copy that arrives damaged is fetched again, and one that stays damaged is told and left out", async () => {
  const { here, there } = pair();
  const [once, always] = [nameOf(1, "normal", "1"), nameOf(2, "normal", "2")] as const;
  there.put(once, { content: "1", modifiedSeconds: begin });
  there.put(always, { content: "2", modifiedSeconds: begin });
  there.damaged.set(once, 1).set(always, 99);
  const { tally, problem } = await round(here, there);
  expect([...here.files.keys()]).toEqual([once]);
  expect(tally).toMatchObject({ copiedHere: 1, failed: 1 });
  expect(problem).toContain(always);
});

test("a change that arrives between the two looks is no difference", async () => {
  const { here, there } = pair();
  const name = nameOf(1, "normal", "1");
  there.put(name, { content: "1", modifiedSeconds: begin });
  there.asker = here;
  const { log } = collectedLog();
  const progress = newProgress();
  const runner = new RepairRunner({
    log,
    store: here,
    peer: there,
    others: [],
    lanes: 1,
    rest: () => Promise.resolve(),
  });
  const compared = compareAndRepair({
    ...{ clock: nodeClock, signal: new AbortController().signal, storePathIndex: 0 },
    ...{ here, there, horizons: here.horizons, manners, runner, progress, recheckMs: 50 },
  });
  setTimeout(() => here.put(name, { content: "1", modifiedSeconds: begin }), 10);
  await compared;
  expect(progress).toMatchObject({ differing: 1, found: 0 });
  expect(runner.tally.copiedHere).toBe(0);
});
