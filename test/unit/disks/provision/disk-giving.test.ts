/** The daemon's part in making a disk its own: notes, ends, and what goes on after an interruption. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { givingStage } from "../../../support/fake-helper.ts";
import { turns } from "../../../support/settled.ts";

const given = {
  ...{ disk: "sdb", sequence: 7, token: "1".repeat(32), typed: undefined },
  fileSystem: "xfs",
} as const;

test("a disk that was given is handed over, and its note goes", async () => {
  const { giving, placed, notes, helper } = givingStage();
  const diskId = giving.add(given);
  expect(notes.text).toContain(diskId);
  expect(giving.givings).toMatchObject([{ diskId, state: "running" }]);
  expect(() => giving.add(given)).toThrow("wait for its end");
  await turns();
  expect(placed).toEqual(["/srv/cairn/it"]);
  expect(giving.givings).toMatchObject([{ state: "done", permille: 1000 }]);
  expect(notes.text).not.toContain(diskId);
  expect(helper.asked.at(-1)).toMatchObject({
    verb: "provision",
    input: { action: "begin", plan: { diskId, fileSystem: "xfs" } },
  });
});

test("what was refused never began; what broke goes on with the same passport, also after a restart", async () => {
  const first = givingStage();
  first.helper.failure = new AppError("write-refused", "it carries photos");
  first.giving.add(given);
  await turns();
  expect(first.giving.givings).toMatchObject([{ state: "failed", problem: "it carries photos" }]);
  expect(first.notes.text).toContain('"works":[]');

  first.helper.failure = new AppError("helper-unreachable", "it was killed");
  const diskId = first.giving.add(given);
  await turns();
  expect(first.giving.givings.at(-1)).toMatchObject({ diskId, state: "interrupted" });
  const second = givingStage(first.notes);
  expect(second.giving.givings).toMatchObject([{ diskId, disk: "sdb", state: "interrupted" }]);
  second.giving.resume({ disk: "sdc", sequence: 9, diskId, undo: false });
  await turns();
  expect(second.helper.asked).toMatchObject([
    {
      verb: "provision",
      input: {
        ...{ disk: "sdc", action: "continue", passport: `passport of ${diskId}` },
        plan: { diskId, fileSystem: "xfs" },
      },
    },
  ]);
  expect(second.giving.givings).toMatchObject([{ state: "done" }]);
});

test("undone is nobody's again; damaged notes are none", async () => {
  const { giving, notes, placed } = givingStage({ text: "{" });
  expect(giving.givings).toEqual([]);
  const diskId = giving.add(given);
  await turns();
  giving.resume({ disk: "sdb", sequence: 7, diskId, undo: true });
  await turns();
  expect(giving.givings).toMatchObject([{ state: "undone", directory: undefined }]);
  expect(placed).toHaveLength(1);
  expect(notes.text).toContain('"works":[]');
  expect(await giving.eject("sdb", 7)).toBe(true);
});
