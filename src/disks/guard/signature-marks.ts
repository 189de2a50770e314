/**
 * The marks that file systems, RAID, encryption, volume and swap formats leave on a device: what, where, and how to tell people. Facts
 * of the formats. Finding one names what is there; finding none proves nothing, only reading everything does. Data only.
 */
import type { SignatureFacts } from "#model/disk-facts.ts";

/** A place on a device of that size, in bytes from its begin. May be negative or beyond the end: then it does not exist. */
export type Place = (sizeBytes: number) => number;

export interface Mark {
  /** As libblkid calls it. */
  readonly type: string;
  readonly usage: SignatureFacts["usage"];
  readonly says: string;
  /** Any one of them. */
  readonly magics: readonly Uint8Array[];
  readonly places: readonly Place[];
  /** Too short to be believed where another file system was found. */
  readonly weak?: true;
  /** Where label and UUID stand, counted from the place of the magic. */
  readonly label?: { readonly from: number; readonly length: number };
  readonly uuidFrom?: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

function text(...words: readonly string[]): readonly Uint8Array[] {
  return words.map((word) => Buffer.from(word, "latin1"));
}

function hex(...digits: readonly string[]): readonly Uint8Array[] {
  return digits.map((each) => Buffer.from(each.replaceAll(" ", ""), "hex"));
}

function at(...bytes: readonly number[]): readonly Place[] {
  return bytes.map((each) => () => each);
}

function fromEnd(...bytes: readonly number[]): readonly Place[] {
  return bytes.map((each) => (size: number) => size - each);
}

/** In the last whole unit of `unit` bytes but `back`, `plus` bytes into it. */
function inUnit(unit: number, back: number, plus = 0): readonly Place[] {
  return [(size) => Math.floor(size / unit) * unit - back + plus];
}

function steps(from: number, step: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index * step);
}

/** Where ext2 and its successors keep copies of their superblock: groups 1, 3, 5, 7 with blocks of 1, 2 and 4 KiB. */
const extCopies = [1, 3, 5, 7].flatMap((group) => [
  (group * 8192 + 1) * KiB,
  group * 16_384 * 2 * KiB,
  group * 32_768 * 4 * KiB,
]);
const btrfsPlaces = [64 * KiB, 64 * MiB, 256 * GiB];
const swapPages = [4, 8, 16, 32, 64].map((size) => size * KiB);
const zfsLabel = 256 * KiB;
const zfsUberblocks = steps(128 * KiB, KiB, 128);
const linux = "a Linux file system";
const fakeRaid = "a member of a mainboard's RAID";

const linuxFileSystems: readonly Mark[] = [
  {
    ...{ type: "ext", usage: "filesystem", says: `${linux} (ext2, ext3 or ext4)` },
    ...{ magics: hex("53ef"), places: at(KiB + 56) },
    ...{ label: { from: 64, length: 16 }, uuidFrom: 48 },
  },
  {
    ...{ type: "ext-copy", usage: "filesystem", says: `what is left of ${linux} (ext2 to ext4)` },
    ...{ magics: hex("53ef"), places: at(...extCopies.map((each) => each + 56)) },
    ...{ label: { from: 64, length: 16 }, uuidFrom: 48 },
  },
  {
    ...{ type: "xfs", usage: "filesystem", says: `${linux} (XFS)` },
    ...{ magics: text("XFSB"), places: at(0), label: { from: 108, length: 12 }, uuidFrom: 32 },
  },
  {
    ...{ type: "btrfs", usage: "filesystem", says: `${linux} (Btrfs)` },
    ...{ magics: text("_BHRfS_M"), places: at(...btrfsPlaces.map((each) => each + 64)) },
    ...{ label: { from: 235, length: 256 }, uuidFrom: -32 },
  },
  {
    ...{ type: "f2fs", usage: "filesystem", says: `${linux} (F2FS)` },
    ...{ magics: hex("1020f5f2"), places: at(KiB, 5 * KiB), uuidFrom: 108 },
  },
  plain("erofs", `${linux} (EROFS)`, hex("e2e1f5e0"), at(KiB)),
  plain("squashfs", `${linux} (SquashFS)`, text("hsqs", "sqsh"), at(0)),
  plain("cramfs", `${linux} (cramfs)`, hex("453dcd28", "28cd3d45"), at(0, 512)),
  plain("romfs", `${linux} (romfs)`, text("-rom1fs-"), at(0)),
  plain("jfs", `${linux} (JFS)`, text("JFS1"), at(32 * KiB)),
  plain(
    "reiserfs",
    `${linux} (ReiserFS)`,
    text("ReIsErFs", "ReIsEr2Fs", "ReIsEr3Fs"),
    at(64 * KiB + 52, 8 * KiB + 20, 8 * KiB + 52),
  ),
  plain("reiser4", `${linux} (Reiser4)`, text("ReIsEr4"), at(64 * KiB)),
  plain("nilfs2", `${linux} (NILFS)`, hex("0200000000003434"), [
    ...at(KiB),
    ...inUnit(4 * KiB, 4 * KiB),
  ]),
  weak("minix", `${linux} (Minix)`, hex("7f13", "8f13", "6824", "7824"), at(KiB + 16)),
  weak("minix", `${linux} (Minix)`, hex("5a4d"), at(KiB + 24)),
  plain("gfs2", "a cluster file system (GFS)", hex("01161970"), at(64 * KiB)),
  plain(
    "ocfs2",
    "a cluster file system (OCFS2)",
    text("OCFSV2"),
    at(KiB, 2 * KiB, 4 * KiB, 8 * KiB),
  ),
  plain(
    "bcachefs",
    `${linux} (bcachefs)`,
    hex("c68573f64e1a45ca8265f57f48ba6d81"),
    at(4 * KiB + 24),
  ),
  plain("zonefs", `${linux} (zonefs)`, text("SFOZ"), at(0)),
  plain("ubi", "flash memory's volumes (UBI)", text("UBI#"), at(0)),
  plain("ubifs", `${linux} (UBIFS)`, hex("31181006"), at(0)),
  plain("ceph_bluestore", "an object store (Ceph)", text("bluestore block device"), at(0)),
];

