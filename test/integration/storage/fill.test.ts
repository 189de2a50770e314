/**
 * Goal: a box that dies for good while it fills a new member does not keep that one out of service. Method: a tracker and three storages as
 * processes; the source is killed in the middle of a fill that a bandwidth limit makes slow, and stays away.
 */
import { afterEach, expect, test } from "vitest";
import { eventually, NodeGroup } from "../../support/node-group.ts";

const fileBytes = 256 * 1024;
const files = 40;
const soonMs = 30_000;
let group: NodeGroup | undefined;

afterEach(async () => {
  await group?.[Symbol.asyncDispose]();
  group = undefined;
});

function content(seed: number): Buffer {
  const bytes = Buffer.alloc(fileBytes);
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE((seed * 7919 + at) >>> 0, at);
  return bytes;
}

test("a new member whose source is killed in the middle is filled by another one, with what it lacks", async () => {
  const nodes = await NodeGroup.start({
    count: 3,
    trackerAlone: true,
    settings: ["storage.sync.bandwidth=4MiB", "storage.sync.source_patience=1s"],
  });
  group = nodes;
  const caller = await nodes.caller(1);
  const names: string[] = [];
  for (let at = 0; at < files; at += 1) names.push(await caller.upload(content(at)));
  const deleted = names.pop() ?? "";
  await eventually(soonMs, () => nodes.content(2, deleted) !== undefined);
  await caller.remove(deleted);
  caller.close();
  await eventually(soonMs, () => nodes.content(2, deleted) === undefined);

  await nodes.run(3);
  const have = (): string[] => names.filter((name) => nodes.content(3, name) !== undefined);
  await eventually(soonMs, () => have().length > 5);
  const source = nodes.log(3).find(({ event }) => event === "group-has-files")?.source;
  expect(source).toBe(nodes.address(1));
  await nodes.kill(1);
  const before = have();
  expect(before.length).toBeLessThan(names.length);

  await nodes.active(3);
  for (const [at, name] of names.entries()) {
    expect(nodes.content(3, name)?.equals(content(at)), name).toBe(true);
  }
  expect(nodes.content(3, deleted)).toBeUndefined();
  const events = nodes.log(3).filter(({ event }) => event === "source-given-up");
  expect(events).toEqual([expect.objectContaining({ source: nodes.address(1) })]);
  // Each came once, and only what was lacking was sent.
  const created = nodes.binlog(3).filter((line) => line.split(" ")[1] === "c");
  expect(created.length).toBe(names.length);
  expect(await sentBytes(nodes, 2)).toBe((names.length - before.length) * fileBytes);

  // The dead one comes back: it does not go on with what another one has done.
  await nodes.run(1);
  await nodes.active(1);
  const back = await nodes.caller(1);
  const late = await back.upload(Buffer.from("late"));
  back.close();
  await eventually(soonMs, () => nodes.content(3, late) !== undefined);
  expect(await sentBytes(nodes, 1)).toBeLessThan(fileBytes);
}, 90_000);

/** What node `at` sent to others since it was started. */
async function sentBytes(nodes: NodeGroup, at: number): Promise<number> {
  const place = `http://${nodes.address(at)}:${nodes.ports.gateway}`;
  const metrics = await (await fetch(`${place}/metrics`)).text();
  const line = /storage_operations_total\{kind="syncOutBytes",outcome="success"\} (\d+)/;
  return Number(line.exec(metrics)?.[1]);
}
