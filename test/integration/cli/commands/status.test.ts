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

test("a storage shows what it is in its group, and the others of it", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  expect((await world.run("status", "--socket", "sock")).text).not.toContain("in the group");
  const member = { id: "100002", endpoint: "10.0.0.2:23000", status: "OFFLINE" } as const;
  const { startedAt: since } = daemon.status;
  daemon.status = {
    ...daemon.status,
    membership: {
      ...({ status: "WAIT_SYNC", since, mode: "read" } as const),
      members: [{ ...member, mode: "both", software: "original" }],
    },
  };
  const { text } = await world.run("status", "--socket", "sock");
  expect(text).toMatch(/^in the group +WAIT_SYNC for 1 h 1 min/m);
  expect(text).toMatch(/^STORAGE +ENDPOINT +STATUS +MODE +SOFTWARE$/m);
  expect(text).toMatch(/^100002 +10\.0\.0\.2:23000 +OFFLINE +both +original$/m);
  expect(text).toMatch(/^clients may +only read here$/m);
});

test("the halves of a mirror are shown one after the other", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  const { storePaths, trackers, startedAt: since } = daemon.status;
  daemon.status = {
    ...daemon.status,
    mirror: {
      ...({ half: "second", endpoint: "10.0.0.1:23001", storePaths, trackers } as const),
      membership: { status: "SYNCING", since, members: [] },
    },
  };
  const { text } = await world.run("status", "--socket", "sock");
  expect(text).toMatch(
    /First half of the mirror[\s\S]*Second half of the mirror\s+listens on +10\.0\.0\.1:23001\s+in the group +SYNCING/,
  );
});

test("a tracker shows who leads, since when, who follows, and why nobody leads", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  expect((await world.run("status", "--socket", "sock")).text).not.toContain("leading tracker");
  const { startedAt: since } = daemon.status;
  const shown = async (given: object): Promise<string> => {
    const leadership = { role: "follower", since, followers: [], ...given } as const;
    daemon.status = { ...daemon.status, leadership };
    return (await world.run("status", "--socket", "sock")).text;
  };
  const leader = "10.0.0.1:22122";
  expect(await shown({ leader })).toMatch(/^leading tracker +10\.0\.0\.1:22122, for 1 h 1 min/m);
  const followers = [
    { endpoint: "10.0.0.2:22122", active: true, lastPing: since },
    { endpoint: "10.0.0.3:22122", active: false, lastPing: 0 },
  ];
  const leads = await shown({ role: "leader", leader, followers });
  expect(leads).toMatch(/^leading tracker +this one \(10\.0\.0\.1:22122\), for/m);
  expect(leads).toMatch(/^following trackers +10\.0\.0\.2:22122 10\.0\.0\.3:22122 \(away\)$/m);
  const none = await shown({ role: "none", why: "no tracker has groups" });
  expect(none).toMatch(/^leading tracker +none: no tracker has groups$/m);
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
