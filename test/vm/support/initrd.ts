/**
 * The first file system of the virtual machine, as a cpio archive in memory: busybox, the modules of the buses, and a script that loads
 * them, mounts the system disk and goes on there.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { modulesFor } from "./kernel-modules.ts";

/** The checksums of ext4 are asked for by name, when it is mounted, which nothing here would answer. */
const modules: readonly string[] = [
  ...["crc32c_generic", "ext4", "virtio_pci", "virtio_blk", "virtio_net", "virtio_console"],
  ...["virtio_scsi", "sd_mod", "sg", "ahci", "nvme", "xhci_pci", "usb_storage", "uas"],
  ...["crct10dif_generic", "crc64_rocksoft_generic"],
];

interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
}

const folder = 0o040755;
const program = 0o100755;
const plain = 0o100644;

/** `packages`: the folder in which Debian's packages were unpacked. */
export function buildInitrd(packages: string): Buffer {
  const version = kernelVersion(packages);
  const loaded = modulesFor(join(packages, "lib", "modules", version), modules);
  const entries: readonly Entry[] = [
    ...["bin", "dev", "proc", "sys", "root", "modules"].map((path) => entry(path, folder)),
    entry("bin/busybox", program, readFileSync(join(packages, "bin", "busybox"))),
    entry("init", program, Buffer.from(initScript(loaded.map(({ name }) => name)))),
    ...loaded.map(({ name, content }) => entry(`modules/${name}.ko`, plain, content)),
  ];
  return cpioArchive(entries);
}

/** `6.1.0-56-arm64`. */
export function kernelVersion(packages: string): string {
  const [version] = readdirSync(join(packages, "lib", "modules"));
  if (version === undefined) throw new Error(`there is no kernel in ${packages}`);
  return version;
}

function initScript(names: readonly string[]): string {
  return `#!/bin/busybox sh
bb=/bin/busybox
$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t devtmpfs dev /dev
for name in ${names.join(" ")}; do $bb insmod /modules/$name.ko || echo "no module $name"; done
tries=0
until $bb mount -t ext4 /dev/vda /root; do
  tries=$((tries + 1))
  if [ $tries -gt 50 ]; then $bb poweroff -f; fi
  $bb sleep 0.2
done
for each in proc sys dev; do $bb mount -o move /$each /root/$each; done
exec $bb switch_root /root /guest/init
`;
}

function entry(path: string, mode: number, content: Buffer = Buffer.alloc(0)): Entry {
  return { path, mode, content };
}

/** In the form that the kernel calls "newc". */
function cpioArchive(entries: readonly Entry[]): Buffer {
  const all = [...entries, entry("TRAILER!!!", 0)];
  return Buffer.concat(all.flatMap((each, number) => cpioEntry(each, number + 1)));
}

function cpioEntry({ path, mode, content }: Entry, number: number): readonly Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const fields = [number, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const digits = fields.map((field) => field.toString(16).padStart(8, "0"));
  const head = Buffer.concat([Buffer.from(`070701${digits.join("")}`), name]);
  return [head, padding(head.length), content, padding(content.length)];
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}
