/**
 * The one decision whether anything may be written to a device. Everything that can write asks here, with evidence gathered at that
 * moment. Without doubt blank, or a person named model, serial and size of this very disk after having been shown what is on
 * it; a disk that somebody uses is refused whatever anybody says. Pure.
 */
import type { Confirmation, DeviceIdentity, Evidence } from "#disks/guard/evidence.ts";

export type RefusalCode =
  | "not-known"
  | "system-disk"
  | "mounted"
  | "held"
  | "swap"
  | "in-use"
  | "read-only"
  | "too-small"
  | "not-asked"
  | "question-expired"
  | "other-disk"
  | "content-changed"
  | "not-confirmed";

export interface Refusal {
  readonly code: RefusalCode;
  /** What stands against it and what to do. */
  readonly says: string;
}

export type Decision =
  | { readonly allowed: true; readonly because: "blank" | "confirmed" | "unfinished" }
  | {
      readonly allowed: false;
      /** Nothing that a person says changes it while this is so. */
      readonly final: boolean;
      /** At least one. */
      readonly refusals: readonly Refusal[];
    };

/** Smaller ones are keys and cards that nobody means. */
export const minimumDiskBytes = 512 * 1024 * 1024;

export function mayWrite(evidence: Evidence, confirmation: Confirmation): Decision {
  const obstacles = obstaclesOf(evidence);
  if (obstacles.length > 0) return { allowed: false, final: true, refusals: obstacles };
  const { unfinished } = evidence;
  if (unfinished?.proven === true && unfinished.foreign.length === 0) {
    return { allowed: true, because: "unfinished" };
  }
  const doubts = doubtsOf(evidence, confirmation);
  const isBlank = isProvablyBlank(evidence);
  if (!isBlank && !isTyped(evidence.device, confirmation)) doubts.push(notConfirmed(evidence));
  if (doubts.length > 0) return { allowed: false, final: false, refusals: doubts };
  return { allowed: true, because: isBlank ? "blank" : "confirmed" };
}

/** Every byte of it was read in this plugging and is zero, and nobody has written to it since. */
export function isProvablyBlank(evidence: Evidence): boolean {
  const { device, blank } = evidence;
  return (
    blank !== undefined &&
    blank.sequence === device.sequence &&
    blank.sizeBytes === device.sizeBytes &&
    blank.readBytes === device.sizeBytes &&
    blank.dataAtBytes === undefined &&
    blank.changedSectors === evidence.changedSectors &&
    evidence.signatures.length === 0 &&
    evidence.otherFindings.length === 0 &&
    evidence.partitions.length === 0
  );
}

/** What the person was shown, in a form to be compared: it must still be so, and nothing written since, when the yes comes. */
export function contentDigest(evidence: Evidence): string {
  const signatures = evidence.signatures.map(
    ({ type, atBytes, uuid }) => `${type}@${atBytes}:${uuid ?? ""}`,
  );
  const parts = [...signatures.sort(), ...[...evidence.partitions].sort()];
  return [`${evidence.changedSectors}`, ...parts].join(" ");
}

/** Why it is refused whatever anybody says. */
export function obstaclesOf(evidence: Evidence): readonly Refusal[] {
  const { mounts, holders, swaps, system, unknown, device } = evidence;
  const found: Refusal[] = [];
  const add = (code: RefusalCode, words: readonly string[], says: (list: string) => string) => {
    if (words.length > 0) found.push({ code, says: says(words.join(", ")) });
  };
  add("not-known", unknown, (list) => `it is not known whether somebody uses it: ${list}`);
  add("system-disk", system, (list) => `the system runs from it: ${list}`);
  add("mounted", mounts, (list) => `it is mounted at ${list}: unmount it first`);
  add("held", holders, (list) => `${list} lies on it: take that apart first`);
  add("swap", swaps, (list) => `the system swaps to ${list}: swapoff first`);
  // The reasons above say more.
  if (evidence.claimed && found.length === 0) {
    found.push({
      code: "in-use",
      says: "the kernel says that somebody has it in use, such as RAID, ZFS or another program",
    });
  }
  if (evidence.readOnly) {
    found.push({ code: "read-only", says: "it is read-only: look for a switch on it" });
  }
  if (device.sizeBytes < minimumDiskBytes) {
    found.push({
      code: "too-small",
      says: `it has ${device.sizeBytes} bytes, less than the ${minimumDiskBytes} that make sense`,
    });
  }
  return found;
}

function doubtsOf(evidence: Evidence, confirmation: Confirmation): Refusal[] {
  const { firstStep, nowMs } = confirmation;
  if (firstStep === undefined) {
    return [{ code: "not-asked", says: "nobody was shown what is on it yet: prepare it first" }];
  }
  const doubts: Refusal[] = [];
  if (nowMs >= firstStep.expiresAtMs) {
    doubts.push({
      code: "question-expired",
      says: "what is on it was shown too long ago: prepare it again",
    });
  }
  if (!isSameDevice(firstStep.device, evidence.device)) {
    doubts.push({
      code: "other-disk",
      says: "it is not the disk that was shown, or it was away in between: prepare it again",
    });
  }
  if (firstStep.content !== contentDigest(evidence)) {
    doubts.push({
      code: "content-changed",
      says: "what is on it has changed since it was shown: prepare it again",
    });
  }
  return doubts;
}

function isTyped(device: DeviceIdentity, { typed }: Confirmation): boolean {
  return (
    typed !== undefined &&
    typed.model === device.model &&
    typed.serial === device.serial &&
    typed.sizeBytes === device.sizeBytes
  );
}

function isSameDevice(one: DeviceIdentity, other: DeviceIdentity): boolean {
  return (
    one.name === other.name &&
    one.sequence === other.sequence &&
    one.model === other.model &&
    one.serial === other.serial &&
    one.sizeBytes === other.sizeBytes
  );
}

function notConfirmed(evidence: Evidence): Refusal {
  const why = whyNotBlank(evidence);
  return {
    code: "not-confirmed",
    says: `${why}: all of it would be lost, so that its model, serial and size must be typed exactly as shown`,
  };
}

/** Why it does not count as blank, in words. */
export function whyNotBlank(evidence: Evidence): string {
  const { signatures, otherFindings, partitions, blank, device } = evidence;
  const named = [...new Set(signatures.map(({ says }) => says))];
  if (named.length > 0) return `it carries ${named.join(", ")}`;
  if (otherFindings.length > 0) return `it carries ${otherFindings.join(", ")}`;
  if (partitions.length > 0) return `it has partitions (${partitions.join(", ")})`;
  if (blank === undefined) return "it was not read from begin to end yet";
  if (blank.dataAtBytes !== undefined) {
    return `it carries data of a form that is not known, at byte ${blank.dataAtBytes}`;
  }
  if (blank.sequence !== device.sequence) return "it was away since it was read";
  if (blank.changedSectors !== evidence.changedSectors)
    return "it was written to after it was read";
  return `only ${blank.readBytes} of its ${device.sizeBytes} bytes were read so far`;
}
