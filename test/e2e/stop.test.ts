/**
 * Goal: a node that is told to stop finishes what is under way, within node.stop_timeout, takes nothing new, leaves no half
 * file and ends with 0; a second signal ends it at once. SIGHUP takes over what can change and starts the access log anew.
 * Method: a whole node; clients that send and read slowly over both ports, by hand and step by step.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listStore } from "../crash/store-audit.ts";
import { LiveNode } from "../support/live-node.ts";
import { frame, type Place } from "../support/raw-connection.ts";
import { until } from "../support/settled.ts";
import { StorageCaller } from "../support/storage-caller.ts";
import { body } from "../support/wire-bytes.ts";

const mebibyte = 1024 * 1024;
const content = Buffer.alloc(24 * mebibyte, "graceful ");
const half = content.length / 2;
const letters = Buffer.from("abcdefghijklmnopqrstuvwxyz");
const headerSize = 10;

let folder: string;
const clients: SlowClient[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cairn-stop-"));
});

afterEach(() => {
  for (const client of clients.splice(0)) client.socket.destroy();
  rmSync(folder, { recursive: true, force: true });
});

/** A connection that sends what it is told and reads when it is told. */
class SlowClient {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  #ended = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    const ended = (): void => {
      this.#ended = true;
    };
    socket.on("end", ended).on("close", ended).on("error", ended);
    socket.pause();
    clients.push(this);
  }

  static connect({ address: host, port }: Place): Promise<SlowClient> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host, port });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new SlowClient(socket));
      });
    });
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(bytes, () => resolve());
    });
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<Buffer> {
    this.socket.resume();
    await until(() => this.#ended, "the connection ends", 20_000);
    return Buffer.concat(this.#chunks);
  }
}

function gatewayOf(node: LiveNode): Place {
  return { address: "127.0.0.1", port: node.process.ports.gateway };
}

function uploadFrame(): Buffer {
  const head = body(0, { i64: content.length }, ["bin", 6]);
  return Buffer.concat([frame(11, head, { length: head.length + content.length }), content]);
}

function downloadFrame(name: string): Buffer {
  return frame(14, body({ i64: 0 }, { i64: 0 }, ["group1", 16], name));
}

function putText(): Buffer {
  const head = `PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: ${content.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), content]);
}

function getText(name: string): Buffer {
  return Buffer.from(`GET /group1/${name} HTTP/1.1\r\nHost: x\r\n\r\n`);
}

/** The part behind an HTTP head. */
function behindHead(reply: Buffer): Buffer {
  return reply.subarray(reply.indexOf("\r\n\r\n") + 4);
}

async function stopping(node: LiveNode): Promise<void> {
  node.process.signal("SIGTERM");
  await until(() => node.log.some(({ event }) => event === "stopping"), "the node stops");
}

/** True once nobody listens there. */
async function refuses(place: Place): Promise<boolean> {
  for (const deadline = performance.now() + 5000; performance.now() < deadline; ) {
    try {
      (await SlowClient.connect(place)).socket.destroy();
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

test("uploads and downloads under way finish over both ports, and nothing new is taken", async () => {
  await using node = await LiveNode.start();
  const caller = await StorageCaller.connect(node.storage.port);
  const name = await caller.upload(content);
  caller.close();
  const upload = await SlowClient.connect(node.storage);
  const put = await SlowClient.connect(gatewayOf(node));
  const download = await SlowClient.connect(node.storage);
  const get = await SlowClient.connect(gatewayOf(node));
  await Promise.all([
    upload.send(uploadFrame().subarray(0, half)),
    put.send(putText().subarray(0, half)),
    download.send(downloadFrame(name)),
    get.send(getText(name)),
  ]);
  await until(() => listStore(node.store).temporary.length === 2, "both uploads have begun");
  await until(() => downloadsOf(node) === 2, "both downloads have begun");
  await stopping(node);
  for (const place of [node.storage, gatewayOf(node), node.tracker]) {
    expect(await refuses(place)).toBe(true);
  }
  expect(node.log.some(({ event }) => event === "stopped")).toBe(false);

  const downloaded = await download.rest();
  expect(downloaded.subarray(headerSize).equals(content)).toBe(true);
  expect(behindHead(await get.rest()).equals(content)).toBe(true);
  await upload.send(uploadFrame().subarray(half));
  const replied = await upload.rest();
  expect([replied.readUInt8(8), replied.readUInt8(9)]).toEqual([100, 0]);
  await put.send(putText().subarray(half));
  const answered = (await put.rest()).toString();
  expect(answered).toMatch(/^HTTP\/1\.1 201 /);
  expect(await node.process.exit()).toEqual({ code: 0, signal: null });
  expect(node.log.at(-1)).toMatchObject({ event: "stopped" });

  const names = [
    replied.toString("latin1", headerSize + 16),
    (JSON.parse(behindHead(Buffer.from(answered)).toString()) as { name: string }).name,
  ];
  await node.restart();
  const after = await StorageCaller.connect(node.storage.port);
  for (const each of names) expect((await after.download(each)).equals(content)).toBe(true);
  after.close();
}, 60_000);

/** Descriptors of stored files that the process has open, which is what a download under way holds. */
function downloadsOf(node: LiveNode): number {
  const descriptors = `/proc/${node.process.pid}/fd`;
  const paths = readdirSync(descriptors).map((descriptor) => {
    try {
      return readlinkSync(join(descriptors, descriptor));
    } catch {
      return "closed meanwhile";
    }
  });
  return paths.filter((path) => /\/data\/[0-9A-F]{2}\//.test(path)).length;
}

test("clients that never end are cut off at the deadline; nothing of their files is visible", async () => {
  await using node = await LiveNode.start(() => ["node.stop_timeout=1s"]);
  const caller = await StorageCaller.connect(node.storage.port);
  const name = await caller.upload(content);
  const upload = await SlowClient.connect(node.storage);
  const put = await SlowClient.connect(gatewayOf(node));
  const download = await SlowClient.connect(node.storage);
  await upload.send(uploadFrame().subarray(0, half));
  await put.send(putText().subarray(0, half));
  await download.send(downloadFrame(name));
  await until(() => listStore(node.store).temporary.length === 2, "both uploads have begun");
  const started = performance.now();
  await stopping(node);
  expect(await node.process.exit()).toEqual({ code: 0, signal: null });
  // One deadline for all ports together, not one each.
  expect(performance.now() - started).toBeGreaterThan(900);
  expect(node.log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  expect(listStore(node.store)).toEqual({ names: [name], temporary: [] });
  expect((await download.rest()).length).toBeLessThan(content.length);
  caller.close();
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`a second signal, ${signal}, ends the node at once; what it had acknowledged is there`, async () => {
    await using node = await LiveNode.start();
    const caller = await StorageCaller.connect(node.storage.port);
    const name = await caller.upload(letters);
    const upload = await SlowClient.connect(node.storage);
    await upload.send(uploadFrame().subarray(0, half));
    await until(() => listStore(node.store).temporary.length === 1, "the upload has begun");
    await stopping(node);
    const started = performance.now();
    node.process.signal(signal);
    expect(await node.process.exit()).toEqual({ code: null, signal: "SIGKILL" });
    expect(performance.now() - started).toBeLessThan(10_000);
    caller.close();
    await node.restart();
    const after = await StorageCaller.connect(node.storage.port);
    expect(await after.download(name)).toEqual(letters);
    expect(listStore(node.store)).toEqual({ names: [name], temporary: [] });
    after.close();
  });
}

interface Settled {
  readonly node: LiveNode;
  readonly path: string;
  /** Writes the settings file, asks for a reload and resolves to what was logged about it. */
  reload(text: string): Promise<Readonly<Record<string, unknown>> | undefined>;
}

async function nodeWithFile(text: string, ...settings: readonly string[]): Promise<Settled> {
  const path = join(folder, "cairn.toml");
  writeFileSync(path, text);
  const node = await LiveNode.start(() => settings, { environment: { CAIRN_CONFIG: path } });
  const reloads = () =>
    node.log.filter(({ event }) => event === "reloaded" || event === "reload-failed");
  return {
    node,
    path,
    reload: async (next) => {
      writeFileSync(path, next);
      const before = reloads().length;
      node.process.signal("SIGHUP");
      await until(() => reloads().length > before, "the reload");
      return reloads().at(-1);
    },
  };
}

test("SIGHUP changes the log level and who may connect, and names what waits for a restart", async () => {
  const { node, reload } = await nodeWithFile('[node]\nlog_level = "notice"\n');
  await using running = node;
  await serves(running);
  const debugLines = () => running.log.filter(({ level }) => level === "debug").length;
  expect(debugLines()).toBe(0);
  const shut = '[node]\nlog_level = "debug"\nallow_hosts = ["10.9.8.7"]\n';
  expect(await reload(shut)).toEqual(expect.objectContaining({ event: "reloaded" }));
  await expect(serves(running)).rejects.toThrow();
  await until(() => debugLines() > 0, "debug lines");
  const open = '[node]\nlog_level = "notice"\nmax_connections = 77\n[storage]\nsubdir_count = 16\n';
  expect(await reload(open)).toMatchObject({
    event: "reloaded",
    needRestart: expect.stringMatching(/node\.max_connections.*storage\.subdir_count/),
  });
  await serves(running);
  const before = debugLines();
  await serves(running);
  expect(debugLines()).toBe(before);
});

test("a settings file that is wrong changes nothing, and the log says what is wrong with it", async () => {
  const { node, reload } = await nodeWithFile('[node]\nlog_level = "notice"\n');
  await using running = node;
  const wrong = '[node]\nlog_level = "loud"\nallow_hosts = ["10.9.8.7"]\n';
  expect(await reload(wrong)).toMatchObject({
    level: "error",
    event: "reload-failed",
    why: expect.stringMatching(/cairn\.toml:2.*node\.log_level/),
  });
  await serves(running);
  expect(await reload("no toml at all")).toMatchObject({ event: "reload-failed" });
  await serves(running);
  expect(await reload('[node]\nlog_level = "notice"\n')).toMatchObject({ event: "reloaded" });
});

test("SIGHUP continues the access log in a new file, after somebody moved the old one away", async () => {
  const log = join(folder, "access.log");
  const { node, reload } = await nodeWithFile("", `storage.access_log=${log}`);
  await using running = node;
  const first = await serves(running);
  renameSync(log, `${log}.1`);
  await reload("");
  const second = await serves(running);
  expect(await running.process.stop()).toEqual({ code: 0, signal: null });
  const names = (path: string): boolean[] => {
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    return [first, second].map((name) => text.includes(` upload ${name} 0 `));
  };
  expect([names(`${log}.1`), names(log)]).toEqual([
    [true, false],
    [false, true],
  ]);
});

test("an access log that cannot be opened anew goes on in the old file, and the node goes on", async () => {
  const logs = join(folder, "logs");
  mkdirSync(logs);
  const { node, reload } = await nodeWithFile("", `storage.access_log=${join(logs, "access.log")}`);
  await using running = node;
  renameSync(logs, `${logs}-moved`);
  expect(await reload("")).toMatchObject({ event: "reloaded" });
  expect(running.log).toContainEqual(
    expect.objectContaining({ level: "error", event: "access-log-not-reopened" }),
  );
  const name = await serves(running);
  await running.process.stop();
  expect(readFileSync(join(`${logs}-moved`, "access.log"), "utf8")).toContain(name);
});

/** The name of a file that was uploaded, and is back. Rejects where the node does not serve. */
async function serves(node: LiveNode): Promise<string> {
  const caller = await StorageCaller.connect(node.storage.port);
  try {
    const name = await caller.upload(letters);
    expect(await caller.download(name)).toEqual(letters);
    return name;
  } finally {
    caller.close();
  }
}
