/**
 * What runs inside of the virtual machine beside Cairn: Debian's kernel for arm64, a shell, udev, smartctl and the programs that make and
 * mount file systems. Downloaded by apt from wherever this machine has its own packages from, and unpacked without being installed, into a
 * folder that no commit sees. What apt knows of this machine is left alone: it gets folders of its own.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const vmCache = fileURLToPath(
  new URL("../../../node_modules/.cache/cairn/vm", import.meta.url),
);
/** How to get them. */
export const preparing = "npm run vm:packages";

const kernelPackage = "linux-image-arm64";
const programs: readonly string[] = [
  ...["busybox-static", "netcat-openbsd", "smartmontools", "udev"],
  ...["util-linux", "mount", "coreutils", "findutils", "e2fsprogs"],
];
/** Of these programs, and of Cairn. By name, since whatever else their packages want is of no use without an installed system. */
const libraries: readonly string[] = [
  ...["libc6", "libstdc++6", "libgcc-s1", "libatomic1"],
  ...["libbsd0", "libmd0", "libssl3", "libtinfo6"],
  ...["libcap-ng0", "libselinux1", "libpcre2-8-0", "libsystemd0"],
  ...["liblz4-1", "libgcrypt20", "libgpg-error0", "liblzma5", "libzstd1", "libcap2"],
  ...["libacl1", "libattr1", "libgmp10", "libkmod2", "libudev1", "libcrypt1"],
  ...["libblkid1", "libmount1", "libsmartcols1", "libuuid1"],
  ...["libext2fs2", "libcom-err2", "libss2"],
];
const listed = createHash("sha256")
  .update([...programs, ...libraries].join(" "))
  .digest("hex");
/** The packages, one over the other; other packages have another place. */
export const guestPackages = join(vmCache, `packages-${listed.slice(0, 8)}`);
const limitMs = 300_000;

/** Downloads and unpacks what is not there yet. */
export function preparePackages(): void {
  if (existsSync(guestPackages)) return;
  const work = join(vmCache, "apt");
  const unpacked = join(vmCache, "unpacking");
  for (const folder of [work, unpacked]) rmSync(folder, { recursive: true, force: true });
  const debs = join(work, "debs");
  const own = [join(work, "lists", "partial"), join(work, "cache", "archives", "partial")];
  for (const folder of [debs, unpacked, ...own]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(work, "status"), "");
  const apt = (program: string, ...words: readonly string[]): string =>
    execFileSync(program, [...aptOptions(work), ...words], {
      ...{ cwd: debs, encoding: "utf8", timeout: limitMs },
      stdio: ["ignore", "pipe", "inherit"],
    });
  apt("apt-get", "update");
  const kernel = /Depends: (linux-image-\S+)/.exec(apt("apt-cache", "depends", kernelPackage))?.[1];
  if (kernel === undefined) throw new Error(`apt knows no kernel of ${kernelPackage}`);
  apt("apt-get", "download", kernel, ...programs, ...libraries);
  for (const name of readdirSync(debs)) {
    execFileSync("dpkg-deb", ["--extract", join(debs, name), unpacked], { timeout: limitMs });
  }
  rmSync(work, { recursive: true });
  renameSync(unpacked, guestPackages);
}

function aptOptions(work: string): readonly string[] {
  const settings = [
    `Dir::State=${work}`,
    `Dir::State::lists=${work}/lists`,
    `Dir::State::status=${work}/status`,
    `Dir::Cache=${work}/cache`,
    "APT::Architecture=arm64",
    "APT::Architectures=arm64",
    "APT::Sandbox::User=root",
    "Acquire::Languages=none",
    "Acquire::Retries=3",
  ];
  return ["--quiet=2", ...settings.flatMap((setting) => ["--option", setting])];
}
