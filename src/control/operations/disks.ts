/** Operations on the disks of this machine. Sizes in bytes, times in Unix seconds. */
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
import { type OutputOf, operation } from "#control/operation.ts";

const word = text({ maxLength: 300 });
const sentence = text({ maxLength: 4000 });
const path = text({ maxLength: 4096 });

const signature = record({
  /** `ext4`, `gpt`, `linux_raid_member`, `crypto_LUKS`. */
  type: word,
  usage: choice("filesystem", "raid", "crypto", "partition-table", "other"),
  label: optional(word),
  uuid: optional(word),
});

const mount = record({
  point: path,
  type: word,
  readOnly: flag(),
  /** Left out where the file system does not answer. */
  totalBytes: optional(wholeNumber()),
  freeBytes: optional(wholeNumber()),
});

const partition = record({
  name: word,
  number: wholeNumber(),
  startBytes: wholeNumber(),
  sizeBytes: wholeNumber(),
  label: optional(word),
  uuid: optional(word),
  signatures: list(signature, { max: 64 }),
  mounts: list(mount, { max: 4096 }),
});

const disk = record({
  /** Of the kernel: `sda`. Another disk may have it tomorrow. */
  name: word,
  /** One plugging of one disk: `sda#7`. */
  key: word,
  /** As udev calls it: `pci-0000:00:14.0-usb-0:2:1.0-scsi-0:0:0:0`. */
  port: optional(word),
  /** The same for people. */
  where: word,
  bus: choice("sata", "usb", "nvme", "scsi", "virtio", "mmc", "loop", "virtual", "unknown"),
  vendor: optional(word),
  model: optional(word),
  /** Left out where a USB bridge hides it. */
  serial: optional(word),
  wwn: optional(word),
  firmware: optional(word),
  bridge: optional(
    record({
      vendorId: word,
      productId: word,
      name: optional(word),
      /** It tells the same serial for whatever disk hangs on it. */
      hidesSerial: flag(),
    }),
  ),
  sizeBytes: wholeNumber(),
  logicalSectorBytes: wholeNumber(),
  physicalSectorBytes: wholeNumber(),
  rotational: optional(flag()),
  removable: flag(),
  readOnly: flag(),
  temperatureCelsius: optional(wholeNumber({ min: -40, max: 150 })),
  spinning: optional(flag()),
  /** What is on it, in words. That nothing is known of does not mean that it is blank. */
  content: sentence,
  signatures: list(signature, { max: 64 }),
  partitions: list(partition, { max: 256 }),
  mounts: list(mount, { max: 4096 }),
  /** It carries what the system, or this node, runs from. */
  ofSystem: flag(),
  /** Devices made of it: `md0`, `dm-1`. */
  holders: optional(list(word, { max: 256 })),
  backingFile: optional(path),
  /** Its place in the node, where it has one: `store`, `retiring`, `retired`, `foreign`, `refused`. */
  role: optional(word),
  /** Of its passport. */
  diskId: optional(word),
  /** How far it was read to find out whether it is blank; left out where something is known to be on it. */
  blankReading: optional(
    record({
      /** `data`: there is something on it. `unreadable`: the disk does not give what comes behind what was read. */
      state: choice("waiting", "reading", "blank", "data", "unreadable"),
      readBytes: wholeNumber(),
      sizeBytes: wholeNumber(),
    }),
  ),
  /** `ok`, `watch`, `failing`, `failed`. */
  verdict: optional(word),
  /** Why, and what to do. */
  reasons: optional(list(sentence, { max: 100 })),
  storePaths: list(record({ index: wholeNumber({ max: 255 }), directory: path }), { max: 256 }),
  /** What could not be found out, in words. */
  problems: list(sentence, { max: 100 }),
});

export type ShownDisk = ShapeValue<typeof disk>;

/** What disks there are. */
export const listDisks = operation({
  name: "disks.list",
  says: "The disks of this machine with what is known of each: where it hangs, what is on it, how it is.",
  access: "viewer",
  effect: "read",
  input: record({
    /** Looks anew at what is on them, which may wake one where udev does not run. */
    refresh: optional(flag()),
  }),
  output: record({
    disks: list(disk, { max: 256 }),
    /** Left out where no look has succeeded yet. */
    lookedAt: optional(wholeNumber()),
    /** They are watched all the time, and not only when somebody asks. */
    watching: flag(),
    problems: list(sentence, { max: 1000 }),
    /** What people may want to do with them. */
    advice: optional(list(sentence, { max: 100 })),
  }),
});

export const diskOperations = { listDisks } as const;

export type DiskList = OutputOf<typeof listDisks>;
