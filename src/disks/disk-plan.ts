/**
 * What follows from the disks that are there, their passports, and what the node remembers: which are mounted and served as which store
 * path, which wait for somebody's yes, which are refused and why. A disk is known by its passport alone; its device, port and place in
 * the order mean nothing. Pure.
 */
import type { DiskRole, KnownDisk } from "#disks/disk-map.ts";
import { movedPaths } from "#disks/moves/moved-paths.ts";
import type { Passport, PassportPath } from "#disks/passport.ts";
import type { SeenDisk } from "#disks/seen-disk.ts";
import type { DiskId } from "#model/disk-id.ts";
import type { NodeId } from "#model/node-id.ts";

export interface DiskPlanInput {
  readonly seen: readonly SeenDisk[];
  readonly known: readonly KnownDisk[];
  readonly ownId: NodeId;
  /** Store paths that are served now, from which place. */
  readonly served: ReadonlyMap<number, string>;
  /** Store paths of the settings: a disk cannot be one of these. */
  readonly configured: number;
}

export type DiskVerdictKind =
  /** Ours, and served. */
  | "own"
  /** Another node's: it waits for a yes. */
  | "foreign"
  /** Another disk says that it is this one. */
  | "clone"
  /** Its place was given to another disk. */
  | "replaced"
  /** Its store path is another disk's, or one of the settings. */
  | "conflict"
  /** Its passport cannot be believed. */
  | "unreadable";

export interface DiskVerdict {
  readonly place: string;
  readonly name: string;
  readonly diskId: DiskId | undefined;
  readonly kind: DiskVerdictKind;
  /** What it is and what to do. */
  readonly says: string;
}

export type DiskStep =
  | { readonly name: "mount"; readonly place: string }
  | {
      readonly name: "open";
      readonly diskId: DiskId;
      readonly place: string;
      readonly index: number;
      /** Whole. */
      readonly directory: string;
    }
  /** The disk that a store path is served from is not there any more. */
  | { readonly name: "take"; readonly index: number; readonly why: string }
  | { readonly name: "remember"; readonly disk: Omit<KnownDisk, "seenAt"> }
  /** These store paths went to another disk, and the passport does not say so yet. */
  | { readonly name: "forget"; readonly place: string; readonly indexes: readonly number[] };

/** A store path that no disk carries now. */
export interface AbsentPath {
  readonly index: number;
  readonly why: string;
}

/** A former node that this one could be from now on. */
export interface FormerNode {
  readonly id: NodeId;
  readonly name: string;
  readonly places: readonly string[];
}

export interface DiskPlan {
  readonly verdicts: readonly DiskVerdict[];
  /** In their order. */
  readonly steps: readonly DiskStep[];
  /** Ordered by index. */
  readonly absent: readonly AbsentPath[];
  /** Only where this node was never given a disk, and all that carry a passport were one node's. */
  readonly former: FormerNode | undefined;
}

interface Genuine {
  readonly disk: SeenDisk;
  /** Without store paths that are another disk's by now. */
  readonly passport: Passport;
  /** Those that it is to be rid of. */
  readonly moved: readonly number[];
}

export function planDisks(input: DiskPlanInput): DiskPlan {
  const { seen, known, served } = input;
  const genuine = genuineDisks(input);
  const judged = genuine.map((each) => ({ each, verdict: judge(each, genuine, input) }));
  const own = judged.flatMap(({ each, verdict }) => (verdict.kind === "own" ? [each] : []));
  const carried = new Set(own.flatMap(({ passport }) => passport.paths.map(({ index }) => index)));
  // What does not answer may be well; its path looks after itself.
  const silent = seen.filter(({ passport }) => passport.kind === "silent");
  const places = new Set([...own.map(({ disk }) => disk), ...silent].map(({ place }) => place));
  const taken = [...served].filter(([, place]) => !places.has(place));
  return {
    verdicts: [...judged.map(({ verdict }) => verdict), ...unreadable(seen)],
    steps: [
      ...taken.map(([index]) => ({ name: "take", index, why: awayWords(index, known) }) as const),
      ...own.flatMap((each) => stepsFor(each, input)),
    ],
    absent: absentPaths(known, new Set([...carried, ...served.keys()])),
    former: formerNode(
      judged.map(({ each }) => each),
      input,
    ),
  };
}

