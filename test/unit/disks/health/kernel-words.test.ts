/** What the kernel says and counts about disks. */
import { expect, test } from "vitest";
import { readShape } from "#base/schema.ts";
import {
  blockCountersShape,
  parseBlockStat,
  readBlockCounters,
  wasUsed,
} from "#disks/health/block-counters.ts";
import { FaultLog, grownBy } from "#disks/health/fault-log.ts";
import { parseHealthLook, takeHealthLook } from "#disks/health/health-look.ts";
import { diskOfDevice, parseKernelLine } from "#disks/health/kernel-line.ts";
import { ReadOnlyMounts } from "#disks/health/read-only-mounts.ts";

const lines: readonly (readonly [string, string, string])[] = [
  [
    ...(["io-error", "sda"] as const),
    "blk_update_request: I/O error, dev sda, sector 40000 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 0",
  ],
  ["io-error", "nvme0n1", "I/O error, dev nvme0n1, sector 8 op 0x1:(WRITE) flags 0x800"],
  [
    ...(["io-error", "sdb"] as const),
    "critical medium error, dev sdb, sector 7812345 op 0x0:(READ) flags 0x0 phys_seg 1",
  ],
  ["io-error", "sda1", "Buffer I/O error on dev sda1, logical block 5, async page read"],
  ["io-error", "sdc", "sd 2:0:0:0: [sdc] Synchronize Cache(10) failed: Result: hostbyte=DID_OK"],
  ["read-only", "sda1", "EXT4-fs (sda1): Remounting filesystem read-only"],
  ["read-only", "sdb1", "BTRFS info (device sdb1: state E): forced readonly"],
  [
    ...(["read-only", "sdc1"] as const),
    "XFS (sdc1): Log I/O Error (0x2) detected at xlog_ioend_work.  Shutting down filesystem.",
  ],
  [
    ...(["file-system", "sda1"] as const),
    "EXT4-fs error (device sda1): ext4_find_entry:1463: inode #2: comm ls: reading directory lblock 0",
  ],
  ["file-system", "sdc1", 'XFS (sdc1): metadata I/O error in "xfs_imap_to_bp" at daddr 0x40'],
  ["file-system", "sdb1", "BTRFS error (device sdb1): bdev /dev/sdb1 errs: wr 1, rd 0"],
  [
    "mounted",
    "sdb1",
    "EXT4-fs (sdb1): mounted filesystem with ordered data mode. Quota mode: none.",
  ],
  ["mounted", "sdb1", "EXT4-fs (sdb1): re-mounted. Quota mode: none."],
  ["mounted", "sdc1", "XFS (sdc1): Mounting V5 Filesystem"],
  ["attached", "sda", "sd 0:0:0:0: [sda] Attached SCSI disk"],
  ["reset", "nvme0", "nvme nvme0: I/O 12 QID 3 timeout, aborting"],
  ["reset", "nvme0", "nvme nvme0: controller is down; will reset: CSTS=0xffffffff"],
  ["reset", "sda", "sd 0:0:0:0: [sda] tag#3 FAILED Result: hostbyte=DID_NO_CONNECT driverbyte=0"],
];

test.each(lines)("a %s of %s: %s", (kind, device, words) => {
  expect(parseKernelLine(words)).toEqual({ kind, device, words });
});

test("what else the kernel says is passed over", () => {
  const others = [
    "EXT4-fs (loop3): unmounting filesystem.",
    "sd 0:0:0:0: [sda] Write Protect is off",
    "loop0: detected capacity change from 0 to 49152",
    "",
  ];
  expect(others.map(parseKernelLine)).toEqual(others.map(() => undefined));
});

test("a line is cut, whatever is in it", () => {
  expect(parseKernelLine(`I/O error, dev sda, ${"x".repeat(9000)}`)?.words).toHaveLength(300);
});

test("a device belongs to the disk whose partition or controller it is", () => {
  const disks = ["sda", "sdab", "nvme0n1", "mmcblk0", "nvme10n1"];
  const of = ["sda", "sda1", "sdab2", "nvme0n1p2", "nvme0", "mmcblk0p1", "nvme1", "sdz", "sdaa"];
  expect(of.map((device) => diskOfDevice(device, disks))).toEqual([
    ...["sda", "sda", "sdab", "nvme0n1", "nvme0n1", "mmcblk0"],
    ...[undefined, undefined, undefined],
  ]);
});

const modern = "    9154 5021 1089362 3021   2204 1099 91010 5120   1 6000 8500  0 0 0 0  77 410\n";

test("the kernel's counts are read in the forms of old and new kernels", () => {
  const counts = { reads: 9154, readMs: 3021, writes: 2204, writeMs: 5120, inFlight: 1 };
  expect(parseBlockStat(modern)).toEqual({ ...counts, flushes: 77, flushMs: 410 });
  const old = modern.trim().split(/\s+/).slice(0, 11).join(" ");
  expect(parseBlockStat(old)).toEqual({ ...counts, flushes: 0, flushMs: 0 });
  expect(["", "1 2", "a b c d e f g h i j k"].map(parseBlockStat)).toEqual(
    new Array(3).fill(undefined),
  );
});

test("a disk is looked up by name, with what is there for its kind", () => {
  const texts: Readonly<Record<string, string>> = {
    "/sys/block/sda/stat": modern,
    "/sys/block/sda/diskseq": "9\n",
    "/sys/block/sda/device/ioerr_cnt": "0x11\n",
    "/sys/block/sda/device/power/runtime_status": "suspended\n",
    "/sys/block/nvme0n1/stat": modern,
  };
  const files = { readText: (path: string) => texts[path] };
  const found = readBlockCounters(files, ["sda", "nvme0n1", "sdb"]);
  expect(
    found.map(({ name, sequence, failedCommands, suspended }) => {
      return { name, sequence, failedCommands, suspended };
    }),
  ).toEqual([
    { name: "sda", sequence: 9, failedCommands: 17, suspended: true },
    { name: "nvme0n1", sequence: undefined, failedCommands: undefined, suspended: false },
  ]);
  const sent: unknown = JSON.parse(JSON.stringify(found));
  const read = readShape(blockCountersShape, sent, { what: "counters", surplus: "refuse" });
  expect(read).toEqual(found);
});

