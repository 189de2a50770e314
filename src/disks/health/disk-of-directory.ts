/** On which disk a directory lies, as far as the mounts of disks tell. Pure. */
import type { DiskFacts } from "#model/disk-facts.ts";

export type MountedDisk = Pick<DiskFacts, "name"> & {
  readonly mounts: readonly { readonly point: string }[];
  readonly partitions: readonly { readonly mounts: readonly { readonly point: string }[] }[];
};

/** The disk with the deepest mount above the absolute `directory`. */
export function diskOfDirectory<Disk extends MountedDisk>(
  directory: string,
  disks: readonly Disk[],
): Disk | undefined {
  let best: { readonly disk: Disk; readonly length: number } | undefined;
  for (const disk of disks) {
    for (const { point } of [...disk.mounts, ...disk.partitions.flatMap(({ mounts }) => mounts)]) {
      const inside =
        directory === point || directory.startsWith(point.endsWith("/") ? point : `${point}/`);
      if (inside && point.length > (best?.length ?? -1)) best = { disk, length: point.length };
    }
  }
  return best?.disk;
}
