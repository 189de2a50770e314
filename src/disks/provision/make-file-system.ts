/** The programs that make and mount file systems, and how they are told to. Pure. */
import type { DiskFileSystem } from "#disks/helper-protocol.ts";

export interface ProgramCall {
  readonly program: string;
  readonly parameters: readonly string[];
}

export interface NewFileSystem {
  readonly type: DiskFileSystem;
  readonly uuid: string;
  /** At most 12 characters, which is what XFS has room for. */
  readonly label: string;
  /** Of the partition: `/dev/sda1`. */
  readonly device: string;
}

/**
 * Inode tables and journals of ext4 are zeroed later, while it is in use: tens of gigabytes take a second instead of a minute. Nothing is kept
 * back for root, since the store has reserves of its own, and nothing is discarded, which takes minutes behind some bridges.
 */
export function makeFileSystem({ type, uuid, label, device }: NewFileSystem): ProgramCall {
  switch (type) {
    case "ext4":
      return {
        program: "mkfs.ext4",
        parameters: [
          ...["-q", "-F", "-L", label, "-U", uuid, "-m", "0"],
          ...["-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", device],
        ],
      };
    case "xfs":
      return {
        program: "mkfs.xfs",
        parameters: ["-q", "-f", "-K", "-L", label, "-m", `uuid=${uuid}`, device],
      };
    case "btrfs":
      return {
        program: "mkfs.btrfs",
        parameters: ["-q", "-f", "-K", "-L", label, "-U", uuid, device],
      };
  }
}

/** Files of strangers are data: nothing on a disk is run, is a device, or gives rights. */
const plainOptions = ["noatime", "nodev", "nosuid", "noexec"];

const ownOptions: Readonly<Record<DiskFileSystem, readonly string[]>> = {
  // After an error nothing is written any more, and the store path says so.
  ext4: ["errors=remount-ro"],
  xfs: [],
  btrfs: [],
};

/** For use. */
export function mountOptions(type: DiskFileSystem): string {
  return ["rw", ...plainOptions, ...ownOptions[type]].join(",");
}

/** For looking, which changes not a bit: without replaying a journal. */
const lookOptions: ReadonlyMap<string, { readonly type: string; readonly options: string }> =
  new Map([
    ["ext2", { type: "ext4", options: "noload" }],
    ["ext3", { type: "ext4", options: "noload" }],
    ["ext4", { type: "ext4", options: "noload" }],
    ["xfs", { type: "xfs", options: "norecovery,nouuid" }],
    ["btrfs", { type: "btrfs", options: "rescue=nologreplay" }],
    ["vfat", { type: "vfat", options: "utf8" }],
    ["exfat", { type: "exfat", options: "" }],
    ["ntfs", { type: "ntfs3", options: "" }],
    ["f2fs", { type: "f2fs", options: "norecovery" }],
  ]);

/** `found` as the scanner calls it; undefined where it is not mounted to look. */
export function lookMount(found: string): { type: string; options: string } | undefined {
  const known = lookOptions.get(found);
  if (known === undefined) return undefined;
  const options = ["ro", ...plainOptions, known.options].filter((each) => each !== "");
  return { type: known.type, options: options.join(",") };
}
