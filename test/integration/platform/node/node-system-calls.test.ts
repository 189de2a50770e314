/** The real calls, on sockets of this process; and a runtime that has none. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { present } from "#base/assert.ts";
import type { Connection } from "#platform/network.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { systemCalls } from "#platform/node/node-system-calls.ts";
import { pattern } from "../../../support/frame-fixture.ts";
import { RawPeer } from "../../../support/raw-peer.ts";
import { until } from "../../../support/settled.ts";

const source = fileURLToPath(
  new URL("../../../../src/platform/node/node-system-calls.ts", import.meta.url),
);

interface Pair extends AsyncDisposable {
  readonly connection: Connection;
  readonly peer: RawPeer;
}

async function pair(): Promise<Pair> {
  const accepted: Connection[] = [];
  const network = new NodeNetwork(present(systemCalls(), "node:ffi"));
  const where = { address: "127.0.0.1", port: 0, backlog: 5 };
  const listener = await network.listen(where, (connection) => accepted.push(connection));
  const peer = await RawPeer.open(listener.port);
  await until(() => accepted.length === 1, "a connection");
  const connection = present(accepted[0], "a connection");
  return {
    connection,
    peer,
    [Symbol.asyncDispose]: async () => {
      peer.destroy();
      connection.destroy();
      await listener.close();
    },
  };
}

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

test("memory and files go out in order over a lent socket, header and content in few segments", async () => {
  await using stage = await pair();
  const folder = mkdtempSync(join(tmpdir(), "cairn-calls-"));
  const content = pattern(200_000);
  writeFileSync(join(folder, "file"), content);
  const file = openSync(join(folder, "file"), "r");
  try {
    const memory = new SharedArrayBuffer(100);
    Buffer.from(memory).write("0123456789header", 20);
    const writer = present(systemCalls(), "node:ffi").writerFrom(memory);
    const lease = present(stage.connection.lend?.(), "a lease");
    const socket = lease.descriptor;
    expect(writer.send(socket, { offset: 30, length: 6, more: true })).toBe(6);
    expect(writer.sendFile(socket, file, { position: 1000, length: 100_000 })).toBe(100_000);
    lease.giveBack();
    const expected = Buffer.concat([Buffer.from("header"), content.subarray(1000, 101_000)]);
    expect((await stage.peer.expect(expected.length)).equals(expected)).toBe(true);
    expect(stage.peer.reads[0]).toBeGreaterThan(6);
    // At and past the end of the file there is nothing to send.
    expect(writer.sendFile(socket, file, { position: 200_000, length: 10 })).toBe(0);
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
});

test("a full socket, a broken one and a wrong descriptor take nothing, and nothing else happens", async () => {
  await using stage = await pair();
  stage.peer.socket.pause();
  const memory = new SharedArrayBuffer(1024 * 1024);
  const writer = present(systemCalls(), "node:ffi").writerFrom(memory);
  const socket = present(stage.connection.lend?.(), "a lease").descriptor;
  const piece = { offset: 0, length: memory.byteLength, more: false };
  let total = 0;
  for (let count = 1; count > 0; total += count) count = writer.send(socket, piece);
  expect(total).toBeGreaterThan(0);
  stage.peer.socket.resetAndDestroy();
  await until(() => stage.connection.closed, "the reset");
  expect(writer.send(socket, piece)).toBe(0);
  expect(writer.sendFile(socket, 0, { position: 0, length: 1 })).toBe(0);
  expect(writer.send(9999, piece)).toBe(0);
});

test("the peer sees the end of a connection that is lent, and no descriptor stays", async () => {
  const before = openDescriptors();
  {
    await using stage = await pair();
    const lease = present(stage.connection.lend?.(), "a lease");
    stage.connection.destroy();
    await stage.peer.untilEnd();
    // Whoever still has it writes into nothing.
    const writer = present(systemCalls(), "node:ffi").writerFrom(new SharedArrayBuffer(10));
    expect(writer.send(lease.descriptor, { offset: 0, length: 10, more: false })).toBe(0);
    lease.giveBack();
  }
  await until(() => openDescriptors() <= before, "all descriptors closed");
});

test("a socket is not lent while something is on its way, nor after its end", async () => {
  await using stage = await pair();
  stage.peer.socket.pause();
  stage.connection.write(Buffer.alloc(16 * 1024 * 1024));
  expect(stage.connection.unsentBytes).toBeGreaterThan(0);
  expect(stage.connection.lend?.()).toBeUndefined();
  stage.connection.destroy();
  expect(stage.connection.lend?.()).toBeUndefined();
});

test("connections of a network without system calls are never lent", async () => {
  const network = new NodeNetwork();
  const where = { address: "127.0.0.1", port: 0, backlog: 5 };
  await using listener = await network.listen(where, () => {});
  const { address, port } = listener;
  const connection = await network.connect({ address, port, timeoutMs: 1000 });
  expect([connection.canLend, connection.lend?.()]).toEqual([false, undefined]);
  connection.destroy();
});

test("a runtime without foreign functions has none, and one with them says nothing about an experiment", () => {
  const script = `
    import { systemCalls } from ${JSON.stringify(source)};
    process.stdout.write(String(systemCalls() !== undefined));
    process.emitWarning("this one is passed on", "ExperimentalWarning");
  `;
  const run = (...flags: string[]) =>
    spawnSync(process.execPath, [...flags, "--input-type=module", "-e", script], {
      encoding: "utf8",
      cwd: fileURLToPath(new URL("../../../..", import.meta.url)),
    });
  const without = run("--no-experimental-ffi");
  expect(without.stdout).toBe("false");
  const having = run();
  expect(having.stdout).toBe("true");
  expect(having.stderr).not.toContain("FFI");
  expect(having.stderr).toContain("this one is passed on");
});

test("a sender that writes in two parts, and waits for the acknowledgement of the first, does not wait for the kernel's timer", async () => {
  await using stage = await pair();
  const { connection, peer } = stage;
  peer.socket.setNoDelay(false);
  const rounds = 20;
  let received = 0;
  connection.onReceive = (chunk) => {
    received += chunk.length;
    if (received % 20 === 0) connection.write(Buffer.alloc(10));
    else connection.acknowledge?.();
  };
  const started = performance.now();
  for (let round = 1; round <= rounds; round += 1) {
    peer.socket.write(Buffer.alloc(10));
    await new Promise((resolve) => setImmediate(resolve));
    peer.socket.write(Buffer.alloc(10));
    await until(() => peer.received.length === round * 10, "the answer");
  }
  // 40 ms each otherwise, but for the first ones of a connection.
  expect(performance.now() - started).toBeLessThan(rounds * 15);
});
