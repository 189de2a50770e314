/** When disks are asked, tested and judged. Goal: every sentence of the schedule. Method: simulated disks, the test's own time. */
import { expect, test } from "vitest";
import { diskOfDirectory } from "#disks/health/disk-of-directory.ts";
import { FaultLog } from "#disks/health/fault-log.ts";
import { PathFaults } from "#disks/health/path-faults.ts";
import { ScrubFaults } from "#disks/health/scrub-faults.ts";
import { WatchedDisk } from "#disks/health/watched-disk.ts";
import {
  DiskHealthStage,
  healthDisk,
  healthPath,
  hourMs,
} from "../../../support/disk-health-stage.ts";

const weekly = { shortTestMs: 7 * 24 * hourMs, longTestMs: 30 * 24 * hourMs };
const fault = { kind: "io-error", device: "sda1", words: "I/O error, dev sda, sector 8" } as const;

test("each disk is asked at once, one after the other, and again when it was used", async () => {
  const stage = new DiskHealthStage(["sda", "sdb"]);
  let release = (): void => {};
  stage.hold = new Promise((resolve) => {
    release = resolve;
  });
  await stage.pass(20_000);
  expect(stage.asked).toEqual(["sda"]);
  release();
  await stage.pass(20_000);
  expect(stage.asked.splice(0)).toEqual(["sda", "sdb"]);
  stage.look();
  stage.look({ used: ["sdb"] });
  await stage.pass(2 * hourMs);
  expect(stage.asked.splice(0)).toEqual(["sdb"]);
  await stage.pass(23 * hourMs);
  expect(stage.asked.sort()).toEqual(["sda", "sdb"]);
});

test("a disk that sleeps is not asked again until it was used, and what it told last counts with its time", async () => {
  const stage = new DiskHealthStage(["sda"]);
  await stage.pass(0);
  const told = stage.health.reportOf("sda")?.smart?.at;
  stage.answers.sda = "documented-standby";
  stage.look();
  stage.look({ used: ["sda"] });
  await stage.pass(2 * hourMs);
  expect(stage.asked.splice(0)).toEqual(["sda", "sda"]);
  expect(stage.health.reportOf("sda")).toMatchObject({
    power: "asleep",
    smart: { at: told, facts: { powerOnHours: 20_512 } },
  });
  await stage.pass(48 * hourMs);
  expect(stage.asked).toEqual([]);
  delete stage.answers.sda;
  stage.look({ used: ["sda"] });
  await stage.pass(0);
  expect(stage.asked).toEqual(["sda"]);
  expect(stage.health.reportOf("sda")?.power).toBe("awake");
});

test("background work that wants to read from a disk that rested has it asked at once", async () => {
  const stage = new DiskHealthStage(["sda"]);
  stage.look();
  await stage.pass(hourMs / 2);
  expect(stage.activity.mayRead("sda")).toBe(false);
  await stage.pass(0);
  expect(stage.asked).toEqual(["sda", "sda"]);
  expect(stage.activity.mayRead("sda")).toBe(true);
});

test("a disk that refuses is asked once a day, and says why", async () => {
  const stage = new DiskHealthStage(["sda"]);
  stage.answers.sda = "qemu-gone";
  await stage.pass(23 * hourMs);
  expect(stage.asked).toEqual(["sda"]);
  expect(stage.health.reportOf("sda")?.smartProblem).toContain("No such device");
  await stage.pass(hourMs);
  expect(stage.asked).toEqual(["sda", "sda"]);
});

test("cards and disks of virtual machines are judged by what is seen of them, and not asked", async () => {
  const stage = new DiskHealthStage([]);
  stage.disks = [healthDisk("vda", { bus: "virtio" }), healthDisk("loop0", { bus: "loop" })];
  await stage.pass(hourMs);
  expect([stage.asked, stage.health.reports().map(({ disk }) => disk.name)]).toEqual([[], ["vda"]]);
});

test("what a failing disk tells is its verdict at once, in the log as well", async () => {
  const stage = new DiskHealthStage(["sda"]);
  const changes: string[] = [];
  stage.health.onVerdict = ({ disk, judgement }, before) => {
    changes.push(`${disk.name}: ${before.verdict} to ${judgement.verdict}`);
  };
  stage.answers.sda = "documented-ata-failing";
  await stage.pass(10_000);
  expect(stage.verdictOf("sda")).toBe("failing");
  expect(changes).toEqual(["sda: ok to failing"]);
  expect(stage.log.records.filter(({ event }) => event === "disk-verdict")).toMatchObject([
    { level: "warn", data: { disk: "sda", verdict: "failing" } },
  ]);
});

