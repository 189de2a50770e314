/** The doctor as a whole; what each check finds is in test/…/cli/doctor. */
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

/** Ports of its own, and nothing that depends on the machine. */
function healthyWorld(): TestWorld {
  const world = new TestWorld();
  world.settings = [
    "[node]",
    'roles = ["tracker", "storage"]',
    'bind = ["127.0.0.1"]',
    `data_dir = "${world.directory}"`,
    "[tracker]",
    "port = 0",
    'reserved_space = "1MiB"',
    "[storage]",
    "port = 0",
    "",
  ].join("\n");
  return world;
}

test("a healthy machine has no problems", async () => {
  const { code, text } = await healthyWorld().run("doctor");
  expect(text).toMatch(/^ok +runtime: Node 26\.10\.0 on Linux/);
  expect(text).toContain("Nothing keeps a node from working");
  expect(text).not.toContain("PROBLEM");
  expect(code).toBe(0);
});

test("programs get each finding with its verdict", async () => {
  const value = await healthyWorld().json("doctor");
  expect(value).toMatchObject({
    findings: expect.arrayContaining([
      { check: "clock", verdict: "good", finding: expect.stringContaining("UTC") },
      { check: "settings", verdict: "good", finding: "valid, from cairn.toml" },
      { check: "daemon", verdict: "unknown", finding: expect.stringContaining("none answers") },
    ]),
    summary: { bad: 0 },
  });
});

test("a problem has its advice and exit code 1", async () => {
  await using cluster = await FakeCluster.start();
  const world = healthyWorld();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as { port: number };
  const tracker = `127.0.0.1:${cluster.tracker.port}`;
  await cluster.tracker.stop();
  const words = ["doctor", "--set", `storage.port=${port}`, "--tracker", tracker];
  const { code, text } = await world.run(...words);
  taken.close();
  expect(code).toBe(1);
  expect(text).toContain(`PROBLEM  storage port: 127.0.0.1:${port} is in use\n`);
  expect(text).toContain(`PROBLEM  tracker: ${tracker} does not answer: connect ECONNREFUSED`);
  expect(text).toContain("2 problems");
});

test("settings that are not valid end the examination, with every problem", async () => {
  const world = healthyWorld();
  world.settings = "[storage]\nport = -1\nfoo = 2\n";
  const { code, text } = await world.run("doctor");
  expect(code).toBe(1);
  expect(text).toContain("PROBLEM  settings: cairn.toml:2: storage.port");
  expect(text).toContain("PROBLEM  settings: cairn.toml:3: storage.foo");
  expect(text).not.toContain("daemon");
});
