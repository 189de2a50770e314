/** The root helper's lines: whatever comes is answered or cut off, and nothing hostile reaches a program, a device or a path. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { DeviceWindow } from "#disks/guard/device-window.ts";
import { readGpt, readMbr } from "#disks/guard/partition-tables.ts";
import { scanDevice } from "#disks/guard/signature-scan.ts";
import {
  isDeviceName,
  parseHelperReply,
  parseHelperRequest,
  verbNames,
} from "#disks/helper-protocol.ts";
import { HelperSession, helperParts } from "#helper/helper-session.ts";
import { HelperMachine } from "../support/helper-world.ts";

const hostile = fc.constantFrom(
  ...[
    "-rf",
    "--help",
    "/dev/sda",
    "sda; reboot",
    "sda\n",
    "sda\0",
    "../../etc/passwd",
    "$(id)",
    "",
  ],
  ...["loop0p1p1", "SDA", "sdaaa", "vda", "nvme0n1", "sdb", "mmcblk0boot0", "dm-0", "md0", "zram0"],
  ...[
    "__proto__",
    "constructor",
    "0".repeat(32),
    "f".repeat(32),
    "ext4",
    "-oremount",
    "a".repeat(5000),
  ],
);
const anyValue = fc.oneof(hostile, fc.integer(), fc.boolean(), fc.constant(null), fc.jsonValue());
const keys = [
  ...["disk", "device", "sequence", "diskId", "nodeId", "uuid", "action", "plan", "passport"],
  ...["token", "typed", "type", "on", "maxBytes", "bytesPerSecond", "extra"],
];
const anyRequest = fc
  .record({
    id: fc.oneof(fc.nat(), fc.constantFrom(-1, 0.5, "1")),
    verb: fc.oneof(fc.constantFrom(...verbNames), hostile),
    fields: fc.dictionary(fc.constantFrom(...keys), anyValue, { maxKeys: 8 }),
  })
  .map(({ id, verb, fields }) => JSON.stringify({ ...fields, id, verb }));

const knownCodes = /^(?:helper-malformed|verb-unknown|input-invalid)$/;

test("any line is a request or refused, and devices have plain names", () => {
  fc.assert(
    fc.property(fc.oneof(anyRequest, fc.string(), fc.json()), (line) => {
      try {
        const { input } = parseHelperRequest(line);
        const { disk, device } = input as { disk?: string; device?: string };
        for (const name of [disk, device])
          if (name !== undefined) expect(isDeviceName(name)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
        expect((error as AppError).code).toMatch(knownCodes);
      }
    }),
  );
});

test("any line is a reply or refused", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      try {
        parseHelperReply(line);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
    }),
  );
});

test("hostile requests run no program but those that look, with nothing of theirs in it", async () => {
  const disk = {
    ...{ name: "sdb", sequence: 7, model: "", serial: "", sizeBytes: 1024 ** 3 },
    ...{ readOnly: false, mounts: [], holder: undefined, swap: false, claimed: false },
    ...{ content: [{ atBytes: 0, bytes: Buffer.from("XFSB") }], changedSectors: 0 },
    ...{ blkid: undefined, missing: [] },
  };
  const lines = fc.array(fc.oneof(anyRequest, fc.string()), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(lines, async (given) => {
      const machine = new HelperMachine(disk);
      const replies: string[] = [];
      const stream = { write: (text: string) => void replies.push(text), unsentBytes: 0, end() {} };
      const session = new HelperSession(stream, helperParts(machine.world));
      for (const line of given) session.receive(Buffer.from(`${line.replaceAll("\n", " ")}\n`));
      await session.idle();
      const harmless = machine.changes.filter(
        (each) => !/^(?:ledctl locate(?:_off)?=|hdparm -q -y )\/dev\/sdb$/.test(each),
      );
      expect(harmless).toEqual([]);
      expect(machine.isProtected).toBe(false);
      for (const line of machine.programs) {
        expect(line).toMatch(
          /^(?:lsblk|blkid|smartctl|ledctl|hdparm|umount|stat|mount|blockdev) [\w ,.:=/+-]*$/,
        );
        expect(line).not.toMatch(/\.\.|\/etc|remount|--help|reboot/);
      }
      for (const reply of replies) expect(() => parseHelperReply(reply)).not.toThrow();
    }),
  );
});

test("any bytes on a disk are looked at to the end", async () => {
  const bytes = fc.uint8Array({ minLength: 512, maxLength: 20_000 });
  await fc.assert(
    fc.asyncProperty(bytes, fc.boolean(), async (given, isGpt) => {
      const content = Buffer.from(given);
      if (isGpt) content.write("EFI PART", 512 < content.length - 8 ? 512 : 0, "latin1");
      const window = new DeviceWindow(content.length, [{ atBytes: 0, bytes: content }]);
      readGpt(window);
      readMbr(window);
      const read = async (at: number, length: number) => content.subarray(at, at + length);
      const { signatures } = await scanDevice(read, content.length);
      expect(signatures.length).toBeLessThanOrEqual(64);
    }),
  );
});
