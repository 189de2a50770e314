/**
 * Goal: a daemon that cannot start says why and ends with the exit code that service managers know; one that runs stops without
 * losing what is under way, takes over new settings, and comes back from a kill.
 * Method: the program as a child process, given wrong settings, taken ports, data in use; and signals at bad moments.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listStore } from "../crash/store-audit.ts";
import { freePorts } from "../support/free-ports.ts";
import { LiveNode, logLines } from "../support/live-node.ts";
import { program } from "../support/node-process.ts";
import { frame, RawConnection } from "../support/raw-connection.ts";
import { until } from "../support/settled.ts";
import { StorageCaller } from "../support/storage-caller.ts";
import { body } from "../support/wire-bytes.ts";

const letters = Buffer.from("abcdefghijklmnopqrstuvwxyz");
const mebibyte = 1024 * 1024;
const startLimitMs = 20_000;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cairn-start-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly errors: string;
}

/** The program with these words, until it ends by itself; `directory` is where it is started. */
async function ended(words: readonly string[], directory = folder): Promise<Ended> {
  const { child, errors } = launched(words, directory);
  const code = await new Promise<number | null>((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), startLimitMs);
    child.once("exit", (exitCode) => {
      clearTimeout(timer);
      resolve(exitCode);
    });
  });
  return { code, errors: errors() };
}

