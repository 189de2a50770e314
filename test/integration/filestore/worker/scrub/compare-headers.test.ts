/**
 * Goal: headers of packed files that are other than their names say are found, and no other ones are. Method: an engine on a disk in memory packs
 * and deletes files as a seed says, so that slots are given out again; then bytes of headers that nothing else vouches for are flipped.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { sourceLine } from "#filestore/binlog/entry.ts";
import type { ScrubReport } from "#filestore/scrub/scrub-report.ts";
import { judgeNamed } from "#filestore/worker/scrub/judge-damaged.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { slotPlace } from "#filestore/worker/trunk-slot.ts";
import { commit, readBack, readText, runSteps } from "../../../../support/engine-fixture.ts";
import type { ManualClock } from "../../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { openPacking, putPacked } from "../../../../support/packed-fixture.ts";

const directory = "/disk";
/** In a header: the last byte of the time, and bytes of random digits and extension. */
const silent = [16, 17, 19, 21, 22, 23];

function scrubbed(engine: StorePathEngine, clock: ManualClock): ScrubReport {
  clock.advance(10_000_000);
  engine.scrub.order("start", { rateBytes: 0, busyShare: 3 });
  for (let turn = 0; turn < 100_000; turn += 1) {
    if (!engine.scrub.isRunning) return engine.scrub.report(1000);
    clock.advance(Math.max(1, engine.scrub.step() ?? 1));
  }
  throw new Error("the scrub does not end");
}

function slotOf(engine: StorePathEngine, name: string) {
  const { layout } = engine.judged;
  const slot = slotPlace(layout, layout.place(name));
  if (slot === undefined) throw new Error(`${name} is not packed`);
  return { ...slot, place: `${slot.path.split("/").slice(-3).join("/")}@${slot.offset}` };
}

function judge(engine: StorePathEngine, name: string) {
  const store = engine.judged;
  const parts = { store, disk: engine.diskReads, finding: undefined };
  return runSteps(judgeNamed(parts, store.layout.place(name)));
}

/** True: another file; else the number of one that goes. */
const steps = fc.array(fc.oneof(fc.constant(true), fc.nat(60)), { minLength: 5, maxLength: 60 });

test("exactly those headers are found that rotted where only a name tells, and they are written anew", () => {
  fc.assert(
    fc.property(steps, fc.array(fc.nat(), { maxLength: 6 }), (plan, rotten) => {
      const files = new MemoryFiles(directory);
      const { engine, clock, settle } = openPacking({ files, directory });
      let names: string[] = [];
      for (const [at, step] of plan.entries()) {
        const victim = step === true ? undefined : names[step];
        if (victim === undefined) {
          names.push(putPacked(engine, `${at} `.repeat(20 + (at % 7) * 30)));
        } else {
          commit(engine, engine.prepareRemove(victim));
          names = names.filter((name) => name !== victim);
        }
        clock.advance(40_000);
        settle();
      }
      const counted = { files: names.length, good: names.length, damaged: 0 };
      expect(scrubbed(engine, clock)).toMatchObject({ tally: counted, damaged: [] });
      const chosen = new Set(rotten.flatMap((which) => names[which % names.length] ?? []));
      const expected: string[] = [];
      for (const [at, name] of [...chosen].entries()) {
        const { path, offset, place } = slotOf(engine, name);
        files.rot(path, offset + (silent[at % silent.length] ?? 0));
        expected.push(place);
      }
      const report = scrubbed(engine, clock);
      expect(report.damaged.map(({ place }) => place).sort()).toEqual(expected.sort());
      expect(report.tally).toMatchObject({ damaged: chosen.size, files: names.length });
      for (const name of names) {
        expect(judge(engine, name)).toBe(chosen.has(name) ? "mended" : "well");
        expect(readBack(engine, name).length).toBeGreaterThan(0);
      }
      expect(scrubbed(engine, clock).tally).toMatchObject(counted);
    }),
    { numRuns: 40 },
  );
});

test("records that came twice, or of files that never were, make no finding", () => {
  const files = new MemoryFiles(directory);
  const { engine, clock } = openPacking({ files, directory });
  const names = ["one", "two", "three"].map((text) => putPacked(engine, text.repeat(30)));
  const gone = putPacked(engine, "gone".repeat(30));
  commit(engine, engine.prepareRemove(gone));
  const { sync } = engine.judged.layout;
  const [binlog = ""] = files.list(sync)?.filter((name) => /^binlog\.\d+$/.test(name)) ?? [];
  const path = `${sync}/${binlog}`;
  const lines = readText(files, path).split("\n").slice(0, -1);
  const never = `${names[0]?.slice(0, -3)}bin`;
  const text = `${[...lines, lines[0]].join("\n")}\n${sourceLine("delete", 1, never)}`;
  const descriptor = files.open(path, "write");
  files.write(descriptor, Buffer.from(text, "latin1"), 0);
  files.close(descriptor);
  expect(scrubbed(engine, clock)).toMatchObject({
    tally: { files: 3, good: 3, damaged: 0 },
    damaged: [],
  });
  const { path: trunk, offset, place } = slotOf(engine, names[1] ?? "");
  files.rot(trunk, offset + 22);
  expect(scrubbed(engine, clock).damaged).toMatchObject([{ place, damage: "slot-header" }]);
});
