/** How the node here is. */
import { expect, test } from "vitest";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { TestWorld } from "../../../support/test-world.ts";

test("roles, store paths, trackers and problems stand there", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  const { code, text } = await world.run("status", "--socket", "sock");
  expect(code).toBe(0);
  for (const line of [
    /^state +ready$/m,
    /^running for +1 h 1 min/m,
    /^memory +64 MiB$/m,
    /^tracker +serving +10\.0\.0\.1:22122 +3 of 100$/m,
    /^ +0 +online +512 GiB +1\.0 TiB +\/srv\/disk0$/m,
    /^10\.0\.0\.1:22122 +joined$/m,
  ]) {
    expect(text).toMatch(line);
  }
  expect(text).not.toContain("Problems");
  daemon.status = { ...daemon.status, state: "degraded", problems: ["Disk 0 is full."] };
  expect((await world.run("status", "--socket", "sock")).text).toContain(
    "Problems\n  Disk 0 is full.\n",
  );
});

test("programs get what the daemon said; the socket is found by option, environment and settings", async () => {
  const world = new TestWorld();
  world.settings = `[node]\ncontrol_socket = "${world.path("configured")}"\n`;
  await using daemon = await FakeDaemon.start(world.path("configured"));
  expect(await world.json("status")).toEqual(daemon.status);
  await using other = await FakeDaemon.start(world.path("other"));
  other.status = { ...other.status, version: "9.9.9" };
  world.environment.CAIRN_SOCKET = world.path("other");
  expect(await world.json("status")).toMatchObject({ version: "9.9.9" });
  expect(await world.json("status", "--socket", world.path("configured"))).toMatchObject({
    version: "1.2.3",
  });
});

test("without a daemon the code is 69, and the reason is said", async () => {
  const { code, errors } = await new TestWorld().run("status");
  expect(code).toBe(69);
  expect(errors).toContain("is it running, and is --socket right?");
});
