/** The disks of the machine, as people and programs get to see them. */
import { expect, test } from "vitest";
import type { DiskList } from "#control/operations/disks.ts";
import { shownDisks } from "#daemon/shown-disks.ts";
import type { DiskFacts } from "#model/disk-facts.ts";
import {
  diskFacts,
  mountFacts,
  partitionFacts,
  signatureFacts,
} from "../../../support/disk-facts.ts";
import { factsOf } from "../../../support/disk-machines.ts";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { TestWorld } from "../../../support/test-world.ts";

const store = diskFacts({
  temperatureCelsius: 38,
  signatures: [signatureFacts({ type: "gpt", usage: "partition-table" })],
  partitions: [
    partitionFacts({
      label: "cairn",
      signatures: [signatureFacts({ label: "photos", uuid: "1-2-3" })],
      mounts: [mountFacts({ point: "/srv/cairn/d1" })],
    }),
  ],
});
const hung: DiskFacts = diskFacts({
  ...{ name: "sdz", serial: undefined, model: undefined },
  mounts: [mountFacts({ point: "/srv/z", totalBytes: undefined, freeBytes: undefined })],
  problems: ["its file system at /srv/z does not answer"],
});
const facts = [store, hung, ...factsOf("usb-same-serial"), ...factsOf("sd-card")];
const paths = [{ index: 10, directory: "/srv/cairn/d1/store/M0A" }];

function listOf(disks: readonly DiskFacts[]): DiskList {
  const shown = shownDisks(disks, paths, ({ name }) =>
    name === "sda" ? { role: "store", diskId: "00ff", verdict: "ok" } : {},
  );
  const problems = disks.flatMap(({ name, problems: own }) => own.map((one) => `${name}: ${one}`));
  // As it comes over the socket.
  const list: unknown = JSON.parse(JSON.stringify({ disks: shown, watching: true, problems }));
  return list as DiskList;
}

test("a line for each disk, with its place, what is on it and how it is", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.disks = listOf(facts);
  const { code, text } = await world.run("disks", "--socket", "sock");
  expect(code).toBe(0);
  expect(text.split("\n").map((line) => line.replace(/ {2,}/g, " | "))).toEqual([
    "NAME | WHERE | BUS | MODEL | SERIAL | SIZE | TEMP | STATE | STORE PATH | WHAT IS ON IT",
    'sda | SATA 3 | SATA | WDC WD40EFRX | WD-1 | 3.6 TiB | 38 °C | store | M0A | gpt: ext4 "photos" at /srv/cairn/d1',
    "sdz | SATA 3 | SATA | - | - | 3.6 TiB | - | trouble | - | a file system at /srv/z",
    "sdb | USB 1 | USB | Generic | hidden | 7.3 TiB | - | - | - | nothing that is known",
    "sdc | USB 2 | USB | Generic | hidden | 7.3 TiB | - | - | - | nothing that is known",
    "mmcblk0 | card | SD/eMMC | SC32G | 0x4f1b2c3d | 30 GiB | - | system | - | the system; unknown, ext4 at /run/media",
    "",
    "Problems",
    " | sdz: its file system at /srv/z does not answer",
    "",
  ]);
  const all = await world.run("disks", "--all", "--socket", "sock");
  expect(all.text).toMatch(/^loop0 .*\/run\/media\/root\.squashfs/m);
});

test("one disk is shown with everything that is known, by any of its names", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.disks = listOf(facts);
  const { code, text } = await world.run("disk", "show", "sda", "--socket", "sock");
  expect(code).toBe(0);
  for (const line of [
    /^serial +WD-1$/m,
    /^size +3\.6 TiB \(4000787030016 bytes\)$/m,
    /^kind +says that it turns$/m,
    /^id +00ff$/m,
    /^store paths +M0A \/srv\/cairn\/d1\/store\/M0A$/m,
    /^sda1 +2\.0 TiB +cairn +ext4 +photos +1-2-3$/m,
    /^\/srv\/cairn\/d1 +ext4 +4\.0 TiB +2\.0 TiB$/m,
  ]) {
    expect(text).toMatch(line);
  }
  for (const name of ["/dev/sda", "WD-1", "00ff", "sda#7"]) {
    expect((await world.run("disk", "show", name, "--socket", "sock")).text).toBe(text);
  }
  const bridged = await world.run("disk", "show", "sdb", "--socket", "sock");
  expect(bridged.text).toMatch(/^bridge +JMicron JMS578 \(152d:0578\)$/m);
  expect(bridged.text).toMatch(/^serial +hidden by the bridge$/m);
  const silent = await world.run("disk", "show", "sdz", "--socket", "sock");
  expect(silent.text).toMatch(/^\/srv\/z +ext4 +does not answer +does not answer$/m);
  expect(silent.text).toMatch(/^Problems\n {2}its file system at \/srv\/z does not answer$/m);
});

test("programs get the whole of it", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.disks = listOf(facts);
  const list = (await world.json("disks", "--all", "--socket", "sock")) as DiskList;
  expect(list).toEqual(daemon.disks);
  expect(await world.json("disk", "show", "sda", "--socket", "sock")).toEqual(
    daemon.disks.disks[0],
  );
});

test("a disk that is not there, or a name of several, is refused with what there is", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  daemon.disks = listOf([store, diskFacts({ name: "sdb", sequence: 9 })]);
  const missing = await world.run("disk", "show", "sdq", "--socket", "sock");
  expect([missing.code, missing.errors]).toEqual([66, expect.stringContaining("sda sdb")]);
  const several = await world.run("disk", "show", "WD-1", "--socket", "sock");
  expect([several.code, several.errors]).toEqual([66, expect.stringContaining("which of sda sdb")]);
});
