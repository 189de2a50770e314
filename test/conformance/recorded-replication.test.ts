/**
 * Goal: a storage of ours stands in for one of C FastDFS in a group, in both directions. Method: exchanges of mixed groups, recorded, are
 * played. What C's sender pushed goes to a whole node, which must answer as recorded and have the files that stood at the end; C's requests
 * of a recovery follow. Our sender pushes the same changes to a peer that answers as C did, and must send what was recorded.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeEntry } from "#filestore/binlog/entry.ts";
import { FrameClient } from "#net/frame-client.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { fetchOnePathBinlog, reportServerId } from "#protocol/fastdfs/storage-sync.ts";
import { headerSize } from "#protocol/header.ts";
import { CLane } from "#sync/c-lane.ts";
import { collectList, listedFiles } from "#sync/recovery/path-list.ts";
import { LiveNode } from "../support/live-node.ts";
import { MemorySyncStore } from "../support/memory-sync-store.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { RecordedPeer } from "../support/recorded-peer.ts";
import { bytesOf, type RecordedExchange, readRecording } from "../support/recordings.ts";
import { commandOf, type Step, stepsOf } from "./recorded/sync-steps.ts";

const network = new NodeNetwork();
const recovery = 26;
const download = 14;
let node: LiveNode;

beforeAll(async () => {
  node = await LiveNode.start((folder) => [
    `storage.path=${join(folder, "path0")},${join(folder, "path1")}`,
    "storage.subdir_count=16",
  ]);
});

afterAll(async () => {
  await node[Symbol.asyncDispose]();
});

function onDisk(name: string): string | null {
  const file = join(node.folder, `path${Number.parseInt(name.slice(1, 3), 16)}`, "data");
  const path = join(file, name.slice(4));
  return existsSync(path) ? readFileSync(path, "hex") : null;
}

/** The replies of the node to what was asked over each of the recorded connections. */
async function answers(exchanges: readonly RecordedExchange[]): Promise<(string | null)[]> {
  const connections = new Map<number, RawConnection>();
  const replies: (string | null)[] = [];
  for (const { connection, request } of exchanges) {
    const open = connections.get(connection) ?? (await RawConnection.connect(node.storage));
    connections.set(connection, open);
    await open.write(bytesOf(request));
    const reply = await open.frame(5000);
    if (typeof reply === "string") replies.push(reply);
    else replies.push(`${reply.status} ${reply.body.toString("hex")}`);
  }
  for (const open of connections.values()) open.destroy();
  return replies;
}

function recordedAnswers(exchanges: readonly RecordedExchange[]): string[] {
  return exchanges.map(({ reply }) => {
    const bytes = bytesOf(reply ?? "");
    return `${bytes.readUInt8(9)} ${bytes.toString("hex", headerSize)}`;
  });
}

test("every change that C pushes is answered as it expects, and the files are what they were", async () => {
  const recording = readRecording("sync-of-c");
  const commands = new Set(recording.exchanges.map(commandOf));
  expect([...commands].sort((a, b) => a - b)).toEqual([16, 17, 18, 25, 35, 37, 40]);
  expect(await answers(recording.exchanges)).toEqual(recordedAnswers(recording.exchanges));
  const names = Object.keys(recording.files ?? {});
  expect(Object.fromEntries(names.map((name) => [name, onDisk(name)]))).toEqual(recording.files);
});

test("the list that a C storage asks for has the files, and it gets them", async () => {
  const { files = {} } = readRecording("sync-of-c");
  const { exchanges } = readRecording("recovery-of-c");
  const [asked] = exchanges.filter((exchange) => commandOf(exchange) === recovery);
  const client = await FrameClient.connect(
    { ...node.storage, timeoutMs: 5000 },
    { network, clock: nodeClock, networkTimeoutMs: 5000 },
  );
  const where = { group: "group1", storePathIndex: bytesOf(asked?.request ?? "")[26] ?? 255 };
  const list = await collectList(await client.download(fetchOnePathBinlog, where));
  client.close();
  const listed = new Set([...listedFiles(list)].map(({ name }) => name));
  const wanted = Object.keys(files).filter((name) => name.startsWith("M00/") && files[name]);
  expect([...listed].sort()).toEqual(wanted.sort());
  const downloads = exchanges.filter(
    (exchange) =>
      commandOf(exchange) === download &&
      listed.has(bytesOf(exchange.request).toString("latin1", headerSize + 32)),
  );
  expect(downloads.length).toBe(listed.size);
  expect(await answers(downloads)).toEqual(recordedAnswers(downloads));
});

