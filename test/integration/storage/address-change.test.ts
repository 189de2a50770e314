/**
 * Goal: nodes that get other addresses all at once, without storage ids and with trackers that tell nothing of it, go on where they were.
 * Method: real nodes; while they are stopped their marks get a count that no fresh mark could have.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { eventually, NodeGroup } from "../../support/node-group.ts";

const soonMs = 20_000;
const counted = 1_000_000;
let group: NodeGroup | undefined;

afterEach(async () => {
  await group?.[Symbol.asyncDispose]();
  group = undefined;
});

/** The mark files of node `at`, by name, with the lines that were read for the peer. */
function marks(nodes: NodeGroup, at: number): Record<string, number> {
  const folder = join(nodes.store(at), "data", "sync");
  const files = readdirSync(folder).filter((name) => /^\d.*_\d+\.mark$/.test(name));
  return Object.fromEntries(
    files.map((name) => {
      const text = readFileSync(join(folder, name), "latin1");
      return [name, Number(/scan_row_count=(\d+)/.exec(text)?.[1])];
    }),
  );
}

test("all nodes get other addresses: marks go on, files go both ways, old file ids are found", async () => {
  const nodes = await NodeGroup.start({
    count: 2,
    settings: ["tracker.storage_ip_changed_auto_adjust=false"],
  });
  group = nodes;
  const before = await Promise.all([0, 1].map((at) => nodes.caller(at)));
  const old = await Promise.all(before.map((caller) => caller.upload(Buffer.from("old"))));
  await eventually(soonMs, () => [0, 1].every((at) => nodes.content(1 - at, old[at] ?? "")));
  for (const caller of before) caller.close();
  // The marks have passed an upload of its own and one of the peer's.
  await eventually(soonMs, () => [0, 1].every((at) => Object.values(marks(nodes, at))[0] === 2));
  await Promise.all([0, 1].map((at) => nodes.stop(at)));
  for (const at of [0, 1]) {
    for (const name of Object.keys(marks(nodes, at))) {
      const path = join(nodes.store(at), "data", "sync", name);
      const text = readFileSync(path, "latin1");
      writeFileSync(path, text.replace(/scan_row_count=\d+/, `scan_row_count=${counted}`));
    }
  }
  const moved = (at: number): string => nodes.address(at + 50);
  const places = [`storage.trackers=${moved(0)}:${nodes.ports.tracker}`];
  await Promise.all([0, 1].map((at) => nodes.run(at, [`node.bind=${moved(at)}`, ...places])));
  const after = await Promise.all([0, 1].map((at) => nodes.caller(at + 50)));
  const late = await Promise.all(after.map((caller) => caller.upload(Buffer.from("late"))));
  await eventually(soonMs, () => [0, 1].every((at) => nodes.content(1 - at, late[at] ?? "")));
  // An upload of its own and one of the peer's, behind what was counted.
  const goesOn = (at: number) => ({
    [`${moved(1 - at)}_${nodes.ports.storage}.mark`]: counted + 2,
  });
  const read = (): boolean =>
    [0, 1].every((at) => Object.values(marks(nodes, at)).some((lines) => lines % counted === 2));
  await eventually(soonMs, read);
  expect([0, 1].map((at) => marks(nodes, at))).toEqual([0, 1].map(goesOn));
  for (const at of [0, 1]) {
    const known = nodes.log(at).filter(({ event }) => event === "peer-recognized");
    expect(known).toEqual([
      expect.objectContaining({ from: nodes.address(1 - at), to: moved(1 - at) }),
    ]);
  }
  const [first] = after;
  expect(await first?.download(old[1] ?? "")).toEqual(Buffer.from("old"));
  for (const caller of after) caller.close();
}, 90_000);
