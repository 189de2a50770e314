/**
 * The conversation with the root helper: one JSON object a line. A request is `{id, verb, …}`; its answer any number of
 * `{id, progress}` and one `{id, ok: true, result}` or `{id, ok: false, code, message}`. The verbs are this list and no more; each
 * says exactly what it takes. Pure.
 */
import { AppError } from "#base/app-error.ts";
import {
  choice,
  flag,
  list,
  optional,
  readShape,
  record,
  type Shape,
  type ShapeValue,
  text,
  wholeNumber,
} from "#base/schema.ts";
import { smartActions, smartDeviceTypes } from "#disks/smart/smartctl-arguments.ts";

export const helperLimits = {
  maxRequestBytes: 64 * 1024,
  /** What smartctl says of a disk with full logs. */
  maxReplyBytes: 1024 * 1024,
  maxConnections: 8,
  /** Of one connection, at the same time. */
  maxUnderWay: 8,
  /** Replies that nobody reads. */
  maxUnsentBytes: 4 * 1024 * 1024,
  /** A token of the first step is good for so long. */
  tokenMs: 600_000,
  maxTokens: 64,
} as const;

/** Names of whole disks: SATA, SAS and USB; NVMe; SD and eMMC; virtio; loop. */
const diskName = /^(?:sd[a-z]{1,2}|nvme\d{1,3}n\d{1,3}|mmcblk\d{1,3}|vd[a-z]{1,2}|loop\d{1,4})$/;
const partName =
  /^(?:(?:sd[a-z]{1,2}|vd[a-z]{1,2})\d{1,3}|(?:nvme\d{1,3}n\d{1,3}|mmcblk\d{1,3}|loop\d{1,4})p\d{1,3})$/;

export function isDiskName(name: string): boolean {
  return diskName.test(name);
}

/** Of a disk or a partition. */
export function isDeviceName(name: string): boolean {
  return diskName.test(name) || partName.test(name);
}

