/**
 * Looks through one directory `HH/HH` of a store path: each file is read from the disk and compared with what its name says, or its slot's
 * header, or its side record. Used by a worker beside its requests, and on disks that nobody serves. In steps of one piece or one small file.
 * Thread of its path.
 */
import type { Finding } from "#filestore/scrub/findings.ts";
import { filesAhead, youngChangeNs } from "#filestore/scrub/limits.ts";
import { type ReadContent, readContent, readStated } from "#filestore/scrub/read-content.ts";
import { scrubTrunkFile, type TrunkWorld } from "#filestore/scrub/scrub-trunk.ts";
import { compareSide, type SideRecords } from "#filestore/scrub/side-records.ts";
import { isMetadataBase, ownerOfMetadata } from "#filestore/worker/file-layout.ts";
import { mayBeSlave } from "#filestore/worker/recheck/judge-file.ts";
import { toldBy } from "#filestore/worker/replicas/replica-content.ts";
import { decodeBase } from "#model/file-id.ts";
import { directoryName } from "#model/remote-filename.ts";
import { type DiskFileFacts, maxDiskRead } from "#platform/disk-reads.ts";
import { FileError, type Files } from "#platform/files.ts";

export interface ScrubWorld extends TrunkWorld {
  readonly files: Pick<Files, "list" | "stat">;
  /** The directory `data` of the store path. */
  readonly data: string;
  /** Undefined where there are none. */
  readonly side: SideRecords | undefined;
  /** A change of the file, or of the one that the metadata belongs to, is under way. `place`: `HH/HH/base`. */
  readonly isBusy: (place: string) => boolean;
}

const trunkPattern = /^\d{6,10}$/;
const nsPerSecond = 1_000_000_000;

/** What it cannot list counts as closed. Throws `FileError` for what is nobody's fault here, such as too many open files. */
export function* scrubDirectory(
  world: ScrubWorld,
  high: number,
  low: number,
): Generator<undefined, void> {
  const below = `${directoryName(high)}/${directoryName(low)}`;
  const names = listOr(world, `${world.data}/${below}`);
  if (names === undefined) return;
  const { side } = world;
  if (side !== undefined) yield* side.enter(high);
  side?.beginDirectory();
  const directory = new ScrubbedDirectory(world, { below, low, names });
  // As they were made, and mostly as they lie on the disk.
  const sorted = [...names].sort();
  const soon = new SoonOpened(world, below, sorted);
  try {
    for (const [at, base] of sorted.entries()) {
      soon.reach(at);
      yield* directory.look(base);
      yield undefined;
    }
  } finally {
    world.disk.expectNothing?.();
  }
  side?.endDirectory(low);
}

/** Has the disk begin with the files that come next, as far as their names say how long they are. */
class SoonOpened {
  readonly #world: ScrubWorld;
  readonly #below: string;
  readonly #names: readonly string[];
  #next = 0;

  constructor(world: ScrubWorld, below: string, names: readonly string[]) {
    this.#world = world;
    this.#below = below;
    this.#names = names;
  }

  /** Several at a time: neighbours on the disk are one request to it. */
  reach(at: number): void {
    const { disk, readsAhead } = this.#world;
    if (disk.expect === undefined || readsAhead?.() !== true) return;
    this.#next = Math.max(this.#next, at);
    if (this.#next > at + filesAhead / 2) return;
    for (const end = at + 1 + filesAhead; this.#next < end; this.#next += 1) {
      const base = this.#names[this.#next];
      if (base === undefined || !this.#expect(base)) break;
    }
    disk.begin?.();
  }

  /** False where there is no room. */
  #expect(base: string): boolean {
    const { disk, data, pace } = this.#world;
    const size = toldBy(base)?.size ?? 0;
    const length = Math.min(size, pace?.pieceBytes ?? maxDiskRead);
    return length === 0 || disk.expect?.(`${data}/${this.#below}/${base}`, length) === true;
  }
}

class ScrubbedDirectory {
  readonly #world: ScrubWorld;
  readonly #below: string;
  readonly #low: number;
  readonly #names: readonly string[];

  constructor(
    world: ScrubWorld,
    where: { readonly below: string; readonly low: number; readonly names: readonly string[] },
  ) {
    this.#world = world;
    this.#below = where.below;
    this.#low = where.low;
    this.#names = where.names;
  }

  *look(base: string): Generator<undefined, void> {
    const place = `${this.#below}/${base}`;
    if (trunkPattern.test(base)) {
      const path = `${this.#world.data}/${place}`;
      yield* this.#orUnreadable(base, () =>
        scrubTrunkFile(this.#world, { path, place, fileId: Number(base) }),
      );
      return;
    }
    const told = toldBy(base);
    if (told !== undefined) yield* this.#orUnreadable(base, () => this.#named(base, told));
    else if (decodeBase(isMetadataBase(base) ? ownerOfMetadata(base) : base) !== undefined) {
      yield* this.#orUnreadable(base, () => this.#stated(base));
    } else {
      this.#world.tally.foreign += 1;
    }
  }

