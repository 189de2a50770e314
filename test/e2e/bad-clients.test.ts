/**
 * Goal: whatever a client does or leaves undone, no other session notices, and nothing of an unfinished upload is seen.
 * Method: a whole node as a child process; clients that stop in the middle, send garbage, or connect by the thousand and say
 * nothing, beside one that works.
 */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { listStore } from "../crash/store-audit.ts";
import { LiveNode } from "../support/live-node.ts";
import { frame, type Place, RawConnection } from "../support/raw-connection.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { until } from "../support/settled.ts";
import { StorageCaller } from "../support/storage-caller.ts";
import { body } from "../support/wire-bytes.ts";

const letters = Buffer.from("abcdefghijklmnopqrstuvwxyz");
const mebibyte = 1024 * 1024;

/** The beginning of an upload of `size` bytes, with the first `sent` of its content. */
function begunUpload(size: number, sent: number, command = 11): Buffer {
  const head = body(255, { i64: size }, ["bin", 6]);
  const content = Buffer.alloc(sent, "x");
  return frame(command, Buffer.concat([head, content]), { length: head.length + size });
}

const endings: Readonly<Record<string, (connection: RawConnection) => void>> = {
  "closes the connection": (connection) => connection.destroy(),
  "ends its side": (connection) => connection.end(),
  "crashes, and its kernel resets the connection": (connection) => connection.reset(),
};

for (const [what, end] of Object.entries(endings)) {
  for (const [kind, command] of [
    ["a file", 11],
    ["an appender file", 23],
  ] as const) {
    test(`nothing remains of ${kind} whose client ${what} in the middle of its upload`, async () => {
      await using node = await LiveNode.start();
      const caller = await StorageCaller.connect(node.storage.port);
      const kept = await caller.upload(letters);
      for (const sent of [0, 1, 3000, mebibyte, 3 * mebibyte - 1]) {
        const connection = await RawConnection.connect(node.storage);
        await connection.write(begunUpload(3 * mebibyte, sent, command));
        if (sent >= mebibyte) {
          await until(() => listStore(node.store).temporary.length === 1, "the part is there");
        } else await new Promise((resolve) => setTimeout(resolve, 20));
        end(connection);
        await until(
          () => listStore(node.store).temporary.length === 0,
          `sent ${sent}: tmp is empty`,
        );
        connection.destroy();
      }
      expect(listStore(node.store).names).toEqual([kept]);
      expect(await caller.download(kept)).toEqual(letters);
      caller.close();
    });
  }
}

test("an append and a modification that stop in the middle change nothing", async () => {
  await using node = await LiveNode.start();
  const caller = await StorageCaller.connect(node.storage.port);
  const name = await caller.upload(letters, { appender: true });
  const append = body({ i64: name.length }, { i64: mebibyte }, name);
  const modify = body({ i64: name.length }, { i64: 3 }, { i64: mebibyte }, name);
  for (const [command, head] of [
    [24, append],
    [34, modify],
  ] as const) {
    const connection = await RawConnection.connect(node.storage);
    const begun = Buffer.concat([head, Buffer.alloc(500_000, "x")]);
    await connection.write(frame(command, begun, { length: head.length + mebibyte }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    connection.reset();
    await until(() => listStore(node.store).temporary.length === 0, "tmp is empty");
    expect(await caller.download(name)).toEqual(letters);
  }
  await caller.append(name, Buffer.from("!"));
  expect((await caller.download(name)).toString()).toBe(`${letters}!`);
  caller.close();
});

test("a client that stalls in the middle of an upload is cut off, and its part is gone", async () => {
  await using node = await LiveNode.start(() => ["node.network_timeout=1s"]);
  const connection = await RawConnection.connect(node.storage);
  await connection.write(begunUpload(3 * mebibyte, mebibyte));
  expect(await connection.endsWithin(6000)).toBe(true);
  connection.destroy();
  await until(() => listStore(node.store).temporary.length === 0, "tmp is empty");
});

test("ten thousand half-open connections leave a working client alone", async () => {
  await using node = await LiveNode.start();
  const count = Math.min(10_000, openFilesLimit() - 500);
  const working = await StorageCaller.connect(node.storage.port);
  const sockets = await halfOpen(node.storage, count);
  try {
    expect(sockets.filter(({ destroyed }) => !destroyed)).toHaveLength(count);
    for (let round = 0; round < 20; round += 1) {
      const content = Buffer.alloc(4096, round);
      const started = performance.now();
      expect(await working.download(await working.upload(content))).toEqual(content);
      expect(performance.now() - started).toBeLessThan(2000);
    }
    const another = await StorageCaller.connect(node.storage.port);
    expect(await another.download(await another.upload(letters))).toEqual(letters);
    another.close();
  } finally {
    for (const socket of sockets) socket.destroy();
    working.close();
  }
  const after = await StorageCaller.connect(node.storage.port);
  expect(await after.download(await after.upload(letters))).toEqual(letters);
  after.close();
}, 120_000);

test("more connections than are allowed do not keep a working client out", async () => {
  await using node = await LiveNode.start(() => ["node.max_connections=100"]);
  const working = await StorageCaller.connect(node.storage.port);
  const kept = await working.upload(letters);
  const sockets = await halfOpen(node.storage, 300);
  try {
    expect(await working.download(kept)).toEqual(letters);
    const another = await StorageCaller.connect(node.storage.port);
    expect(await another.download(kept)).toEqual(letters);
    another.close();
  } finally {
    for (const socket of sockets) socket.destroy();
    working.close();
  }
});

test("garbage on every port ends nothing but its own connection", async () => {
  await using node = await LiveNode.start();
  const working = await StorageCaller.connect(node.storage.port);
  const kept = await working.upload(letters);
  const random = seededRandom(20_261_123);
  const { storage, tracker, gateway } = node.process.ports;
  for (const port of [storage, tracker, gateway]) {
    for (let round = 0; round < 40; round += 1) {
      const connection = await RawConnection.connect({ address: "127.0.0.1", port });
      const bytes = random.bytes(1 + ((round * 131) % 5000));
      await connection.write(bytes);
      await connection.endsWithin(round % 10 === 0 ? 50 : 1);
      connection.reset();
    }
    expect(crc32(await working.download(kept))).toBe(crc32(letters));
  }
  expect(node.log.filter(({ level }) => level === "error")).toEqual([]);
  working.close();
});

/** Connections that have sent the first bytes of a header, and send no more. */
async function halfOpen(place: Place, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  const atATime = 200;
  for (let from = 0; from < count; from += atATime) {
    const wave = Array.from({ length: Math.min(atATime, count - from) }, () => opened(place));
    sockets.push(...(await Promise.all(wave)));
  }
  return sockets;
}

function opened(place: Place): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({ host: place.address, port: place.port });
    socket.on("error", () => {});
    socket.once("close", () => resolve(socket));
    socket.once("connect", () => {
      socket.write(Buffer.alloc(4));
      resolve(socket);
    });
  });
}

function openFilesLimit(): number {
  const line = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  return Number(line?.[1] ?? 1024);
}
