/** What goes with a file that is deleted: its metadata, which is looked for wherever there can be some. */
import { expect, test } from "vitest";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { commit, openEngine, put, runSteps, viewOf } from "../../../support/engine-fixture.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

const directory = "/disk";
const target = { kind: "normal", extension: "txt" } as const;

function setMetadata(engine: StorePathEngine, name: string): void {
  commit(engine, engine.prepareMetadata(name, "overwrite", Buffer.from("a\x02b")));
}

function remove(engine: StorePathEngine, name: string): void {
  commit(engine, engine.prepareRemove(name));
}

test("metadata goes with its file, of this run and of earlier ones", () => {
  const files = new MemoryFiles(directory);
  const clock = new ManualClock();
  const first = openEngine({ files, directory, clock });
  clock.advance(5000);
  const old = put(first, target, "of an earlier run");
  setMetadata(first, old);
  first.close();
  const engine = openEngine({ files, directory, clock });
  clock.advance(5000);
  remove(engine, old);
  const plain = put(engine, target, "without");
  remove(engine, plain);
  const early = put(engine, target, "before any metadata");
  const young = put(engine, target, "of this run");
  setMetadata(engine, young);
  remove(engine, early);
  remove(engine, young);
  expect(viewOf(files, directory).files).toEqual({});
});

test("where this run made no metadata, none of its files is asked for it", () => {
  const files = new MemoryFiles(directory);
  const clock = new ManualClock();
  const engine = openEngine({ files, directory, clock });
  const looked: string[] = [];
  const stat = files.stat.bind(files);
  files.stat = (path, follow) => {
    looked.push(path);
    return stat(path, follow);
  };
  const asks = (name: string): boolean => {
    looked.length = 0;
    remove(engine, name);
    return looked.some((path) => path.endsWith("-m"));
  };
  expect(asks(put(engine, target, "of the very second of the start"))).toBe(true);
  clock.advance(5000);
  expect(asks(put(engine, target, "of this run"))).toBe(false);
  const [other, last] = [put(engine, target, "other"), put(engine, target, "last")];
  setMetadata(engine, other);
  expect(asks(last)).toBe(true);
  expect(asks(other)).toBe(true);
});

test("a deletion of what can be made again is never before what it deletes, whatever the clock says", () => {
  const files = new MemoryFiles(directory);
  const clock = new ManualClock();
  const engine = openEngine({ files, directory, clock });
  const ahead = Math.floor(clock.nowMs() / 1000) + 9000;
  const now = ahead - 9000;
  const master = put(engine, target, "master");
  const slave = put(engine, { kind: "slave", master, prefix: "_s", extension: "txt" }, "slave");
  setMetadata(engine, slave);
  setMetadata(engine, master);
  const [slavePath, metadataPath] = [slave, `${master}-m`].map((name) => {
    return `${directory}/data/${name.slice("M00/".length)}`;
  });
  for (const path of [slavePath, metadataPath]) files.setModified(path as string, ahead);
  commit(engine, engine.prepareMetadata(master, "overwrite", new Uint8Array(0)));
  remove(engine, slave);
  remove(engine, master);
  const deleted = viewOf(files, directory)
    .binlog.split("\n")
    .filter((line) => / D /.test(line));
  expect(deleted).toEqual([
    `${ahead} D ${master}-m`,
    `${ahead} D ${slave}`,
    `${ahead} D ${slave}-m`,
    `${now} D ${master}`,
  ]);
});

test("what is made again under a name is later than what was removed under it, whatever the clock says", () => {
  const files = new MemoryFiles(directory);
  const clock = new ManualClock();
  const engine = openEngine({ files, directory, clock });
  const now = Math.floor(clock.nowMs() / 1000);
  const master = put(engine, target, "master");
  const slaveOf = { kind: "slave", master, prefix: "_s", extension: "txt" } as const;
  const makeAndRemove = (): void => {
    const slave = put(engine, slaveOf, "slave");
    setMetadata(engine, slave);
    remove(engine, slave);
  };
  makeAndRemove();
  makeAndRemove();
  const other = put(engine, target, "other");
  const request = { source: other, extension: "txt", master, prefix: "_s" };
  const slave = commit(engine, runSteps(engine.link(request)));
  const { binlog } = viewOf(files, directory);
  const lines = binlog.split("\n").filter((line) => line.includes(slave));
  expect(lines).toEqual([
    ...[`${now} C ${slave}`, `${now} C ${slave}-m`, `${now} D ${slave}`, `${now} D ${slave}-m`],
    ...[`${now + 1} C ${slave}`, `${now + 1} C ${slave}-m`],
    ...[`${now + 1} D ${slave}`, `${now + 1} D ${slave}-m`],
    `${now + 2} C ${slave}`,
  ]);
  expect(engine.facts(slave).modifiedSeconds).toBe(now + 2);
});
