/** What the tests of the virtual machine need. */
import { join } from "node:path";
import { emulatedExecutablePath } from "../../support/executables.ts";
import { file, type Need, program } from "../../support/needs.ts";
import { guestPackages, preparing } from "./guest-packages.ts";
import { emulator } from "./machine.ts";

export const guestExecutable = emulatedExecutablePath;

export const vmNeeds: readonly Need[] = [
  program(emulator, { apt: "qemu-system-arm" }),
  program("mkfs.ext4", { apt: "e2fsprogs" }),
  file(join(guestPackages, "bin", "busybox"), preparing),
  file(guestExecutable, "npm run build"),
];

/** Of a test, which takes a minute where nothing else runs. */
export const vmLimitMs = 1_500_000;
