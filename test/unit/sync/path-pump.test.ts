import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { flowOfBytes } from "#net/byte-flow.ts";
import { maxSyncContentBytes } from "#protocol/peer/sync-record.ts";
import { parseMark } from "#sync/sync-cursor.ts";
import { heldNameTime } from "#sync/sync-record.ts";
import { SyncPair, senderId, settle, type WireFate } from "../../support/sync-pair.ts";

const markFile = "0/10.0.0.2_23000.mark";

async function begun(): Promise<SyncPair> {
  const pair = new SyncPair();
  await pair.pump.load();
  pair.begin();
  await settle();
  return pair;
}

test("what is written to the binlog is at the peer without a moment's wait", async () => {
  const pair = await begun();
  const name = pair.from.upload(Buffer.from("hello"));
  await settle();
  expect(pair.to.files.get(name)?.bytes.toString()).toBe("hello");
  expect(pair.to.lines).toEqual([`1000 c ${name}`]);
  await pair.pump.stop();
});

test("records gather while an exchange is under way", async () => {
  const pair = await begun();
  for (let at = 0; at < 200; at += 1) pair.from.upload(Buffer.from(`file ${at}`));
  await pair.pass(1);
  expect(pair.to.files.size).toBe(200);
  expect(pair.exchanges).toBeLessThan(20);
  await pair.pump.stop();
});

test("the mark moves behind what is acknowledged, and a restart goes on from there", async () => {
  const pair = await begun();
  pair.from.upload(Buffer.from("one"));
  await pair.pass(2);
  const end = await pair.from.binlogEnd();
  expect(parseMark(pair.from.marks.get(markFile) ?? "")?.position).toEqual(end);
  const before = pair.exchanges;
  await pair.restart();
  await pair.pass(2);
  expect(pair.exchanges).toBe(before);
  pair.from.upload(Buffer.from("two"));
  await pair.pass(1);
  expect(pair.to.files.size).toBe(2);
  await pair.pump.stop();
});

test("the position tells what the peer has, and waits for what it does not have", async () => {
  const pair = await begun();
  let passes = true;
  pair.fate = () => (passes ? "passes" : "lost");
  pair.from.upload(Buffer.from("one"));
  pair.from.seconds = 1005;
  await pair.pass(2);
  expect(pair.pump.reached).toBe(1005);
  passes = false;
  pair.from.upload(Buffer.from("two"));
  pair.from.seconds = 1010;
  await pair.pass(5);
  expect(pair.pump.reached).toBeLessThanOrEqual(1005);
  expect(pair.failures).toBeGreaterThan(1);
  passes = true;
  await pair.pass(5);
  expect(pair.pump.reached).toBe(1010);
  await pair.pump.stop();
});

test("a damaged wire is noticed by CRC-32, and the file is sent again", async () => {
  const pair = await begun();
  const fates: WireFate[] = ["damaged", "damaged"];
  pair.fate = () => fates.shift() ?? "passes";
  const name = pair.from.upload(Buffer.from("precious"));
  await pair.pass(1);
  expect(pair.to.files.get(name)?.bytes.toString()).toBe("precious");
  expect(pair.exchanges).toBe(3);
  expect(pair.pump.report.aside).toEqual([]);
  await pair.pump.stop();
});

test("a file that cannot be read is set aside and healed, while what comes behind it goes on", async () => {
  const pair = await begun();
  const good = Buffer.from("good copy");
  let peerHasIt = false;
  pair.heal = async (name) => {
    if (!peerHasIt) return false;
    pair.from.unreadable.delete(name);
    return true;
  };
  const bad = pair.from.upload(good);
  pair.from.unreadable.add(bad);
  const later = pair.from.upload(Buffer.from("later"));
  await pair.pass(3);
  expect([...pair.to.files.keys()]).toEqual([later]);
  expect(pair.pump.report.aside).toMatchObject([{ line: `1000 C ${bad}`, tries: 1 }]);
  expect(pair.pump.gaps).toBe(1);
  // What was set aside is remembered, since the mark has passed it.
  await pair.restart();
  await pair.pass(1);
  expect(pair.pump.report.aside.length).toBe(1);
  peerHasIt = true;
  await pair.pass(90);
  expect(pair.to.files.get(bad)?.bytes).toEqual(good);
  expect(pair.pump.report.aside).toEqual([]);
  expect(pair.from.marks.has("0/10.0.0.2_23000.aside.mark")).toBe(false);
  await pair.pump.stop();
});

