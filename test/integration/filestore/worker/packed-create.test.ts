/** The change that makes a packed file: without its record it leaves nothing. */
import { expect, test } from "vitest";
import { readBack, stage, viewOf } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked, walkedTrunkFiles } from "../../../support/packed-fixture.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

const directory = "/disk";
const target = { kind: "normal", extension: "txt" } as const;

test("whatever call of a commit fails, a file that is not confirmed is not there, and its slot is free", () => {
  const run = (atCall: number | undefined) => {
    const memory = new MemoryFiles(directory);
    const troubled = new TroubledFiles(memory);
    const { engine } = openPacking({ files: troubled.files, directory });
    putPacked(engine, "first");
    const changes = ["one", "two"].map((content) => stage(engine, target, { content }));
    troubled.arm(atCall === undefined ? { kind: "none" } : { kind: "fail", atCall, code: "EIO" });
    engine.commit(changes);
    return { memory, troubled, engine, changes };
  };
  const { troubled } = run(undefined);
  expect(troubled.trace).toEqual(["write", "write", "flush", "flush"]);
  for (let atCall = 1; atCall <= troubled.count; atCall += 1) {
    const { memory, engine, changes } = run(atCall);
    expect(changes.map(({ error }) => error?.code)).toEqual(["disk-failed", "disk-failed"]);
    expect(walkedTrunkFiles(memory, directory)["00/00/000001"], `call ${atCall}`).toEqual({
      slots: 1,
      free: "64+16320",
      damagedBytes: 0,
    });
    expect(viewOf(memory, directory).binlog.split("\n").length).toBe(2);
    expect(readBack(engine, putPacked(engine, "later")).toString()).toBe("later");
  }
});
