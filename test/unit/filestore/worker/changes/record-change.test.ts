import { expect, test } from "vitest";
import { RecordChange } from "#filestore/worker/changes/record-change.ts";

test("a change that is only a record answers with its outcome, and tells what is not to come back", () => {
  const noted: [string, number][] = [];
  const store = {
    removed: { note: (name: string, at: number) => noted.push([name, at]) },
  } as never;
  const removed = { name: "some", timestamp: 7 };
  const change = new RecordChange(store, {
    key: "k",
    lines: "7 d some\n",
    outcome: "missing",
    removed,
  });
  change.apply();
  expect([change.amends(), change.lines, noted]).toEqual(["", "7 d some\n", []]);
  change.succeed();
  expect([change.result, noted]).toEqual(["missing", [["some", 7]]]);
});
