/**
 * How long a file system has been mounted, as a word that is another one for each time. Neither the number of the mount nor that of the
 * device tells: a number that an unmount freed is given to the next mount (seen on Linux 6.18), and a service with a name space of its own
 * sees other numbers at each start. But ext4, XFS and F2FS have a directory below `/sys/fs` for as long as they are mounted, wherever;
 * its inode is numbered like everything in `/sys`, upwards, once for each time between two starts of the kernel, which has a random id.
 */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { basename } from "node:path";
import { splitDevice } from "#platform/node/block-queue.ts";

/** In ext4's as well: ext2 and ext3. */
const kinds = ["ext4", "xfs", "f2fs"];
const bootIdPattern = /^[0-9a-f-]{36}$/;

/** Undefined where that is not told, as of file systems without a disk of their own. `device` as `stat` gives it. */
export function mounting(
  device: number,
  world: { readonly proc: string; readonly sys: string } = { proc: "/proc", sys: "/sys" },
): string | undefined {
  const { major, minor } = splitDevice(device);
  try {
    const boot = readFileSync(`${world.proc}/sys/kernel/random/boot_id`, "utf8").trim();
    // There is none where the device went away and the file system stayed.
    const name = basename(realpathSync(`${world.sys}/dev/block/${major}:${minor}`));
    if (!bootIdPattern.test(boot)) return undefined;
    for (const kind of kinds) {
      const path = `${world.sys}/fs/${kind}/${name}`;
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      if (stat?.isDirectory() === true) return `${boot}:${stat.ino}`;
    }
    return undefined;
  } catch {
    return undefined;
  }
}
