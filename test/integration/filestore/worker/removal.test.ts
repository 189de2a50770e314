/** What goes with a file that is deleted: its metadata, which is looked for wherever there can be some. */
import { expect, test } from "vitest";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { commit, openEngine, put, viewOf } from "../../../support/engine-fixture.ts";
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