function genuineDisks({ seen, known, ownId }: DiskPlanInput): readonly Genuine[] {
  const found = seen.flatMap((disk) =>
    disk.passport.kind === "genuine" ? [{ disk, passport: disk.passport.passport }] : [],
  );
  const own = found.map(({ passport }) => passport).filter(({ node }) => node.id === ownId);
  return found.map(({ disk, passport }) => {
    const moved = passport.node.id === ownId ? movedPaths(passport, own, known) : [];
    if (moved.length === 0) return { disk, passport, moved: [] };
    const paths = passport.paths.filter(({ index }) => moved.every((each) => each.index !== index));
    return {
      disk,
      passport: { ...passport, paths },
      moved: moved.flatMap(({ index, isSeen }) => (isSeen ? [index] : [])),
    };
  });
}

function judge(
  { disk, passport }: Pick<Genuine, "disk" | "passport">,
  all: readonly Genuine[],
  input: DiskPlanInput,
): DiskVerdict {
  const { place, name } = disk;
  const { diskId } = passport;
  const verdict = (kind: DiskVerdictKind, says: string): DiskVerdict => ({
    ...{ place, name, diskId, kind, says },
  });
  const twins = all.filter((other) => other.passport.diskId === diskId && other.disk !== disk);
  // The one that was there all the time is no copy of one that has just come.
  const isServed = [...input.served.values()].includes(place);
  if (twins.length > 0 && !isServed) {
    const others = twins.map((other) => other.disk.name).join(", ");
    return verdict(
      "clone",
      `says that it is the same disk as ${others}: one is a copy of the other, and serving either could lose what only the other one has; unplug the copy, and keep it unchanged until you are sure which it was`,
    );
  }
  const role = roleOf(passport, input);
  if (role === "replaced") {
    return verdict(
      "replaced",
      `carried ${pathWords(passport.paths)} until another disk took its place, and lacks what came since: it is not served again; to use it anew, wipe it and give it to the node as a new disk`,
    );
  }
  if (role === "foreign") {
    const { node, group } = passport;
    return verdict(
      "foreign",
      `belongs to another node, ${node.name} (${node.id}), group ${group}, ${pathWords(passport.paths)}: nothing of it is changed until you say what it is to be here`,
    );
  }
  const conflict = conflictOf({ disk, passport }, all, input);
  if (conflict !== undefined) return verdict("conflict", conflict);
  return verdict("own", `carries ${pathWords(passport.paths)}`);
}

/** Ours by the key that signed, whatever is remembered; by somebody's yes where it says that it is another node's. */
function roleOf(passport: Passport, { known, ownId }: DiskPlanInput): DiskRole | "foreign" {
  const role = known.find(({ diskId }) => diskId === passport.diskId)?.role;
  if (passport.node.id === ownId) return role === "replaced" ? "replaced" : "store";
  return role === "adopting" ? "adopting" : "foreign";
}

function conflictOf(
  { disk, passport }: Pick<Genuine, "disk" | "passport">,
  all: readonly Genuine[],
  input: DiskPlanInput,
): string | undefined {
  for (const { index } of passport.paths) {
    if (index < input.configured) {
      return `carries store path ${index}, which the settings put into a directory (storage.path): take that out of the settings, or unplug the disk`;
    }
    const rival = all.find(
      (other) =>
        other.disk !== disk &&
        other.passport.diskId !== passport.diskId &&
        ["store", "adopting"].includes(roleOf(other.passport, input)) &&
        other.passport.paths.some((path) => path.index === index),
    );
    if (rival === undefined) continue;
    const isRemembered = (each: Passport): boolean =>
      input.known.some(
        ({ diskId, role, paths }) =>
          diskId === each.diskId && role === "store" && paths.some((path) => path.index === index),
      );
    // The one that was served is; where nobody knows, neither is.
    if (isRemembered(passport) && !isRemembered(rival.passport)) continue;
    return `and ${rival.disk.name} both carry store path ${index}: one of them has been replaced by the other; unplug the one that is out of date`;
  }
  return undefined;
}

