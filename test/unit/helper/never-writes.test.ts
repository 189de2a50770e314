/**
 * Goal: promise 2, for every verb there is: nothing is written to a disk with anything on it, in use, or changed since a person said yes.
 * Method: machines in memory with disks of any kind; every verb, also several after each other, with any arguments; whatever would change the
 * disk is counted. Whether it may is judged here anew, in other words than the guard's.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { minimumDiskBytes } from "#disks/guard/may-write.ts";
import { verbNames } from "#disks/helper-protocol.ts";
import { HelperSession, helperParts } from "#helper/helper-session.ts";
import { stagePassport } from "../../support/helper-stage.ts";
import { type DiskState, HelperMachine } from "../../support/helper-world.ts";

const diskId = "c0ffee".padEnd(32, "0");
const size = minimumDiskBytes;

const blankDisk: DiskState = {
  ...{ name: "sdb", sequence: 7, model: "Disk", serial: "S1", sizeBytes: size },
  ...{ readOnly: false, mounts: [], holder: undefined, swap: false, claimed: false },
  ...{ content: [], changedSectors: 0, blkid: undefined, missing: [] },
};

const mostly = <T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 6 }, { arbitrary: other, weight: 1 });

const anyDisk: fc.Arbitrary<DiskState> = fc.record({
  name: fc.constant("sdb"),
  sequence: mostly(7, fc.integer({ min: 1, max: 9 })),
  model: mostly("Disk", fc.constantFrom("", "disk")),
  serial: mostly("S1", fc.constantFrom("", "S2")),
  sizeBytes: mostly(size, fc.constantFrom(size - 512, size * 2)),
  readOnly: mostly(false, fc.boolean()),
  mounts: mostly<readonly string[]>([], fc.constant(["/photos"])),
  holder: mostly<string | undefined>(undefined, fc.constant("md0")),
  swap: mostly(false, fc.boolean()),
  claimed: mostly(false, fc.boolean()),
  content: fc.oneof(
    fc.constant([]),
    fc.constant([{ atBytes: 0, bytes: Buffer.from("XFSB") }]),
    fc.constant([{ atBytes: 40_000_001, bytes: Buffer.from([9]) }]),
    fc.constant([{ atBytes: size - 1, bytes: Buffer.from([1]) }]),
  ),
  changedSectors: mostly(0, fc.integer({ min: 0, max: 2 })),
  blkid: mostly<string | undefined>(undefined, fc.constant("zfs_member")),
  missing: mostly<readonly string[]>(
    [],
    fc.constantFrom(["/proc/self/mountinfo"], ["/sys/block/sdb/diskseq"], ["/sys/block/sdb/stat"]),
  ),
});

interface Act {
  readonly verb: string;
  readonly typed: { model: string; serial: string; sizeBytes: number } | undefined;
  readonly sequence: number;
  readonly withToken: boolean;
  readonly action: string;
  readonly on: boolean;
  readonly diskAfter: DiskState | undefined;
  readonly laterMs: number;
}

const anyAct: fc.Arbitrary<Act> = fc.record({
  verb: fc.oneof(fc.constantFrom("identify", "read", "provision"), fc.constantFrom(...verbNames)),
  typed: fc.option(
    fc.record({
      model: mostly("Disk", fc.constantFrom("", "disk")),
      serial: mostly("S1", fc.constantFrom("", "S2")),
      sizeBytes: mostly(size, fc.constantFrom(0, size * 2)),
    }),
    { nil: undefined },
  ),
  sequence: mostly(7, fc.integer({ min: 1, max: 9 })),
  withToken: mostly(true, fc.boolean()),
  action: mostly("begin", fc.constantFrom("continue", "undo")),
  on: fc.boolean(),
  diskAfter: fc.option(anyDisk, { nil: undefined, freq: 3 }),
  laterMs: mostly(0, fc.constant(700_000)),
});

/** What a person could have seen, told in order to judge for ourselves. */
interface Seen {
  /** The disk as it was when `identify` last gave a token, and when. */
  shown: { readonly disk: DiskState; readonly atMs: number } | undefined;
  /** The disk when it was read from begin to end, and was zero. */
  readBlank: DiskState | undefined;
}

class Walk {
  readonly machine: HelperMachine;
  readonly seen: Seen = { shown: undefined, readBlank: undefined };
  readonly #session: HelperSession;
  #lines: string[] = [];
  #token: string | undefined;
  #id = 0;