  /** What is refused for reasons of its own, such as its mode, is told as unreadable: nobody could be served it. */
  *#orUnreadable(base: string, look: () => Generator<undefined, void>): Generator<undefined, void> {
    try {
      yield* look();
    } catch (error) {
      if (!(error instanceof FileError) || isOurs(error)) throw error;
      this.#world.tally.files += 1;
      this.#damaged(base, { damage: "unreadable", sizeBytes: 0, crc32: undefined });
    }
  }

  *#named(
    base: string,
    told: { readonly size: number; readonly crc32: number },
  ): Generator<undefined, void> {
    const { tally } = this.#world;
    const path = this.#path(base);
    const isRight = (content: ReadContent): boolean =>
      content.state === "read" && content.crc32 === told.crc32;
    const content = yield* readContent(this.#world, path, told.size);
    if (content.state === "irregular") {
      tally.foreign += 1;
      return;
    }
    tally.files += 1;
    if (isRight(content)) {
      tally.good += 1;
      return;
    }
    // A file of its master's name, of which it tells nothing.
    if (content.state !== "unreadable" && mayBeSlave(this.#names, base)) {
      yield* this.#stated(base, true);
      return;
    }
    if (content.state === "gone" || this.#isBusy(base)) {
      tally.passedOver += 1;
      return;
    }
    const again = yield* readContent(this.#world, path, told.size);
    if (isRight(again)) {
      tally.good += 1;
      tally.unsteady += 1;
    } else if (again.state === "gone" || again.state === "irregular" || this.#isBusy(base)) {
      tally.passedOver += 1;
    } else {
      this.#damaged(base, {
        damage: damageOf(again),
        sizeBytes: again.sizeBytes,
        crc32: told.crc32,
      });
    }
  }

  /** What only a side record vouches for. */
  *#stated(base: string, isCounted = false): Generator<undefined, void> {
    const { tally, side } = this.#world;
    const key = `${directoryName(this.#low)}/${base}`;
    side?.meet(key);
    const { content, facts } = yield* readStated(this.#world, this.#path(base));
    if (content.state === "irregular") {
      tally.foreign += 1;
      return;
    }
    if (!isCounted) tally.files += 1;
    if (content.state === "unreadable") {
      const { sizeBytes } = content;
      const crc32 = side?.get(key)?.crc32;
      this.#damaged(base, { damage: "unreadable", sizeBytes, crc32 });
      return;
    }
    if (content.state !== "read" || facts === undefined || this.#isBusy(base)) {
      tally.passedOver += 1;
      return;
    }
    yield* this.#compare(base, key, { ...facts, crc32: content.crc32 });
  }

  *#compare(
    base: string,
    key: string,
    now: DiskFileFacts & { readonly crc32: number },
  ): Generator<undefined, void> {
    const { tally, side } = this.#world;
    const before = side?.get(key);
    const verdict = compareSide(before, now);
    if (verdict === "same") {
      tally.good += 1;
      if (before?.changedNs !== now.changedNs || before.inode !== now.inode) this.#record(key, now);
    } else if (verdict === "new" || before === undefined) {
      tally.unknown += 1;
      this.#record(key, now);
    } else {
      const again = yield* readStated(this.#world, this.#path(base));
      const { content, facts } = again;
      const isGood = content.state === "read" && content.crc32 === before.crc32;
      if (isGood) {
        tally.good += 1;
        tally.unsteady += 1;
      } else if (facts?.changedNs !== now.changedNs || this.#isBusy(base)) {
        tally.passedOver += 1;
      } else {
        const { sizeBytes } = now;
        this.#damaged(base, { damage: "changed-silently", sizeBytes, crc32: before.crc32 });
      }
    }
  }

  #record(key: string, now: DiskFileFacts & { readonly crc32: number }): void {
    const ageNs =
      BigInt(Math.floor(this.#world.nowSeconds())) * BigInt(nsPerSecond) - now.changedNs;
    // By a clock that is wrong nothing can be said of its age; then it is old enough, too, unless it is of this moment.
    if (ageNs < youngChangeNs && ageNs > -youngChangeNs) return;
    const { kind: _, ...record } = now;
    this.#world.side?.put(key, record);
  }

  #damaged(base: string, what: Pick<Finding, "damage" | "sizeBytes" | "crc32">): void {
    const { tally, found } = this.#world;
    tally.damaged += 1;
    if (what.damage === "unreadable") tally.unreadable += 1;
    found({ place: `${this.#below}/${base}`, ...what, region: undefined });
  }

  #isBusy(base: string): boolean {
    return this.#world.isBusy(`${this.#below}/${base}`);
  }

  #path(base: string): string {
    return `${this.#world.data}/${this.#below}/${base}`;
  }
}

function damageOf(content: ReadContent): Finding["damage"] {
  if (content.state === "unreadable") return "unreadable";
  return content.state === "other-size" ? "size" : "content";
}

/** Not of the file, but of the whole: the scrub waits. */
function isOurs({ code }: FileError): boolean {
  return ["EMFILE", "ENFILE", "ENOMEM", "ENODEV", "ENXIO", "ESHUTDOWN"].includes(code);
}

function listOr({ files, tally }: ScrubWorld, path: string): readonly string[] | undefined {
  try {
    return files.list(path);
  } catch (error) {
    if (!(error instanceof FileError) || isOurs(error)) throw error;
    tally.closedDirectories += 1;
    return undefined;
  }
}