function stepsFor(
  { disk, passport, moved }: Genuine,
  { seen, known, served, ownId }: DiskPlanInput,
): DiskStep[] {
  const { diskId, paths } = passport;
  const { mountPoint, place } = disk;
  if (mountPoint === undefined) return [{ name: "mount", place }];
  const steps: DiskStep[] = [];
  if (moved.length > 0) steps.push({ name: "forget", place, indexes: moved });
  const before = known.find((each) => each.diskId === diskId);
  const role = passport.node.id === ownId ? "store" : "adopting";
  if (before === undefined || before.role !== role || !samePaths(before.paths, paths)) {
    steps.push({ name: "remember", disk: { diskId, role, paths } });
  }
  // Whoever had these paths before has them no more.
  for (const other of known) {
    if (other.diskId === diskId || other.role !== "store" || isSeen(other, seen)) continue;
    const change = lossOf(other, paths);
    if (change !== undefined) steps.push({ name: "remember", disk: change });
  }
  for (const { index, directory } of paths) {
    if (served.get(index) === place) continue;
    steps.push({ name: "open", diskId, place, index, directory: `${mountPoint}/${directory}` });
  }
  return steps;
}

/** What it carries is in its passport, whatever is remembered. */
function isSeen({ diskId }: KnownDisk, seen: readonly SeenDisk[]): boolean {
  return seen.some(
    ({ passport }) => passport.kind === "genuine" && passport.passport.diskId === diskId,
  );
}

/** What becomes of a disk that carried some of the paths: it was moved away from, or is out of date. Undefined where neither. */
function lossOf(
  { diskId, paths }: KnownDisk,
  now: readonly PassportPath[],
): Omit<KnownDisk, "seenAt"> | undefined {
  const shared = paths.filter(({ index }) => now.some((path) => path.index === index));
  if (shared.length === 0) return undefined;
  const isMoved = shared.every(({ index, id, moves = 0 }) =>
    now.some(
      (path) =>
        path.index === index && id !== undefined && path.id === id && (path.moves ?? 0) > moves,
    ),
  );
  if (!isMoved) return { diskId, role: "replaced", paths };
  return { diskId, role: "store", paths: paths.filter((path) => !shared.includes(path)) };
}

function samePaths(before: KnownDisk["paths"], now: readonly PassportPath[]): boolean {
  return (
    before.length === now.length &&
    now.every(({ index, id, directory, moves = 0 }, at) => {
      const known = before[at];
      const isSame = known?.index === index && known.id === id && known.directory === directory;
      return isSame && (known.moves ?? 0) === moves;
    })
  );
}

function unreadable(seen: readonly SeenDisk[]): readonly DiskVerdict[] {
  return seen.flatMap(({ place, name, passport }) =>
    passport.kind === "unreadable"
      ? [{ place, name, diskId: undefined, kind: "unreadable", says: passport.why } as const]
      : [],
  );
}

function absentPaths(
  known: readonly KnownDisk[],
  carried: ReadonlySet<number>,
): readonly AbsentPath[] {
  const indexes = known
    .filter(({ role }) => role === "store")
    .flatMap(({ paths }) => paths.map(({ index }) => index))
    .filter((index) => !carried.has(index));
  return [...new Set(indexes)]
    .sort((one, other) => one - other)
    .map((index) => ({ index, why: awayWords(index, known) }));
}

function awayWords(index: number, known: readonly KnownDisk[]): string {
  const movesOf = ({ role, paths }: KnownDisk): number => {
    const path = role === "store" ? paths.find((each) => each.index === index) : undefined;
    return path === undefined ? -1 : (path.moves ?? 0);
  };
  const [disk] = known
    .filter((each) => movesOf(each) >= 0)
    .sort((one, other) => movesOf(other) - movesOf(one));
  const which = disk === undefined ? "its disk" : `its disk (${disk.diskId.slice(0, 8)})`;
  return `${which} is not there: plug it in, into any port; if it is lost, give the node a new one in its place`;
}

function formerNode(
  genuine: readonly Genuine[],
  { known, ownId }: DiskPlanInput,
): FormerNode | undefined {
  const [first] = genuine;
  if (first === undefined || known.length > 0) return undefined;
  const { id, name } = first.passport.node;
  if (id === ownId || genuine.some(({ passport }) => passport.node.id !== id)) return undefined;
  return { id, name, places: genuine.map(({ disk }) => disk.place) };
}

function pathWords(paths: readonly PassportPath[]): string {
  if (paths.length === 0) return "no store path";
  const names = paths.map(({ index }) => `M${index.toString(16).toUpperCase().padStart(2, "0")}`);
  return `store path ${names.join(", ")}`;
}
