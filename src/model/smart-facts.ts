/**
 * What a disk says of itself (SMART), as one record whatever protocol it speaks, and the shape in which that is kept and shown.
 * Everything that a disk does not tell is left out rather than guessed. Pure data.
 */
import {
  choice,
  flag,
  list,
  optional,
  record,
  type ShapeValue,
  text,
  wholeNumber,
} from "#base/schema.ts";

/** ATA has 30 attributes and 21 self-tests, NVMe 20 self-tests; what is beyond is left out. */
export const maxSmartAttributes = 64;
export const maxSelfTests = 32;
export const maxSmartWordLength = 200;

const word = text({ maxLength: maxSmartWordLength });
const celsius = wholeNumber({ min: -100, max: 200 });

const attribute = record({
  id: wholeNumber({ max: 255 }),
  name: word,
  /** Normalized: 100 or 200 is new, at the threshold it failed. */
  value: optional(wholeNumber({ max: 255 })),
  worst: optional(wholeNumber({ max: 255 })),
  threshold: optional(wholeNumber({ max: 255 })),
  /** As smartctl writes it for people. */
  raw: word,
  /** It is, or was, at its threshold. */
  failed: optional(choice("now", "past")),
  /** Its failure foretells that of the disk, where others only tell of age. */
  prefailure: flag(),
});

const selfTest = record({
  kind: choice("short", "long", "other"),
  result: choice("passed", "failed", "aborted", "running", "unknown"),
  /** In the disk's words. */
  words: word,
  /** Of the disk's life, when it ended. */
  atHours: optional(wholeNumber()),
  /** Where it could not read first. */
  failedBlock: optional(wholeNumber()),
});

/** NVMe's alarms, one word a bit. */
export const nvmeWarnings = [
  "spare-low",
  "temperature",
  "unreliable",
  "read-only",
  "backup-failed",
  "memory-region",
] as const;

export const smartFacts = record({
  protocol: choice("ata", "nvme", "scsi"),
  model: optional(word),
  serial: optional(word),
  firmware: optional(word),
  /** The disk's own judgement: false means that it expects to fail. */
  passed: optional(flag()),
  powerOnHours: optional(wholeNumber()),
  temperatureCelsius: optional(celsius),
  /** Attribute 5, or SCSI's grown defects: sectors that were replaced by spare ones. */
  reallocated: optional(wholeNumber()),
  /** 187: errors that could not be corrected, as told to the host. */
  uncorrectable: optional(wholeNumber()),
  /** 188: commands that took too long. */
  timeouts: optional(wholeNumber()),
  /** 197: sectors that could not be read and wait for being written. */
  pending: optional(wholeNumber()),
  /** 198: sectors that the disk's own look around could not read. */
  offlineUncorrectable: optional(wholeNumber()),
  /** 199: broken transfers between disk and host, thus cable or connector. */
  transferErrors: optional(wholeNumber()),
  /** NVMe and SCSI: data that was lost on the medium. */
  mediaErrors: optional(wholeNumber()),
  /** How much of the promised writing is used up; may pass 100. */
  wearPercent: optional(wholeNumber({ max: 255 })),
  sparePercent: optional(wholeNumber({ max: 255 })),
  spareThresholdPercent: optional(wholeNumber({ max: 255 })),
  warnings: list(choice(...nvmeWarnings), { max: nvmeWarnings.length }),
  attributes: list(attribute, { max: maxSmartAttributes }),
  /** Of the self-test that runs now; left out where none does. */
  selfTestRemainingPercent: optional(wholeNumber({ max: 100 })),
  /** The newest first. */
  selfTests: list(selfTest, { max: maxSelfTests }),
});

export type SmartFacts = ShapeValue<typeof smartFacts>;
export type SmartAttribute = SmartFacts["attributes"][number];
export type SelfTestResult = SmartFacts["selfTests"][number];
export type NvmeWarning = (typeof nvmeWarnings)[number];