test("packed files of C lie in its slots, and the deleted one's is free", async () => {
  const { exchanges } = readRecording("sync-of-c-packed");
  expect(await answers(exchanges)).toEqual(recordedAnswers(exchanges));
  for (const step of stepsOf(exchanges)) {
    const base = step.name.slice(step.name.lastIndexOf("/") + 1);
    const slot = Buffer.from(base.slice(27, 43), "base64url");
    const file = `${step.name.slice(0, 10)}${String(slot.readUInt32BE(0)).padStart(6, "0")}`;
    const bytes = Buffer.from(onDisk(file) ?? "", "hex").subarray(slot.readUInt32BE(4));
    const isDeleted = stepsOf(exchanges).some(
      ({ kind, name }) => kind === "D" && name === step.name,
    );
    if (isDeleted) expect(bytes[0]).toBe(0);
    else expect(bytes.subarray(24, 24 + step.content.length)).toEqual(step.content);
  }
});

test.each(["sync-to-c", "sync-to-c-again"])("%s: our sender says what C answered", async (name) => {
  const { exchanges } = readRecording(name);
  for (const connection of new Set(exchanges.map((exchange) => exchange.connection))) {
    await push(exchanges.filter((exchange) => exchange.connection === connection));
  }
});

/** Pushes over one connection what was recorded on it. */
async function push(all: readonly RecordedExchange[]): Promise<void> {
  // The question whether it is one of ours has a connection of its own.
  const exchanges = all.filter((exchange) => commandOf(exchange) < 100);
  if (exchanges.length === 0) return;
  await using peer = await new RecordedPeer((_request, at) =>
    bytesOf(exchanges[at]?.reply ?? ""),
  ).listen();
  const client = await FrameClient.connect(
    { address: "127.0.0.1", port: peer.port, timeoutMs: 5000 },
    { network, clock: nodeClock, networkTimeoutMs: 5000 },
  );
  const store = new MemorySyncStore();
  const lane = new CLane({ client, store, group: "group1", paced: (body) => body });
  const [first] = exchanges;
  if (first !== undefined && commandOf(first) === 9) {
    const id = bytesOf(first.request).toString("latin1", headerSize).replace(/\0+$/, "");
    await client.call(reportServerId, { id: id as never });
  }
  for (const step of stepsOf(exchanges)) await pushStep(lane, store, step);
  client.close();
  expect(peer.received.map((bytes) => bytes.toString("hex"))).toEqual(
    exchanges.map(({ request }) => request),
  );
}

async function pushStep(lane: CLane, store: MemorySyncStore, step: Step): Promise<void> {
  const entry = decodeEntry(step.line);
  if (entry === undefined) throw new Error(step.line);
  store.files.clear();
  if (step.kind !== "D") {
    store.files.set(step.name, { bytes: step.content, modifiedSeconds: entry.timestamp });
  }
  const item = { entry, line: step.line, tries: 0, wasAside: false };
  const [outcome] = await lane.push([{ ...item, whole: undefined }]);
  if (step.whole === undefined) {
    expect(outcome).toMatchObject({ kind: "done" });
    return;
  }
  expect(outcome).toEqual({ kind: "whole" });
  const [second] = await lane.push([{ ...item, whole: step.whole }]);
  expect(second).toMatchObject({ kind: "done" });
}

test("C's list of a store path is understood, and is what was fetched then", async () => {
  const { exchanges } = readRecording("recovery-from-c");
  const [asked] = exchanges.filter((exchange) => commandOf(exchange) === recovery);
  await using peer = await new RecordedPeer(() => bytesOf(asked?.reply ?? "")).listen();
  const client = await FrameClient.connect(
    { address: "127.0.0.1", port: peer.port, timeoutMs: 5000 },
    { network, clock: nodeClock, networkTimeoutMs: 5000 },
  );
  const where = { group: "group1", storePathIndex: 0 };
  const list = await collectList(await client.download(fetchOnePathBinlog, where));
  expect(peer.received.map((bytes) => bytes.toString("hex"))).toEqual([asked?.request]);
  const names = new Set([...listedFiles(list)].map(({ name }) => name));
  const fetched = exchanges
    .filter((exchange) => commandOf(exchange) === download)
    .map(({ request }) => bytesOf(request).toString("latin1", headerSize + 32));
  expect(new Set(fetched)).toEqual(names);
  expect(names.size).toBeGreaterThan(5);
});
