/** Evidence about a blank disk that nobody uses, and what a person says to it; tests change what they are about. */
import type {
  BlankProof,
  Confirmation,
  DeviceIdentity,
  Evidence,
  FoundSignature,
} from "#disks/guard/evidence.ts";
import { contentDigest } from "#disks/guard/may-write.ts";

export const someDevice: DeviceIdentity = {
  name: "sdb",
  sequence: 7,
  model: "WDC WD40EFRX-68N",
  serial: "WD-WCC7K0000001",
  sizeBytes: 4_000_787_030_016,
};

export function blankProof(change: Partial<BlankProof> = {}): BlankProof {
  const { sequence, sizeBytes } = someDevice;
  const whole = { sequence, sizeBytes, readBytes: sizeBytes, dataAtBytes: undefined };
  return { ...whole, changedSectors: 0, ...change };
}

export function blankEvidence(change: Partial<Evidence> = {}): Evidence {
  return {
    device: someDevice,
    readOnly: false,
    claimed: false,
    ...{ mounts: [], holders: [], swaps: [], system: [], unknown: [] },
    ...{ signatures: [], otherFindings: [], partitions: [] },
    changedSectors: 0,
    blank: blankProof(),
    unfinished: undefined,
    ...change,
  };
}

/** Of somebody who was shown `evidence` a moment ago. */
export function shown(evidence: Evidence, change: Partial<Confirmation> = {}): Confirmation {
  const { device } = evidence;
  const firstStep = { device, content: contentDigest(evidence), expiresAtMs: 1000 };
  return { firstStep, typed: undefined, nowMs: 0, ...change };
}

export function signature(change: Partial<FoundSignature> = {}): FoundSignature {
  return {
    ...{ type: "ext4", usage: "filesystem", says: "a Linux file system (ext4)", atBytes: 1080 },
    ...{ label: undefined, uuid: undefined },
    ...change,
  };
}