test("a change that follows one that was set aside takes the whole file along", async () => {
  for (const change of ["append", "modify", "truncate"] as const) {
    const pair = await begun();
    const name = pair.from.upload(Buffer.from("0123456789"), "appender");
    await pair.pass(1);
    pair.to.trouble = fileStoreError("disk-failed", "EIO");
    pair.from.modify(name, 0, Buffer.from("abc"));
    await pair.pass(1);
    expect(pair.pump.report.aside.length).toBe(1);
    pair.to.trouble = undefined;
    if (change === "append") pair.from.append(name, Buffer.from("def"));
    else if (change === "modify") pair.from.modify(name, 5, Buffer.from("def"));
    else pair.from.truncate(name, 7);
    await pair.pass(1);
    expect(pair.to.contents).toEqual(pair.from.contents);
    await pair.pump.stop();
  }
});

test("a rotten file is not passed on", async () => {
  const pair = await begun();
  const name = pair.from.upload(Buffer.from("as it was"));
  const file = pair.from.files.get(name);
  if (file !== undefined) file.bytes = Buffer.from("as it is!");
  await pair.pass(1);
  expect(pair.to.files.size).toBe(0);
  expect(pair.pump.report.aside[0]?.why).toContain("CRC-32");
  await pair.pump.stop();
});

test("a peer without room is waited for, in words, and nothing is set aside", async () => {
  const pair = await begun();
  pair.to.trouble = fileStoreError("store-full", "no room");
  pair.from.upload(Buffer.from("one"));
  await pair.pass(3);
  expect(pair.pump.report.problem).toContain("no room");
  expect(pair.pump.report.aside).toEqual([]);
  pair.to.trouble = undefined;
  await pair.pass(10);
  expect(pair.to.files.size).toBe(1);
  expect(pair.pump.report.problem).toBeUndefined();
  await pair.pump.stop();
});

test("a store path that cannot be read here is waited for", async () => {
  const pair = new SyncPair();
  pair.from.upload(Buffer.from("one"));
  pair.from.trouble = fileStoreError("store-path-offline", "gone");
  pair.begin();
  await pair.pass(2);
  expect(pair.pump.report.problem).toContain("cannot be read here");
  pair.from.trouble = undefined;
  await pair.pass(10);
  expect(pair.to.files.size).toBe(1);
  await pair.pump.stop();
});

test("a store path that comes back goes on at once, and what was the matter is forgotten where nothing waits", async () => {
  const pair = new SyncPair();
  pair.from.upload(Buffer.from("one"));
  pair.from.trouble = fileStoreError("store-path-offline", "gone");
  pair.begin();
  await pair.pass(40);
  pair.from.trouble = undefined;
  pair.pump.resume();
  await pair.pass(1);
  expect(pair.to.files.size).toBe(1);
  pair.from.trouble = fileStoreError("store-path-offline", "gone again");
  pair.pump.wake();
  await pair.pass(40);
  expect(pair.pump.report.problem).toContain("gone again");
  pair.from.trouble = undefined;
  pair.pump.resume();
  await pair.pass(1);
  expect(pair.pump.report.problem).toBeUndefined();
  await pair.pump.stop();
});

test("a binlog that is gone is read from its new start", async () => {
  const pair = await begun();
  pair.from.upload(Buffer.from("one"));
  await pair.pass(2);
  await pair.pump.stop();
  pair.from.binlogs[0] = "";
  pair.pump = pair.newPump();
  await pair.pump.load();
  pair.from.upload(Buffer.from("two"));
  const text = pair.from.binlogs[0] ?? "";
  pair.from.binlogs[0] = text.slice(0, 10);
  pair.begin();
  await pair.pass(1);
  pair.from.binlogs[0] = text;
  await pair.pass(5);
  expect(pair.to.files.size).toBe(2);
  await pair.pump.stop();
});

test("of a new member's old files those up to the deadline come from the source alone", async () => {
  const pair = new SyncPair();
  pair.from.upload(Buffer.from("own, old"));
  const foreign = Buffer.from("foreign");
  const about = { timestamp: 900, mode: "create", crc32: crc32(foreign) } as const;
  await pair.from.storeReplica(
    { name: "M00/00/00/CgkAAmsDkLqEaconAAAAADUkQcI579.log", ...about },
    { length: 7, drainTo: async (sink) => void sink.write(foreign), resume: () => {} },
  );
  pair.from.seconds = 2000;
  pair.from.upload(Buffer.from("own, new"));
  const others = new SyncPair();
  for (const [name, file] of pair.from.files) others.from.files.set(name, file);
  others.from.binlogs[0] = pair.from.binlogs[0] ?? "";
  pair.start = { ...pair.start, plan: { needSyncOld: true, oldDone: false, until: 1500 } };
  others.start = { ...others.start, plan: { needSyncOld: false, oldDone: false, until: 1500 } };
  for (const each of [pair, others]) {
    await each.pump.load();
    each.begin();
    await each.pass(1);
    await each.pump.stop();
  }
  expect(pair.to.files.size).toBe(3);
  expect([...others.to.files.values()].map(({ bytes }) => bytes.toString())).toEqual(["own, new"]);
});