const foreignFileSystems: readonly Mark[] = [
  {
    ...{ type: "vfat", usage: "filesystem", says: "a FAT file system" },
    ...{ magics: text("FAT32   "), places: at(82), label: { from: -11, length: 11 } },
  },
  {
    ...{ type: "vfat", usage: "filesystem", says: "a FAT file system" },
    ...{ magics: text("FAT12   ", "FAT16   ", "FAT     "), places: at(54) },
    ...{ label: { from: -11, length: 11 } },
  },
  plain("exfat", "an exFAT file system", text("EXFAT   "), at(3, 12 * 512 + 3, 12 * 4 * KiB + 3)),
  plain("ntfs", "a Windows file system (NTFS)", text("NTFS    "), [
    ...at(3),
    ...fromEnd(512 - 3, 4 * KiB - 3),
  ]),
  plain("refs", "a Windows file system (ReFS)", hex("0000005265465300"), at(0)),
  plain("hfsplus", "a Mac file system (HFS+)", hex("482b0004", "48580005"), [
    ...at(KiB),
    ...fromEnd(KiB),
  ]),
  weak("hfs", "a Mac file system (HFS)", text("BD"), [...at(KiB), ...fromEnd(KiB)]),
  plain("apfs", "a Mac file system (APFS)", text("NXSB"), at(32)),
  plain(
    "ufs",
    "a BSD file system (UFS)",
    hex("54190100", "00011954", "19015419", "19540119"),
    at(...[0, 8, 64, 256].map((each) => each * KiB + 1372)),
  ),
  plain("iso9660", "the image of a CD or DVD", text("CD001"), at(32 * KiB + 1)),
  plain("high-sierra", "the image of a CD", text("CDROM"), at(32 * KiB + 9)),
  plain("udf", "a UDF file system", text("BEA01", "NSR02", "NSR03", "BOOT2"), [
    ...at(...steps(32 * KiB + 1, 2 * KiB, 6)),
    ...at(...steps(32 * KiB + 1, 4 * KiB, 3)),
  ]),
  plain("befs", "a BeOS file system", text("1SFB", "BFS1"), at(32, 512 + 32)),
  plain("hpfs", "an OS/2 file system", hex("49e895f9"), at(8 * KiB)),
  plain("vxfs", "a Veritas file system", hex("f5fc01a5", "a501fcf5"), at(KiB, 8 * KiB)),
  plain("vmfs", "a VMware file system (VMFS)", hex("0dd001c0"), at(MiB)),
  plain("vmfs", "a VMware file system (VMFS)", hex("5ef1ab2f"), at(2 * MiB)),
];

