/**
 * Goal: with `durability = "flushed"` a reply leaves only after data, names and binlog entry of its file are on stable storage, also
 * when many commits share their flushes and these are in flight together.
 * Method: a whole node under `strace`. For each upload the calls that it needs are found by its name, and each has to end before the
 * next one begins, but for those that share a step; what a file consists of on the disk is data (`Evidence`), so that other ways of storing files are checked alike.
 */
import { expect, test } from "vitest";
import { LiveNode } from "../support/live-node.ts";
import { needs, program } from "../support/needs.ts";
import { StorageCaller } from "../support/storage-caller.ts";
import { CallTrace, parseCalls, type SystemCall } from "../support/system-calls.ts";

const flushes = ["fsync", "fdatasync"];
const renames = ["rename", "renameat", "renameat2"];
const writes = ["write", "writev", "pwrite64", "pwritev", "sendto", "sendmsg"];
/** A batch of records is one write, and each record names its file. */
const shownBytes = 16_384;
const withStrace = needs(program("strace", { apt: "strace" }));

/** One step of storing a file: a call of one of these names whose text has all of these words. */
interface Step {
  readonly what: string;
  readonly names: readonly string[];
  readonly words: readonly string[];
}

/** Steps of one group may happen in any order; each group ends before the next begins. */
type Evidence = readonly (readonly Step[])[];

interface Upload {
  readonly name: string;
  readonly body: string;
}

const flushedBinlog: Step = {
  what: "the binlog is flushed",
  names: flushes,
  words: ["/sync/binlog."],
};
const flushedJournal: Step = {
  what: "the journal is flushed",
  names: flushes,
  words: ["/.cairn/journal."],
};

/** A file of its own: received under its name in `.cairn/tmp`, recorded, and renamed into its place. */
function fileOfItsOwn({ name, body }: Upload): Evidence {
  return fileRecordedBy(flushedBinlog, { name, body });
}

/** The same, where its record is flushed in the journal. */
function fileOfItsOwnJournaled({ name, body }: Upload): Evidence {
  return fileRecordedBy(flushedJournal, { name, body });
}

function fileRecordedBy(flushed: Step, { name, body }: Upload): Evidence {
  const [, high, low, base = ""] = name.split("/");
  const place = `/data/${high}/${low}`;
  return [
    [{ what: "its content is written", names: writes, words: ["/.cairn/tmp/", base, body] }],
    [
      { what: "its content is flushed", names: flushes, words: ["/.cairn/tmp/", base] },
      { what: "its staged name is flushed", names: flushes, words: ["/.cairn/tmp>"] },
    ],
    [{ what: "its record is written", names: writes, words: ["/sync/binlog.", name] }],
    ...(flushed === flushedJournal ? [[journaledRecord({ name, body: "" })]] : []),
    [flushed],
    [{ what: "it gets its place", names: renames, words: [`${place}/${base}`] }],
    [{ what: "its directory is flushed", names: flushes, words: [`${place}>`] }],
    [{ what: "the reply leaves", names: writes, words: ["<socket:", name] }],
  ];
}

/** A slot of the only trunk file that there is; a start compares slot and record, which are flushed together. */
function packed({ name, body }: Upload): Evidence {
  const trunkFile = "/data/00/00/000001>";
  return [
    [{ what: "its slot is written", names: writes, words: [trunkFile, body] }],
    [{ what: "its record is written", names: writes, words: ["/sync/binlog.", name] }],
    [{ what: "its slot is flushed", names: flushes, words: [trunkFile] }, flushedBinlog],
    [{ what: "the reply leaves", names: writes, words: ["<socket:", name] }],
  ];
}

/** Slot and record once more, side by side in the journal, which alone is flushed. */
function packedJournaled({ name, body }: Upload): Evidence {
  return [
    [{ what: "its record is written", names: writes, words: ["/sync/binlog.", name] }],
    [journaledRecord({ name, body })],
    [flushedJournal],
    [{ what: "the reply leaves", names: writes, words: ["<socket:", name] }],
  ];
}

function journaledRecord({ name, body }: Upload): Step {
  const words = ["/.cairn/journal.", name, body];
  return { what: "it is written to the journal", names: writes, words };
}

/** What is missing of the evidence; undefined where each group was complete before the next one began. */
function gapIn(calls: readonly SystemCall[], evidence: Evidence): string | undefined {
  let after = -1;
  for (const group of evidence) {
    let ended = after;
    for (const { what, names, words } of group) {
      const found = calls.find(
        ({ name, text, result, began }) =>
          names.includes(name) &&
          began > after &&
          !result.startsWith("-1") &&
          words.every((word) => text.includes(word)),
      );
      if (found === undefined) return `${what}: no such call after line ${after}`;
      ended = Math.max(ended, found.ended);
    }
    after = ended;
  }
  // The first call of a kind is taken: a reply that left earlier would be another one's, or too early.
  const replies = calls.filter(({ text }) =>
    (evidence.at(-1) ?? []).every(({ words }) => words.every((word) => text.includes(word))),
  );
  return replies.length === 1 ? undefined : `${replies.length} replies`;
}

