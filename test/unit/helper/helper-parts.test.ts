/** What the helper remembers, notes, sees of a disk, and is started with. */
import { expect, test } from "vitest";
import { helperLimits } from "#disks/helper-protocol.ts";
import { openDisk, viewDisk } from "#helper/disk-view.ts";
import { helperError } from "#helper/errors.ts";
import { HelperMemory } from "#helper/helper-memory.ts";
import { helperSettings, inheritedSocket } from "#helper/helper-settings.ts";
import { unmountPlace } from "#helper/mount-places.ts";
import { readWhole, type WorkNote, WorkNotes } from "#helper/work-notes.ts";
import { someDevice } from "../../support/disk-evidence.ts";
import { type DiskState, HelperMachine } from "../../support/helper-world.ts";

const disk: DiskState = {
  ...{ name: "sdb", sequence: 7, model: "Disk", serial: "S1", sizeBytes: 1024 ** 3 },
  ...{ readOnly: false, mounts: [], holder: undefined, swap: false, claimed: false },
  ...{ content: [], changedSectors: 5, blkid: undefined, missing: [] },
};

function memory() {
  const { world, clock } = new HelperMachine(disk);
  return { memory: new HelperMemory(clock, world.random), clock };
}

test("a token is good for one use, and the oldest go when there are too many", () => {
  const { memory: own } = memory();
  const first = own.issue({ device: someDevice, content: "" });
  expect(own.take(first)).toMatchObject({ device: someDevice, content: "" });
  expect(own.take(first)).toBeUndefined();
  const old = own.issue({ device: someDevice, content: "" });
  for (let more = 0; more < helperLimits.maxTokens; more += 1) {
    own.issue({ device: someDevice, content: "" });
  }
  expect(own.take(old)).toBeUndefined();
  expect(own.take(undefined)).toBeUndefined();
});

test("one work at a time on a disk, and a reading gives way", () => {
  const { memory: own } = memory();
  const reading = own.beginReading("sdb");
  expect(() => own.beginReading("sdb")).toThrow("is being read already");
  {
    using _work = own.occupy("sdb");
    expect(reading.signal.aborted).toBe(true);
    expect(() => own.occupy("sdb")).toThrow("something else is being done");
    expect(() => own.beginReading("sdb")).toThrow("something else is being done");
    own.requireFree("sdc");
  }
  own.requireFree("sdb");
});

test("a disk is seen with whoever uses it, and is not mistaken for another one", async () => {
  const machine = new HelperMachine({ ...disk, mounts: ["/photos"], holder: "md0", swap: true });
  const view = viewDisk(machine.world.system, "sdb");
  expect(view).toMatchObject({
    ...{ sequence: 7, mounts: ["/photos"], holders: ["md0"], swaps: ["/dev/sdb"] },
    ...{ changedSectors: 5, unknown: [] },
  });
  expect(view.system).toHaveLength(1);
  expect(() => viewDisk(machine.world.system, "sdc")).toThrow("there is no disk sdc");
  const other = openDisk(machine.world, { disk: "sdb", sequence: 8 }, "look");
  await expect(other).rejects.toMatchObject({ code: "device-changed" });
});

test("what is mounted of a device that has gone is unmounted whoever has files open there", async () => {
  const place = "/mounts/x";
  const path = "/sys/class/block/sdb/dev";
  for (const [missing, options] of [
    [[], ""],
    [[path], "--lazy "],
  ] as const) {
    const { world, programs } = new HelperMachine({ ...disk, mounts: [place], missing });
    await expect(unmountPlace(world, place)).rejects.toMatchObject({ code: "in-use" });
    expect(programs).toEqual([`umount ${options}-- ${place}`]);
  }
});

test("what cannot be known is said", () => {
  for (const path of ["/proc/self/mountinfo", "/sys/block/sdb/diskseq", "/sys/block/sdb/stat"]) {
    const machine = new HelperMachine({ ...disk, missing: [path] });
    expect(viewDisk(machine.world.system, "sdb").unknown).not.toEqual([]);
  }
});

test("notes survive, and what is damaged is as if it were not there", () => {
  const { files } = new HelperMachine(disk);
  const notes = new WorkNotes(files, "/state");
  const note: WorkNote = {
    version: 1,
    ...{ diskId: "a".repeat(32), fileSystem: "ext4", model: "", serial: "", sizeBytes: 1024 ** 3 },
    ...{ sectorBytes: 512, stage: "wiping", signatures: [], otherFindings: [], partitions: [] },
  };
  notes.save(note);
  expect(new WorkNotes(files, "/state").all()).toEqual([note]);
  const path = `/state/work/${note.diskId}.json`;
  expect(readWhole(files, path, 10)).toBeUndefined();
  const descriptor = files.open(path, "write");
  files.write(descriptor, Buffer.from('{"version":1'));
  files.close(descriptor);
  expect(notes.find(note.diskId)).toBeUndefined();
  notes.remove(note.diskId);
  expect(notes.all()).toEqual([]);
});

test("who starts the helper says where and whose, in plain paths and known users", () => {
  const passwd = "root:x:0:0::/:/bin/sh\ncairn:x:990:991::/var/lib/cairn:/bin/false\n";
  const options = { mountDirectory: "/srv/cairn", stateDirectory: "/var/lib/h", owner: "cairn" };
  expect(helperSettings(options, passwd).owner).toEqual({ user: 990, group: 991 });
  expect(helperSettings({ ...options, owner: "1:2" }, passwd).owner).toEqual({ user: 1, group: 2 });
  expect(helperSettings({ ...options, owner: undefined }, passwd).owner).toBeUndefined();
  for (const change of [{ owner: "nobody" }, { mountDirectory: "srv" }, { stateDirectory: "/" }]) {
    expect(() => helperSettings({ ...options, ...change }, passwd)).toThrow();
  }
  expect(() => helperSettings({ ...options, mountDirectory: "/srv/../etc" }, passwd)).toThrow();
});

test("a socket of systemd's is taken only where it was meant for us", () => {
  expect(inheritedSocket({ LISTEN_PID: "42", LISTEN_FDS: "1" }, 42)).toBe(3);
  expect(inheritedSocket({ LISTEN_PID: "41", LISTEN_FDS: "1" }, 42)).toBeUndefined();
  expect(inheritedSocket({ LISTEN_PID: "42", LISTEN_FDS: "2" }, 42)).toBeUndefined();
  expect(helperError("in-use", "why").code).toBe("in-use");
});
