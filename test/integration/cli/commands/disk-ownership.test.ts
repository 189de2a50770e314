/** Whose the disks are, and taking them over, at the command line. */
import { expect, test } from "vitest";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { TestWorld } from "../../../support/test-world.ts";

const disk = "d".repeat(32);
const found = {
  disks: [
    { name: "/dev/sda1", disk, kind: "foreign" as const, says: "belongs to another node" },
    { name: "/dev/sdb1", disk: undefined, kind: "unreadable" as const, says: "is damaged" },
  ],
  former: { node: "00112233445566aa", name: "attic", disks: 2 },
};

test("each disk with a passport is a line, with what to do; a former node is offered", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  const none = await world.run("disk", "found", "--socket", "sock");
  expect(none.text).toBe("no disk carries a passport\n");
  daemon.foundDisks = found;
  const { code, text } = await world.run("disk", "found", "--socket", "sock");
  expect(code).toBe(0);
  expect(
    text
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/ {2,}/g, " | ")),
  ).toEqual([
    "DISK | AT | STATE",
    `${disk} | /dev/sda1 | foreign | belongs to another node`,
    "- | /dev/sdb1 | unreadable | is damaged",
    "",
    "They were those of attic (00112233445566aa), which this node can be from now on: cairn disk restore",
  ]);
  const json = await world.run("disk", "found", "--json", "--socket", "sock");
  expect(JSON.parse(json.text)).toEqual(JSON.parse(JSON.stringify(found)));
});

test("nothing is taken over without a yes", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.foundDisks = found;
  for (const words of [
    ["disk", "adopt", disk],
    ["disk", "restore"],
  ]) {
    const { code } = await world.run(...words, "--socket", "sock");
    expect(code).not.toBe(0);
  }
  expect(daemon.ownership).toEqual([]);
  const adopted = await world.run("disk", "adopt", disk, "--yes", "--socket", "sock");
  expect(adopted.text).toBe("it serves store path 2, 3\n");
  const restored = await world.run("disk", "restore", "--yes", "--socket", "sock");
  expect(restored.text).toContain("this node is 00112233445566aa");
  expect(daemon.ownership).toEqual([`adopt ${disk}`, "restore the only one"]);
});
