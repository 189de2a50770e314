import { expect, test } from "vitest";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import { maxSyncContentBytes } from "#protocol/peer/sync-record.ts";
import type { PushedRecord, PushOutcome } from "#sync/push.ts";
import { SyncPair, senderId } from "../../support/sync-pair.ts";

async function push(
  pair: SyncPair,
  lines: readonly string[],
  whole?: PushedRecord["whole"],
): Promise<readonly PushOutcome[]> {
  const lane = await pair.openLane();
  return lane.push(recordsOf(lines).map((record) => ({ ...record, whole })));
}

function recordsOf(lines: readonly string[]): PushedRecord[] {
  return lines.map((line) => {
    const entry = decodeEntry(line);
    if (entry === undefined) throw new Error(line);
    return { entry, line, whole: undefined, tries: 0, wasAside: false };
  });
}

test("a batch is one exchange, and outcomes come in the order of the records", async () => {
  const pair = new SyncPair();
  const first = pair.from.upload(Buffer.from("one"));
  const gone = pair.from.upload(Buffer.from("gone"));
  pair.from.upload(Buffer.from("three"));
  const lines = [...pair.from.lines];
  pair.from.files.delete(gone);
  pair.from.unreadable.add(first);
  const outcomes = await push(pair, lines);
  expect(outcomes.map(({ kind }) => kind)).toEqual(["failed", "done", "done"]);
  expect(pair.exchanges).toBe(1);
  expect(pair.to.files.size).toBe(1);
});

test("a member that is filled gets what it lacks, whatever another storage sent before", async () => {
  const pair = new SyncPair();
  const there = pair.from.upload(Buffer.from("there"));
  pair.from.upload(Buffer.from("lacking"));
  const appender = pair.from.upload(Buffer.from("grown"), "appender");
  const records = recordsOf(pair.from.lines).map((record) => ({ ...record, mayBeThere: true }));
  pair.to.files.set(there, { bytes: Buffer.from("there"), modifiedSeconds: 1 });
  pair.to.files.set(appender, { bytes: Buffer.from("grow"), modifiedSeconds: 1 });
  // What the peer has is not even read.
  pair.from.unreadable.add(there);
  const lane = await pair.openLane();
  const outcomes = await lane.push(records);
  expect(outcomes.map(({ kind }) => kind)).toEqual(["done", "done", "done"]);
  expect(outcomes.map((one) => (one.kind === "done" ? one.bytes : -1))).toEqual([0, 7, 5]);
  expect(pair.exchanges).toBe(2);
  expect(pair.to.contents).toEqual(pair.from.contents);
});

test("a new member that has nothing is asked before one batch of sixteen", async () => {
  const pair = new SyncPair();
  for (let at = 0; at < 17; at += 1) pair.from.upload(Buffer.from(`file ${at}`));
  const lane = await pair.openLane();
  for (const record of recordsOf(pair.from.lines)) {
    await lane.push([{ ...record, mayBeThere: true }]);
  }
  expect(pair.exchanges).toBe(17 + 2);
  expect(pair.to.contents).toEqual(pair.from.contents);
});

test("files that turn out larger than expected go in more than one batch", async () => {
  const pair = new SyncPair();
  const content = Buffer.alloc(maxSyncContentBytes, 7);
  for (let at = 0; at < 9; at += 1) pair.from.upload(content, "appender");
  const outcomes = await push(pair, pair.from.lines);
  expect(outcomes.map(({ kind }) => kind)).toEqual(Array.from({ length: 9 }, () => "done"));
  expect(pair.exchanges).toBe(3);
  expect(pair.to.contents).toEqual(pair.from.contents);
});

test("large ranges go in pieces, and what does not fit asks for the whole file", async () => {
  const pair = new SyncPair();
  const name = pair.from.upload(Buffer.from("begin"), "appender");
  pair.from.append(name, Buffer.alloc(2 * maxSyncContentBytes + 5, 7));
  const [create = "", append = ""] = pair.from.lines;
  expect(await push(pair, [append])).toEqual([{ kind: "whole" }]);
  pair.to.files.set(name, { bytes: Buffer.from("begin"), modifiedSeconds: 1 });
  pair.exchanges = 0;
  expect((await push(pair, [append]))[0]?.kind).toBe("done");
  expect(pair.exchanges).toBe(3);
  expect(pair.to.contents).toEqual(pair.from.contents);
  expect(create).toContain(" C ");
});

test("a sign of life carries the position", async () => {
  const pair = new SyncPair();
  pair.begin();
  await pair.pass(1);
  await (await pair.openLane()).keepAlive();
  expect(pair.held.of(senderId)).toEqual({ heldUntil: 1000, gaps: 0 });
  await pair.pump.stop();
});