test("a disk was used when something was asked of it, or still is", () => {
  const counts = {
    name: "sda",
    suspended: false,
    ...parseBlockStat(modern.replace("   1 6000", "   0 6000")),
  };
  const before = counts as Parameters<typeof wasUsed>[0];
  expect(wasUsed(before, before)).toBe(false);
  expect(wasUsed(before, { ...before, reads: before.reads + 1 })).toBe(true);
  expect(wasUsed(before, { ...before, flushes: before.flushes + 1 })).toBe(true);
  expect(wasUsed(before, { ...before, inFlight: 1 })).toBe(true);
});

const hour = 3600;

test("faults count for 24 hours", () => {
  const log = new FaultLog();
  const monday = 497_000 * hour;
  log.note("ioErrors", 2, monday);
  log.note("ioErrors", 3, monday + 5 * hour);
  log.note("resets", 0, monday);
  log.note("resets", 1, monday);
  const counts = (at: number) => {
    const { ioErrors, resets } = log.counts(at);
    return [ioErrors, resets];
  };
  expect(counts(monday)).toEqual([2, 1]);
  expect(counts(monday + 5 * hour)).toEqual([5, 1]);
  expect(counts(monday + 24 * hour)).toEqual([3, 0]);
  expect(counts(monday + 29 * hour)).toEqual([0, 0]);
});

test("a flood of faults takes no memory, and its count ends somewhere", () => {
  const log = new FaultLog();
  for (let at = 0; at < 1000; at += 1) log.note("ioErrors", 1e9, at * hour);
  expect(log.counts(999 * hour).ioErrors).toBe(24e6);
});

test("a count that began anew grew by what it is", () => {
  expect([grownBy(undefined, 9), grownBy(3, 9), grownBy(9, 3)]).toEqual([0, 6, 3]);
});

const mounted = (source: string, readOnly: boolean) => [{ source, point: "/srv/a", readOnly }];

test("a file system that could be written and cannot any more has turned read-only, until it is mounted anew", () => {
  const mounts = new ReadOnlyMounts();
  mounts.look(mounted("/dev/sda1", false));
  expect(mounts.of("sda")).toBeUndefined();
  mounts.look(mounted("/dev/sda1", true));
  expect([mounts.of("sda"), mounts.of("sdb")]).toEqual(["/srv/a", undefined]);
  mounts.look(mounted("/dev/sda1", true));
  expect(mounts.of("sda")).toBe("/srv/a");
  mounts.look(mounted("/dev/sda1", false));
  expect(mounts.of("sda")).toBeUndefined();
});

test("where the kernel says that it did so, nobody need have looked before", () => {
  const mounts = new ReadOnlyMounts();
  mounts.told("sda1");
  mounts.look(mounted("/dev/sda1", true));
  expect(mounts.of("sda")).toBe("/srv/a");
  mounts.look(mounted("/dev/sda1", false));
  mounts.look(mounted("/dev/sda1", true));
  mounts.look(mounted("/dev/sda1", false));
  expect(mounts.of("sda")).toBeUndefined();
});

test("what the kernel says counts also where the mount still looks writable, until it is mounted anew", () => {
  const mounts = new ReadOnlyMounts();
  const writable = mounted("/dev/sda1", false);
  mounts.look(writable);
  for (const end of [() => mounts.mounted("sda1"), () => mounts.look([])]) {
    mounts.told("sda1");
    mounts.look(writable);
    mounts.look(writable);
    expect([mounts.of("sda"), mounts.of("sdb")]).toEqual(["/srv/a", undefined]);
    end();
    mounts.look(writable);
    expect(mounts.of("sda")).toBeUndefined();
  }
});

test("one that was read-only from the begin is meant so", () => {
  const mounts = new ReadOnlyMounts();
  mounts.look(mounted("/dev/sda1", true));
  mounts.look(mounted("/dev/sda1", true));
  expect(mounts.of("sda")).toBeUndefined();
});

test("a look has counters, mounts of disks, and what the kernel said against disks; it survives being sent", async () => {
  const texts: Readonly<Record<string, string>> = {
    "/sys/block/sda/stat": modern,
    "/sys/block/loop0/stat": modern,
    "/proc/self/mountinfo":
      "36 35 8:1 / /srv/a ro,noatime shared:1 - ext4 /dev/sda1 rw\n37 35 0:5 / /tmp rw - tmpfs tmpfs rw\n",
  };
  const said = ["EXT4-fs (sda1): Remounting filesystem read-only", "hello"];
  const look = await takeHealthLook({
    files: { readText: (path) => texts[path], list: () => ["loop0", "sda"] },
    kernel: { take: async () => said.map((text) => ({ text, atSeconds: 5 })) },
  });
  expect(look).toMatchObject({
    counters: [{ name: "sda" }],
    mounts: [{ source: "/dev/sda1", point: "/srv/a", readOnly: true }],
    faults: [{ kind: "read-only", device: "sda1", at: 5 }],
    hearsKernel: true,
  });
  expect(parseHealthLook(JSON.parse(JSON.stringify(look)))).toEqual(look);
  expect(parseHealthLook({ counters: 7 })).toBeUndefined();
});
