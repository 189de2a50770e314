/** The disks as an operator gets to see them: what the probe found, and what this node makes of each. Pure. */
import type { ShownDisk } from "#control/operations/disks.ts";
import { type DiskFacts, diskKeyOf } from "#model/disk-facts.ts";
import { contentWords, placeWords } from "#model/disk-words.ts";

/** What other parts of the node know of a disk. */
export interface DiskNotes {
  /** Its place in the node. */
  readonly role?: string | undefined;
  readonly diskId?: string | undefined;
  readonly verdict?: string | undefined;
  readonly reasons?: readonly string[] | undefined;
  readonly blankReading?: ShownDisk["blankReading"];
  readonly temperatureCelsius?: number | undefined;
  readonly spinning?: boolean | undefined;
}

export interface PlacedPath {
  readonly index: number;
  /** Absolute. */
  readonly directory: string;
}

export function shownDisks(
  disks: readonly DiskFacts[],
  paths: readonly PlacedPath[],
  notesOf: (disk: DiskFacts) => DiskNotes,
): readonly ShownDisk[] {
  return disks.map((disk) => {
    const { name, sequence: _, bridge, mounts, partitions, ...rest } = disk;
    const notes = notesOf(disk);
    return {
      ...rest,
      ...notes,
      name,
      key: diskKeyOf(disk),
      where: placeWords(disk),
      content: contentWords(disk),
      ...(bridge === undefined ? {} : { bridge: bridgeOf(bridge) }),
      mounts: mounts.map(withoutOptions),
      partitions: partitions.map(({ holders: _holders, mounts: own, ...part }) => {
        return { ...part, mounts: own.map(withoutOptions) };
      }),
      temperatureCelsius: notes.temperatureCelsius ?? disk.temperatureCelsius,
      spinning: notes.spinning ?? disk.spinning,
      storePaths: paths.filter(({ directory }) => diskOf(directory, disks) === disk),
    };
  });
}

/** The disk that a directory lies on, by the deepest mount above it. */
export function diskOf(directory: string, disks: readonly DiskFacts[]): DiskFacts | undefined {
  let best: { readonly disk: DiskFacts; readonly point: string } | undefined;
  for (const disk of disks) {
    const mounts = [...disk.mounts, ...disk.partitions.flatMap((part) => part.mounts)];
    for (const { point } of mounts) {
      const isAbove =
        directory === point || directory.startsWith(point === "/" ? "/" : `${point}/`);
      if (isAbove && point.length >= (best?.point.length ?? 0)) best = { disk, point };
    }
  }
  return best?.disk;
}

function bridgeOf({ serial: _, ...rest }: NonNullable<DiskFacts["bridge"]>) {
  return rest;
}

function withoutOptions({ options: _, ...mount }: DiskFacts["mounts"][number]) {
  return mount;
}
