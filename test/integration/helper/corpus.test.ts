/**
 * Goal: whatever anybody's tools leave on a disk, the helper takes it for something, and writes nothing without a confirmation. Method: real
 * images by the real programs on loop devices, and marks written by hand; each is asked about, read as far as it is zero, and then tried to
 * be provisioned with the token of the first step and no name typed. The kernel must not have written a sector of it by then.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { expect } from "vitest";
import { minimumDiskBytes } from "#disks/guard/may-write.ts";
import { HelperStage, stagePassport } from "../../support/helper-stage.ts";
import { LoopDevice, loopNeeds, run } from "../../support/loop-device.ts";
import { type Need, needs, program } from "../../support/needs.ts";

const MiB = 1024 * 1024;
const sizeMiB = minimumDiskBytes / MiB;
const diskId = "c0ffee".padEnd(32, "0");
const limitMs = 60_000;

interface Item {
  readonly what: string;
  /** One of the types by which it is named; undefined where it has no name, only bytes. */
  readonly type: string | undefined;
  readonly needs: readonly Need[];
  readonly make: (disk: LoopDevice) => void;
}

function made(
  ...[what, type, make, ...wanted]: readonly [string, string, Item["make"], ...Need[]]
): Item {
  return { what, type, make, needs: wanted };
}

/** Bytes at a place; negative ones count from the end. */
function written(
  ...[what, type, at, bytes]: readonly [string, string | undefined, number, Uint8Array]
): Item {
  const make = ({ path }: LoopDevice): void => {
    const place = at < 0 ? minimumDiskBytes + at : at;
    const descriptor = openSync(path, "r+");
    writeSync(descriptor, bytes, 0, bytes.length, place);
    closeSync(descriptor);
  };
  return { what, type, make, needs: [] };
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, "hex");
}

const xfs = program("mkfs.xfs", { apt: "xfsprogs" });
const btrfs = program("mkfs.btrfs", { apt: "btrfs-progs" });
const fat = program("mkfs.vfat", { apt: "dosfstools" });
const exfat = program("mkfs.exfat", { apt: "exfatprogs" });
const ntfs = program("mkntfs", { apt: "ntfs-3g" });
const ext = program("mkfs.ext4", { apt: "e2fsprogs" });
const sfdisk = program("sfdisk", { apt: "fdisk" });
const sgdisk = program("sgdisk", { apt: "gdisk" });
const lvm = program("pvcreate", { apt: "lvm2" });
const luks = program("cryptsetup", { apt: "cryptsetup-bin" });

function luksFormat(version: string) {
  return ({ path, folder }: LoopDevice): void => {
    const key = `${folder}/key`;
    run("dd", "if=/dev/zero", `of=${key}`, "bs=32", "count=1", "status=none");
    const quick = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
    run("cryptsetup", "luksFormat", "-q", "--type", version, ...quick, path, key);
  };
}

function table(label: string, ...lines: readonly string[]) {
  return ({ path, folder }: LoopDevice): void => {
    const script = `${folder}/script`;
    run("sh", "-c", `printf '%s\\n' "$@" > "$0"`, script, `label: ${label}`, ...lines);
    run("sh", "-c", 'sfdisk -q --no-reread --no-tell-kernel "$1" < "$0"', script, path);
  };
}

