/**
 * The disk that the virtual machine runs from: Debian's programs, the executable under test, and a script that stands in for an init system.
 * ext4 in a file, made without mounting anything.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { programPath } from "../../support/needs.ts";
import { guestPackages } from "./guest-packages.ts";

/** Ports inside of the machine: a shell for whoever connects, and a way to Cairn's control socket. */
export const guestPorts = { shell: 7000, control: 7001 } as const;
export const guestData = "/var/lib/cairn";
/** What the machine says on its console when it can be asked. */
export const readyWords = "the guest is ready";
const address = "10.0.2.15";
const limitMs = 60_000;
/** Large enough for Node and state; sparse. */
const size = "768M";
/** Nobody reads them there. */
const leftOut = /\/(?:lib\/modules|usr\/share\/(?:doc|man|locale|bash-completion))$/;

const initScript = `#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/guest/bin HOME=/root
/bin/busybox --install -s /guest/bin
for each in run tmp dev/shm; do mkdir -p /$each; mount -t tmpfs tmpfs /$each; done
ip link set lo up
ip addr add ${address}/24 dev eth0
ip link set eth0 up
hostname guest
/lib/systemd/systemd-udevd --daemon
udevadm trigger --subsystem-match=block --action=add
udevadm settle --timeout=20
busybox nc -ll -p ${guestPorts.shell} -e /bin/sh &
busybox nc -ll -p ${guestPorts.control} -e /guest/control &
echo "${readyWords}"
while :; do sleep 1000; done
`;

const controlScript = `#!/bin/sh
exec nc.openbsd -N -U ${guestData}/cairn.sock
`;

/** Makes it at `image`, with the program `executable` as `cairn`. */
export function buildSystemDisk(image: string, executable: string): void {
  const root = `${image}.root`;
  try {
    for (const name of ["bin", "lib", "sbin", "usr", "var", "etc"]) {
      const filter = (path: string): boolean => !leftOut.test(path);
      const options = { recursive: true, filter, verbatimSymlinks: true };
      cpSync(join(guestPackages, name), join(root, name), options);
    }
    const folders = ["dev", "proc", "sys", "run", "tmp", "root", "guest/bin", "srv", guestData];
    for (const name of folders) mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, "guest/init"), initScript, { mode: 0o755 });
    writeFileSync(join(root, "guest/control"), controlScript, { mode: 0o755 });
    writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    writeFileSync(join(root, "etc/hosts"), "127.0.0.1 localhost guest\n");
    symlinkSync("busybox", join(root, "bin/sh"));
    copyFileSync(executable, join(root, "usr/bin/cairn"));
    const parameters = ["-q", "-F", "-d", root, "-E", "root_owner=0:0", image, size];
    const make = programPath("mkfs.ext4") ?? "mkfs.ext4";
    execFileSync(make, parameters, { timeout: limitMs, stdio: "pipe" });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
