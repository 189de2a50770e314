/** Which files are looked for in the kernel's memory, and when that is not worth it. */
import { expect, test } from "vitest";
import { blockDataOffset } from "#filestore/block-pool.ts";
import { ResidentReads } from "#filestore/resident-reads.ts";
import type { StorePathSettings } from "#filestore/settings.ts";
import { StorePathClient } from "#filestore/store-path-client.ts";
import { makeBase, type NewBase } from "#model/file-base.ts";
import type { ResidentFiles, ResidentStat } from "#platform/resident-files.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { pathSettings } from "../../support/store-fixture.ts";

const served = 7;
const common = {
  ...{ source: { kind: "address", address: "10.0.0.1" }, timestamp: 1_700_000_000, size: 5000 },
  ...{ crc32: 0xcafe, tail: "42.jpg7", randomBits: 0 },
} as const;

function nameOf(file: Partial<NewBase> = {}): string {
  return `M01/0A/0B/${makeBase({ ...common, kind: "normal", ...file } as NewBase)}`;
}

/** `stat` undefined: nothing is in memory. */
function stage(stat: ResidentStat | undefined, changes: Partial<StorePathSettings> = {}) {
  const asked: string[] = [];
  const files: ResidentFiles = {
    serves: (device) => device === served,
    readerInto: () => ({
      readWhole: (path, offset, sizeBytes) => {
        asked.push(`${path} ${offset} ${sizeBytes}`);
        return stat?.sizeBytes === sizeBytes;
      },
      stat: (path) => {
        asked.push(path);
        return stat;
      },
    }),
  };
  const client = new StorePathClient({ ...pathSettings(1), ...changes }, collectedLog().log);
  const reads = new ResidentReads(client, files);
  reads.liesOn(served);
  return { reads, asked };
}

const whole: ResidentStat = { sizeBytes: 5000, modifiedSeconds: 1_700_000_005 };

test("an ordinary file is read into the block, and described by its name and its time", () => {
  const { reads, asked } = stage(whole);
  const name = nameOf();
  expect(reads.readWhole(name, 3, 5000)).toBe(true);
  expect(reads.facts(name)).toEqual({ ...whole, crc32: 0xcafe });
  const path = `/nowhere/1/data/${name.slice(4)}`;
  expect(asked).toEqual([`${path} ${blockDataOffset(3)} 5000`, path]);
});

test("what may change, shares a slot or a name, or belongs elsewhere, is not looked for", () => {
  const { reads, asked } = stage(whole);
  const trunk = { fileId: 1, offset: 0, size: 6000 };
  for (const name of [
    nameOf({ kind: "appender" }),
    nameOf({ kind: "trunk", trunk }),
    nameOf().replace(".jpg7", "_small.jpg"),
    nameOf().replace("M01", "M00"),
    `${nameOf()}-m`,
    "M01/../../etc/passwd",
    "",
  ]) {
    expect(reads.facts(name), name).toBeUndefined();
  }
  expect(asked).toEqual([]);
  const shared = stage(whole, { dedup: true });
  expect(shared.reads.facts(nameOf())).toBeUndefined();
});

test("a file of another size than its name says is left to the worker", () => {
  const { reads } = stage({ ...whole, sizeBytes: 4999 });
  expect(reads.facts(nameOf())).toBeUndefined();
  expect(reads.readWhole(nameOf(), 0, 5000)).toBe(false);
});

test("nothing is looked for on a file system that may let its callers wait", () => {
  const { reads, asked } = stage(whole);
  reads.liesOn(served + 1);
  expect(reads.facts(nameOf())).toBeUndefined();
  expect(asked).toEqual([]);
  reads.liesOn(served);
  expect(reads.facts(nameOf())).toBeDefined();
});

test("where files are not in memory it is tried seldom, and again as ever once they are", () => {
  const state: { stat: ResidentStat | undefined } = { stat: undefined };
  let asked = 0;
  const files: ResidentFiles = {
    serves: () => true,
    readerInto: () => ({
      readWhole: () => false,
      stat: () => {
        asked += 1;
        return state.stat;
      },
    }),
  };
  const reads = new ResidentReads(new StorePathClient(pathSettings(1), collectedLog().log), files);
  reads.liesOn(served);
  for (let call = 0; call < 1000; call += 1) reads.facts(nameOf());
  expect(asked).toBeLessThan(50);
  expect(asked).toBeGreaterThan(20);
  state.stat = whole;
  for (let call = 0; call < 1000; call += 1) reads.facts(nameOf());
  expect(asked).toBeGreaterThan(900);
});
