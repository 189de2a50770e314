/**
 * Goal: a storage that is asked to change what only another one has does it, and both end up with the same. Method: two real nodes that copy
 * nothing to each other, as it is not the hour; each command goes to the one that lacks the file; then the hour comes, and disks are compared.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { statusOf } from "../../support/live-node.ts";
import { eventually, NodeGroup } from "../../support/node-group.ts";
import type { StorageCaller } from "../../support/storage-caller.ts";

const soonMs = 10_000;
/** A minute that is not now, nor soon. */
const anotherHour = new Date(Date.now() - 3 * 3_600_000).toTimeString().slice(0, 5);
const never = [`storage.sync.start_time=${anotherHour}`, `storage.sync.end_time=${anotherHour}`];

let group: NodeGroup;
let source: StorageCaller;
let other: StorageCaller;

beforeAll(async () => {
  group = await NodeGroup.start({ count: 2 });
  // Both are filled by now.
  for (const at of [1, 0]) await group.stop(at);
  for (const at of [0, 1]) await group.run(at, never);
  source = await group.caller(0);
  other = await group.caller(1);
  // Until the other one has been told where its peer is.
  const name = await source.upload(Buffer.from("known"));
  await eventually(soonMs, async () => (await statusOf(other.info(name))) === 0);
}, 60_000);

afterAll(async () => {
  source?.close();
  other?.close();
  await group?.[Symbol.asyncDispose]();
}, 60_000);

function text(filename: string, at: number): string | undefined {
  return group.content(at, filename)?.toString();
}

test("whatever is asked of a storage that lacks the file is done, and replicas converge to it", async () => {
  const appender = (content: string) => source.upload(Buffer.from(content), { appender: true });
  const removed = await source.upload(Buffer.from("removed"));
  await source.setMetadata(removed, "a\x021", "overwrite");
  const described = await source.upload(Buffer.from("described"));
  await source.setMetadata(described, "a\x021", "overwrite");
  const appended = await appender("appended");
  const modified = await appender("modified");
  const truncated = await appender("truncated");
  const regenerated = await appender("regenerated");
  const master = await source.upload(Buffer.from("master"));
  expect(group.content(1, master)).toBeUndefined();

  await other.remove(removed);
  await other.setMetadata(described, "b\x022", "merge");
  await other.append(appended, Buffer.from(" more"));
  await other.modify(modified, 0, Buffer.from("M"));
  await other.truncate(truncated, 5);
  const normal = await other.regenerate(regenerated);
  const slave = await other.uploadSlave(master, "_s", Buffer.from("slave"));

  expect(await statusOf(other.info(removed))).toBe(2);
  expect(text(removed, 0)).toBe("removed");
  source.close();
  other.close();
  for (const at of [1, 0]) await group.stop(at);
  for (const at of [0, 1]) await group.run(at);
  source = await group.caller(0);
  other = await group.caller(1);
  const expected = {
    ...{ [appended]: "appended more", [modified]: "Modified" },
    ...{ [truncated]: "trunc", [normal]: "regenerated", [slave]: "slave" },
    ...{ [described]: "described", [`${described}-m`]: "a\x021\x01b\x022" },
  };
  const gone = [removed, `${removed}-m`, regenerated];
  for (const at of [0, 1]) {
    await eventually(soonMs, () =>
      Object.entries(expected).every(([name, content]) => text(name, at) === content),
    );
    await eventually(soonMs, () => gone.every((name) => text(name, at) === undefined));
  }
  for (const caller of [source, other]) expect(await statusOf(caller.info(removed))).toBe(2);
}, 60_000);

test("a client is told of a file that only another storage has, with whatever flags it asks", async () => {
  // Storages of C set them as well, and want to know what is here (seed 176).
  for (const flags of [0, 1, 2, 3]) {
    const name = await source.upload(Buffer.from("asked for"));
    expect((await other.info(name, flags)).fileSize, String(flags)).toBe(9);
  }
});

test("what nobody has is missing at once; what an absent source may have is for later", async () => {
  const name = await source.upload(Buffer.from("short-lived"));
  await source.remove(name);
  // It may be on its way, and is not any more when what was made after it is here.
  const next = await source.upload(Buffer.from("next"));
  await eventually(soonMs, () => text(next, 1) === "next");
  await eventually(soonMs, async () => (await statusOf(other.info(name))) === 2);
  const started = performance.now();
  expect(await statusOf(other.remove(name))).toBe(2);
  expect(performance.now() - started).toBeLessThan(1000);
  await group.kill(0);
  // Its clock goes on: what it makes from now on is not known here.
  const unknown = laterName(name);
  expect(await statusOf(other.remove(unknown))).toBe(11);
  expect(await statusOf(other.append(unknown, Buffer.from("x")))).toBe(11);
  await group.run(0);
  source = await group.caller(0);
  other = await group.caller(1);
  await eventually(soonMs, async () => (await statusOf(other.remove(unknown))) === 2);
}, 60_000);

/** The same name with another time in it, a few days on. */
function laterName(name: string): string {
  const at = 10 + 7;
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const next = letters[(letters.indexOf(name[at] ?? "A") + 1) % 64] ?? "A";
  return `${name.slice(0, at)}${next}${name.slice(at + 1)}`;
}
