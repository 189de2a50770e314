/** What kernel, journal and probe child say is read within limits or passed over, whatever it is. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseBlockStat } from "#disks/health/block-counters.ts";
import { parseHealthLook } from "#disks/health/health-look.ts";
import { diskOfDevice, maxKernelLineLength, parseKernelLine } from "#disks/health/kernel-line.ts";
import { parseJournal, parseKernelRecord } from "#platform/node/node-kernel-log.ts";

const said = fc.constantFrom(
  "I/O error, dev sda, sector 8",
  "EXT4-fs (sda1): Remounting filesystem read-only",
  "BTRFS error (device sdb1: state EA): x",
  "sd 0:0:0:0: [sda] Attached SCSI disk",
  "nvme nvme0: controller is down; will reset",
);

test("any line of the kernel is a fault of a device, in bounded words, or nothing", () => {
  const line = fc
    .tuple(fc.string({ unit: "binary" }), said, fc.string({ unit: "binary", maxLength: 9000 }))
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(line, fc.string({ unit: "binary" })), (text) => {
      const fault = parseKernelLine(text);
      if (fault === undefined) return;
      expect(fault.words.length).toBeLessThanOrEqual(maxKernelLineLength);
      expect(fault.device).toMatch(/^\w+$/);
      const disk = diskOfDevice(fault.device, ["sda", "sdb", "nvme0n1"]);
      expect([undefined, "sda", "sdb", "nvme0n1"]).toContain(disk);
    }),
  );
});

test("a long line takes no longer for what is in it", () => {
  const hard = ["XFS (sda1): ", "[sda] ", "nvme0: I/O ", "critical a error, dev "];
  for (const text of hard) {
    const begin = performance.now();
    parseKernelLine(text.repeat(5000));
    expect(performance.now() - begin).toBeLessThan(100);
  }
});

test("any record of the ring, and any text of the journal, is messages or nothing", () => {
  const entry = fc.record({
    MESSAGE: fc.oneof(fc.string(), fc.jsonValue()),
    __CURSOR: fc.oneof(fc.string(), fc.jsonValue()),
    __REALTIME_TIMESTAMP: fc.oneof(fc.string(), fc.nat().map(String), fc.jsonValue()),
  });
  const line = fc.oneof(
    entry.map((each) => JSON.stringify(each)),
    fc.json(),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(line), fc.string(), (lines, record) => {
      for (const { text, atSeconds } of parseJournal(lines.join("\n")).messages) {
        expect(typeof text).toBe("string");
        expect(Number.isSafeInteger(atSeconds)).toBe(true);
      }
      const message = parseKernelRecord(record, 0);
      if (message !== undefined) expect(Number.isFinite(message.atSeconds)).toBe(true);
    }),
  );
});

test("any text of counters is counts that are whole, or nothing", () => {
  const numbers = fc.array(fc.oneof(fc.nat().map(String), fc.string({ maxLength: 5 })), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        numbers.map((each) => each.join(" ")),
      ),
      (text) => {
        const counts = parseBlockStat(text);
        for (const count of Object.values(counts ?? {})) {
          expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
        }
      },
    ),
  );
});

test("any value is a look or none", () => {
  const nearly = fc.record(
    {
      counters: fc.oneof(fc.constant([]), fc.jsonValue()),
      mounts: fc.oneof(fc.constant([]), fc.jsonValue()),
      faults: fc.oneof(fc.constant([]), fc.jsonValue()),
      hearsKernel: fc.oneof(fc.boolean(), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), nearly), (value) => {
      const look = parseHealthLook(value);
      if (look !== undefined) expect(Array.isArray(look.counters)).toBe(true);
    }),
  );
});