/** Writes to the path until it has its journal. */
async function journaled(node: LiveNode): Promise<void> {
  const caller = await StorageCaller.connect(node.storage.port);
  const deadline = performance.now() + 10_000;
  while (!node.process.errors.includes("journal-on")) {
    if (performance.now() > deadline) throw new Error("no journal within 10 s");
    await caller.upload(Buffer.from("first"));
  }
  caller.close();
}

async function traceUploads(node: LiveNode, together: number, each: number) {
  const callers = await Promise.all(
    Array.from({ length: together }, () => StorageCaller.connect(node.storage.port)),
  );
  // Directories that are new are flushed as well: here it is about files in one that is there.
  await callers[0]?.upload(Buffer.from("first"));
  const trace = await CallTrace.attach(
    node.process.pid,
    [...flushes, ...renames, ...writes],
    shownBytes,
  );
  const uploads: Upload[] = [];
  await Promise.all(
    callers.map(async (caller, index) => {
      for (let count = 0; count < each; count += 1) {
        const body = `body ${index}-${count}.`;
        uploads.push({ body, name: await caller.upload(Buffer.from(body)) });
      }
      caller.close();
    }),
  );
  return { uploads, calls: await trace.calls() };
}

const ways = [
  { way: "a file of its own", packing: "off", journal: "0", evidence: fileOfItsOwn },
  { way: "packed", packing: "on", journal: "0", evidence: packed },
  {
    way: "a file of its own, by the journal",
    ...{ packing: "off", journal: "4MiB", evidence: fileOfItsOwnJournaled },
  },
  { way: "packed, by the journal", packing: "on", journal: "4MiB", evidence: packedJournaled },
] as const;

for (const { way, packing, journal, evidence } of ways) {
  const settings = [`storage.packing=${packing}`, `storage.journal_size=${journal}`];

  withStrace(`${way}, one at a time: every flush ends before the next step begins`, async () => {
    await using node = await LiveNode.start(() => settings);
    if (journal !== "0") await journaled(node);
    const { uploads, calls } = await traceUploads(node, 1, 5);
    const gaps = uploads.map((upload) => gapIn(calls, evidence(upload)));
    expect(gaps).toEqual(uploads.map(() => undefined));
  });

  withStrace(`${way}, many at a time: the same for each, and they share flushes`, async () => {
    await using node = await LiveNode.start(() => settings);
    if (journal !== "0") await journaled(node);
    const { uploads, calls } = await traceUploads(node, 32, 4);
    expect(uploads.length).toBe(128);
    const gaps = uploads.map((upload) => gapIn(calls, evidence(upload)));
    expect(gaps).toEqual(uploads.map(() => undefined));
    const recorded = journal === "0" ? "/sync/binlog." : "/.cairn/journal.";
    const shared = calls.filter(
      ({ name, text }) => flushes.includes(name) && text.includes(recorded),
    );
    expect(shared.length).toBeLessThan(uploads.length / 2);
  });
}

withStrace("relaxed, the original's way: nothing is flushed", async () => {
  await using node = await LiveNode.start(() => [
    "storage.packing=off",
    "storage.durability=relaxed",
  ]);
  const { uploads, calls } = await traceUploads(node, 8, 4);
  expect(uploads.length).toBe(32);
  expect(calls.filter(({ name }) => flushes.includes(name))).toEqual([]);
});

test("evidence with a flush that ends too late, or with none, is not accepted", () => {
  const name = "M00/00/00/base";
  const good = [
    '[pid 1] write(20</s/data/.cairn/tmp/00.00.base>, "body", 4) = 4',
    "[pid 2] fdatasync(20</s/data/.cairn/tmp/00.00.base>) = 0",
    "[pid 3] fsync(21</s/data/.cairn/tmp>) = 0",
    `[pid 1] write(9</s/data/sync/binlog.000>, "1 C ${name}\\n", 20) = 20`,
    "[pid 2] fdatasync(9</s/data/sync/binlog.000>) = 0",
    '[pid 1] rename("/s/data/.cairn/tmp/00.00.base", "/s/data/00/00/base") = 0',
    "[pid 2] fsync(22</s/data/00/00>) = 0",
    `[pid 4] write(30<socket:[7]>, "${name}", 40) = 40`,
  ];
  const check = (lines: readonly string[]) =>
    gapIn(parseCalls(lines.join("\n")), fileOfItsOwn({ name, body: "body" }));
  expect(check(good)).toBeUndefined();
  for (const [index] of good.entries()) {
    expect(check(good.toSpliced(index, 1)), good[index]).toBeDefined();
  }
  const late = good.with(1, (good[1] ?? "").replace(") = 0", " <unfinished ...>"));
  late.splice(5, 0, "[pid 2] <... fdatasync resumed>)    = 0");
  expect(check(late)).toContain("its record is written");
  const failed = good.with(4, "[pid 2] fdatasync(9</s/data/sync/binlog.000>) = -1 EIO");
  expect(check(failed)).toContain("the binlog is flushed");
});
