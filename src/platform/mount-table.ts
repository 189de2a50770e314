/** The kernel's table of mounts, `/proc/self/mountinfo`. Pure. */

export interface Mount {
  readonly point: string;
  /** Of the file system: `ext4`. */
  readonly type: string;
  /** What is mounted: `/dev/sda1`, `tmpfs`. */
  readonly source: string;
  /** `major:minor`; of btrfs, FUSE and whatever has no disk one that belongs to no device. */
  readonly deviceNumber: string;
  /** What of the file system is seen there; `/` unless a directory of it was bound to the place. */
  readonly root: string;
  /** Of the mount and of the file system: `ro`, `errors=remount-ro`. */
  readonly options: readonly string[];
}

/** Lines that are not understood are left out. */
export function parseMounts(text: string): readonly Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n")) {
    const [left, right] = line.split(" - ");
    const [, , deviceNumber = "", root = "", point, own = ""] = left?.split(" ") ?? [];
    const [type, source = "", whole = ""] = right?.split(" ") ?? [];
    if (point === undefined || type === undefined) continue;
    mounts.push({
      point: withoutEscapes(point),
      type,
      source: withoutEscapes(source),
      deviceNumber,
      root: withoutEscapes(root),
      options: [...own.split(","), ...whole.split(",")].filter((each) => each !== ""),
    });
  }
  return mounts;
}

/** True when nothing can be written there, by whoever's decision: the mount's, or the file system's after an error. */
export function isReadOnlyMount(mount: Mount): boolean {
  return mount.options.includes("ro");
}

/** The value of an option such as `lowerdir`. */
export function mountOption(mount: Mount, name: string): string | undefined {
  const found = mount.options.find((each) => each.startsWith(`${name}=`));
  return found === undefined ? undefined : withoutEscapes(found.slice(name.length + 1));
}

/** The mount that an absolute path lies on: the deepest one, and of those at one place the last. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const inside = path === mount.point || path.startsWith(withSlash(mount.point));
    if (inside && mount.point.length >= (best?.point.length ?? 0)) best = mount;
  }
  return best;
}

function withSlash(point: string): string {
  return point.endsWith("/") ? point : `${point}/`;
}

/** Blanks and the like are written as three octal digits. */
function withoutEscapes(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
