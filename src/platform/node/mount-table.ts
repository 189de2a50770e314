/** The kernel's table of mounts, `/proc/self/mountinfo`. Pure. */

export interface Mount {
  readonly point: string;
  /** Of the file system: `ext4`. */
  readonly type: string;
  /** What is mounted: `/dev/sda1`, `tmpfs`. */
  readonly source: string;
}

/** Lines that are not understood are left out. */
export function parseMounts(text: string): readonly Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n")) {
    const [left, right] = line.split(" - ");
    const point = left?.split(" ")[4];
    const [type, source = ""] = right?.split(" ") ?? [];
    if (point === undefined || type === undefined) continue;
    mounts.push({ point: withoutEscapes(point), type, source: withoutEscapes(source) });
  }
  return mounts;
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