test("what a new member has is not sent again while it is filled, and not asked about afterwards", async () => {
  const pair = new SyncPair();
  const name = pair.from.upload(Buffer.from("old"));
  pair.to.files.set(name, { bytes: Buffer.from("old"), modifiedSeconds: 1 });
  pair.from.unreadable.add(name);
  pair.start = { ...pair.start, plan: { needSyncOld: true, oldDone: false, until: 1500 } };
  await pair.pump.load();
  pair.begin();
  await pair.pass(1);
  expect([pair.pump.report.aside, pair.caughtUp > 0]).toEqual([[], true]);
  pair.pump.savePlan({ needSyncOld: true, oldDone: true, until: 1500 });
  const before = pair.exchanges;
  pair.from.upload(Buffer.from("new"));
  await pair.pass(1);
  expect([pair.exchanges - before, pair.to.files.size]).toEqual([1, 2]);
  await pair.pump.stop();
});

test("whose place another one took sends only its own from its mark on, whatever the mark says of a fill", async () => {
  const pair = new SyncPair();
  pair.start = { ...pair.start, plan: { needSyncOld: true, oldDone: false, until: 1500 } };
  pair.from.upload(Buffer.from("sent"));
  await pair.pump.load();
  pair.begin();
  await pair.pass(2);
  pair.fate = () => "lost";
  const foreign = Buffer.from("foreign");
  const name = "M00/00/00/CgkAAmsDkLqEaconAAAAADUkQcI579.log";
  await pair.from.storeReplica(
    { name, timestamp: 900, mode: "create", crc32: crc32(foreign) },
    flowOfBytes(foreign),
  );
  const own = pair.from.upload(Buffer.from("own"));
  await pair.pass(2);
  pair.fate = () => "passes";
  pair.start = { ...pair.start, plan: { needSyncOld: false, oldDone: false, until: 0 } };
  await pair.restart();
  await pair.pass(2);
  expect([pair.to.files.has(name), pair.to.files.has(own), pair.to.files.size]).toEqual([
    ...[false, true, 2],
  ]);
  expect(parseMark(pair.from.marks.get(markFile) ?? "")).toMatchObject({ needSyncOld: false });
  await pair.pump.stop();
});

test("whoever starts over leaves out what the peer has told that it has", async () => {
  const pair = new SyncPair();
  pair.from.upload(Buffer.from("old"));
  const appender = pair.from.upload(Buffer.from("grows"), "appender");
  pair.from.seconds = 1100;
  pair.from.upload(Buffer.from("new"));
  pair.start = { ...pair.start, peerHolds: 1100 };
  await pair.pump.load();
  pair.begin();
  await pair.pass(1);
  expect(pair.to.files.has(appender)).toBe(true);
  const contents = [...pair.to.files.values()].map(({ bytes }) => bytes.toString());
  expect(contents.sort()).toEqual(["grows", "new"]);
  await pair.pump.stop();
});

test("a line that is no record is passed over, or stops the path and says so", async () => {
  for (const skips of [true, false]) {
    const pair = new SyncPair({ skipsInvalid: skips });
    pair.from.upload(Buffer.from("one"));
    pair.from.binlogs[0] += "nonsense\n";
    pair.from.upload(Buffer.from("two"));
    await pair.pump.load();
    pair.begin();
    await pair.pass(3);
    expect(pair.to.files.size).toBe(skips ? 2 : 1);
    if (!skips) expect(pair.pump.report.problem).toContain("nonsense");
    await pair.pump.stop();
  }
});

/** One thing that happens to the pair. */
type Happening =
  | { readonly do: "upload" | "appender" | "remove" | "append" | "modify"; readonly pick: number }
  | { readonly do: "truncate" | "metadata" | "regenerate"; readonly pick: number }
  | { readonly do: "restart" | "kill" | "rotate" | "second" | "rest"; readonly pick: number };

const kinds = [
  ...["upload", "upload", "appender", "remove", "append", "append", "modify", "truncate"],
  ...["metadata", "metadata", "regenerate", "restart", "kill", "rotate", "second", "rest"],
] as Happening["do"][];
const happening: fc.Arbitrary<Happening> = fc.record({
  do: fc.constantFrom(...kinds),
  pick: fc.nat(1000),
});

