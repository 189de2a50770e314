/**
 * What the never-format guard decides on: everything that speaks against writing to a device, whoever told it, and what a person
 * said. Pure data.
 */
import type { SignatureFacts } from "#model/disk-facts.ts";

/** One plugging of one disk. */
export interface DeviceIdentity {
  /** Of the kernel: `sda`. */
  readonly name: string;
  /** The kernel's count of disks that came: another one, and it is another disk. */
  readonly sequence: number;
  /** Empty where the disk tells none. */
  readonly model: string;
  /** Empty where the disk tells none. */
  readonly serial: string;
  readonly sizeBytes: number;
}

/** A mark of somebody's format, found by its magic bytes. */
export interface FoundSignature extends SignatureFacts {
  /** Where it lies, from the begin of the device. */
  readonly atBytes: number;
  /** For people: `a Linux file system (ext4)`. */
  readonly says: string;
}

/** How far reading the whole device has come. */
export interface BlankProof {
  readonly sequence: number;
  readonly sizeBytes: number;
  /** From the begin, without a gap; sampling proves nothing. */
  readonly readBytes: number;
  /** Of the first block that is not zero. */
  readonly dataAtBytes: number | undefined;
  /** What the kernel had written to the device, or discarded on it, when reading began. */
  readonly changedSectors: number;
}

/** A provisioning of ours that did not come to its end. */
export interface UnfinishedWork {
  readonly diskId: string;
  /** The disk's own mark and the helper's notes name the same work and the same disk. */
  readonly proven: boolean;
  /** What is on the disk and was neither there when the person said yes, nor made by the work since. */
  readonly foreign: readonly FoundSignature[];
}

export interface Evidence {
  readonly device: DeviceIdentity;
  readonly readOnly: boolean;
  /** Mount points of the device, its partitions and what lies on these. */
  readonly mounts: readonly string[];
  /** Device mapper, RAID and loop devices that lie on it. */
  readonly holders: readonly string[];
  readonly swaps: readonly string[];
  /** Why it belongs to the running system. */
  readonly system: readonly string[];
  /** The kernel refused to open it for one user alone: somebody has it, whoever. */
  readonly claimed: boolean;
  /** By the own scanner. */
  readonly signatures: readonly FoundSignature[];
  /** What the system's own programs call it: `ext4`, `zfs_member`. */
  readonly otherFindings: readonly string[];
  /** Partitions that the kernel sees. */
  readonly partitions: readonly string[];
  readonly changedSectors: number;
  readonly blank: BlankProof | undefined;
  readonly unfinished: UnfinishedWork | undefined;
  /** What could not be found out, in words: nothing is written where something is not known. */
  readonly unknown: readonly string[];
}

/** What the first step showed to the person, as the token of it stands for. */
export interface FirstStep {
  readonly device: DeviceIdentity;
  /** `contentDigest` of what was on it. */
  readonly content: string;
  readonly expiresAtMs: number;
}

export interface TypedIdentity {
  readonly model: string;
  readonly serial: string;
  readonly sizeBytes: number;
}

export interface Confirmation {
  /** Undefined where the token is none of ours. */
  readonly firstStep: FirstStep | undefined;
  /** Only asked for where the device is not provably blank. */
  readonly typed: TypedIdentity | undefined;
  /** By the clock that `expiresAtMs` counts on. */
  readonly nowMs: number;
}
