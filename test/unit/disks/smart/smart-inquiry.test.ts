/** How the way to ask a disk is found, remembered, and given up. */
import { expect, test } from "vitest";
import { AppError } from "#base/app-error.ts";
import { Log } from "#base/log.ts";
import { type BridgeNote, bridgeKey } from "#disks/smart/bridge-memory.ts";
import type { SmartctlEnd } from "#disks/smart/read-smartctl.ts";
import { type AskedDisk, SmartInquiry } from "#disks/smart/smart-inquiry.ts";
import { directSmartReader, helperSmartReader } from "#disks/smart/smart-reader.ts";
import type { SmartDeviceType } from "#disks/smart/smartctl-arguments.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { smartVector } from "../../../support/smart-vectors.ts";

const week = 7 * 24 * 3600 * 1000;

const dock: AskedDisk = {
  name: "sda",
  sequence: 7,
  bus: "usb",
  bridge: { vendorId: "1058", productId: "25a2", name: "My Passport", hidesSerial: false },
};

type Answers = Partial<Record<SmartDeviceType, string | (() => SmartctlEnd)>>;

function stage(answers: Answers) {
  const clock = new ManualClock();
  const notes = new Map<string, BridgeNote>();
  const asked: string[] = [];
  const current = { answers };
  const parts = {
    reader: {
      run: async (_: unknown, type: SmartDeviceType, action: string) => {
        asked.push(action === "read" ? type : `${type} ${action}`);
        const answer = current.answers[type] ?? "qemu-usb-nvme";
        return typeof answer === "string" ? smartVector(answer) : answer();
      },
    },
    bridges: {
      of: (bridge: string) => notes.get(bridge),
      note: (bridge: string, note: BridgeNote) => void notes.set(bridge, note),
    },
    clock,
    log: new Log("disks", () => {}),
  };
  const inquiry = new SmartInquiry(parts);
  const again = () => new SmartInquiry(parts);
  return { inquiry, again, asked, notes, clock, current };
}

const hangs = () => {
  throw new AppError("command-hung", "smartctl did not end within 30 s");
};

test("at an unknown bridge the ways are tried in turn, and the one that works is remembered for its kind", async () => {
  const { inquiry, again, asked } = stage({
    ...{ auto: "qemu-usb-auto", sat: "qemu-usb-sat", "sat,12": "documented-ata-healthy" },
  });
  expect(inquiry.canAsk(dock)).toBe(false);
  expect(await inquiry.ask(dock)).toMatchObject({ state: "read" });
  expect(asked.splice(0)).toEqual(["auto", "sat", "sat,12"]);
  expect(inquiry.canAsk(dock)).toBe(true);
  await again().ask({ ...dock, name: "sdb", sequence: 9 });
  expect(asked).toEqual(["sat,12"]);
});

test("a bridge that understands nothing is left alone for a week", async () => {
  const { inquiry, asked, clock } = stage({ auto: "qemu-usb-auto" });
  expect(await inquiry.ask(dock)).toMatchObject({ state: "refused", cause: "not-understood" });
  expect(asked.splice(0)).toEqual(["auto", "sat", "sat,12", "scsi"]);
  await inquiry.ask(dock);
  expect(asked).toEqual([]);
  clock.advance(week);
  await inquiry.ask(dock);
  expect(asked).toHaveLength(4);
});

test("a way at which a bridge hung ends the search, and is never tried again", async () => {
  const { inquiry, asked, notes, clock } = stage({ auto: "qemu-usb-auto", sat: hangs });
  expect(await inquiry.ask(dock)).toMatchObject({ state: "refused", cause: "hung" });
  expect(asked.splice(0)).toEqual(["auto", "sat"]);
  expect([...notes.values()]).toMatchObject([{ type: undefined, hung: ["sat"] }]);
  clock.advance(week);
  await inquiry.ask(dock);
  expect(asked).toEqual(["auto", "sat,12", "scsi"]);
});

