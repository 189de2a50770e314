/** How a disk shows where it is. */
import { expect, test } from "vitest";
import { DiskLocator, type LocatorParts } from "#disks/disk-locator.ts";
import { blink, directReads, locateLimits } from "#disks/locate.ts";
import type { CommandEnd } from "#platform/commands.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { seededRandom } from "../../support/seeded-random.ts";

const mib = 1024 * 1024;
const disk = { name: "sda", sequence: 3, sizeBytes: 4000 * mib };

async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

/** Time passes by itself while `work` is under way. */
async function whilePassing<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let isOver = false;
  const watched = work.finally(() => {
    isOver = true;
  });
  watched.catch(() => undefined);
  for (let turn = 0; turn < 100_000 && !isOver; turn += 1) {
    await settle();
    if (!isOver) clock.advance(10);
  }
  return await watched;
}

function slowDisk(clock: ManualClock, msPerPiece: number) {
  const reads: { readonly atMs: number; readonly pieces: number; readonly offset: number }[] = [];
  const read = async (offset: number, pieces: number) => {
    reads.push({ atMs: clock.monotonicMs(), pieces, offset });
    await new Promise<void>((resolve) => clock.after(pieces * msPerPiece, resolve));
  };
  return { reads, source: { sizeBytes: disk.sizeBytes, read } };
}

test("it blinks three times and pauses, with blinks as long as eyes need, whatever the disk's speed", async () => {
  for (const msPerPiece of [2, 7, 50]) {
    const clock = new ManualClock();
    const { reads, source } = slowDisk(clock, msPerPiece);
    const options = { clock, random: seededRandom(1), durationMs: 20_000 };
    const signal = new AbortController().signal;
    const blinks = await whilePassing(clock, blink(source, { ...options, signal }));
    expect(blinks).toBe(reads.length);
    const settled = reads.slice(3);
    for (const { pieces } of settled) expect(Math.abs(pieces * msPerPiece - 250)).toBeLessThan(60);
    const gaps = settled.slice(1).map(({ atMs }, at) => atMs - (settled[at]?.atMs ?? 0));
    expect(gaps.slice(0, 6).map((gap) => (gap > 1000 ? "pause" : "."))).toEqual([
      ...[".", ".", "pause", ".", ".", "pause"],
    ]);
  }
});

test("places are spread over the disk and never beyond its end", async () => {
  const clock = new ManualClock();
  const { reads, source } = slowDisk(clock, 2);
  const options = { clock, random: seededRandom(1), durationMs: 30_000 };
  await whilePassing(clock, blink(source, { ...options, signal: new AbortController().signal }));
  expect(new Set(reads.map(({ offset }) => offset)).size).toBeGreaterThan(reads.length / 2);
  for (const { offset, pieces } of reads) {
    expect(offset + pieces * mib).toBeLessThanOrEqual(disk.sizeBytes);
  }
});

test("it ends by itself, at the latest after five minutes, and at once when it was found", async () => {
  const clock = new ManualClock();
  const { source } = slowDisk(clock, 2);
  const random = seededRandom(1);
  const beginMs = clock.monotonicMs();
  const signal = new AbortController().signal;
  await whilePassing(clock, blink(source, { clock, random, signal, durationMs: 1e9 }));
  const tookMs = clock.monotonicMs() - beginMs;
  expect(tookMs).toBeGreaterThanOrEqual(locateLimits.maxDurationMs);
  expect(tookMs).toBeLessThan(locateLimits.maxDurationMs + 3000);
  const ended = AbortSignal.abort();
  expect(await blink(source, { clock, random, signal: ended, durationMs: 1000 })).toBe(0);
});

function stage(
  answers: (program: string, parameters: readonly string[]) => Partial<CommandEnd>,
  parts: Partial<LocatorParts> = {},
) {
  const clock = new ManualClock();
  const runs: string[] = [];
  const locator = new DiskLocator({
    ...{ clock, random: seededRandom(1), log: collectedLog().log },
    commands: {
      run: async (program, parameters) => {
        runs.push([program, ...parameters].join(" "));
        return { code: 0, stdout: "", stderr: "", ...answers(program, parameters) };
      },
    },
    directoriesOn: () => ["/srv/a"],
    ...parts,
  });
  return { clock, runs, locator };
}

test("a device that may be read is read, directly and nowhere written", async () => {
  const { locator, runs } = stage(() => ({}));
  expect(await locator.begin(disk, 10_000)).toEqual({ by: ["reads"], seconds: 10 });
  expect(runs[0]).toBe(
    "dd if=/dev/sda of=/dev/null bs=1048576 iflag=direct status=none skip=0 count=1",
  );
  expect(locator.end("sda")).toBe(true);
  expect(locator.end("sda")).toBe(false);
});

test("where it may not, a large file of the node on it is", async () => {
  const { locator, runs } = stage((program, parameters) => {
    if (program === "find") return parameters.includes("+8M") ? { stdout: "9000000 /srv/a/f" } : {};
    return parameters.includes("if=/dev/sda") ? { code: 1, stderr: "Permission denied" } : {};
  });
  expect((await locator.begin(disk, 10_000)).by).toEqual(["reads"]);
  await settle();
  expect(runs.filter((run) => run.startsWith("find"))).toHaveLength(2);
  expect(runs.at(-1)).toContain("if=/srv/a/f");
  locator.endAll();
});

test("an LED is switched on, and off at the end", async () => {
  const switched: boolean[] = [];
  const led = async (_: unknown, on: boolean) => {
    switched.push(on);
    return "enclosure";
  };
  const { locator, clock } = stage(() => ({ code: 1, stderr: "no" }), { led });
  expect(await locator.begin(disk, 10_000)).toEqual({ by: ["enclosure"], seconds: 10 });
  clock.advance(9_999);
  await settle();
  expect(switched).toEqual([true]);
  clock.advance(1);
  await settle();
  expect(switched).toEqual([true, false]);
});

test("a disk that can show itself in no way is an error that says so", async () => {
  const { locator } = stage(() => ({ code: 1 }), {
    led: () => Promise.reject(new Error("no light")),
  });
  await expect(locator.begin(disk, 1000)).rejects.toMatchObject({ code: "locate-failed" });
  const other = { ...disk, name: "../x" };
  await expect(locator.begin(other, 1000)).rejects.toMatchObject({ code: "locate-failed" });
  expect(locator.end("sda")).toBe(false);
});

test("a read that fails tells the program's first words", async () => {
  const commands = { run: async () => ({ code: 1, stdout: "", stderr: "dd: error\nmore" }) };
  const read = directReads(commands, "/dev/sda", disk.sizeBytes).read(0, 1);
  await expect(read).rejects.toMatchObject({ code: "disk-unreadable", message: "dd: error" });
});
