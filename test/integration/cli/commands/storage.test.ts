/** What operators change in a group from the command line. */
import { expect, test } from "vitest";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

const busy = 16;

test("a storage is removed once somebody has said so, knowing what the group is left with", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  const world = new TestWorld(cluster);
  expect(await world.run("storage", "remove", "group1", "100002")).toMatchObject({ code: 2 });
  world.terminal.inputIsTerminal = true;
  world.terminal.errorIsTerminal = true;
  world.terminal.answers = ["no", "yes"];
  expect((await world.run("storage", "remove", "group1", "100002")).code).toBe(1);
  expect(cluster.tracker.asked).not.toContain("deleteStorage group1 100002");
  const { code, text } = await world.run("storage", "remove", "group1", "100002");
  expect([code, text]).toEqual([0, expect.stringContaining("removed")]);
  expect(cluster.tracker.asked).toContain("deleteStorage group1 100002");
  expect(world.terminal.questions[0]).toBe(
    "100002 is ACTIVE. 1 other storage stays ACTIVE. Remove it from group1? [y/N] ",
  );
});

test("of the last storage the person is told what is lost", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 1 } });
  const world = new TestWorld(cluster);
  world.terminal.inputIsTerminal = true;
  world.terminal.errorIsTerminal = true;
  world.terminal.answers = ["no"];
  await world.run("storage", "remove", "group1", "100001");
  expect(world.terminal.questions[0]).toContain("what is on it alone is lost");
});

test("a storage that is not in the group, and an id that is none, are told before anything is asked", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  const world = new TestWorld(cluster);
  const unknown = await world.run("storage", "remove", "--yes", "group1", "7");
  expect(unknown.errors).toContain("group1 has no storage 7; it has 100001 100002");
  expect((await world.run("storage", "remove", "--yes", "group1", "a b")).code).toBe(2);
});

test("the exit code says that a tracker refused or was not told", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  const world = new TestWorld(cluster);
  const remove = ["storage", "remove", "--yes", "--json", "group1", "100001"];
  const done = await world.run(...remove);
  expect(JSON.parse(done.text)).toMatchObject({
    storage: "100001",
    trackers: [{ outcome: "removed", problem: null }],
  });
  cluster.tracker.onlyRefuses = "deleteStorage";
  cluster.tracker.faults.refuse = busy;
  const refused = await world.run(...remove);
  expect([refused.code, JSON.parse(refused.text).trackers[0].outcome]).toEqual([1, "in-service"]);
  cluster.tracker.faults.refuse = 5;
  expect((await world.run(...remove)).code).toBe(69);
});

test("who serves trunk files is told, or made so", async () => {
  await using cluster = await FakeCluster.start({ groups: { group1: 2 } });
  const world = new TestWorld(cluster);
  expect((await world.run("storage", "trunk-server", "group1")).text).toBe("100001\n");
  const { text } = await world.run("storage", "trunk-server", "--json", "group1", "100002");
  expect(JSON.parse(text)).toEqual({ group: "group1", trunkServer: "100002" });
});