const members: readonly Mark[] = [
  {
    ...{ type: "linux_raid_member", usage: "raid", says: "a member of a Linux RAID" },
    ...{ magics: hex("fc4e2ba9", "a92b4efc"), label: { from: 32, length: 32 }, uuidFrom: 16 },
    // Versions 1.1, 1.2, 1.0 and 0.90 in their order.
    places: [...at(0, 4 * KiB), ...inUnit(4 * KiB, 8 * KiB), ...inUnit(64 * KiB, 64 * KiB)],
  },
  raid("LVM2_member", "a physical volume of LVM", text("LABELONE"), at(0, 512, KiB, KiB + 512)),
  raid("LVM1_member", "a physical volume of LVM", hex("484d01000000", "484d02000000"), at(0)),
  raid(
    "zfs_member",
    "a member of a ZFS pool",
    hex("0cb1ba0000000000", "0000000000bab10c"),
    // Four labels, two at either end.
    [0, zfsLabel].flatMap((label) => [
      ...at(...zfsUberblocks.map((each) => label + each)),
      ...zfsUberblocks.flatMap((each) => inUnit(zfsLabel, 2 * zfsLabel - label, each)),
    ]),
  ),
  raid("bcache", "a device of bcache", hex("c68573f666ce90a9d96a60cf803df7ef"), at(4 * KiB + 24)),
  raid(
    "drbd",
    "a device of DRBD",
    hex("83740267", "8374026b", "8374026d"),
    inUnit(4 * KiB, 4 * KiB, 60),
  ),
  raid("VDO", "a device of VDO", text("dmvdo001"), at(0)),
  raid("stratis", "a device of Stratis", text("!Stra0tis"), at(512 + 4, 9 * 512 + 4)),
  raid("isw_raid_member", fakeRaid, text("Intel Raid ISM Cfg Sig. "), fromEnd(KiB, 8 * KiB)),
  raid("ddf_raid_member", fakeRaid, hex("de11de11", "11de11de"), fromEnd(512, 257 * 512, 4 * KiB)),
  raid("nvidia_raid_member", fakeRaid, text("NVIDIA  "), fromEnd(KiB)),
  raid("lsi_mega_raid_member", fakeRaid, text("$XIDE$"), fromEnd(512)),
  raid("adaptec_raid_member", fakeRaid, text("DPTM"), fromEnd(512, 512 - 24)),
  raid("jmicron_raid_member", fakeRaid, text("JM"), fromEnd(512)),
  raid("silicon_medley_raid_member", fakeRaid, hex("0000002f"), fromEnd(512 - 96)),
  raid("hpt37x_raid_member", fakeRaid, hex("f016785a", "fd16785a"), at(9 * 512 + 32)),
  raid("hpt45x_raid_member", fakeRaid, hex("f316785a", "fd16785a"), fromEnd(11 * 512)),
  raid(
    "promise_fasttrack_raid_member",
    fakeRaid,
    text("Promise Technology, Inc."),
    fromEnd(...[63, 255, 256, 16, 399, 591, 675, 735, 911, 974, 991, 951].map((n) => n * 512)),
  ),
];

const others: readonly Mark[] = [
  {
    ...{ type: "crypto_LUKS", usage: "crypto", says: "encrypted data (LUKS)" },
    ...{ magics: hex("4c554b53babe"), places: at(0) },
  },
  {
    ...{ type: "crypto_LUKS", usage: "crypto", says: "encrypted data (LUKS, second header)" },
    ...{ magics: hex("534b554cbabe") },
    places: at(...[16, 32, 64, 128, 256, 512, 1024, 2048, 4096].map((each) => each * KiB)),
  },
  {
    ...{ type: "BitLocker", usage: "crypto", says: "encrypted data (BitLocker)" },
    ...{ magics: text("-FVE-FS-"), places: at(3) },
  },
  {
    ...{ type: "swap", usage: "other", says: "swap space" },
    magics: text("SWAPSPACE2", "SWAP-SPACE", "S1SUSPEND\0", "S2SUSPEND\0", "LINHIB0001"),
    places: at(...swapPages.map((each) => each - 10)),
  },
];

const tables: readonly Mark[] = [
  table("gpt", "a partition table (GPT)", text("EFI PART"), at(512, 4 * KiB)),
  table("gpt", "a partition table's copy (GPT)", text("EFI PART"), fromEnd(512, 4 * KiB)),
  table("dos", "a boot sector or partition table (MBR)", hex("55aa"), at(510)),
  table("mac", "a partition table (Apple)", text("PM\0\0"), at(512, KiB, 2 * KiB)),
  table(
    "bsd",
    "a partition table (BSD)",
    hex("57455682", "82564557"),
    at(0, 64, 128, 512, 512 + 64),
  ),
  table("sun", "a partition table (Sun)", hex("dabe"), at(508)),
  table("sgi", "a partition table (SGI)", hex("0be5a941"), at(0)),
  table("amiga", "a partition table (Amiga)", text("RDSK"), at(...steps(0, 512, 16))),
  table("aix", "a disk of AIX", hex("c9c2d4c1"), at(0)),
];

/** All of them. The order is that in which they are told. */
export const signatureMarks: readonly Mark[] = [
  ...tables,
  ...linuxFileSystems,
  ...foreignFileSystems,
  ...members,
  ...others,
];

/** Name, words for people, magics, places. */
type Row = readonly [string, string, Mark["magics"], Mark["places"]];

function plain(...[type, says, magics, places]: Row): Mark {
  return { type, usage: "filesystem", says, magics, places };
}

function weak(...row: Row): Mark {
  return { ...plain(...row), weak: true };
}

function raid(...[type, says, magics, places]: Row): Mark {
  return { type, usage: "raid", says, magics, places };
}

function table(...[type, says, magics, places]: Row): Mark {
  return { type, usage: "partition-table", says, magics, places };
}
