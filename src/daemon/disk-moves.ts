/**
 * What people want of the node's disks as a whole: to be retired, drained, rebalanced. Finds out what that means, as a plan in words, and
 * hands it to whoever moves store paths. Main thread.
 */
import { AppError } from "#base/app-error.ts";
import { type DiskRoomParts, roomOf } from "#daemon/disk-room.ts";
import type { DiskShelf } from "#daemon/disk-shelf.ts";
import type { OwnDisk } from "#daemon/shelf-world.ts";
import type { StorePathMoves } from "#daemon/store-path-moves.ts";
import { type PlannedMove, planRebalance, planRetire } from "#disks/moves/move-plan.ts";
import { rebalanceHint } from "#disks/moves/rebalance-hint.ts";
import { isUnderWay } from "#disks/moves/store-path-move.ts";
import { type DiskId, isDiskId } from "#model/disk-id.ts";
import { type Clock, delay } from "#platform/clock.ts";

/** A disk that was just given is mounted by the look that follows, or by the one after it. */
const newDiskLooks = 20;
const newDiskPauseMs = 500;

export interface DiskMovesParts extends Omit<DiskRoomParts, "unfit"> {
  readonly clock: Clock;
  readonly shelf: Pick<DiskShelf, "ownDisks" | "look">;
  readonly moves: StorePathMoves;
  /** A disk by one of its names, such as `sda`. */
  readonly diskNamed: (name: string) => DiskId | undefined;
  /** What is the matter with a disk; undefined where it is well. */
  readonly illness: (disk: OwnDisk) => string | undefined;
  readonly pathsPerDisk: number;
  /** People are told when a rebalance is worth a thought. */
  readonly hintsAtRebalance?: boolean;
}

export interface AgreedMove {
  readonly storePath: number;
  readonly to: string;
}

export class DiskMoves {
  readonly #parts: DiskMovesParts;
  readonly moves: StorePathMoves;

  constructor(parts: DiskMovesParts) {
    this.#parts = parts;
    this.moves = parts.moves;
  }

  /** Throws `disk-unknown`. */
  find(named: string): OwnDisk {
    const { shelf, diskNamed } = this.#parts;
    const name = named.replace(/^\/dev\//, "");
    const own = shelf.ownDisks;
    const id = diskNamed(name) ?? name;
    const found = own.filter(({ diskId, name: place, mountPoint }) =>
      [diskId, place.replace(/^\/dev\//, ""), mountPoint].includes(id),
    );
    const begun = name.length >= 4 ? own.filter(({ diskId }) => diskId.startsWith(name)) : [];
    const [disk, other] = found.length > 0 ? found : begun;
    if (disk !== undefined && other === undefined) return disk;
    throw new AppError(
      "disk-unknown",
      `${named} is no disk of this node that is there: "cairn disk found" lists them`,
    );
  }

  /** As `find`; waits for a disk that is named by its whole id, as those are that were given a moment ago. */
  async #findNew(named: string): Promise<OwnDisk> {
    const { shelf, clock } = this.#parts;
    for (let look = 0; isDiskId(named) && look < newDiskLooks; look += 1) {
      if (shelf.ownDisks.some(({ diskId }) => diskId === named)) break;
      if (look > 0) await delay(clock, newDiskPauseMs);
      await shelf.look();
    }
    return this.find(named);
  }

  /** Rejects with `no-room` in words. */
  async planRetire(
    named: string,
    to?: string,
  ): Promise<{ readonly disk: OwnDisk; readonly moves: readonly PlannedMove[] }> {
    const disk = this.find(named);
    const only = to === undefined ? undefined : (await this.#findNew(to)).diskId;
    const rooms = await this.#rooms((each) => each.diskId === disk.diskId);
    const own = rooms.find(({ diskId }) => diskId === disk.diskId);
    if (own === undefined) throw new AppError("disk-unknown", `${named} has gone`);
    const rest = own.paths.filter(({ index }) => !this.#isMoving(index));
    const takers = only === undefined ? rooms : rooms.filter(({ diskId }) => diskId === only);
    return { disk, moves: planRetire({ ...own, paths: rest }, takers) };
  }

  /** As it was agreed on; whether it fits is looked at anew. */
  async retire(named: string, agreed: readonly AgreedMove[], to?: string): Promise<OwnDisk> {
    const { disk, moves } = await this.planRetire(named, to);
    requireAgreed(moves, agreed);
    this.moves.wish(disk.diskId, "retire");
    this.moves.add(moves.map(asMove), "retire");
    return disk;
  }

  drain(named: string, drain: boolean): OwnDisk {
    const disk = this.find(named);
    const isMoving = this.moves.moves.some(
      (move) => isUnderWay(move) && move.source === disk.diskId,
    );
    if (!drain && isMoving) {
      throw new AppError(
        "move-under-way",
        `store paths are on their way from ${disk.name}: call that off first ("cairn disk moves --cancel")`,
      );
    }
    const wish = this.moves.wishes.get(disk.diskId);
    if (!drain || wish !== "retire") this.moves.wish(disk.diskId, drain ? "drain" : undefined);
    return disk;
  }

  /** What people may want to do with the disks, in words. */
  get advice(): readonly string[] {
    const { shelf, illness, pathsPerDisk, hintsAtRebalance = false } = this.#parts;
    const isMoving = this.moves.moves.some(isUnderWay);
    if (!hintsAtRebalance || isMoving) return [];
    const { wishes } = this.moves;
    const disks = shelf.ownDisks.map((disk) => ({
      name: disk.name,
      paths: disk.passport.paths.length,
      isFit: !wishes.has(disk.diskId) && illness(disk) === undefined,
    }));
    const hint = rebalanceHint(disks, pathsPerDisk);
    return hint === undefined ? [] : [hint];
  }

  async planRebalance(): Promise<readonly PlannedMove[]> {
    const { pathsPerDisk } = this.#parts;
    const rooms = await this.#rooms(({ passport }) => passport.paths.length > pathsPerDisk);
    const moves = planRebalance(rooms, pathsPerDisk);
    return moves.filter(({ storePath }) => !this.#isMoving(storePath));
  }

  async rebalance(agreed: readonly AgreedMove[]): Promise<void> {
    const moves = await this.planRebalance();
    requireAgreed(moves, agreed);
    this.moves.add(moves.map(asMove), "rebalance");
  }

  #isMoving(storePath: number): boolean {
    return this.moves.moves.some((move) => move.storePath === storePath && isUnderWay(move));
  }

  #rooms(counted: (disk: OwnDisk) => boolean) {
    const { shelf, illness } = this.#parts;
    const { wishes } = this.moves;
    const unfit = (disk: OwnDisk): string | undefined => {
      const wish = wishes.get(disk.diskId);
      if (wish === "drain") return "is drained";
      return wish === "retire" ? "is retired" : illness(disk);
    };
    return roomOf(shelf.ownDisks, counted, { ...this.#parts, unfit });
  }
}

/** Throws `plan-changed`: what was shown is not what would be done. */
function requireAgreed(moves: readonly PlannedMove[], agreed: readonly AgreedMove[]): void {
  const words = (path: number, to: string): string => `${path} ${to}`;
  const planned = moves.map(({ storePath, to }) => words(storePath, to.diskId)).sort();
  const wanted = agreed.map(({ storePath, to }) => words(storePath, to)).sort();
  if (planned.join() === wanted.join()) return;
  throw new AppError(
    "plan-changed",
    "the disks are not what they were when this was planned: look again",
  );
}

function asMove({ storePath, from, to }: PlannedMove) {
  return { storePath, source: from.diskId, target: to.diskId };
}