test.each([
  ["qemu-sata", "ok", []],
  ["qemu-nvme", "ok", []],
  ["qemu-nvme-unreliable", "failing", ["unreliable"]],
  ["documented-ata-healthy", "ok", []],
  ["documented-ssd-worn", "watch", ["worn"]],
  ["documented-sas", "failing", ["self-test-failed", "reallocated", "media-errors"]],
  [
    "documented-nvme-failing",
    "failing",
    ["self-test-failed", "unreliable", "spare-low", "worn-out", "media-errors", "hot"],
  ],
  [
    "documented-ata-failing",
    "failing",
    [
      ...["smart-failed", "attribute-failing", "reallocated-many", "pending-many"],
      ...["offline-uncorrectable-many", "self-test-failed", "uncorrectable"],
    ],
  ],
])("%s is %s", async (vector, verdict, codes) => {
  const stage = new DiskHealthStage(["sda"]);
  stage.answers.sda = vector;
  await stage.pass(10_000);
  const judgement = stage.health.reportOf("sda")?.judgement;
  expect([judgement?.verdict, judgement?.findings.map(({ code }) => code)]).toEqual([
    ...[verdict, codes],
  ]);
});

test("errors that the kernel tells of count against the disk, until it is plugged anew", async () => {
  const stage = new DiskHealthStage(["sda", "sdb"]);
  await stage.pass(0);
  const at = Math.floor(stage.clock.nowMs() / 1000);
  stage.look({ faults: [{ ...fault, at }] });
  expect([stage.verdictOf("sda"), stage.verdictOf("sdb")]).toEqual(["watch", "ok"]);
  stage.look({ faults: new Array(20).fill({ ...fault, at }) });
  expect(stage.verdictOf("sda")).toBe("failing");
});

test("what was said of another disk that had the name before does not count", async () => {
  const stage = new DiskHealthStage(["sda"]);
  const at = Math.floor(stage.clock.nowMs() / 1000);
  const attached = {
    kind: "attached",
    device: "sda",
    words: "[sda] Attached SCSI disk",
    at,
  } as const;
  stage.look({ faults: [{ ...fault, at }, attached] });
  expect(stage.verdictOf("sda")).toBe("ok");
});

test("a file system that the kernel made read-only makes its disk failing", () => {
  const stage = new DiskHealthStage(["sda"]);
  const mount = { source: "/dev/sda1", point: "/srv/sda" };
  stage.look({ mounts: [{ ...mount, readOnly: false }] });
  expect(stage.verdictOf("sda")).toBe("ok");
  stage.look({ mounts: [{ ...mount, readOnly: true }] });
  expect(stage.health.reportOf("sda")?.judgement).toMatchObject({
    verdict: "failing",
    findings: [{ code: "turned-read-only" }],
  });
});

test("what its store paths suffer counts against a disk, and one that does not serve for ten minutes has failed", async () => {
  const stage = new DiskHealthStage(["sda", "sdb"]);
  stage.paths = [healthPath(0, "/srv/sda/store/M00"), healthPath(1, "/srv/sdb")];
  stage.look();
  stage.paths = [
    healthPath(0, "/srv/sda/store/M00", { unserved: true, quarantines: 1 }),
    healthPath(1, "/srv/sdb"),
  ];
  stage.look();
  expect([stage.verdictOf("sda"), stage.verdictOf("sdb")]).toEqual(["watch", "ok"]);
  await stage.pass(hourMs / 6);
  expect([stage.verdictOf("sda"), stage.verdictOf("sdb")]).toEqual(["failed", "ok"]);
});

test("the disk of the system does not answer for what lies on another device, which answers itself", async () => {
  const mount = { type: "ext4", readOnly: false, totalBytes: 1, freeBytes: 1 };
  const stage = new DiskHealthStage([]);
  stage.disks = [
    healthDisk("sda", { mounts: [{ point: "/", ...mount }] }),
    healthDisk("md0", { bus: "virtual", mounts: [{ point: "/srv/raid", ...mount }] }),
  ];
  stage.paths = [healthPath(0, "/srv/raid/M00")];
  stage.look();
  stage.paths = [healthPath(0, "/srv/raid/M00", { unserved: true, quarantines: 1 })];
  stage.look();
  await stage.pass(hourMs / 6);
  expect([stage.verdictOf("sda"), stage.verdictOf("md0")]).toEqual(["ok", "failed"]);
});

