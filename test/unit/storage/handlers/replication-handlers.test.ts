import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { StorageId } from "#model/storage-id.ts";
import { collect, flowOfBytes, flowOfSource } from "#net/byte-flow.ts";
import type { FrameSession } from "#net/frame-session.ts";
import { headCheck } from "#protocol/peer/sync-record.ts";
import { WireStatusError } from "#protocol/wire-status.ts";
import { replicationHandlers } from "#storage/handlers/replication-handlers.ts";
import { statusOf } from "../../../support/live-node.ts";
import { SyncPair, senderId } from "../../../support/sync-pair.ts";

const session = { remoteAddress: "10.0.0.1" } as FrameSession<undefined>;
const group = "group1";
const disk = "00112233445566778899aabbccddeeff";
const nothing = () => flowOfBytes(new Uint8Array(0));

function stage() {
  const pair = new SyncPair();
  const handlers = replicationHandlers({
    services: {
      checkGroup: (named) => {
        if (named !== group) throw new WireStatusError(22, "another group");
      },
    },
    ...{ log: new Log("test", () => {}), receiver: pair.receiver, store: pair.to, held: pair.held },
    ownId: () => StorageId("10.0.0.2"),
    ownDisk: () => disk,
    isMember: () => false,
    onSender: () => {},
  });
  return { pair, handlers };
}

test("a hello tells what is held without gaps, and a clock that ran back is noticed", async () => {
  const { pair, handlers } = stage();
  pair.held.learn(senderId, { heldUntil: 500, gaps: 0 });
  const hello = (clock: number) => handlers.syncHello({ group, id: senderId, clock }, session);
  expect(await hello(600)).toEqual({
    ...{ id: "10.0.0.2", disk },
    held: [{ id: senderId, heldUntil: 500 }],
  });
  expect(await hello(400)).toMatchObject({ held: [] });
  const foreign = { group: "group2", id: senderId, clock: 1 };
  expect(await statusOf(Promise.resolve().then(() => handlers.syncHello(foreign, session)))).toBe(
    22,
  );
});

test("a head that was damaged tells nothing", async () => {
  const { pair, handlers } = stage();
  const head = { group, id: senderId, heldUntil: 9, gaps: 0, records: 0, bytes: 0 };
  const check = headCheck(senderId, 9, 0, 0, 0);
  const told = (request: typeof head & { check: number }) =>
    statusOf(handlers.syncBatch(request, session, nothing()));
  expect(await told({ ...head, heldUntil: 99, check })).toBe(74);
  expect(pair.held.of(senderId)).toBeUndefined();
  expect(await told({ ...head, check })).toBe(0);
  expect(pair.held.of(senderId)?.heldUntil).toBe(9);
});

test("a single file is stored, EEXIST where it is there, 74 where it arrives damaged", async () => {
  const { pair, handlers } = stage();
  const filename = pair.from.upload(Buffer.from("hello"));
  const about = { filename, fileSize: 5, timestamp: 7, group, id: senderId, replaces: false };
  const check = headCheck(filename, 7, senderId, false, false, 0);
  const request = { ...about, hasCrc32: false, crc32: 0, check };
  const send = (text: string) =>
    statusOf(handlers.syncFile(request, session, flowOfBytes(Buffer.from(text))));
  expect(await send("hellO")).toBe(74);
  expect(await send("hello")).toBe(0);
  expect(await send("hello")).toBe(17);
  expect(pair.receiver.received.get(senderId)).toBe(7);
});

test("a fetched file comes with its time, and its CRC-32 where the name has none", async () => {
  const { pair, handlers } = stage();
  pair.to.seconds = 0x100;
  const normal = pair.to.upload(Buffer.from("abc"));
  const appender = pair.to.upload(Buffer.from("abc"), "appender");
  const fetch = async (filename: string) =>
    (
      await collect(flowOfSource(await handlers.fetchFile({ group, id: "", filename }, session)))
    ).toString("hex");
  expect(await fetch(normal)).toBe("000001000000000000616263");
  expect(await fetch(appender)).toBe("0000010001352441c2616263");
  expect(
    await statusOf(
      handlers.fetchFile({ group, id: "", filename: "../x" }, session).catch(() => {
        throw new WireStatusError(22, "");
      }),
    ),
  ).toBe(22);
});

test("whoever has lost a store path does not say that a file is nowhere", async () => {
  const { pair, handlers } = stage();
  const filename = pair.from.upload(Buffer.from("abc"));
  const fetch = () =>
    statusOf(Promise.resolve(handlers.fetchFile({ group, id: "", filename }, session)));
  await expect(fetch()).rejects.toMatchObject({ code: "file-missing" });
  pair.held.suspend("store path 0 was lost");
  expect(await fetch()).toBe(11);
});