  constructor(disk: DiskState) {
    this.machine = new HelperMachine(disk);
    const stream = {
      write: (text: string) => void this.#lines.push(text),
      unsentBytes: 0,
      end() {},
    };
    this.#session = new HelperSession(stream, helperParts(this.machine.world));
  }

  async act(act: Act): Promise<void> {
    this.#lines = [];
    this.#id += 1;
    const token = act.withToken && this.#token !== undefined ? { token: this.#token } : {};
    const all: Readonly<Record<string, object>> = {
      identify: { disk: "sdb" },
      inspect: { device: "sdb", sequence: act.sequence },
      read: { disk: "sdb", sequence: act.sequence, maxBytes: size * 4 },
      provision: {
        ...{ disk: "sdb", sequence: act.sequence, action: act.action, ...token },
        plan: { diskId, fileSystem: "ext4" },
        passport: stagePassport(diskId),
        ...(act.typed === undefined ? {} : { typed: act.typed }),
      },
      mount: {
        ...{ device: "sdb", sequence: act.sequence, diskId, nodeId: "0".repeat(16) },
        uuid: "00000000-0000-0000-0000-000000000000",
      },
      unmount: { diskId },
      smart: { disk: "sdb", sequence: act.sequence, type: "auto", action: "read" },
      locate: { disk: "sdb", sequence: act.sequence, on: act.on },
      "spin-down": { disk: "sdb", sequence: act.sequence },
      eject: { disk: "sdb", sequence: act.sequence },
    };
    const request = { id: this.#id, verb: act.verb, ...all[act.verb] };
    this.#session.receive(Buffer.from(`${JSON.stringify(request)}\n`));
    // What comes after a yes waits for a partition that this machine never shows.
    const done = this.#session.idle();
    let isDone = false;
    void done.then(() => {
      isDone = true;
    });
    for (let rounds = 0; !isDone && rounds < 5000; rounds += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (rounds > 20) this.machine.clock.advance(2000);
    }
    await done;
    this.#note(act);
    if (act.verb === "provision" && "token" in token) this.#token = undefined;
  }

  #note(act: Act): void {
    const reply = JSON.parse(this.#lines.at(-1) ?? "{}") as {
      ok?: boolean;
      result?: { token?: string; blank?: boolean };
    };
    if (reply.ok !== true) return;
    const { disk } = this.machine;
    if (act.verb === "identify" && reply.result?.token !== undefined) {
      this.#token = reply.result.token;
      this.seen.shown = { disk, atMs: this.machine.clock.monotonicMs() };
    }
    if (act.verb === "read" && reply.result?.blank === true) this.seen.readBlank = disk;
  }
}

/** What of it has a name. */
function marksOf({ content }: DiskState): string {
  return content.map(({ atBytes }) => (atBytes === 0 || atBytes === 1080 ? atBytes : "")).join();
}

/** In the words of the promise. */
function mayChange(act: Act, { disk, clock }: HelperMachine, seen: Seen): boolean {
  const nowMs = clock.monotonicMs();
  if (act.verb !== "provision" || act.action !== "begin" || !act.withToken) return false;
  const inUse = disk.mounts.length > 0 || disk.holder !== undefined || disk.swap || disk.claimed;
  if (inUse || disk.readOnly || disk.sizeBytes < size || disk.missing.length > 0) return false;
  const { shown, readBlank } = seen;
  if (shown === undefined || nowMs >= shown.atMs + 600_000) return false;
  if (act.sequence !== disk.sequence || shown.disk.sequence !== disk.sequence) return false;
  const isSame = (one: DiskState, other: DiskState) =>
    one.model === other.model && one.serial === other.serial && one.sizeBytes === other.sizeBytes;
  if (!isSame(shown.disk, disk) || marksOf(shown.disk) !== marksOf(disk)) return false;
  if (shown.disk.changedSectors !== disk.changedSectors) return false;
  const isNamed =
    act.typed?.model === disk.model &&
    act.typed.serial === disk.serial &&
    act.typed.sizeBytes === disk.sizeBytes;
  const isBlank =
    readBlank !== undefined &&
    readBlank.sequence === disk.sequence &&
    readBlank.sizeBytes === disk.sizeBytes &&
    readBlank.changedSectors === disk.changedSectors &&
    disk.blkid === undefined &&
    readBlank.content.length === 0;
  return isNamed || isBlank;
}

