/**
 * Goal: storages and trackers of ours get along with trackers of C FastDFS. Method: the recorded answers of a tracker of C to a storage of ours
 * that joined its group and was filled are given again, command by command, to a storage that joins anew; and what trackers of both kinds said
 * to each other is read and written by our declarations.
 */
import { expect, test } from "vitest";
import { narrowAddresses } from "#protocol/codec.ts";
import { headerSize } from "#protocol/header.ts";
import { RecordedPeer } from "../support/recorded-peer.ts";
import { bytesOf, type RecordedExchange, readRecording } from "../support/recordings.ts";
import { reporterStage } from "../support/reporter-stage.ts";
import type { ScriptedTracker } from "../support/scripted-tracker.ts";
import { until } from "../support/settled.ts";
import { decodeRequest, encodeRequest } from "../support/wire-vectors.ts";
import { messageOf } from "./recorded/replay.ts";
import { commandOf } from "./recorded/sync-steps.ts";

const joining = "127.0.8.4";
const source = "127.0.8.2";
const [changelog, join, sourceRequest, notice] = [77, 81, 87, 88];
const unknown = 2;
const nothing = Buffer.from("00000000000000006400", "hex");
const noSuchCommand = Buffer.from("00000000000000006416", "hex");

/** Replies by command; the last of each again and again. */
function repliesOf(exchanges: readonly RecordedExchange[]): (request: Buffer) => Buffer {
  const left = new Map<number, Buffer[]>();
  for (const exchange of exchanges) {
    const replies = left.get(commandOf(exchange)) ?? [];
    replies.push(bytesOf(exchange.reply ?? ""));
    left.set(commandOf(exchange), replies);
  }
  return (request) => {
    const command = request.readUInt8(8);
    if (command === changelog) return nothing;
    const replies = left.get(command);
    return (
      (replies !== undefined && replies.length > 1 ? replies.shift() : replies?.[0]) ??
      noSuchCommand
    );
  };
}

test("below a tracker of C a new storage is told its source, is filled, and becomes ACTIVE", async () => {
  const exchanges = readRecording("fill-by-c-tracker").exchanges.filter(
    ({ client }) => client === joining,
  );
  await using tracker = await new RecordedPeer(repliesOf(exchanges)).listen();
  const stage = reporterStage([tracker as unknown as ScriptedTracker], { address: joining });
  try {
    await until(() => stage.events().includes("tracker-joined"), "joined");
    await until(
      () => stage.view.members.some(({ id, status }) => id === joining && status === 7),
      "it is told to be ACTIVE",
    );
    expect(stage.membership.facts).toMatchObject({ syncSettled: true, syncSource: source });
    expect(stage.view.members.map(({ id, status }) => [id, status])).toEqual([
      [source, 7],
      ["127.0.8.3", 7],
      [joining, 7],
    ]);
  } finally {
    await stage.stop();
  }
  const sent = (command: number) =>
    tracker.received.find((request) => request.readUInt8(8) === command)?.toString("hex");
  for (const command of [sourceRequest, notice]) {
    const recorded = exchanges.find((exchange) => commandOf(exchange) === command);
    expect(sent(command)).toBe(recorded?.request);
  }
  expect(sent(join)).toBeDefined();
});

test("what trackers of both kinds say to each other is read and written", () => {
  const { exchanges } = readRecording("trackers");
  expect(new Set(exchanges.map(commandOf))).toEqual(new Set([58, 61, 62, 63, 64, 65, 66, 67]));
  for (const exchange of exchanges) {
    const request = bytesOf(exchange.request);
    const reply = bytesOf(exchange.reply ?? "");
    const message = messageOf(request);
    const { value } = decodeRequest(message, request, narrowAddresses);
    expect(encodeRequest(message, value, narrowAddresses).toString("hex")).toBe(exchange.request);
    expect([0, unknown]).toContain(reply.readUInt8(9));
    expect(reply.length).toBe(headerSize + Number(reply.readBigInt64BE(0)));
  }
});