test("what scrubs find on its store paths counts against a disk, in words", () => {
  const stage = new DiskHealthStage(["sda", "sdb", "sdc"]);
  const found = (name: string, at: number, differs: Parameters<typeof healthPath>[2]) =>
    healthPath(at, `/srv/${name}`, differs);
  stage.paths = [found("sda", 0, {}), found("sdb", 1, {}), found("sdc", 2, {})];
  stage.look();
  stage.paths = [
    found("sda", 0, { unreadableFiles: 1, rottenFiles: 2 }),
    found("sdb", 1, { unreadableFiles: 10 }),
    found("sdc", 2, { unsteadyFiles: 1 }),
  ];
  stage.look();
  const told = (name: string) => stage.health.reportOf(name)?.judgement;
  expect(told("sda")).toMatchObject({
    verdict: "watch",
    findings: [{ code: "files-unreadable" }, { code: "files-rotten" }],
  });
  expect(told("sda")?.findings[0]?.reason).toBe(
    "The disk does not give 1 file any more, as a scrub found within a day",
  );
  expect(told("sdb")).toMatchObject({
    verdict: "failing",
    findings: [{ code: "files-unreadable-many" }],
  });
  expect(told("sdc")).toMatchObject({ verdict: "watch", findings: [{ code: "files-unsteady" }] });
});

test("a scrub that began and ended before its disk was looked at counts, and never against the disk that its path moves to", () => {
  const stage = new DiskHealthStage(["sda", "sdb"]);
  const scrubBegunAt = Math.floor(stage.clock.nowMs() / 1000) + 1;
  const scrubbed = (name: string) =>
    healthPath(0, `/srv/${name}`, { scrubBegunAt, unreadableFiles: 1 });
  stage.paths = [scrubbed("sda")];
  stage.look();
  expect([stage.verdictOf("sda"), stage.verdictOf("sdb")]).toEqual(["watch", "ok"]);
  stage.paths = [scrubbed("sdb")];
  stage.look();
  expect([stage.verdictOf("sda"), stage.verdictOf("sdb")]).toEqual(["watch", "ok"]);
});

test("a node that was given directories watches the disks below them alone, also such as are asked for nothing", async () => {
  const stage = new DiskHealthStage(["sda", "sdb"], { all: false, settings: weekly });
  stage.disks = [...stage.disks, healthDisk("loop3", { bus: "loop" })];
  stage.paths = [healthPath(0, "/srv/sda/store"), healthPath(1, "/srv/loop3/store")];
  stage.answers.sdb = "documented-ata-failing";
  await stage.pass(hourMs);
  stage.paths = [
    healthPath(0, "/srv/sda/store"),
    healthPath(1, "/srv/loop3", { failedRequests: 3 }),
  ];
  stage.look();
  expect([stage.verdictOf("sda"), stage.verdictOf("loop3")]).toEqual(["ok", "watch"]);
  // Nobody gave it to us: it is asked when a person asks, and never to test itself.
  expect(stage.asked).toEqual(["sda"]);
  expect((await stage.health.refresh("sdb"))?.judgement.verdict).toBe("failing");
  const told = stage.log.records.filter(({ event }) => event === "disk-verdict");
  expect(told.map(({ data }) => data?.disk)).toEqual(["loop3"]);
});

test("what another probe child tells again of the kernel's log counts once, and what came before the disks were known counts", async () => {
  const stage = new DiskHealthStage(["sda"]);
  const { disks } = stage;
  const at = Math.floor(stage.clock.nowMs() / 1000);
  stage.disks = [];
  stage.look({ faults: [{ ...fault, at }] });
  stage.disks = disks;
  await stage.pass(hourMs);
  for (let count = 0; count < 30; count += 1) stage.look({ faults: [{ ...fault, at }] });
  expect(stage.health.reportOf("sda")?.judgement.findings).toMatchObject([
    { code: "io-errors", reason: "1 read or write failed within a day" },
  ]);
});

test("what is known of a disk survives a restart, and goes with the disk to another port", async () => {
  const before = new DiskHealthStage(["sda"]);
  before.answers.sda = "documented-ata-failing";
  await before.pass(10_000);
  const after = new DiskHealthStage(["sda"], { kept: before.kept });
  after.disks = [healthDisk("sdq", { serial: "S-sda" })];
  after.answers.sdq = "documented-standby";
  after.look();
  expect(after.health.reportOf("sdq")).toMatchObject({
    judgement: { verdict: "failing" },
    smart: { facts: { reallocated: 3896 } },
  });
});

