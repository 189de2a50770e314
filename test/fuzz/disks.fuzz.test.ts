/** Everything that tells of disks is foreign text: whatever it holds, the parsers end, throw nothing, and give bounded words. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseBlkid } from "#disks/probe/blkid.ts";
import { isDummySerial } from "#disks/probe/bridges.ts";
import { parseDrives } from "#disks/probe/disk-info.ts";
import { parseLsblk } from "#disks/probe/lsblk.ts";
import { mergeFacts } from "#disks/probe/merge-facts.ts";
import { parseSwaps } from "#disks/probe/mounts.ts";
import { parseProbeMessage, parseRoundRequest } from "#disks/probe/probe-messages.ts";
import { portOf, readSysfs, temperatureOf } from "#disks/probe/sysfs.ts";
import { parseBlockDevices } from "#disks/probe/system-information.ts";
import { parseUdevData } from "#disks/probe/udev.ts";
import { UdevMonitorLines } from "#disks/udev-monitor.ts";
import { contentWords, placeWords } from "#model/disk-words.ts";
import { parseMounts } from "#platform/mount-table.ts";
import { machineFiles, machineNames, sourcesOf } from "../support/disk-machines.ts";
import { MemorySystemFiles } from "../support/memory-system-files.ts";

const maxWord = 200;
const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.string({ maxLength: 3000 }));
const lines = fc
  .array(
    fc.oneof(
      text,
      fc
        .tuple(
          fc.constantFrom("E:", "", "E:ID_FS_TYPE=", "DEVNAME=/dev/sda\nTYPE=", "PTTYPE="),
          text,
        )
        .map((parts) => parts.join("")),
      fc.constantFrom("36 22 8:1 / /srv rw - ext4 /dev/sda1 rw", "/dev/sda2 partition 1 2 3"),
    ),
    { maxLength: 20 },
  )
  .map((all) => all.join("\n"));

function expectBounded(value: unknown): void {
  JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === "string") expect(each.length).toBeLessThanOrEqual(4096);
    return each;
  });
}

test("lines of udev, blkid, swaps, mounts and the monitor", () => {
  fc.assert(
    fc.property(lines, (each) => {
      const device = parseUdevData(each);
      for (const word of [device.model, device.serial, device.port]) {
        expect(word?.length ?? 0).toBeLessThanOrEqual(maxWord);
      }
      expectBounded(parseBlkid(each));
      parseSwaps(each);
      parseMounts(each);
      const monitor = new UdevMonitorLines((name) => expect(name).toMatch(/^[\w.-]{1,64}$/));
      monitor.push(Buffer.from(each));
    }),
  );
});

const jsonText = fc.oneof(
  text,
  fc.json(),
  fc
    .array(
      fc.dictionary(
        fc.constantFrom(
          "name",
          "kname",
          "children",
          "mounted",
          "blocks",
          "available",
          "model",
          "fsType",
          "pttype",
        ),
        fc.jsonValue(),
      ),
      { maxLength: 5 },
    )
    .chain((devices) =>
      fc.constantFrom(JSON.stringify(devices), JSON.stringify({ blockdevices: devices })),
    ),
  fc
    .nat({ max: 5000 })
    .map(
      (depth) =>
        `{"blockdevices":${'[{"name":"a","children":'.repeat(depth)}[]${"}]".repeat(depth)}}`,
    ),
);

test("JSON of lsblk, of the packages and of the probe", () => {
  fc.assert(
    fc.property(jsonText, (each) => {
      expectBounded(parseLsblk(each));
      expectBounded(parseBlockDevices(each));
      for (const { totalBytes, freeBytes } of parseDrives(each).values()) {
        expect(totalBytes).toBeGreaterThanOrEqual(freeBytes);
      }
      parseRoundRequest(each);
      const message = parseProbeMessage(each);
      if (message?.kind === "round") message.disks.map(contentWords);
    }),
  );
});

test("a machine whose files say anything has disks that can be merged and told", () => {
  const machine = fc.constantFrom(...machineNames).map((name) => machineFiles(name));
  const damage = fc.array(fc.tuple(fc.nat(), fc.oneof(text, lines, fc.constant(undefined))), {
    maxLength: 10,
  });
  fc.assert(
    fc.property(machine, damage, (files, changes) => {
      const world = new MemorySystemFiles(files);
      const paths = [...world.files.keys()];
      for (const [at, value] of changes) {
        const path = paths[at % paths.length] ?? "";
        if (value === undefined) world.files.delete(path);
        else world.files.set(path, value);
      }
      const disks = mergeFacts(sourcesOf(world));
      for (const disk of disks) {
        expect(disk.sizeBytes).toBeGreaterThan(0);
        for (const word of [disk.model, disk.serial, disk.wwn, disk.vendor]) {
          expect(word?.length ?? 0).toBeLessThanOrEqual(maxWord);
        }
        contentWords(disk);
        placeWords(disk);
      }
      expect(readSysfs(world).map(({ name }) => name)).toEqual(disks.map(({ name }) => name));
    }),
  );
});

test("single words", () => {
  fc.assert(
    fc.property(text, (each) => {
      expect(typeof isDummySerial(each)).toBe("boolean");
      portOf(each);
      const degrees = temperatureOf(each);
      if (degrees !== undefined) expect(Math.abs(degrees)).toBeLessThanOrEqual(150);
    }),
  );
});
