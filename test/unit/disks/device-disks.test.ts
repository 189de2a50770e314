import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { type AskHelper, DeviceDisks } from "#disks/device-disks.ts";
import type { Passport } from "#disks/passport.ts";
import type { SeenDisk } from "#disks/seen-disk.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import { DiskId } from "#model/disk-id.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { passportText, someNode, somePassport } from "../../support/passports.ts";

const uuid = "12345678-1234-1234-1234-123456789abc";

function disk(name: string, sequence: number, changes: { label?: string; mounted?: boolean } = {}) {
  const { label = "cairn-dddd", mounted = false } = changes;
  const mount = { point: "/mnt", type: "ext4", readOnly: false, totalBytes: 1, freeBytes: 1 };
  return {
    ...{ name, sequence, ofSystem: false, signatures: [], mounts: [] },
    partitions: [
      {
        name: `${name}1`,
        signatures: [{ type: "ext4", usage: "filesystem", label, uuid }],
        mounts: mounted ? [mount] : [],
      },
    ],
  } as unknown as DiskFacts;
}

function stage(passports: readonly string[] = [passportText()]) {
  const asked: unknown[] = [];
  let disks: DiskFacts[] = [];
  let fails: string | undefined;
  let remembered: Passport | undefined;
  const helper = {
    ask: async (verb: string, input: object) => {
      asked.push({ verb, ...input });
      if (fails !== undefined) throw new AppError(fails, "the helper does not");
      return verb === "inspect" ? { passports } : { directory: `/mounts/${"d".repeat(32)}` };
    },
  } as unknown as AskHelper;
  const { log, records } = collectedLog();
  return {
    finder: new DeviceDisks({ helper, log, disks: () => disks, remembered: () => remembered }),
    asked,
    remember: (passport: Passport | undefined) => {
      remembered = passport;
    },
    events: () => records.map(({ event }) => event),
    see: (...now: DiskFacts[]) => {
      disks = now;
    },
    fail: (now: boolean, code = "helper-unreachable") => {
      fails = now ? code : undefined;
    },
  };
}

test("what carries our label and is not mounted is looked into once a plugging; nothing else is", async () => {
  const { finder, asked, see } = stage();
  const system = { ...disk("vda", 1), ofSystem: true };
  see(
    system,
    disk("sda", 5),
    disk("sdb", 6, { label: "photos" }),
    disk("sdc", 7, { mounted: true }),
  );
  const found = await finder.find();
  expect(
    found.map(({ place, name, mountPoint, passport }) => [place, name, mountPoint, passport.kind]),
  ).toEqual([["sda1#5", "/dev/sda1", undefined, "genuine"]]);
  await finder.find();
  expect(asked).toEqual([{ verb: "inspect", device: "sda1", sequence: 5 }]);
  see(disk("sda", 9));
  await finder.find();
  expect(asked.length).toBe(2);
});

test("a disk is mounted as what its passport says, and is found elsewhere from then on", async () => {
  const { finder, asked, see } = stage();
  see(disk("sda", 5));
  const [seen] = await finder.find();
  const directory = seen && (await finder.mount(seen));
  const nodeId = someNode(1).owner.id;
  const diskId = "d".repeat(32);
  expect(asked[1]).toEqual({ verb: "mount", device: "sda1", sequence: 5, uuid, diskId, nodeId });
  expect(await finder.find()).toEqual([]);
  expect(finder.isGone(directory ?? "", "/dev/sda1")).toBe(false);
  // Its device has gone; another one has its name.
  see(disk("sda", 6));
  expect(finder.isGone(directory ?? "", "/dev/sda1")).toBe(true);
  await finder.release(directory ?? "");
  expect(asked[2]).toEqual({ verb: "unmount", diskId });
  expect((await finder.find()).map(({ place }) => place)).toEqual(["sda1#6"]);
});

test("a disk that comes back is found, whatever became of the mount of its last plugging", async () => {
  for (const code of ["not-mounted", "in-use"]) {
    const { finder, see, fail } = stage();
    see(disk("sda", 5));
    const [first] = await finder.find();
    const directory = (first && (await finder.mount(first))) ?? "";
    see(disk("sdb", 6));
    fail(true, code);
    const released = finder.release(directory).then(() => "released");
    if (code === "in-use") await expect(released).rejects.toMatchObject({ code });
    else expect(await released).toBe("released");
    fail(false);
    const [second] = await finder.find();
    await finder.mount(second as SeenDisk);
    expect(finder.isGone(directory, "/dev/sdb1")).toBe(false);
  }
});

test("what somebody else mounted has gone with its device, and not while nothing is known of devices", () => {
  const { finder, see } = stage();
  expect(finder.isGone("/mounts/x", "/dev/sda1")).toBe(false);
  see(disk("sda", 5));
  expect(finder.isGone("/mounts/x", "/dev/sda1")).toBe(false);
  expect(finder.isGone("/mounts/x", "/dev/sdb1")).toBe(true);
  expect(finder.isGone("/mounts/x", "tmpfs")).toBe(false);
  expect(finder.isGone("/mounts/x", undefined)).toBe(false);
});

test("a helper that fails is asked again by the next look; a passport that is none is told of", async () => {
  const { finder, see, fail, events } = stage(["torn"]);
  see(disk("sda", 5));
  fail(true);
  expect(await finder.find()).toEqual([]);
  expect(finder.isIncomplete).toBe(true);
  expect(events()).toEqual(["disk-not-inspected"]);
  fail(false);
  expect((await finder.find())[0]?.passport).toMatchObject({ kind: "unreadable" });
  expect(finder.isIncomplete).toBe(false);
  const none = stage([]);
  none.see(disk("sda", 5));
  expect(await none.finder.find()).toEqual([]);
});

test("a disk that shows no passport is the one that its file system was made for, as long as the node remembers it", async () => {
  const passport = somePassport({ diskId: DiskId("d".repeat(32)) });
  for (const shown of [[], ["torn"]]) {
    const { finder, asked, see, remember } = stage(shown);
    remember(passport);
    see(disk("sda", 5));
    const [seen] = await finder.find();
    expect(seen).toMatchObject({ place: "sda1#5", passport: { kind: "genuine", passport } });
    await finder.mount(seen as SeenDisk);
    const { diskId, node } = passport;
    expect(asked[1]).toMatchObject({ verb: "mount", device: "sda1", diskId, nodeId: node.id });
  }
  const { finder, see, remember, fail } = stage();
  remember(passport);
  see(disk("sda", 5));
  // Nobody has looked into it.
  fail(true);
  expect(await finder.find()).toEqual([]);
  fail(false);
  // What it says itself counts.
  expect((await finder.find())[0]?.passport).toMatchObject({ passport: { revision: 1 } });
});
