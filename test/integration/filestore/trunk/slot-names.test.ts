/** Which slots no record names, as a rebuild tells it. */
import { expect, test } from "vitest";
import type { LogRecord } from "#base/log.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { decodeBase } from "#model/file-id.ts";
import { commit, readBack } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked } from "../../../support/packed-fixture.ts";
import { writeFile } from "../../../support/store-path-vectors.ts";

const directory = "/disk";

const slotOf = (name: string) =>
  decodeBase(name.slice(10))?.trunk ?? { fileId: 0, offset: 0, size: 0 };

function setUp() {
  const files = new MemoryFiles(directory);
  const logs: LogRecord[] = [];
  const packed = openPacking({ files, directory, logs });
  const put = (each: number) => putPacked(packed.engine, Buffer.alloc(700 + each, 97));
  const names = Array.from({ length: 40 }, (_, each) => put(each));
  for (const name of names.splice(0, 10)) {
    commit(packed.engine, packed.engine.prepareRemove(name));
  }
  return { files, logs, live: names, ...packed };
}

function rebuild(engine: StorePathEngine) {
  const steps = engine.rebuildTrunkSpace();
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

test("slots that no record names are counted and told of, and stay", () => {
  const { files, engine, logs, live } = setUp();
  const [name = ""] = live;
  engine.close();
  const binlog = `${directory}/data/sync/binlog.000`;
  const buffer = Buffer.alloc(files.stat(binlog, true)?.sizeBytes ?? 0);
  const descriptor = files.open(binlog, "read-write");
  files.read(descriptor, buffer, 0);
  // A record that was never written: another letter makes it one of nothing.
  const at = buffer.indexOf(name) - 2;
  files.write(descriptor, Buffer.from("X"), at);
  files.close(descriptor);
  const next = openPacking({ files, directory, seed: 2, firstNumber: 500, logs });
  next.settle();
  expect(rebuild(next.engine)).toMatchObject({ unnamed: 1, slots: live.length });
  expect(logs.find(({ event }) => event === "slot-without-name")?.data).toMatchObject({
    offset: slotOf(name).offset,
  });
  expect(readBack(next.engine, name).length).toBeGreaterThan(0);
});

test("where the binlog does not begin with the path's first record, nobody knows which slots have names", () => {
  const { files, engine } = setUp();
  engine.close();
  files.rename(`${directory}/data/sync/binlog.000`, `${directory}/data/sync/binlog.007`);
  writeFile(files, `${directory}/data/sync/binlog_index.dat`, "current_write=7\ncompressed=0\n");
  const next = openPacking({ files, directory, seed: 2, firstNumber: 500 });
  next.settle();
  expect(rebuild(next.engine)).toMatchObject({ state: "done", unnamed: undefined });
});
