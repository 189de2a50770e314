/**
 * Goal: a tracker of ours leads trackers of C FastDFS, follows one, and takes its place, as they were recorded. Method: our tracker runs among
 * recorded ones, whose replies are given and whose requests are made again; who leads, what it answers, and what it says is compared.
 */
import { expect, test } from "vitest";
import type { RecordedPeer } from "../support/recorded-peer.ts";
import { type RecordedExchange, readRecording } from "../support/recordings.ts";
import { eventually, memoryState, TrackerHarness } from "../support/tracker-harness.ts";
import { answering, asked, moved, type Places } from "./recorded/played-trackers.ts";
import { commandOf } from "./recorded/sync-steps.ts";

const address = "127.0.0.1";
const soonMs = 20_000;
/** Recorded: ours, and the two of C. */
const ours = "127.0.6.11";
const theirs = "127.0.6.10";
const [first, second] = [`${theirs}:22122`, `${theirs}:22123`];
const [nominate, commit, joinLeader, ping] = [66, 67, 58, 65];
const [status, oneFile] = [64, 63];

interface Played {
  readonly peers: Readonly<Record<string, RecordedPeer>>;
  readonly places: Places;
  readonly trackers: readonly { addresses: readonly string[]; port: number }[];
}

/** Each recorded tracker of C at a port before ours: of equal trackers the one with the greatest address and port leads. */
async function play(
  harness: TrackerHarness,
  replies: Readonly<Record<string, readonly RecordedExchange[]>>,
  stack: AsyncDisposableStack,
): Promise<Played> {
  const peers: Record<string, RecordedPeer> = {};
  const places = new Map([[`${ours}:22122`, { address, port: harness.port }]]);
  for (const [place, exchanges] of Object.entries(replies)) {
    for (;;) {
      const peer = stack.use(await answering(exchanges).listen());
      if (peer.port > harness.port) continue;
      peers[place] = peer;
      places.set(place, { address, port: peer.port });
      break;
    }
  }
  const ports = [...places.values()].map(({ port }) => port);
  return { peers, places, trackers: ports.map((port) => ({ addresses: [address], port })) };
}

function commandsTo(peer: RecordedPeer | undefined): readonly number[] {
  return (peer?.received ?? []).map((request) => request.readUInt8(8));
}

function repliesOf(name: string, server: string): readonly RecordedExchange[] {
  return readRecording(name).exchanges.filter((each) => each.server === server);
}

/** What `server` answered to our tracker, and before that that it has no group. */
function repliesToUs(name: string, server: string): readonly RecordedExchange[] {
  const all = repliesOf(name, server);
  const unaware = all.filter((each) => each.reply === "00000000000000006402").slice(0, 1);
  return [...unaware, ...all.filter((each) => each.client === ours)];
}

/** What trackers of C asked ours once it led. */
function questionsToLeader(name: string): readonly RecordedExchange[] {
  const all = repliesOf(name, `${ours}:22122`).filter(({ client }) => client === theirs);
  const isLed = ({ reply }: RecordedExchange) => String(reply).startsWith("0000000000000011640001");
  const begins = all.some(isLed) ? all.findIndex(isLed) : 0;
  return all.slice(begins);
}

async function expectAnswers(
  harness: TrackerHarness,
  places: Places,
  questions: readonly RecordedExchange[],
): Promise<void> {
  const answers = await asked(questions, { address, port: harness.port }, places);
  expect(answers.map(({ given }) => given)).toEqual(answers.map(({ recorded }) => recorded));
  expect(questions.map(commandOf)).toEqual(expect.arrayContaining([joinLeader, ping]));
}

test("of three trackers that start at once ours is chosen, tells both of C, and is followed by them", async () => {
  await using stack = new AsyncDisposableStack();
  const harness = stack.use(await TrackerHarness.start());
  const name = "election-of-three";
  const replies = { [first]: repliesToUs(name, first), [second]: repliesToUs(name, second) };
  const { peers, places, trackers } = await play(harness, replies, stack);
  await harness.active("127.0.0.5", { trackers });
  await eventually(() => harness.tracker.snapshot().leadership.role === "leader", soonMs);
  const announced = repliesOf(name, first)
    .concat(repliesOf(name, second))
    .filter((each) => each.client === ours && [nominate, commit].includes(commandOf(each)));
  const sent = [peers[first], peers[second]].flatMap((peer) =>
    (peer?.received ?? []).filter((request) => [nominate, commit].includes(request.readUInt8(8))),
  );
  // The one that knows no group yet is passed over.
  expect(announced.map(commandOf)).toEqual([nominate, nominate, commit]);
  const expected = announced.map((each) => moved(each, places).toString("hex"));
  expect(sent.map((request) => request.toString("hex"))).toEqual(expected);
  await expectAnswers(harness, places, questionsToLeader(name));
  const { followers, hasMajority } = harness.tracker.snapshot().leadership;
  expect([followers.map(({ isActive }) => isActive), hasMajority]).toEqual([[true, true], true]);
}, 40_000);

test("back after a while our tracker follows the one of C that leads, and takes its place when it dies", async () => {
  await using stack = new AsyncDisposableStack();
  const database = memoryState();
  stack.defer(() => database.close());
  const before = await TrackerHarness.start({ database });
  await before.active("127.0.0.5");
  await before.stop();
  const harness = stack.use(await TrackerHarness.start({ database }));
  const [follows, dies] = ["election-c-leads", "election-c-leader-dies"];
  const replies = {
    [first]: [...repliesToUs(follows, first), ...repliesToUs(dies, first)],
    [second]: repliesToUs(follows, second),
  };
  const { peers, places, trackers } = await play(harness, replies, stack);
  await harness.active("127.0.0.5", { trackers });
  const [survivor, leader] = [peers[first], peers[second]];
  await eventually(() => commandsTo(leader).filter((each) => each === ping).length > 1, soonMs);
  expect(harness.tracker.snapshot().leadership).toMatchObject({
    ...{ role: "follower", leader: `${address}:${leader?.port}` },
  });
  // As it was recorded: asked, joined, pinged, and its file of groups read.
  expect(commandsTo(leader).slice(0, 4)).toEqual([status, joinLeader, ping, oneFile]);
  expect(new Set(commandsTo(survivor))).toEqual(new Set([status]));
  await leader?.[Symbol.asyncDispose]();
  await eventually(() => harness.tracker.snapshot().leadership.role === "leader", soonMs);
  const announced = repliesToUs(dies, first).filter((each) => commandOf(each) !== status);
  const sent = (survivor?.received ?? []).filter((request) => request.readUInt8(8) !== status);
  expect(sent.slice(0, 2).map((request) => request.toString("hex"))).toEqual(
    announced.slice(0, 2).map((each) => moved(each, places).toString("hex")),
  );
  await expectAnswers(harness, places, questionsToLeader(dies));
}, 60_000);