test("streams of changes that touch each other, over a wire that loses and damages, through restarts and kills: the stores end equal, and no position is told too early", async () => {
  const fates: WireFate[] = ["passes", "passes", "passes", "lost", "reply-lost", "damaged"];
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 5, maxLength: 80 }),
      fc.infiniteStream(fc.constantFrom(...fates)),
      async (happenings, stream) => {
        const pair = await begun();
        let quiet = false;
        pair.fate = () => (quiet ? "passes" : (stream.next().value as WireFate));
        for (const each of happenings) {
          await happens(pair, each);
          expectNothingMissing(pair);
        }
        quiet = true;
        await pair.pass(300);
        // As the link does once a second.
        pair.from.seconds += 5;
        await pair.pass(2);
        await (await pair.openLane()).keepAlive();
        expectNothingMissing(pair);
        await pair.pump.stop();
        expect(pair.to.contents).toEqual(pair.from.contents);
        expect(pair.held.of(senderId)?.gaps ?? 0).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);

/** Everything below the position that the receiver was told is there, unless it was set aside, which it was told as well. */
function expectNothingMissing(pair: SyncPair): void {
  const position = pair.held.of(senderId);
  if (position === undefined || position.gaps > 0) return;
  for (const name of pair.from.files.keys()) {
    const time = heldNameTime(name);
    if (time === undefined || time >= position.heldUntil) continue;
    expect(pair.to.files.has(name)).toBe(true);
  }
}

async function happens(pair: SyncPair, { do: what, pick }: Happening): Promise<void> {
  const { from } = pair;
  const plain = [...from.files.keys()].filter((name) => !name.endsWith("-m"));
  const appenders = plain.filter((name) => heldNameTime(name) === undefined);
  const chosen = plain[pick % Math.max(1, plain.length)];
  const appender = appenders[pick % Math.max(1, appenders.length)];
  const bytes = Buffer.from(`content ${pick}`.repeat(1 + (pick % 50)));
  switch (what) {
    case "upload":
      from.upload(bytes);
      break;
    case "appender":
      from.upload(bytes, "appender");
      break;
    case "remove":
      if (chosen === undefined) break;
      from.remove(chosen);
      if (from.files.has(`${chosen}-m`)) from.remove(`${chosen}-m`);
      break;
    case "metadata":
      if (chosen !== undefined) from.setMetadata(chosen, `k\u0002${pick}`);
      break;
    case "append":
      if (appender !== undefined) from.append(appender, bytes);
      break;
    case "modify":
      if (appender !== undefined)
        from.modify(appender, pick % (from.files.get(appender)?.bytes.length || 1), bytes);
      break;
    case "truncate":
      if (appender !== undefined) from.truncate(appender, pick % 600);
      break;
    case "regenerate":
      if (appender !== undefined) from.regenerate(appender);
      break;
    case "rotate":
      from.binlogs.push("");
      break;
    case "second":
      from.seconds += 1;
      await pair.pass(1);
      break;
    case "rest":
      await settle();
      break;
    case "restart":
    case "kill":
      await pair.restart(what === "restart");
      break;
  }
}

test("while nothing is sent it is told what waits, and since when", async () => {
  const pair = await begun();
  const plan = { needSyncOld: false, oldDone: false, until: 0 };
  pair.from.upload(Buffer.from("sent"));
  await pair.pass(2);
  await pair.pump.stop();
  expect(pair.pump.report).toMatchObject({ pending: 0, isKnown: false });
  pair.from.seconds = 2000;
  for (let at = 0; at < 3; at += 1) pair.from.upload(Buffer.from(`waits ${at}`));
  await pair.pump.look(plan, false);
  const waiting = { pending: 3, backlogBytes: 0, oldestTimestamp: 2000, isKnown: true };
  expect(pair.pump.report).toMatchObject(waiting);
  // From the start on, as for a peer that lost everything.
  await pair.pump.look(plan, true);
  expect(pair.pump.report).toMatchObject({ pending: 4, oldestTimestamp: 1000 });
  pair.begin();
  await pair.pass(2);
  expect(pair.pump.report).toMatchObject({ pending: 0, backlogBytes: 0, isKnown: true });
  await pair.pump.stop();
});

test("a large file that is rotten here is had from a peer, and is at the peer soon", async () => {
  const pair = await begun();
  const content = Buffer.alloc(maxSyncContentBytes + 100, 7);
  const name = pair.from.upload(Buffer.from(content));
  pair.from.files.get(name)?.bytes.writeUInt8(8, 1000);
  pair.heal = async (healed) => {
    pair.from.files.get(healed)?.bytes.writeUInt8(7, 1000);
    return true;
  };
  await pair.pass(5);
  expect(pair.to.files.get(name)?.bytes.equals(content)).toBe(true);
  await pair.pump.stop();
});
