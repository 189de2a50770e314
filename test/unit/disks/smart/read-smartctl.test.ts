/** smartctl's JSON, from virtual disks and from its documentation, becomes facts of one form. */
import { expect, test } from "vitest";
import { readRefusal, readSmartctl, type SmartReading } from "#disks/smart/read-smartctl.ts";
import {
  smartVectorFacts as facts,
  smartVector as vector,
} from "../../../support/smart-vectors.ts";

test("an emulated SATA disk is well", () => {
  const { attributes, ...rest } = facts("qemu-sata");
  expect(rest).toEqual({
    protocol: "ata",
    model: "QEMU TEST HARDDISK",
    serial: "CAIRNSATA1",
    firmware: "2.5+",
    passed: true,
    powerOnHours: 1,
    temperatureCelsius: 31,
    reallocated: 0,
    warnings: [],
    selfTests: [],
  });
  expect(attributes).toHaveLength(7);
  expect(attributes[3]).toEqual({
    id: 5,
    name: "Reallocated_Sector_Ct",
    value: 100,
    worst: 100,
    threshold: 36,
    raw: "0",
    prefailure: true,
  });
});

test("of a failing SATA disk the counts that matter are read from between the maker's others", () => {
  expect(facts("documented-ata-failing")).toMatchObject({
    passed: false,
    powerOnHours: 34_321,
    temperatureCelsius: 42,
    reallocated: 3896,
    uncorrectable: 12,
    timeouts: 1,
    pending: 144,
    offlineUncorrectable: 144,
    transferErrors: 7,
    selfTests: [
      { kind: "long", result: "failed", atHours: 34_310, failedBlock: 7_812_345 },
      { kind: "short", result: "passed", atHours: 34_180 },
      { kind: "short", result: "aborted", atHours: 34_000 },
    ],
  });
  const failed = facts("documented-ata-failing").attributes.filter((each) => each.failed);
  expect(failed.map(({ id, failed: when, prefailure }) => ({ id, when, prefailure }))).toEqual([
    { id: 5, when: "now", prefailure: true },
    { id: 190, when: "past", prefailure: false },
  ]);
});

test("a self-test under way says how much of it is left", () => {
  expect(facts("documented-ata-testing").selfTestRemainingPercent).toBe(60);
  expect(facts("documented-ata-healthy").selfTestRemainingPercent).toBeUndefined();
});

test("the wear of a SATA SSD is what its attribute lacks to 100", () => {
  expect(facts("documented-ssd-worn").wearPercent).toBe(93);
  expect(facts("documented-ata-healthy").wearPercent).toBeUndefined();
});

test("an emulated NVMe disk is well, and tells of no spare", () => {
  expect(facts("qemu-nvme")).toEqual({
    protocol: "nvme",
    model: "QEMU NVMe Ctrl",
    serial: "CAIRNNVME1",
    firmware: "7.2.22",
    passed: true,
    powerOnHours: 0,
    temperatureCelsius: 50,
    mediaErrors: 0,
    wearPercent: 0,
    warnings: [],
    attributes: [],
    selfTests: [],
  });
});

test("a failing NVMe disk tells its alarms, spare and tests", () => {
  expect(facts("documented-nvme-failing")).toMatchObject({
    passed: false,
    powerOnHours: 15_020,
    temperatureCelsius: 71,
    mediaErrors: 17,
    wearPercent: 103,
    sparePercent: 4,
    spareThresholdPercent: 10,
    warnings: ["spare-low", "unreliable"],
    selfTestRemainingPercent: 70,
    selfTests: [
      { kind: "long", result: "failed", atHours: 15_001, failedBlock: 123_456 },
      { kind: "short", result: "passed", atHours: 14_800 },
    ],
  });
});

test("an NVMe disk whose emulator was told to call itself unreliable does so", () => {
  expect(facts("qemu-nvme-unreliable")).toMatchObject({ passed: false, warnings: ["unreliable"] });
});

test("a SAS disk tells defects, errors and tests in its own places", () => {
  expect(facts("documented-sas")).toMatchObject({
    protocol: "scsi",
    model: "SEAGATE ST4000NM0023",
    passed: true,
    powerOnHours: 41_234,
    temperatureCelsius: 38,
    reallocated: 9,
    mediaErrors: 3,
    selfTests: [
      { kind: "short", result: "passed", atHours: 41_000 },
      { kind: "long", result: "failed", atHours: 40_000, failedBlock: 99 },
    ],
  });
});

test("a sleeping disk sleeps, whether JSON or exit status says so", () => {
  const standby: SmartReading = { state: "asleep", depth: "standby" };
  expect(readSmartctl(vector("documented-standby"))).toEqual(standby);
  expect(readSmartctl({ code: 3, stdout: '{"smartctl":{}}' })).toEqual(standby);
});

test("a bridge that refuses to tell the power mode looks asleep, but not as a disk in standby does", () => {
  expect(readSmartctl(vector("qemu-usb-sat"))).toEqual({ state: "asleep", depth: "sleep" });
});

test("what cannot be asked is refused with smartctl's reason", () => {
  const causes = [
    ...["qemu-usb-auto", "qemu-usb-jmicron", "qemu-usb-nvme", "qemu-usb-scsi", "qemu-gone"],
  ].map((name) => {
    const reading = readSmartctl(vector(name));
    return reading.state === "refused" ? `${reading.cause}: ${reading.why}` : reading.state;
  });
  expect(causes).toEqual([
    "bridge-unknown: /dev/sda: Unknown USB bridge [0x46f4:0x0001 (0x000)]",
    "not-understood: Smartctl open device: /dev/sda [USB JMicron] failed: scsi error unsupported scsi opcode",
    "not-understood: Read NVMe Identify Controller failed: scsi error unsupported scsi opcode",
    "not-understood: smartctl says nothing more",
    "not-opened: Smartctl open device: /dev/sdc [SAT] failed: No such device",
  ]);
});

test("what is not smartctl's is nonsense", () => {
  for (const stdout of ["", "smartctl: not found", "[]", "{}", "null", '{"smartctl":']) {
    expect(readSmartctl({ code: 127, stdout })).toMatchObject({ cause: "nonsense" });
  }
});

test("the exit status alone tells that a disk fails", () => {
  const { stdout } = vector("documented-ata-healthy");
  const reading = readSmartctl({ code: 8, stdout });
  expect(reading.state === "read" && reading.facts.passed).toBe(false);
});

test("an order that was carried out has no refusal", () => {
  expect(readRefusal(vector("qemu-sata-short-test"))).toBeUndefined();
  expect(readRefusal(vector("qemu-gone"))).toContain("No such device");
  expect(readRefusal({ code: 1, stdout: "" })).toBe("smartctl ended with 1");
});