test("a disk in standby is not asked further, and its way stays open", async () => {
  const { inquiry, asked, notes } = stage({ auto: "documented-standby" });
  expect(await inquiry.ask(dock)).toEqual({ state: "asleep", depth: "standby" });
  expect([asked, notes.size]).toEqual([["auto"], 0]);
});

test("a dock that takes another kind of disk is found out anew", async () => {
  const { inquiry, asked, current } = stage({ auto: "documented-ata-healthy" });
  await inquiry.ask(dock);
  current.answers = { auto: "qemu-usb-nvme", sat: "documented-ata-healthy" };
  asked.splice(0);
  expect(await inquiry.ask(dock)).toMatchObject({ state: "read" });
  expect(asked).toEqual(["auto", "sat"]);
});

test("a disk that is gone ends the search without a conclusion", async () => {
  const { inquiry, asked, notes } = stage({ auto: "qemu-gone" });
  expect(await inquiry.ask(dock)).toMatchObject({ state: "refused", cause: "not-opened" });
  expect([asked, notes.size]).toEqual([["auto"], 0]);
});

test("what hangs on no bridge is remembered for one plugging", async () => {
  const { inquiry, asked, notes } = stage({ nvme: "qemu-nvme" });
  const disk: AskedDisk = { name: "nvme0n1", sequence: 3, bus: "nvme", bridge: undefined };
  await inquiry.ask(disk);
  expect([inquiry.canAsk(disk), inquiry.canAsk({ ...disk, sequence: 4 })]).toEqual([true, false]);
  expect([asked, notes.size]).toEqual([["nvme"], 0]);
});

test("a card is not asked at all", async () => {
  const { inquiry, asked } = stage({});
  const card: AskedDisk = { name: "mmcblk0", sequence: 1, bus: "mmc", bridge: undefined };
  expect(await inquiry.ask(card)).toMatchObject({ state: "refused" });
  expect(asked).toEqual([]);
});

test("a self-test is begun in the way that works, and refused where there is none", async () => {
  const { inquiry, asked, current } = stage({ auto: "documented-ata-healthy" });
  expect(await inquiry.order(dock, "short-test")).toContain("does not let itself be asked");
  await inquiry.ask(dock);
  current.answers = { auto: "qemu-sata-short-test" };
  expect(await inquiry.order(dock, "long-test")).toBeUndefined();
  expect(asked.at(-1)).toBe("auto long-test");
  current.answers = { auto: "qemu-gone" };
  expect(await inquiry.order(dock, "abort")).toContain("No such device");
  current.answers = { auto: hangs };
  expect(await inquiry.order(dock, "abort")).toContain("did not end");
});

test("bridges are known by vendor and product, disks on none by nothing", () => {
  expect(bridgeKey(dock)).toBe("usb:1058:25a2");
  expect(bridgeKey({ bus: "sata", bridge: undefined })).toBeUndefined();
});

test("the daemon that is root runs smartctl itself, on disks only", async () => {
  const runs: string[] = [];
  const reader = directSmartReader({
    run: async (program, parameters) => {
      runs.push([program, ...parameters].join(" "));
      return { code: 0, stdout: "{}", stderr: "" };
    },
  });
  await reader.run({ name: "sda", sequence: 1 }, "sat", "read");
  expect(runs).toEqual(["smartctl --json=c -d sat -n standby,3 -a /dev/sda"]);
  const no = reader.run({ name: "../etc/passwd", sequence: 1 }, "sat", "read");
  await expect(no).rejects.toMatchObject({ code: "disk-unknown" });
});

test("the helper is told which plugging of which disk is meant", async () => {
  const asked: unknown[] = [];
  const reader = helperSmartReader(async (input) => {
    asked.push(input);
    return { code: 0, output: "{}" };
  });
  const end = await reader.run({ name: "sda", sequence: 7 }, "auto", "abort");
  expect(end).toEqual({ code: 0, stdout: "{}" });
  expect(asked).toEqual([{ disk: "sda", sequence: 7, type: "auto", action: "abort" }]);
  const no = reader.run({ name: "sda", sequence: undefined }, "auto", "abort");
  await expect(no).rejects.toMatchObject({ code: "disk-unknown" });
});