function launched(
  words: readonly string[],
  directory: string,
): { readonly child: ChildProcess; errors(): string } {
  const { command, leading } = program();
  const child = spawn(command, [...leading, ...words], {
    cwd: directory,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return { child, errors: () => text };
}

test("a wrong setting ends the start with 78, and says file, line, key and what is allowed", async () => {
  const path = join(folder, "cairn.toml");
  writeFileSync(
    path,
    '[node]\ndata_dir = "data"\n\n[storage]\nport = "many"\ndurability = "maybe"\n',
  );
  const { code, errors } = await ended(["serve", "--config", path]);
  expect(code).toBe(78);
  expect(errors).toContain("cairn.toml:5: storage.port");
  expect(errors).toMatch(/cairn\.toml:6: storage\.durability.*"flushed"/);
  expect(existsSync(join(folder, "data"))).toBe(false);
});

test("a misspelt key is named with its line, and the one that was probably meant", async () => {
  const path = join(folder, "cairn.toml");
  writeFileSync(path, "[storage]\nprot = 23000\n");
  const { code, errors } = await ended(["serve", "--config", path]);
  expect(code).toBe(78);
  expect(errors).toMatch(/cairn\.toml:2: storage\.prot.*port/);
});

test("a text that is no TOML, a file that is not there, and an unknown option are told apart", async () => {
  const path = join(folder, "cairn.toml");
  writeFileSync(path, "[storage\n");
  const broken = await ended(["serve", "--config", path]);
  expect([broken.code, broken.errors]).toEqual([78, expect.stringContaining("cairn.toml:1")]);
  const missing = await ended(["serve", "--config", join(folder, "none.toml")]);
  expect([missing.code, missing.errors]).toEqual([78, expect.stringContaining("none.toml")]);
  const unknown = await ended(["serve", "--no-such-option"]);
  expect([unknown.code, unknown.errors]).toEqual([2, expect.stringContaining("--no-such-option")]);
});

test("a store path that does not exist is not made, and named", async () => {
  const missing = join(folder, "not-mounted");
  const { code, errors } = await ended(await settings([`storage.path=${missing}`]));
  expect(code).not.toBe(0);
  expect(errors).toContain(missing);
  expect(existsSync(missing)).toBe(false);
});

test("relative paths start from the settings file, wherever the program is started", async () => {
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  mkdirSync(join(folder, "disk"));
  const [tracker = 0, storage = 0, gateway = 0] = await freePorts(3);
  writeFileSync(
    join(folder, "cairn.toml"),
    `[node]\ndata_dir = "state"\nbind = ["127.0.0.1"]\nlog_format = "json"\n[tracker]\nport = ${tracker}\n` +
      `[storage]\nport = ${storage}\npacking = "off"\n[[storage.path]]\ndirectory = "disk"\n[gateway]\nport = ${gateway}\n`,
  );
  const { child, errors } = launched(["serve", "--config", "../cairn.toml"], elsewhere);
  try {
    await until(() => errors().includes('"event":"ready"'), "the node is ready", startLimitMs);
    const caller = await StorageCaller.connect(storage);
    const name = await caller.upload(letters, { path: 0 });
    caller.close();
    expect(existsSync(join(folder, "disk", "data", name.slice(4)))).toBe(true);
    expect(existsSync(join(folder, "state", "state.sqlite"))).toBe(true);
  } finally {
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
  }
});

test("a second daemon on the same data refuses, and the first one goes on", async () => {
  await using node = await LiveNode.start();
  const caller = await StorageCaller.connect(node.storage.port);
  const kept = await caller.upload(letters);
  const second = await ended(await settings([`node.data_dir=${node.folder}`]));
  expect(second.code).toBe(75);
  expect(second.errors).toMatch(/in use|other process|another/i);
  expect(await caller.download(kept)).toEqual(letters);
  expect(await caller.download(await caller.upload(letters))).toEqual(letters);
  caller.close();
});

test("a second daemon on the same store path with other state refuses as well", async () => {
  await using node = await LiveNode.start();
  const second = await ended(await settings([`storage.path=${node.store}`]));
  expect(second.code).toBe(75);
  expect(second.errors).toContain(node.store);
  const caller = await StorageCaller.connect(node.storage.port);
  expect(await caller.download(await caller.upload(letters))).toEqual(letters);
  caller.close();
});

for (const role of ["tracker", "storage", "gateway"] as const) {
  test(`a taken port of the ${role} is named, and the exit code says unavailable`, async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const { code, errors } = await ended(await settings([`${role}.port=${port}`]));
    server.close();
    expect(code).toBe(69);
    expect(errors).toContain(String(port));
    expect(errors).toMatch(/in use|EADDRINUSE/);
  });
}

test("SIGTERM lets an upload that is under way finish, and takes no new connection", async () => {
  await using node = await LiveNode.start();
  const connection = await RawConnection.connect(node.storage);
  const head = body(0, { i64: 3 * mebibyte }, ["bin", 6]);
  const content = Buffer.alloc(3 * mebibyte, "x");
  const request = frame(11, Buffer.concat([head, content]));
  await connection.write(request.subarray(0, mebibyte));
  await until(() => listStore(node.store).temporary.length === 1, "the upload has begun");
  node.process.signal("SIGTERM");
  await until(() => node.log.some(({ event }) => event === "stopping"), "the node stops");
  await refused(node);
  await connection.write(request.subarray(mebibyte));
  const reply = await connection.frame(5000);
  expect(reply).toMatchObject({ status: 0 });
  expect(await node.process.exit()).toEqual({ code: 0, signal: null });
  await node.restart();
  const caller = await StorageCaller.connect(node.storage.port);
  const name = typeof reply === "string" ? "" : reply.body.toString("latin1", 16);
  expect((await caller.download(name)).equals(content)).toBe(true);
  caller.close();
});

test("SIGTERM waits for a stalled upload no longer than it is told to", async () => {
  await using node = await LiveNode.start(() => ["node.stop_timeout=1s"]);
  const connection = await RawConnection.connect(node.storage);
  const head = body(0, { i64: 3 * mebibyte }, ["bin", 6]);
  const begun = Buffer.concat([head, Buffer.alloc(mebibyte)]);
  await connection.write(frame(11, begun, { length: 3 * mebibyte + head.length }));
  await until(() => listStore(node.store).temporary.length === 1, "the upload has begun");
  const started = performance.now();
  node.process.signal("SIGTERM");
  expect(await node.process.exit()).toEqual({ code: 0, signal: null });
  expect(performance.now() - started).toBeLessThan(5000);
  connection.destroy();
  await node.restart();
  expect(listStore(node.store)).toEqual({ names: [], temporary: [] });
});

test("SIGHUP takes over what can be, names what cannot, and keeps what runs when the file is wrong", async () => {
  const path = join(folder, "cairn.toml");
  writeFileSync(path, '[node]\nlog_level = "info"\n');
  const environment = { CAIRN_CONFIG: path };
  await using node = await LiveNode.start(() => [], { environment });
  const reloads = () =>
    node.log.filter(({ event }) => event === "reloaded" || event === "reload-failed");
  writeFileSync(path, '[node]\nlog_level = "debug"\n[storage]\nheart_beat_interval = "7s"\n');
  node.process.signal("SIGHUP");
  await until(() => reloads().length === 1, "reloaded");
  expect(reloads()[0]).toMatchObject({
    event: "reloaded",
    needRestart: "storage.heart_beat_interval",
  });
  appendFileSync(path, "port = 1000000\n");
  node.process.signal("SIGHUP");
  await until(() => reloads().length === 2, "the reload failed");
  expect(reloads()[1]).toMatchObject({
    event: "reload-failed",
    why: expect.stringContaining("cairn.toml:5"),
  });
  const caller = await StorageCaller.connect(node.storage.port);
  const name = await caller.upload(letters);
  expect(await caller.download(name)).toEqual(letters);
  await caller.remove(name);
  caller.close();
});

test("after kill -9 the same data serves again at once, with everything that was acknowledged", async () => {
  await using node = await LiveNode.start();
  let caller = await StorageCaller.connect(node.storage.port);
  const names: string[] = [];
  for (let round = 0; round < 30; round += 1)
    names.push(await caller.upload(Buffer.from(`${round}`)));
  await caller.setMetadata(names[0] ?? "", "a\x021", "overwrite");
  await node.process.kill();
  await node.restart();
  expect(node.process.readyAfterMs).toBeLessThan(3000);
  caller = await StorageCaller.connect(node.storage.port);
  for (const [round, name] of names.entries()) {
    expect((await caller.download(name)).toString()).toBe(`${round}`);
  }
  expect(await caller.getMetadata(names[0] ?? "")).toBe("a\x021");
  caller.close();
});

test("what the operator reads is on standard error only, one JSON record a line", async () => {
  await using node = await LiveNode.start();
  const lines = node.process.errors.split("\n").filter((line) => line !== "");
  expect(logLines(node.process.errors)).toHaveLength(lines.length);
});

/** Resolves once nobody listens on the storage's port. */
async function refused(node: LiveNode): Promise<void> {
  for (const deadline = performance.now() + 3000; performance.now() < deadline; ) {
    try {
      (await RawConnection.connect(node.storage)).destroy();
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("the storage still takes connections");
}

/** The words for a daemon with its own data and ports beside `more`. */
async function settings(more: readonly string[]): Promise<string[]> {
  const [tracker = 0, storage = 0, gateway = 0] = await freePorts(3);
  const all = [
    `node.data_dir=${join(folder, "data")}`,
    "node.bind=127.0.0.1",
    "node.log_format=json",
    `tracker.port=${tracker}`,
    `storage.port=${storage}`,
    `gateway.port=${gateway}`,
    ...more,
  ];
  return ["serve", ...all.flatMap((setting) => ["--set", setting])];
}
