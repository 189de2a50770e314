/** What people read about a store path, and when it is said. */
import { expect, test } from "vitest";
import { Log, type LogRecord } from "#base/log.ts";
import { initialPathState, type PathState, type Quarantine } from "#filestore/path-machine.ts";
import { announcePath, describePath, reportedState } from "#filestore/path-words.ts";

const good: PathState = { name: "good", restarts: 0, sinceMs: 0, late: 0 };
const slow: PathState = { name: "slow", restarts: 0, sinceMs: 0, prompt: 0 };
const hung: Quarantine = {
  name: "quarantined",
  restarts: 0,
  sinceMs: 0,
  cause: "hang",
  problem: "its disk did not answer for 20 s",
  reads: false,
  failedChecks: 0,
  checkAtMs: 0,
};
const offline: PathState = {
  name: "offline",
  restarts: 1,
  sinceMs: 0,
  problem: "its worker failed",
  restartAtMs: 5000,
};

function said(before: PathState, state: PathState): string[] {
  const records: LogRecord[] = [];
  const log = new Log("filestore", (record) => records.push(record));
  announcePath(log, { index: 3, directory: "/disk" }, { before, state });
  for (const { data } of records) expect(data).toMatchObject({ path: 3, directory: "/disk" });
  return records.map(({ level, event }) => `${level} ${event}`);
}

test("each condition has its word", () => {
  const readOnly: PathState = { ...hung, cause: "read-only", reads: true };
  const states = [initialPathState, good, slow, hung, { ...hung, name: "checking" } as const];
  expect([...states, readOnly, offline].map(reportedState)).toEqual([
    "opening",
    "online",
    "slow",
    "quarantined",
    "checking",
    "read-only",
    "offline",
  ]);
});

test("words say what is wrong, what is served, and what to do", () => {
  expect(describePath(good)).toBe(undefined);
  expect(describePath(hung)).toBe(
    "its disk did not answer for 20 s; nothing of it is served until it answers and a check finds it well: look at the kernel's log, the disk and its cable",
  );
  expect(describePath({ ...hung, cause: "flush", problem: "EIO", reads: true })).toMatch(
    /^EIO; its files are served/,
  );
  expect(describePath(slow)).toMatch(/slowly/);
  expect(describePath(offline)).toMatch(/tried again by itself$/);
  expect(describePath({ ...offline, restartAtMs: undefined })).toMatch(/restart the node/);
});

test("a change is said once, by its weight", () => {
  const checking: PathState = { ...hung, name: "checking" };
  const failed: PathState = { ...hung, problem: "the claim is lost", failedChecks: 1 };
  const changes: readonly (readonly [PathState, PathState, readonly string[]])[] = [
    [initialPathState, good, []],
    [good, slow, ["warn store-path-slow"]],
    [slow, { ...slow, prompt: 1 }, []],
    [slow, good, ["notice store-path-prompt-again"]],
    [slow, hung, ["error store-path-quarantined"]],
    [hung, checking, ["notice store-path-checking"]],
    [checking, failed, ["warn store-path-check-failed"]],
    [{ ...failed, name: "checking" }, failed, []],
    [failed, { ...failed, name: "checking" }, ["debug store-path-checking"]],
    [checking, good, ["notice store-path-back"]],
    [initialPathState, { ...hung, cause: "read-only" }, ["error store-path-read-only"]],
    [good, offline, ["warn store-path-restarts"]],
    [good, { ...offline, restartAtMs: undefined }, ["error store-path-given-up"]],
  ];
  for (const [before, state, expected] of changes) expect(said(before, state)).toEqual(expected);
});
