/** Receiving into a slot: what goes wrong gives the slot back, and nothing of it stays. */
import { expect, test } from "vitest";
import { readBack, stage } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked, walkedTrunkFiles } from "../../../support/packed-fixture.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";
const target = { kind: "normal", extension: "txt" } as const;
const onlyFirst = { "00/00/000001": { slots: 1, free: "64+16320", damagedBytes: 0 } };

function setUp() {
  const memory = new MemoryFiles(directory);
  const troubled = new TroubledFiles(memory);
  const packed = openPacking({ files: troubled.files, directory });
  putPacked(packed.engine, "first");
  return { memory, troubled, ...packed };
}

test("whatever call of receiving in pieces fails, the slot is free again and zeros", () => {
  const probe = setUp();
  probe.troubled.arm({ kind: "none" });
  stage(probe.engine, target, { content: "in pieces", pieces: 3 });
  const calls = probe.troubled.count;
  expect(calls).toBeGreaterThanOrEqual(4);
  for (let atCall = 1; atCall <= calls; atCall += 1) {
    const { memory, troubled, engine } = setUp();
    troubled.arm({ kind: "fail", atCall, code: "ENOSPC" });
    expect(() => stage(engine, target, { content: "in pieces", pieces: 3 })).toThrow("full");
    expect(walkedTrunkFiles(memory, directory), `call ${atCall}`).toEqual(onlyFirst);
    expect(readBack(engine, putPacked(engine, "later")).toString()).toBe("later");
  }
});

test("more bytes than were announced are refused, and fewer at the end", () => {
  const { memory, engine } = setUp();
  const more = engine.startWrite(target, 4);
  more.write(Buffer.from("four"));
  expect(() => more.write(Buffer.from("5"))).toThrow("4 bytes were announced, 5 came");
  more.abort();
  more.abort();
  const fewer = engine.startWrite(target, 4);
  expect(() => fewer.finish()).toThrow("4 bytes were announced, 0 came");
  fewer.abort();
  expect(walkedTrunkFiles(memory, directory)).toEqual(onlyFirst);
});

test("of a run that the disk refuses all changes fail, and its slots are free and zeros", () => {
  const { memory, troubled, engine } = setUp();
  const changes = ["a", "b"].map((content) => stage(engine, target, { content }));
  troubled.arm({ kind: "fail", atCall: 1, code: "ENOSPC" });
  engine.commit(changes);
  for (const { error } of changes) expect(error).toMatchObject({ code: "store-full" });
  expect(walkedTrunkFiles(memory, directory)).toEqual(onlyFirst);
  expect(readBack(engine, putPacked(engine, "later")).toString()).toBe("later");
});