test("a disk that is gone has no report, and another one under its name is judged anew", async () => {
  const stage = new DiskHealthStage(["sda"]);
  stage.answers.sda = "documented-ata-failing";
  await stage.pass(10_000);
  stage.disks = [];
  stage.look();
  expect(stage.health.reports()).toEqual([]);
  stage.disks = [healthDisk("sda", { sequence: 2, serial: "other" })];
  stage.answers.sda = "documented-ata-healthy";
  await stage.pass(10_000);
  expect(stage.verdictOf("sda")).toBe("ok");
});

test("disks test themselves one at a time, and not while a store path is filled", async () => {
  const stage = new DiskHealthStage(["sda", "sdb"], { settings: { ...weekly, longTestMs: 0 } });
  const tests = () => stage.asked.filter((each) => each.includes("test"));
  stage.answers.sda = "qemu-sata";
  stage.answers.sdb = "qemu-sata";
  stage.recovering = true;
  await stage.pass(60_000);
  expect(tests()).toEqual([]);
  stage.recovering = false;
  await stage.pass(60_000);
  expect(tests()).toEqual(["sda short-test"]);
  stage.answers.sda = "documented-ata-testing";
  await stage.pass(15 * 60_000);
  stage.look({ used: ["sda", "sdb"] });
  expect(tests()).toEqual(["sda short-test"]);
  stage.answers.sda = "qemu-sata";
  await stage.pass(15 * 60_000);
  expect(tests()).toEqual(["sda short-test", "sdb short-test"]);
});

test("whoever asks gets what the disk tells now", async () => {
  const stage = new DiskHealthStage(["sda"]);
  expect(await stage.health.refresh("sda")).toMatchObject({ smart: { facts: { reallocated: 0 } } });
  expect(await stage.health.refresh("sdz")).toBeUndefined();
  expect(await stage.health.selfTest("sda", "long")).toBeUndefined();
  expect(stage.health.reportOf("sda")?.testing).toBe("long");
  stage.answers.sda = "qemu-gone";
  expect(await stage.health.selfTest("sda", "abort")).toContain("No such device");
  expect(await stage.health.selfTest("sdz", "short")).toContain("no such disk");
  expect(stage.asked).toEqual(["sda", "sda long-test", "sda abort"]);
});

test("what is answered after the end goes nowhere", async () => {
  const stage = new DiskHealthStage(["sda"]);
  let release = (): void => {};
  stage.hold = new Promise((resolve) => {
    release = resolve;
  });
  await stage.pass(0);
  stage.health.stop();
  stage.kept.clear();
  release();
  await stage.pass(60_000);
  stage.look();
  expect([stage.asked, stage.kept.size]).toEqual([["sda"], 0]);
});

test("a directory lies on the disk with the deepest mount above it", () => {
  const of = (point: string) => ({ mounts: [{ point }] });
  const disks = [
    { name: "sda", mounts: [], partitions: [of("/"), of("/srv")] },
    { name: "sdb", ...of("/srv/b"), partitions: [] },
  ];
  const found = ["/srv/b/store", "/srv/bc", "/srv/b", "/etc", "relative"].map((directory) => {
    return diskOfDirectory(directory, disks)?.name;
  });
  expect(found).toEqual(["sdb", "sda", "sdb", "sda", undefined]);
});

test("counts of a store path that began anew are not taken for a fall", () => {
  const faults = new PathFaults();
  const log = new FaultLog();
  const at = { log, scrubs: new ScrubFaults(0), nowMs: 0, nowSeconds: 3600 };
  for (const quarantines of [5, 6, 1]) faults.look([healthPath(0, "/a", { quarantines })], at);
  expect(log.counts(3600).quarantines).toBe(2);
  faults.look([], at);
  faults.look([healthPath(0, "/a", { quarantines: 9 })], at);
  expect(log.counts(3600).quarantines).toBe(2);
  expect(faults.unservedSeconds(99_000)).toBe(0);
});

test("a disk behind a bridge that hides serials is recognized once it told its own", () => {
  const bridge = { vendorId: "152d", productId: "1", name: undefined, hidesSerial: true };
  const facts = healthDisk("sda", { bus: "usb", serial: "0123456789", bridge });
  const written: string[] = [];
  const memory = { read: () => undefined, write: (disk: string) => void written.push(disk) };
  const disk = new WatchedDisk(facts, memory, 100);
  const told = { model: "WD", serial: "REAL", warnings: [], attributes: [], selfTests: [] };
  disk.learn({ state: "read", facts: { protocol: "ata", ...told } }, { ms: 0, seconds: 100 });
  expect(written).toEqual(["serial:WD/REAL"]);
});
