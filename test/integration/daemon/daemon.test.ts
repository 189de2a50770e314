/**
 * The life of a whole node in this process: real sockets, database, thread and directory; the process and its signals are
 * scripted, so that a test can send them and read what the node says.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { ControlClient } from "#cli/control-client.ts";
import { setLogLevel, showConfig, status, version } from "#control/operations/system.ts";
import { startNode } from "#daemon/compose.ts";
import { startControl } from "#daemon/control.ts";
import { type DaemonRequest, runDaemon } from "#daemon/daemon.ts";
import { LogOutput } from "#daemon/log-output.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeCommands } from "#platform/node/node-commands.ts";
import { nodeDatabases } from "#platform/node/node-databases.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { nodeRandom } from "#platform/node/node-random.ts";
import { nodeWorkers } from "#platform/node/node-workers.ts";
import type { Platform } from "#platform/platform.ts";
import { defaultConfig } from "../../support/config.ts";
import { ScriptedHost } from "../../support/scripted-host.ts";

const folders: string[] = [];

afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

/** Its directories are made, all else of it is scripted. */
class DirectoryHost extends ScriptedHost {
  override makeDirectory(path: string): void {
    mkdirSync(path, { recursive: true });
  }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "cairn-daemon-"));
  folders.push(folder);
  return folder;
}

function platform(host: ScriptedHost): Platform {
  return {
    clock: nodeClock,
    random: nodeRandom(),
    network: new NodeNetwork(),
    workers: nodeWorkers(),
    databases: nodeDatabases(),
    host,
    commands: nodeCommands(),
  };
}

function request(folder: string, settings: readonly string[] = []): DaemonRequest {
  const ports = ["tracker.port=0", "storage.port=0", "gateway.port=0"];
  const own = [`node.data_dir=${folder}`, "node.bind=127.0.0.1", "tracker.reserved_space=1MiB"];
  return {
    file: undefined,
    settings: [...own, ...ports, ...settings],
    version: "1.2.3",
    runtime: "node 26",
    banner: true,
  };
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`it did not happen: ${what}`);
}

function controlClient(folder: string): ControlClient {
  const path = join(folder, "cairn.sock");
  return new ControlClient({ network: new NodeNetwork(), clock: nodeClock, path });
}

test("a node starts, answers over its control socket, reloads, and ends with 0", async () => {
  const folder = newFolder();
  const host = new DirectoryHost();
  const settings = ["node.name=attic", "node.log_format=logfmt"];
  const running = runDaemon(platform(host), request(folder, settings));
  await until(() => host.notices.includes("READY=1"), "ready");
  expect(host.errors).toMatch(/event=ready node=attic version=1\.2\.3 address=127\.0\.0\.1/);
  expect(host.output).toMatch(/^Cairn 1\.2\.3 is ready/);

  const control = controlClient(folder);
  const found = await control.ask(status, {});
  expect(found).toMatchObject({ name: "attic", state: "ready", version: "1.2.3", problems: [] });
  expect(found.roles.map(({ name, state }) => `${name} ${state}`)).toEqual([
    "tracker serving",
    "storage serving",
    "gateway serving",
  ]);
  const { settings: shown } = await control.ask(showConfig, {});
  const name = shown.find(({ key }) => key === "node.name");
  expect(name).toMatchObject({ value: '"attic"', origin: expect.stringContaining("command line") });
  expect(await control.ask(version, {})).toEqual({ version: "1.2.3", runtime: "node 26" });
  expect(await control.ask(setLogLevel, { level: "error" })).toEqual({ before: "info" });

  host.signal("SIGHUP");
  expect(host.errors).toContain("event=reloaded");
  host.signal("SIGUSR2");
  expect(host.errors).toContain("event=summary");
  host.signal("SIGTERM");
  expect(await running).toBe(0);
  expect(host.errors).toContain("event=stopped");
  await expect(control.ask(status, {})).rejects.toMatchObject({ code: "daemon-unreachable" });
});

test("settings that are wrong are named, and end it with 78 before anything is touched", async () => {
  const folder = newFolder();
  const host = new ScriptedHost();
  const wrong = ["storage.port=abc", "storage.durabilty=relaxed"];
  expect(await runDaemon(platform(host), request(folder, wrong))).toBe(78);
  expect(host.errors).toContain("storage.port");
  expect(host.errors).toContain("storage.durabilty");
  expect(host.madeDirectories).toEqual([]);
});

test("a reload that is asked for during the start follows it", async () => {
  const host = new DirectoryHost();
  const running = runDaemon(platform(host), request(newFolder(), ["node.log_format=logfmt"]));
  host.signal("SIGHUP");
  host.signal("SIGUSR2");
  await until(() => host.notices.includes("READY=1"), "ready");
  expect(host.errors).toMatch(/event=ready(?:.|\n)*event=reloaded/);
  host.signal("SIGTERM");
  expect(await running).toBe(0);
});

test("a reload with settings that are wrong changes nothing and is said", async () => {
  const folder = newFolder();
  const host = new DirectoryHost();
  const running = runDaemon(platform(host), request(folder));
  await until(() => host.notices.includes("READY=1"), "ready");
  host.files.set("/work/cairn.toml", "[node]\nlog_level = 7\n");
  host.signal("SIGHUP");
  expect(host.errors).toContain("event=reload-failed");
  expect((await controlClient(folder).ask(status, {})).state).toBe("ready");
  host.signal("SIGTERM");
  expect(await running).toBe(0);
});

for (const role of ["tracker", "storage", "gateway"] as const) {
  test(`where the ${role}'s port is taken, everything that started stops again`, async () => {
    const folder = newFolder();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    const host = new DirectoryHost();
    try {
      const ended = await runDaemon(platform(host), request(folder, [`${role}.port=${port}`]));
      expect(ended).toBe(69);
      expect(host.errors).toContain(`the ${role} cannot listen on 127.0.0.1:${port}`);
    } finally {
      taken.close();
    }
    // Directory, database and store path are free again.
    const again = new DirectoryHost();
    const running = runDaemon(platform(again), request(folder));
    await until(() => again.notices.includes("READY=1"), "ready");
    again.signal("SIGTERM");
    expect(await running).toBe(0);
  });
}

test("a control socket that another node answers on is left to it", async () => {
  const folder = newFolder();
  const host = new DirectoryHost();
  const config = defaultConfig({
    node: { dataDir: folder, bind: ["127.0.0.1"], roles: ["tracker"] },
    tracker: { port: 0 },
  });
  const log = new Log("test", () => {});
  const output = new LogOutput(host, nodeClock, { level: "info", format: "json" });
  const parts = platform(host);
  const node = await startNode(parts, config, { log, version: "1" });
  const control = {
    ...parts,
    log,
    output,
    node,
    path: join(folder, "cairn.sock"),
    version: "1",
    runtime: "node",
    startAnew: () => {},
    loaded: () => ({ config, origins: new Map(), warnings: [] }),
  };
  const running = await startControl(control);
  await expect(startControl(control)).rejects.toMatchObject({ code: "EADDRINUSE" });
  expect((await controlClient(folder).ask(status, {})).storePaths).toEqual([]);
  await running.stop();
  await node.stop(0);
});
