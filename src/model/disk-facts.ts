/**
 * What is known of a block device, whoever told: kernel, udev, lsblk or the disk itself. Everything that a source may not know is
 * undefined rather than guessed. Pure data.
 */

export type DiskBus =
  | "sata"
  | "usb"
  | "nvme"
  | "scsi"
  | "virtio"
  | "mmc"
  | "loop"
  /** RAM disks, device mapper, network block devices: never a disk to give away. */
  | "virtual"
  | "unknown";

/** What stands in the first and last blocks of a device or partition: `ext4`, `linux_raid_member`, `LVM2_member`, `crypto_LUKS`, `zfs_member`, `gpt`, `dos`, … */
export interface SignatureFacts {
  readonly type: string;
  /** `filesystem`, `raid`, `crypto`, `partition-table`, `other`. */
  readonly usage: "filesystem" | "raid" | "crypto" | "partition-table" | "other";
  readonly label: string | undefined;
  readonly uuid: string | undefined;
}

export interface MountFacts {
  readonly point: string;
  /** Of the file system, as the kernel calls it. */
  readonly type: string;
  readonly readOnly: boolean;
  /** Undefined where the file system did not answer before the deadline. */
  readonly totalBytes: number | undefined;
  readonly freeBytes: number | undefined;
  /** Of the mount and of its file system: `noatime`, `errors=remount-ro`. */
  readonly options?: readonly string[];
}

export interface PartitionFacts {
  /** Of the kernel: `sda1`. */
  readonly name: string;
  readonly number: number;
  readonly startBytes: number;
  readonly sizeBytes: number;
  readonly label: string | undefined;
  readonly uuid: string | undefined;
  readonly signatures: readonly SignatureFacts[];
  readonly mounts: readonly MountFacts[];
  /** Devices that are made of it: `md0`, `dm-1`. */
  readonly holders?: readonly string[];
}

/** A USB-SATA bridge and the like, which stands between us and the disk. */
export interface BridgeFacts {
  /** Four hexadecimal digits each. */
  readonly vendorId: string;
  readonly productId: string;
  readonly name: string | undefined;
  /** It tells one serial for whatever disk hangs on it. */
  readonly hidesSerial: boolean;
  /** What it told in place of the disk's serial, where it hides that. */
  readonly serial?: string | undefined;
}

export interface DiskFacts {
  /** Of the kernel: `sda`. Not an identity: the next disk may get it. */
  readonly name: string;
  /** The kernel's count of disks that came since it started; with the name, one plugging of one disk. Undefined on kernels before 5.15. */
  readonly sequence: number | undefined;
  readonly bus: DiskBus;
  /** Where it hangs: `pci-0000:00:14.0-usb-0:2:1.0-scsi-0:0:0:0`, as udev's ID_PATH has it. */
  readonly port: string | undefined;
  readonly bridge: BridgeFacts | undefined;
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  /** World wide name: `0x5000c500a1b2c3d4`, or `eui.…` of NVMe. */
  readonly wwn: string | undefined;
  readonly sizeBytes: number;
  readonly logicalSectorBytes: number;
  readonly physicalSectorBytes: number;
  readonly rotational: boolean | undefined;
  readonly removable: boolean;
  readonly readOnly: boolean;
  readonly temperatureCelsius: number | undefined;
  /** Undefined where it cannot be told without waking it. */
  readonly spinning: boolean | undefined;
  /** Of the whole device, beside its partitions. */
  readonly signatures: readonly SignatureFacts[];
  readonly partitions: readonly PartitionFacts[];
  /** Of the whole device, where no partition is mounted. */
  readonly mounts: readonly MountFacts[];
  /** It carries what the system runs from: root, boot, swap, or the node's own state. */
  readonly ofSystem: boolean;
  /** Devices that are made of the whole of it: `md0`, `dm-1`. */
  readonly holders?: readonly string[];
  readonly firmware?: string | undefined;
  /** Of a loop device. */
  readonly backingFile?: string | undefined;
  /** What a source could not tell, in words, such as one that hung. */
  readonly problems: readonly string[];
}

/** One plugging of one disk: its name with the kernel's count. A disk that comes back under its name has another one. */
export type DiskKey = string;

export function diskKeyOf(disk: Pick<DiskFacts, "name" | "sequence">): DiskKey {
  return disk.sequence === undefined ? disk.name : `${disk.name}#${disk.sequence}`;
}