const corpus: readonly Item[] = [
  made("ext2", "ext2", ({ path }) => run("mkfs.ext2", "-q", "-F", path), ext),
  made("ext3", "ext3", ({ path }) => run("mkfs.ext3", "-q", "-F", path), ext),
  made("ext4", "ext4", ({ path }) => run("mkfs.ext4", "-q", "-F", path), ext),
  made(
    "ext4 whose first 8 MiB were zeroed",
    "ext-copy",
    ({ path }) => {
      run("mkfs.ext4", "-q", "-F", path);
      run("dd", "if=/dev/zero", `of=${path}`, "bs=1M", "count=8", "conv=notrunc", "status=none");
    },
    ext,
  ),
  made("xfs", "xfs", ({ path }) => run("mkfs.xfs", "-q", "-f", path), xfs),
  made("btrfs", "btrfs", ({ path }) => run("mkfs.btrfs", "-q", "-f", path), btrfs),
  made("FAT32", "vfat", ({ path }) => run("mkfs.vfat", "-F", "32", "-I", path), fat),
  made("FAT16", "vfat", ({ path }) => run("mkfs.vfat", "-F", "16", "-s", "32", "-I", path), fat),
  made("exFAT", "exfat", ({ path }) => run("mkfs.exfat", path), exfat),
  made("NTFS", "ntfs", ({ path }) => run("mkntfs", "-Q", "-F", "-q", path), ntfs),
  made("swap", "swap", ({ path }) => run("mkswap", path)),
  made("minix", "minix", ({ path }) => run("mkfs.minix", path)),
  made("LVM", "LVM2_member", ({ path }) => run("pvcreate", "-q", "-ff", "-y", path), lvm),
  made("LUKS 1", "crypto_LUKS", luksFormat("luks1"), luks),
  made("LUKS 2", "crypto_LUKS", luksFormat("luks2"), luks),
  made(
    "LUKS 2 without its first header",
    "crypto_LUKS",
    (disk) => {
      luksFormat("luks2")(disk);
      run("dd", "if=/dev/zero", `of=${disk.path}`, "bs=4096", "count=1", "conv=notrunc");
    },
    luks,
  ),
  made("an empty MBR", "dos", table("dos"), sfdisk),
  made("an MBR with partitions", "dos", table("dos", "start=2048, size=4096, type=83"), sfdisk),
  made("a GPT", "gpt", table("gpt", "start=2048, size=4096"), sfdisk),
  made("a Sun label", "sun", table("sun"), sfdisk),
  made("an SGI label", "sgi", table("sgi"), sfdisk),
  made("a GPT of gdisk", "gpt", ({ path }) => run("sgdisk", "-o", "-n", "1", path), sgdisk),
  made(
    "a GPT of which only the copy at the end is left",
    "gpt",
    ({ path }) => {
      run("sgdisk", "-o", "-n", "1", path);
      run("dd", "if=/dev/zero", `of=${path}`, "bs=1M", "count=1", "conv=notrunc", "status=none");
    },
    sgdisk,
  ),
  written("SquashFS", "squashfs", 0, Buffer.from("hsqs")),
  written("EROFS", "erofs", 1024, hex("e2e1f5e0")),
  written("F2FS", "f2fs", 1024, hex("1020f5f2")),
  written("ReiserFS", "reiserfs", 65_536 + 52, Buffer.from("ReIsEr2Fs")),
  written("JFS", "jfs", 32_768, Buffer.from("JFS1")),
  written("bcachefs", "bcachefs", 4096 + 24, hex("c68573f64e1a45ca8265f57f48ba6d81")),
  written("bcache", "bcache", 4096 + 24, hex("c68573f666ce90a9d96a60cf803df7ef")),
  written("HFS+", "hfsplus", 1024, hex("482b0004")),
  written("HFS+, by its copy at the end", "hfsplus", -1024, hex("482b0004")),
  written("APFS", "apfs", 32, Buffer.from("NXSB")),
  written("UFS 2", "ufs", 65_536 + 1372, hex("19015419")),
  written("a CD", "iso9660", 32_769, Buffer.from("CD001")),
  written("UDF", "udf", 32_768 + 2049, Buffer.from("NSR02")),
  written("NTFS, by its copy at the end", "ntfs", -512 + 3, Buffer.from("NTFS    ")),
  written("VMFS", "vmfs", MiB, hex("0dd001c0")),
  written("ZFS, first label", "zfs_member", 131_072, hex("0cb1ba0000000000")),
  written("ZFS, second label", "zfs_member", 262_144 + 131_072, hex("0cb1ba0000000000")),
  written("ZFS, third label", "zfs_member", -524_288 + 131_072, hex("0000000000bab10c")),
  written("ZFS, fourth label", "zfs_member", -262_144 + 131_072, hex("0cb1ba0000000000")),
  written("Linux RAID 1.1", "linux_raid_member", 0, hex("fc4e2ba901000000")),
  written("Linux RAID 1.2", "linux_raid_member", 4096, hex("fc4e2ba901000000")),
  written("Linux RAID 1.0", "linux_raid_member", -8192, hex("fc4e2ba901000000")),
  written("Linux RAID 0.90", "linux_raid_member", -65_536, hex("fc4e2ba900000000")),
  written("Intel RAID", "isw_raid_member", -1024, Buffer.from("Intel Raid ISM Cfg Sig. 1.3.00")),
  written("DDF RAID", "ddf_raid_member", -512, hex("de11de11")),
  written(
    "Promise RAID",
    "promise_fasttrack_raid_member",
    -63 * 512,
    Buffer.from("Promise Technology, Inc."),
  ),
  written("NVIDIA RAID", "nvidia_raid_member", -1024, Buffer.from("NVIDIA  ")),
  written("DRBD", "drbd", -4096 + 60, hex("8374026d")),
  written("BitLocker", "BitLocker", 3, Buffer.from("-FVE-FS-")),
  written("a boot sector", "dos", 510, hex("55aa")),
  written("one byte at the begin", undefined, 0, hex("01")),
  written("one byte in the middle", undefined, minimumDiskBytes / 2 + 12_345, hex("80")),
  written("one byte at the end", undefined, -1, hex("01")),
  written("a block of noise", undefined, 3 * MiB, Buffer.alloc(4096, 0xa5)),
];

for (const item of corpus) {
  needs(...loopNeeds, ...item.needs)(
    `nothing is written to a disk with ${item.what}`,
    async () => {
      using disk = new LoopDevice(sizeMiB);
      using stage = new HelperStage();
      item.make(disk);
      const before = disk.changedSectors();
      const { name, sequence } = disk;
      const first = await stage.ask("identify", { disk: name });
      expect(first.obstacles).toEqual([]);
      if (item.type === undefined) expect(first.whyNotBlank).toContain("not read");
      else expect(first.signatures.map(({ type }) => type)).toContain(item.type);
      const read = await stage.ask("read", { disk: name, sequence, maxBytes: minimumDiskBytes });
      expect(read).toMatchObject({ done: true, blank: false });
      const { token = "", whyNotBlank, blank } = await stage.ask("identify", { disk: name });
      expect({ blank, why: whyNotBlank }).toEqual({ blank: false, why: expect.any(String) });
      const plan = { diskId, fileSystem: "ext4" } as const;
      const request = { disk: name, sequence, plan, passport: stagePassport(diskId), token };
      const tried = stage.ask("provision", { ...request, action: "begin" });
      await expect(tried).rejects.toMatchObject({ code: "write-refused" });
      for (const action of ["continue", "undo"] as const) {
        await expect(stage.ask("provision", { ...request, action })).rejects.toThrow();
      }
      expect(disk.changedSectors()).toBe(before);
      expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(disk.path);
    },
    limitMs,
  );
}
