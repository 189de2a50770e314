/** The one decision whether a device may be written to. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Confirmation, Evidence } from "#disks/guard/evidence.ts";
import {
  isProvablyBlank,
  mayWrite,
  minimumDiskBytes,
  obstaclesOf,
  type RefusalCode,
  whyNotBlank,
} from "#disks/guard/may-write.ts";
import {
  blankEvidence,
  blankProof,
  shown,
  signature,
  someDevice,
} from "../../../support/disk-evidence.ts";

const typed = {
  model: someDevice.model,
  serial: someDevice.serial,
  sizeBytes: someDevice.sizeBytes,
};

function codes(evidence: Evidence, confirmation: Confirmation): readonly RefusalCode[] {
  const decision = mayWrite(evidence, confirmation);
  return decision.allowed ? [] : decision.refusals.map(({ code }) => code);
}

test("a disk that was read from begin to end and is zero needs the yes of the first step only", () => {
  const evidence = blankEvidence();
  expect(mayWrite(evidence, shown(evidence))).toEqual({ allowed: true, because: "blank" });
  expect(codes(evidence, { firstStep: undefined, typed, nowMs: 0 })).toEqual(["not-asked"]);
});

test("whatever is not provably blank needs model, serial and size exactly", () => {
  const notBlank: readonly Partial<Evidence>[] = [
    { blank: undefined },
    { blank: blankProof({ readBytes: someDevice.sizeBytes - 1 }) },
    { blank: blankProof({ dataAtBytes: 5 }) },
    { blank: blankProof({ sequence: 6 }) },
    { blank: blankProof({ sizeBytes: 1 }) },
    { changedSectors: 1 },
    { signatures: [signature()] },
    { otherFindings: ["zfs_member"] },
    { partitions: ["sdb1"] },
  ];
  for (const change of notBlank) {
    const evidence = blankEvidence(change);
    expect(codes(evidence, shown(evidence))).toEqual(["not-confirmed"]);
    const wrong = [
      { ...typed, model: typed.model.toLowerCase() },
      { ...typed, serial: "" },
      { ...typed, sizeBytes: typed.sizeBytes + 1 },
    ];
    for (const each of wrong) {
      expect(codes(evidence, shown(evidence, { typed: each }))).toEqual(["not-confirmed"]);
    }
    expect(mayWrite(evidence, shown(evidence, { typed }))).toEqual({
      allowed: true,
      because: "confirmed",
    });
  }
});

test("a disk that somebody uses is refused whatever is said", () => {
  const used: readonly [Partial<Evidence>, RefusalCode][] = [
    [{ mounts: ["/mnt/photos"] }, "mounted"],
    [{ holders: ["md0"] }, "held"],
    [{ swaps: ["sdb2"] }, "swap"],
    [{ system: ["/ is on it"] }, "system-disk"],
    [{ claimed: true }, "in-use"],
    [{ readOnly: true }, "read-only"],
    [{ unknown: ["its mounts"] }, "not-known"],
    [{ device: { ...someDevice, sizeBytes: minimumDiskBytes - 1 } }, "too-small"],
  ];
  for (const [change, code] of used) {
    const evidence = blankEvidence({
      ...change,
      unfinished: { diskId: "0".repeat(32), proven: true, foreign: [] },
    });
    const decision = mayWrite(evidence, shown(evidence, { typed }));
    expect(decision).toMatchObject({ allowed: false, final: true, refusals: [{ code }] });
  }
});

test("the answer must fit what was shown: the same disk, the same plugging, the same content, in time", () => {
  const evidence = blankEvidence({ signatures: [signature()] });
  const before = shown(evidence, { typed });
  const later: readonly [Evidence, number, RefusalCode][] = [
    [evidence, 1000, "question-expired"],
    [{ ...evidence, device: { ...someDevice, sequence: 8 } }, 0, "other-disk"],
    [{ ...evidence, device: { ...someDevice, name: "sdc" } }, 0, "other-disk"],
    [{ ...evidence, signatures: [signature({ uuid: "other" })] }, 0, "content-changed"],
    [{ ...evidence, signatures: [signature(), signature({ type: "gpt" })] }, 0, "content-changed"],
    [{ ...evidence, partitions: ["sdb1"] }, 0, "content-changed"],
    [{ ...evidence, changedSectors: 1 }, 0, "content-changed"],
  ];
  for (const [now, nowMs, code] of later) expect(codes(now, { ...before, nowMs })).toContain(code);
});

test("work of ours goes on without a second yes only where all that is there is explained", () => {
  const evidence = blankEvidence({
    blank: undefined,
    signatures: [signature({ type: "gpt" })],
    unfinished: { diskId: "0".repeat(32), proven: true, foreign: [] },
  });
  const nothing = { firstStep: undefined, typed: undefined, nowMs: 0 };
  expect(mayWrite(evidence, nothing)).toEqual({ allowed: true, because: "unfinished" });
  const diskId = "0".repeat(32);
  const unproven = { ...evidence, unfinished: { diskId, proven: false, foreign: [] } };
  expect(codes(unproven, nothing)).toEqual(["not-asked", "not-confirmed"]);
  const foreign = { ...evidence, unfinished: { diskId, proven: true, foreign: [signature()] } };
  expect(codes(foreign, nothing)).toEqual(["not-asked", "not-confirmed"]);
});

test("why a disk does not count as blank is said in words", () => {
  expect(whyNotBlank(blankEvidence({ signatures: [signature(), signature()] }))).toBe(
    "it carries a Linux file system (ext4)",
  );
  expect(whyNotBlank(blankEvidence({ blank: undefined }))).toContain("not read");
  expect(whyNotBlank(blankEvidence({ blank: blankProof({ dataAtBytes: 4096 }) }))).toContain(
    "at byte 4096",
  );
});

const identity = fc.record({
  name: fc.constantFrom("sda", "sdb"),
  sequence: fc.integer({ min: 1, max: 2 }),
  model: fc.constantFrom("", "one", "other"),
  serial: fc.constantFrom("", "1", "2"),
  sizeBytes: fc.constantFrom(0, minimumDiskBytes, minimumDiskBytes * 2),
});
const words = fc.array(fc.constantFrom("x", "y"), { maxLength: 1 });
const signatures = fc.array(
  fc.constantFrom(signature(), signature({ type: "gpt", atBytes: 512 })),
  {
    maxLength: 2,
  },
);
const proof = fc.record({
  sequence: fc.integer({ min: 1, max: 2 }),
  sizeBytes: fc.constantFrom(minimumDiskBytes, minimumDiskBytes * 2),
  readBytes: fc.constantFrom(0, minimumDiskBytes, minimumDiskBytes * 2),
  dataAtBytes: fc.option(fc.constant(9), { nil: undefined }),
  changedSectors: fc.integer({ min: 0, max: 1 }),
});
const anyEvidence: fc.Arbitrary<Evidence> = fc.record({
  device: identity,
  ...{ readOnly: fc.boolean(), claimed: fc.boolean() },
  ...{ mounts: words, holders: words, swaps: words, system: words, unknown: words },
  ...{ signatures, otherFindings: words, partitions: words },
  changedSectors: fc.integer({ min: 0, max: 1 }),
  blank: fc.option(proof, { nil: undefined }),
  unfinished: fc.option(
    fc.record({ diskId: fc.constant("0".repeat(32)), proven: fc.boolean(), foreign: signatures }),
    { nil: undefined },
  ),
});
const anyTyped = fc.option(
  fc.record({
    model: fc.constantFrom("", "one", "other"),
    serial: fc.constantFrom("", "1", "2"),
    sizeBytes: fc.constantFrom(0, minimumDiskBytes, minimumDiskBytes * 2),
  }),
  { nil: undefined },
);

/** Whatever is said, in the words of promise 2 and not in those of the code under test. */
test("never yes to a disk in use, never yes to a disk with anything on it without its name", () => {
  const scenario = fc.record({ evidence: anyEvidence, typed: anyTyped, stale: fc.boolean() });
  fc.assert(
    fc.property(scenario, anyEvidence, ({ evidence, typed: said, stale }, other) => {
      const before = shown(stale ? other : evidence, { typed: said });
      const decision = mayWrite(evidence, before);
      if (!decision.allowed) return;
      const { device } = evidence;
      const used = [evidence.mounts, evidence.holders, evidence.swaps, evidence.system];
      expect([...used, evidence.unknown].flat()).toEqual([]);
      expect(evidence.claimed || evidence.readOnly).toBe(false);
      expect(obstaclesOf(evidence)).toEqual([]);
      if (decision.because === "unfinished") {
        expect(evidence.unfinished).toMatchObject({ proven: true, foreign: [] });
        return;
      }
      expect(before.firstStep?.device).toEqual(device);
      const isNamed =
        said !== undefined &&
        said.model === device.model &&
        said.serial === device.serial &&
        said.sizeBytes === device.sizeBytes;
      const { blank } = evidence;
      const isZero =
        blank?.readBytes === device.sizeBytes &&
        blank.dataAtBytes === undefined &&
        blank.sequence === device.sequence;
      const isEmpty = evidence.signatures.length + evidence.partitions.length === 0;
      expect(isNamed || (isZero && isEmpty)).toBe(true);
      expect(decision.because === "blank").toBe(isProvablyBlank(evidence));
    }),
    { numRuns: 20_000 },
  );
});