/** As the kernel names partition `number` of a disk. */
export function partitionName(disk: string, number: number): string {
  return /\d$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`;
}

function matching(says: string, fits: (value: string) => boolean): Shape<string> {
  const plain = text({ maxLength: 100 });
  return {
    says,
    optional: false,
    read(value, path, surplus) {
      const given = plain.read(value, path, surplus);
      if (fits(given)) return given;
      throw new AppError("shape-mismatch", `${path} must be ${says}`);
    },
  };
}

const disk = matching("the name of a whole disk, such as sda", isDiskName);
const device = matching("the name of a disk or partition, such as sda1", isDeviceName);
const diskId = matching("32 digits of 0-9 and a-f", (each) => /^[0-9a-f]{32}$/.test(each));
const nodeId = matching("16 digits of 0-9 and a-f", (each) => /^[0-9a-f]{16}$/.test(each));
const token = matching("a token of `identify`", (each) => /^[0-9a-f]{32}$/.test(each));
const uuid = matching("a UUID", (each) =>
  /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(each),
);
/** The kernel's `diskseq`: which plugging of which disk is meant. */
const sequence = wholeNumber({ min: 1 });
const word = text({ maxLength: 200 });
const sentence = text({ maxLength: 4000 });
const anyText = text({ maxLength: 64 * 1024 });
const nothing = record({});

export const fileSystems = ["ext4", "xfs", "btrfs"] as const;
export type DiskFileSystem = (typeof fileSystems)[number];

const identity = record({
  name: word,
  sequence: wholeNumber(),
  model: word,
  serial: word,
  sizeBytes: wholeNumber(),
});

const refusal = record({ code: word, says: sentence });

const finding = record({
  type: word,
  usage: choice("filesystem", "raid", "crypto", "partition-table", "other"),
  says: word,
  atBytes: wholeNumber(),
  label: optional(text({ maxLength: 300 })),
  uuid: optional(word),
});

const identified = record({
  device: identity,
  signatures: list(finding, { max: 64 }),
  otherFindings: list(word, { max: 64 }),
  partitions: list(word, { max: 256 }),
  /** Why it may not be written to, whatever anybody says. */
  obstacles: list(refusal, { max: 16 }),
  /** Every byte was read in this plugging and is zero. */
  blank: flag(),
  /** Left out where it is blank. */
  whyNotBlank: optional(sentence),
  readBytes: wholeNumber(),
  /** A provisioning of it that did not come to its end. */
  unfinished: optional(record({ diskId: word, canContinue: flag() })),
  /** For `provision`; left out where there are obstacles. */
  token: optional(word),
  expiresInSeconds: wholeNumber(),
});

const inspected = record({
  fileSystem: record({ type: word, uuid: optional(word), label: optional(word) }),
  /** Both copies, as far as they are there. */
  passports: list(anyText, { max: 2 }),
  /** It looks like a store path, or base path, of a FastDFS storage. */
  fastdfs: flag(),
  /** Of its first directory. */
  names: list(text({ maxLength: 255 }), { max: 50 }),
});

const read = record({
  /** Nothing is left to be read. */
  done: flag(),
  blank: flag(),
  readBytes: wholeNumber(),
  sizeBytes: wholeNumber(),
  /** Of the first byte that is not zero. */
  dataAtBytes: optional(wholeNumber()),
  /** What begins there the disk does not give. */
  unreadableAtBytes: optional(wholeNumber()),
});

const mounted = record({ directory: text({ maxLength: 4096 }) });
const typed = record({
  model: text({ maxLength: 200 }),
  serial: text({ maxLength: 200 }),
  sizeBytes: wholeNumber(),
});

interface VerbShape<Input, Result> {
  readonly input: Shape<Input>;
  readonly result: Shape<Result>;
}

function verb<Input, Result>(input: Shape<Input>, result: Shape<Result>): VerbShape<Input, Result> {
  return { input, result };
}

/** All that the helper does. */
export const helperVerbs = {
  /** What is on a disk, and what stands against writing to it; the first step of giving it to Cairn. */
  identify: verb(record({ disk }), identified),
  /** Mounts a file system where nobody else sees it, without changing a bit of it, and looks for passports. */
  inspect: verb(record({ device, sequence }), inspected),
  /** Reads the disk from begin to end, to prove that it is blank: at most `maxBytes` more, from where it stopped before. */
  read: verb(
    record({
      ...{ disk, sequence, maxBytes: wholeNumber({ min: 1 }) },
      bytesPerSecond: optional(wholeNumber({ min: 1 })),
    }),
    read,
  ),
  /** Makes a disk one of Cairn's. `continue` and `undo` are for a work that was interrupted. */
  provision: verb(
    record({
      disk,
      sequence,
      action: choice("begin", "continue", "undo"),
      plan: record({ diskId, fileSystem: choice(...fileSystems) }),
      /** Signed by the node; left out when it is undone. */
      passport: optional(anyText),
      token: optional(token),
      typed: optional(typed),
    }),
    /** Nothing where it was undone. */
    record({ directory: optional(text({ maxLength: 4096 })) }),
  ),
  /** Mounts a disk that carries a passport of this node. */
  /** `readOnly`: nothing of it changes, not even its journal. */
  mount: verb(
    record({ device, sequence, uuid, diskId, nodeId, readOnly: optional(flag()) }),
    mounted,
  ),
  unmount: verb(record({ diskId }), nothing),
  smart: verb(
    record({ disk, sequence, type: choice(...smartDeviceTypes), action: choice(...smartActions) }),
    record({ code: wholeNumber(), output: text({ maxLength: 512 * 1024 }) }),
  ),
  locate: verb(record({ disk, sequence, on: flag() }), record({ by: word })),
  "spin-down": verb(record({ disk, sequence }), nothing),
  /** Unmounts what Cairn mounted of it and tells the kernel to let go of it. */
  eject: verb(record({ disk, sequence }), record({ detached: flag() })),
} as const;

export type VerbName = keyof typeof helperVerbs;
export type VerbInput<V extends VerbName> = ShapeValue<(typeof helperVerbs)[V]["input"]>;
export type VerbResult<V extends VerbName> = ShapeValue<(typeof helperVerbs)[V]["result"]>;
export type Identified = VerbResult<"identify">;

export const verbNames = Object.keys(helperVerbs) as readonly VerbName[];

/** How far a verb is. */
export const progressShape = record({
  /** In words: `formatting`. */
  step: word,
  /** Of 1000. */
  permille: wholeNumber({ max: 1000 }),
});
export type Progress = ShapeValue<typeof progressShape>;

export type HelperRequest = {
  readonly [V in VerbName]: { readonly id: number; readonly verb: V; readonly input: VerbInput<V> };
}[VerbName];

/** Throws `AppError`: `helper-malformed`, `verb-unknown`, `input-invalid`; `details.id` is the request's, where it has one. */
export function parseHelperRequest(line: string): HelperRequest {
  const value = parseObject(line);
  const { id, verb: name, ...input } = value;
  if (!Number.isSafeInteger(id) || (id as number) < 0) throw malformed("a request needs an id");
  if (typeof name !== "string" || !isVerb(name)) {
    throw new AppError(
      "verb-unknown",
      `the helper has no such verb; it has ${verbNames.join(", ")}`,
      { details: { id } },
    );
  }
  try {
    const shape: Shape<unknown> = helperVerbs[name].input;
    const read = readShape(shape, input, { what: name, surplus: "refuse" });
    return { id: id as number, verb: name, input: read } as HelperRequest;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError("input-invalid", error.message, { cause: error, details: { id } });
  }
}

function isVerb(name: string): name is VerbName {
  return Object.hasOwn(helperVerbs, name);
}

export type HelperReply =
  | { readonly id: number; readonly progress: Progress }
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string };

/** Throws `AppError("helper-malformed")`. */
export function parseHelperReply(line: string): HelperReply {
  const { id, ok, progress, result, code, message } = parseObject(line);
  if (!Number.isSafeInteger(id)) throw malformed("a reply without an id");
  const own = id as number;
  if (progress !== undefined) {
    return {
      id: own,
      progress: readShape(progressShape, progress, { what: "progress", surplus: "drop" }),
    };
  }
  if (ok === true) return { id: own, ok, result };
  if (ok !== false || typeof code !== "string" || typeof message !== "string") {
    throw malformed("a reply that is none");
  }
  return { id: own, ok, code, message };
}

function parseObject(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw malformed("a line that is no JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed("a line that is no object");
  }
  return value as Readonly<Record<string, unknown>>;
}

function malformed(what: string): AppError {
  return new AppError("helper-malformed", `not understood: ${what}`);
}
