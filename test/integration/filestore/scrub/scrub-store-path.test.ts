/**
 * Goal: of a disk that nobody serves a scrub tells what is good, what is damaged and what nobody can tell, and writes nothing. Method: what
 * FastDFS 6.16.1 left on its disks, with one byte flipped in each kind of file; and store paths of our own engine.
 */
import { expect, test } from "vitest";
import type { Damage } from "#filestore/scrub/findings.ts";
import { type StorePathReport, scrubStorePath } from "#filestore/scrub/scrub-store-path.ts";
import { cachedReads } from "#platform/disk-reads.ts";
import type { Files } from "#platform/files.ts";
import { NodeDiskReads } from "#platform/node/node-disk-reads.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import {
  openEngine,
  put,
  readText,
  runSteps,
  withDirectory,
} from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked } from "../../../support/packed-fixture.ts";
import { everythingIn, unpackStorePath, writeFile } from "../../../support/store-path-vectors.ts";

function scrub(files: Files, directory: string): StorePathReport {
  const disk = cachedReads(files);
  const steps = scrubStorePath({ directory, files, disk, clock: new ManualClock() });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Changes one bit. */
function flip(files: Files, path: string, at: number): void {
  const bytes = Buffer.from(readText(files, path), "latin1");
  bytes[at] = (bytes[at] ?? 0) ^ 0x04;
  writeFile(files, path, bytes);
}

function unpacked(vector: "plain" | "trunk") {
  const files = new MemoryFiles("/old");
  unpackStorePath(vector, files, "/old");
  return files;
}

function told({ damaged }: StorePathReport): readonly (readonly [Damage, string])[] {
  return damaged.map(({ damage, place }) => [damage, place] as const);
}

test("the disks that a C storage left are found to be well, and nothing is written to them", () => {
  for (const vector of ["plain", "trunk"] as const) {
    const files = unpacked(vector);
    const before = everythingIn(files, "/old");
    let good = 0;
    for (const path of ["path0", "path1"]) {
      const report = scrub(files, `/old/${path}`);
      expect(report.damaged).toEqual([]);
      expect(report.strange).toEqual([]);
      good += report.tally.good;
      // The same by its data directory.
      expect(scrub(files, `/old/${path}/data`).tally).toEqual(report.tally);
    }
    expect(good).toBeGreaterThan(3);
    expect(everythingIn(files, "/old")).toEqual(before);
  }
});

test("one flipped bit in any file of a C storage whose name tells its content is found, and so is a cut", () => {
  const whole = everythingIn(unpacked("plain"), "/old");
  const named = Object.keys(whole).filter((path) => {
    return /data\/..\/..\/[\w-]{27}\d+\.?\w*$/.test(path) && whole[path] !== "";
  });
  let found = 0;
  for (const path of named) {
    const files = unpacked("plain");
    const directory = `/old/${path.slice(0, 5)}`;
    flip(files, `/old/${path}`, 2);
    const report = scrub(files, directory);
    if (report.damaged.length === 0) {
      // An appender or slave file: nothing tells.
      expect(report.tally.unknown).toBeGreaterThan(0);
      continue;
    }
    found += 1;
    const place = path.slice("path0/data/".length);
    expect(told(report)).toEqual([["content", place]]);
    writeFile(files, `/old/${path}`, (whole[path] ?? "").slice(0, -1));
    expect(told(scrub(files, directory))).toEqual([["size", place]]);
  }
  expect(found).toBeGreaterThan(2);
});

test("a flipped bit in a packed file of a C storage is found, but in what only its name tells as well", () => {
  const whole = everythingIn(unpacked("trunk"), "/old");
  const [path = ""] = Object.keys(whole).filter((each) => /\/0000\d\d$/.test(each));
  const bytes = Buffer.from(whole[path] ?? "", "latin1");
  const slot = bytes.indexOf("F");
  const size = bytes.readUInt32BE(slot + 5);
  for (let at = slot; at < slot + 24 + size; at += at < slot + 24 ? 1 : 97) {
    const files = unpacked("trunk");
    flip(files, `/old/${path}`, at);
    // The binlog of a C storage is in its base path.
    const alone = scrub(files, `/old/${path.slice(0, 5)}`);
    const inContent = at >= slot + 24;
    if (inContent) expect(told(alone).map(([damage]) => damage)).toEqual(["slot-content"]);
    const isSeen = alone.damaged.length + alone.strange.length > 0;
    const isInName = at >= slot + 13 && at < slot + 24;
    expect(isSeen || isInName, `byte ${at - slot}`).toBe(true);
  }
});

test("with a binlog on the disk every header is compared with the name that it is for", () => {
  const files = new MemoryFiles("/disk");
  const { engine } = openPacking({ files, directory: "/disk" });
  const names = ["one", "two", "three"].map((text) => putPacked(engine, text.repeat(30)));
  engine.close();
  expect(scrub(files, "/disk")).toMatchObject({ names: "all", damaged: [], strange: [] });
  const [path = ""] = Object.keys(everythingIn(files, "/disk/data")).filter((each) =>
    /\/000001$/.test(each),
  );
  const pristine = readText(files, `/disk/data/${path}`);
  const slot = pristine.indexOf("F");
  for (let at = slot; at < slot + 24; at += 1) {
    writeFile(files, `/disk/data/${path}`, Buffer.from(pristine, "latin1"));
    flip(files, `/disk/data/${path}`, at);
    const { damaged } = scrub(files, "/disk");
    expect(
      damaged.map(({ name }) => name),
      `byte ${at - slot}`,
    ).toContain(names[0]);
  }
});

test("a side record tells rot in files whose names tell nothing, and a change from it", () => {
  const files = new MemoryFiles("/disk");
  const engine = openEngine({ files, directory: "/disk" });
  put(engine, { kind: "appender", extension: "log" }, "begin");
  engine.close();
  expect(scrub(files, "/disk").tally).toMatchObject({ files: 1, good: 0, unknown: 1, damaged: 0 });
});

test("on a real disk the same, past its cache; what cannot be opened is unreadable, and ends nothing", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const engine = openEngine({ files, directory });
    const name = put(engine, { kind: "normal", extension: "bin" }, "x".repeat(3_000_000));
    put(engine, { kind: "normal", extension: "bin" }, "well");
    engine.close();
    files[Symbol.dispose]();
    const path = `${directory}/data/${name.slice(4)}`;
    const content = Buffer.alloc(3_000_000, "x");
    content[2_500_000] = 0x79;
    writeFile(files, path, content);
    const steps = scrubStorePath({
      directory,
      files,
      disk: new NodeDiskReads(),
      clock: new ManualClock(),
    });
    let report: StorePathReport | undefined;
    for (let step = steps.next(); report === undefined; step = steps.next()) {
      if (step.done === true) report = step.value;
    }
    expect(told(report)).toEqual([["content", name.slice(4)]]);
    expect(report.tally).toMatchObject({ files: 2, good: 1, damaged: 1 });
    expect(report.tally.bytes).toBeGreaterThan(6_000_000);
  });
});

test("what is no store path is refused", () => {
  const files = new MemoryFiles("/disk");
  expect(() =>
    runSteps(
      scrubStorePath({
        directory: "/disk",
        files,
        disk: cachedReads(files),
        clock: new ManualClock(),
      }) as never,
    ),
  ).toThrow(expect.objectContaining({ code: "store-path-unfit" }));
});