/** Runs acts until the disk is Cairn's; fails where one changes it that may not. True where one may, and did. */
async function walkThrough(disk: DiskState, acts: readonly Act[]): Promise<boolean> {
  const walk = new Walk(disk);
  for (const act of acts) {
    const { machine, seen } = walk;
    const may = mayChange(act, machine, seen);
    const before = machine.changes.length;
    await walk.act(act);
    const changes = machine.changes.slice(before).filter((each) => !isHarmless(each));
    if (!may) expect({ act: act.verb, changes }).toEqual({ act: act.verb, changes: [] });
    expect(machine.isProtected).toBe(false);
    // From here on it is half made, which other tests are about.
    if (changes.length > 0) return true;
    if (act.diskAfter !== undefined) machine.disk = act.diskAfter;
    machine.clock.advance(act.laterMs);
  }
  return false;
}

test("no verb changes a disk that nobody gave away, whatever comes before it", async () => {
  const acts = fc.array(anyAct, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(anyDisk, acts, async (disk, given) => {
      await walkThrough(disk, given);
    }),
    { numRuns: 150 },
  );
}, 60_000);

const usualAct: Act = {
  ...{ verb: "identify", typed: undefined, sequence: 7, withToken: true, action: "begin" },
  ...{ on: false, diskAfter: undefined, laterMs: 0 },
};
const itsName = { model: "Disk", serial: "S1", sizeBytes: size };
const xfs = [{ atBytes: 0, bytes: Buffer.from("XFSB") }];

/** One thing that is different when the answer comes. */
const oneChange: fc.Arbitrary<Partial<DiskState>> = fc.constantFrom<Partial<DiskState>>(
  { mounts: ["/photos"] },
  { holder: "md0" },
  { swap: true },
  { claimed: true },
  { readOnly: true },
  { sequence: 8 },
  { serial: "S2" },
  { sizeBytes: size * 2 },
  { changedSectors: 1 },
  { content: [{ atBytes: 1080, bytes: Buffer.from([0x53, 0xef]) }] },
  { blkid: "zfs_member" },
  { missing: ["/proc/self/mountinfo"] },
  { missing: ["/sys/block/sdb/stat"] },
);

interface Scenario {
  readonly isBlank: boolean;
  readonly change: Partial<DiskState> | undefined;
  readonly late: boolean;
  readonly typed: typeof itsName | undefined;
}

test("a yes is void when anything about the disk is another by then, or it came late", async () => {
  let changed = 0;
  const scenario: fc.Arbitrary<Scenario> = fc.record({
    isBlank: fc.boolean(),
    change: fc.option(oneChange, { nil: undefined, freq: 8 }),
    late: fc.integer({ min: 0, max: 9 }).map((each) => each === 0),
    typed: fc.constantFrom(undefined, itsName, { ...itsName, serial: "S2" }),
  });
  const count = async ({ isBlank, change, late, typed }: Scenario) => {
    const disk = { ...blankDisk, content: isBlank ? [] : xfs };
    const diskAfter = change === undefined ? undefined : { ...disk, ...change };
    const shown = { ...usualAct, diskAfter, laterMs: late ? 700_000 : 0 };
    const sequence = change?.sequence ?? 7;
    const answer = { ...usualAct, verb: "provision", typed, sequence };
    const read = { ...usualAct, verb: "read" };
    if (await walkThrough(disk, [read, shown, answer])) changed += 1;
  };
  await fc.assert(fc.asyncProperty(scenario, count), { numRuns: 150 });
  expect(changed).toBeGreaterThan(5);
}, 60_000);

/** Orders to light and motor, which reach no data. */
function isHarmless(change: string): boolean {
  return /^(?:ledctl locate(?:_off)?=|hdparm -q -y )\/dev\/sdb$/.test(change);
}

test("with a blank disk that was read and shown, and with a named one, it does write", async () => {
  const blank = new Walk(blankDisk);
  for (const verb of ["read", "identify", "provision"]) await blank.act({ ...usualAct, verb });
  expect(blank.machine.changes).not.toEqual([]);
  const named = new Walk({ ...blankDisk, content: xfs });
  await named.act(usualAct);
  await named.act({ ...usualAct, verb: "provision", typed: itsName });
  expect(named.machine.changes).not.toEqual([]);
}, 30_000);
