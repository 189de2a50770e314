/**
 * Moves store paths from disk to disk, one at a time: performs what `disks/moves/move-machine.ts` says, remembers each step before the next
 * one, and goes on where a kill left it. What it cannot do now it tries again. Touches no disk itself. Main thread.
 */
import { posix } from "node:path";
import { AppError, describeError } from "#base/app-error.ts";
import type { Signer } from "#base/ed25519.ts";
import { ignore, type Log } from "#base/log.ts";
import type { DiskShelf } from "#daemon/disk-shelf.ts";
import type { Mover } from "#daemon/mover.ts";
import type { OwnDisk } from "#daemon/shelf-world.ts";
import type { DiskMap } from "#disks/disk-map.ts";
import {
  type MoveEffect,
  type MoveInput,
  type MoveState,
  type MoveTransition,
  transition,
} from "#disks/moves/move-machine.ts";
import type { DiskWish, MoveMemory } from "#disks/moves/move-table.ts";
import {
  isUnderWay,
  type MovePurpose,
  maxUnreadable,
  type StorePathMove,
  takesNoFiles,
} from "#disks/moves/store-path-move.ts";
import type { Passport, PassportPath } from "#disks/passport.ts";
import { formatPassport, passportDirectory, passportFilenames } from "#disks/passport.ts";
import { passportWith, passportWithout } from "#disks/passport-changes.ts";
import { stateCopyFilename } from "#disks/state-copy.ts";
import type { MoveFindings, MoveJob, MoveTally } from "#filestore/move/move-messages.ts";
import { unfinishedOf } from "#filestore/move/move-messages.ts";
import type { DiskId } from "#model/disk-id.ts";
import { StorePathIndex, storePathPrefix } from "#model/store-path-index.ts";
import { type Clock, delay, nowSeconds } from "#platform/clock.ts";

/** What did not work out is tried again after this, and when disks come or go. */
const retryMs = 30_000;

export interface MovedStore {
  /** New files go to other paths, but for the last resorts where there is no other; the reasons are for people. */
  closeForNew(paths: ReadonlyMap<number, string>, lastResorts: ReadonlySet<number>): void;
  isBusy(index: number): boolean;
  /** Looks at a file that its disk does not give, or gives wrong, and has a good copy from a peer where there is one. */
  heal(index: number, place: string): Promise<void>;
  /** Of these places, those that are still without a good file. */
  stillDamaged(index: number, places: readonly string[]): Promise<readonly string[]>;
}

export interface StorePathMovesParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly memory: MoveMemory;
  readonly map: DiskMap;
  readonly signer: Signer;
  readonly shelf: Pick<DiskShelf, "ownDisks" | "owner" | "hold" | "release" | "apart" | "look">;
  readonly mover: Pick<Mover, "run">;
  /** Puts everything that was written to a file system on its disk. */
  readonly flush: (mountPoint: string) => Promise<void>;
}

export interface ShownMove extends StorePathMove {
  /** Of the present run of a copy; undefined where none runs. */
  readonly tally: MoveTally | undefined;
}

export class StorePathMoves {
  readonly #parts: StorePathMovesParts;
  #store: MovedStore | undefined;
  readonly #moves: Map<number, StorePathMove>;
  readonly #notBeforeMs = new Map<number, number>();
  readonly #cancelled = new Set<number>();
  #current: { readonly storePath: number; readonly ending: AbortController } | undefined;
  #tally: MoveTally | undefined;
  #running: Promise<void> | undefined;
  #sleeping = new AbortController();
  #stopped = false;

  constructor(parts: StorePathMovesParts) {
    this.#parts = parts;
    this.#moves = new Map(parts.memory.load().map((move) => [move.storePath, move]));
  }

  get moves(): readonly ShownMove[] {
    return [...this.#moves.values()].map((move) => ({
      ...move,
      tally: this.#current?.storePath === move.storePath ? this.#tally : undefined,
    }));
  }

  get wishes(): ReadonlyMap<DiskId, DiskWish> {
    return this.#parts.memory.wishes();
  }

  /** The store serves; moves that were under way go on. */
  start(store: MovedStore): void {
    this.#store = store;
    this.#tellStore();
    this.#running = this.#run();
    ignore(this.#running, this.#parts.log, "each move says for itself why it does not go on");
  }

  /** Resolves when no thread has a disk any more; what is under way goes on at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#current?.ending.abort();
    this.#wake();
    await this.#running;
  }

  /** New files go to other disks, or may come again. */
  wish(disk: DiskId, wish: DiskWish | undefined): void {
    this.#parts.memory.wish(disk, wish);
    this.#tellStore();
  }

  /** Store paths or disks may be there that were not: they are told of, and what waits is tried again. */
  lookAgain(): void {
    this.#tellStore();
    this.#notBeforeMs.clear();
    this.#wake();
  }

  /** Throws `move-under-way` where the path is on its way already. */
  add(
    moves: readonly {
      readonly storePath: number;
      readonly source: DiskId;
      readonly target: DiskId;
    }[],
    purpose: MovePurpose,
  ): void {
    for (const { storePath } of moves) {
      const there = this.#moves.get(storePath);
      if (there === undefined || !isUnderWay(there)) continue;
      throw new AppError("move-under-way", `${nameOf(storePath)} is being moved already`);
    }
    for (const move of moves) {
      this.#save({
        ...move,
        ...{ purpose, phase: "waiting", problem: undefined, leavesUnreadable: false },
        ...{ unreadable: [], begunAt: nowSeconds(this.#parts.clock), endedAt: undefined },
      });
      this.#parts.log.notice("store-path-move", { path: move.storePath, to: move.target, purpose });
    }
    this.#wake();
  }

  /** What cannot be read is left behind. Throws as `cancel`. */
  leaveUnreadable(storePath: number): void {
    this.#save({ ...this.#underWay(storePath), leavesUnreadable: true });
    this.#notBeforeMs.delete(storePath);
    this.#wake();
  }

  /** Throws `move-unknown`, and `move-too-late` where the target has the path already. */
  cancel(storePath: number): void {
    const { phase, source, target } = this.#underWay(storePath);
    const isLost = phase === "committing" && this.#disk(target) === undefined;
    if ((phase === "committing" && !isLost) || phase === "cleaning") {
      throw new AppError("move-too-late", `${nameOf(storePath)} has arrived: move it back instead`);
    }
    this.#cancelled.add(storePath);
    if (this.wishes.get(source) === "retire") this.#parts.memory.wish(source, "drain");
    this.#notBeforeMs.delete(storePath);
    if (this.#current?.storePath === storePath) this.#current.ending.abort();
    this.#wake();
  }

  /** Throws `move-under-way` where the disk is being copied from or to. */
  requireIdle(disk: DiskId, name: string): void {
    const move = [...this.#moves.values()].find(
      (each) =>
        isUnderWay(each) &&
        each.phase !== "waiting" &&
        (each.source === disk || each.target === disk),
    );
    if (move === undefined) return;
    throw new AppError(
      "move-under-way",
      `${nameOf(move.storePath)} is on its way from or to ${name}: wait for its end, or call it off ("cairn disk moves --cancel ${nameOf(move.storePath)}")`,
    );
  }

  #underWay(storePath: number): StorePathMove {
    const move = this.#moves.get(storePath);
    if (move !== undefined && isUnderWay(move)) return move;
    throw new AppError("move-unknown", `${nameOf(storePath)} is not being moved`);
  }

  #save(move: StorePathMove): void {
    this.#parts.memory.save(move);
    this.#moves.set(move.storePath, move);
    this.#tellStore();
  }

  #tellStore(): void {
    const closed = new Map<number, string>();
    const { wishes } = this;
    for (const { diskId, passport } of this.#parts.shelf.ownDisks) {
      const wish = wishes.get(diskId);
      if (wish === undefined) continue;
      const why = wish === "drain" ? "its disk is drained" : "its disk is retired";
      for (const { index } of passport.paths) closed.set(index, why);
    }
    const lastResorts = new Set<number>();
    for (const move of this.#moves.values()) {
      if (!takesNoFiles(move)) continue;
      closed.set(move.storePath, "it is moved to another disk");
      if (wishes.get(move.source) !== "drain") lastResorts.add(move.storePath);
    }
    this.#store?.closeForNew(closed, lastResorts);
  }

  #wake(): void {
    this.#sleeping.abort();
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#stopped) {
      this.#sleeping = new AbortController();
      const move = this.#next();
      if (move === undefined) {
        await delay(clock, retryMs, this.#sleeping.signal).catch(() => undefined);
        continue;
      }
      await this.#advance(move);
      const after = this.#moves.get(move.storePath);
      if (after !== undefined && isUnderWay(after) && !this.#cancelled.has(move.storePath)) {
        this.#notBeforeMs.set(move.storePath, clock.monotonicMs() + retryMs);
      }
    }
  }

  /** What has begun goes on before anything else begins. */
  #next(): StorePathMove | undefined {
    const nowMs = this.#parts.clock.monotonicMs();
    const ready = [...this.#moves.values()].filter(
      (move) => isUnderWay(move) && (this.#notBeforeMs.get(move.storePath) ?? 0) <= nowMs,
    );
    return ready.find(({ phase }) => phase !== "waiting") ?? ready[0];
  }

  /** Until it is done, or cannot go on now. */
  async #advance(begun: StorePathMove): Promise<void> {
    const { storePath } = begun;
    const { log } = this.#parts;
    let input: MoveInput | undefined =
      begun.phase === "waiting" ? { name: "begin" } : { name: "found", at: this.#whereIs(begun) };
    while (input !== undefined) {
      const move: StorePathMove = this.#moves.get(storePath) ?? begun;
      const asked: MoveInput | undefined = this.#callOff(move);
      const next: MoveTransition = transition(stateOf(move), asked ?? input, move);
      this.#note(move, next.state);
      input = undefined;
      for (const effect of next.effects) {
        this.#current = { storePath, ending: new AbortController() };
        try {
          input = await this.#perform(effect, this.#moves.get(storePath) ?? move);
        } catch (error) {
          if (this.#stopped) return;
          if (this.#cancelled.has(storePath)) input = { name: "cancel" };
          else {
            log.warn("store-path-move-waits", { path: storePath, why: describeError(error) });
            input = { name: "failed", why: describeError(error) };
          }
          break;
        } finally {
          this.#current = undefined;
          this.#tally = undefined;
        }
      }
    }
  }

  /** What somebody asked for meanwhile; a target that has come back has the last word. */
  #callOff(move: StorePathMove): MoveInput | undefined {
    if (!this.#cancelled.delete(move.storePath)) return undefined;
    if (move.phase !== "committing") return { name: "cancel" };
    return this.#disk(move.target) === undefined ? { name: "abandon" } : undefined;
  }

  #note(move: StorePathMove, { phase, problem }: MoveState): void {
    if (phase === move.phase && problem === move.problem) return;
    const isOver = phase === "done" || phase === "cancelled";
    const endedAt = isOver ? nowSeconds(this.#parts.clock) : undefined;
    this.#save({ ...move, phase, problem, endedAt });
    if (phase === move.phase) return;
    this.#parts.log.notice("store-path-move", { path: move.storePath, phase });
  }

  /** What comes of it; undefined where the next effect does not wait for anything. */
  async #perform(effect: MoveEffect, move: StorePathMove): Promise<MoveInput | undefined> {
    const { shelf } = this.#parts;
    const { storePath } = move;
    switch (effect) {
      case "copy":
        return await this.#copy(move, "copy");
      case "take":
        await shelf.hold(
          storePath,
          `it is moved to another disk, and back in a moment: other storages of the group have its files meanwhile`,
        );
        return { name: "taken" };
      case "copy-rest":
        return await this.#copy(move, "copy-rest");
      case "commit":
        await shelf.apart(() => this.#commit(move));
        return { name: "committed" };
      case "serve":
        shelf.release(storePath);
        await shelf.look();
        return { name: "served" };
      case "clean":
        await this.#clean(move);
        return { name: "cleaned" };
      case "discard":
        await this.#discard(move);
        return undefined;
      case "reclaim":
        await shelf.apart(() => this.#reclaim(move));
        return { name: "reclaimed" };
    }
  }

  async #copy(move: StorePathMove, kind: "copy" | "copy-rest"): Promise<MoveInput> {
    const { source, target } = this.#ends(move);
    const job = { kind, source: source.directory, target: target.directory };
    const { findings } = await this.#work(move, job);
    await this.#parts.flush(target.disk.mountPoint);
    const unreadable = await this.#missing(move, findings);
    return { name: "copied", unreadable };
  }

  /** Files that have no good copy now. Has them looked at, while the path is served. */
  async #missing(move: StorePathMove, found: MoveFindings): Promise<number> {
    const { storePath } = move;
    const store = this.#store;
    if (store === undefined) return found.unreadableTotal;
    if (move.phase === "copying") {
      for (const place of [...found.unreadable, ...found.rotten]) {
        await store.heal(storePath, place).catch((error: unknown) => {
          this.#parts.log.warn("file-not-judged", { place, why: describeError(error) });
        });
      }
    }
    const before = move.unreadable.filter((place) => !found.unreadable.includes(place));
    const damaged = before.length === 0 ? [] : await store.stillDamaged(storePath, before);
    const unreadable = [...found.unreadable, ...damaged].slice(0, maxUnreadable);
    if (unreadable.join() !== move.unreadable.join()) this.#save({ ...move, unreadable });
    return found.unreadableTotal + damaged.length;
  }

  async #commit(move: StorePathMove): Promise<void> {
    const { source, target } = this.#ends(move);
    const { shelf, map, clock, signer } = this.#parts;
    const at = nowSeconds(clock);
    const { owner } = shelf;
    const moves = (source.path.moves ?? 0) + 1;
    const path: PassportPath = { ...source.path, directory: target.place, moves };
    const name = nameOf(move.storePath);
    const what = `${name} came from disk ${source.disk.diskId.slice(0, 8)}`;
    const arrived = passportWith(target.disk.passport, path, { at, owner, what });
    const left = passportWithout(source.disk.passport, new Set([move.storePath]), {
      ...{ at, owner, what: `${name} went to disk ${target.disk.diskId.slice(0, 8)}` },
    });
    // Remembered first: where the target is lost at this moment, the source is not served in its place unasked.
    map.save({ diskId: arrived.diskId, role: "store", paths: arrived.paths, seenAt: at });
    const files = [
      ...passportFiles(target.disk, formatPassport(arrived, signer)),
      ...passportFiles(source.disk, formatPassport(left, signer)),
    ];
    // Who carries nothing of the node any more carries no key of it either.
    const copies = left.paths.length > 0 ? [] : [stateCopyFilename];
    const removed = copies.map((file) =>
      posix.join(source.disk.mountPoint, passportDirectory, file),
    );
    await this.#work(move, { kind: "commit", target: target.directory, files, removed });
    map.save({ diskId: left.diskId, role: "store", paths: left.paths, seenAt: at });
  }

  /** Whatever the lost target's passport says, the source's says more. */
  async #reclaim(move: StorePathMove): Promise<void> {
    const { shelf, map, clock, signer } = this.#parts;
    const source = this.#disk(move.source);
    const path = source?.passport.paths.find(({ index }) => index === move.storePath);
    if (source === undefined || path === undefined) {
      throw new AppError(
        "disk-away",
        `the disk that carried ${nameOf(move.storePath)} is not there`,
      );
    }
    const at = nowSeconds(clock);
    const what = `${nameOf(move.storePath)} stayed: disk ${move.target.slice(0, 8)} was lost`;
    const moves = (path.moves ?? 0) + 2;
    const stays = passportWith(
      source.passport,
      { ...path, moves },
      { at, owner: shelf.owner, what },
    );
    const files = passportFiles(source, formatPassport(stays, signer));
    await this.#work(move, { kind: "write", files });
    map.save({ diskId: stays.diskId, role: "store", paths: stays.paths, seenAt: at });
    const lost = map.load().find(({ diskId }) => diskId === move.target);
    if (lost === undefined) return;
    map.save({ ...lost, paths: lost.paths.filter(({ index }) => index !== move.storePath) });
  }

  /** A source that is not there has nothing to be deleted now; its passport says that it has nothing. */
  async #clean(move: StorePathMove): Promise<void> {
    const disk = this.#disk(move.source);
    if (disk === undefined || hasPath(disk.passport, move.storePath)) return;
    await this.#work(move, { kind: "delete", directory: placeOn(disk, move.storePath) });
  }

  async #discard(move: StorePathMove): Promise<void> {
    const disk = this.#disk(move.target);
    if (disk === undefined || hasPath(disk.passport, move.storePath)) return;
    const directory = unfinishedOf(placeOn(disk, move.storePath));
    await this.#work(move, { kind: "delete", directory });
  }

  #work(move: StorePathMove, job: MoveJob) {
    const store = this.#store;
    const ends = [move.source, move.target].flatMap((each) => this.#disk(each)?.served ?? []);
    return this.#parts.mover.run(job, {
      // While the path is away its clients wait: nobody is let go first.
      isBusy: () => job.kind !== "copy-rest" && ends.some((index) => store?.isBusy(index) === true),
      progress: (tally) => {
        this.#tally = tally;
      },
      signal: this.#current?.ending.signal ?? AbortSignal.abort(),
    });
  }

  #disk(diskId: DiskId): OwnDisk | undefined {
    return this.#parts.shelf.ownDisks.find((each) => each.diskId === diskId);
  }

  /** Throws `disk-away` in words where one of the disks is not there, or is not what it was. */
  #ends(move: StorePathMove) {
    const { storePath } = move;
    const source = this.#disk(move.source);
    const target = this.#disk(move.target);
    const path = source?.passport.paths.find(({ index }) => index === storePath);
    if (source === undefined || path === undefined) {
      throw new AppError("disk-away", `the disk that carries ${nameOf(storePath)} is not there`);
    }
    if (target === undefined || hasPath(target.passport, storePath)) {
      throw new AppError("disk-away", `the disk that is to have ${nameOf(storePath)} is not there`);
    }
    const place = pathPlace(storePath);
    return {
      source: { disk: source, path, directory: posix.join(source.mountPoint, path.directory) },
      target: { disk: target, place, directory: placeOn(target, storePath) },
    };
  }

  #whereIs({ storePath, source, target }: StorePathMove): "source" | "target" | "neither" {
    const there = this.#disk(target);
    if (there === undefined) return "neither";
    if (hasPath(there.passport, storePath)) return "target";
    const from = this.#disk(source);
    return from !== undefined && hasPath(from.passport, storePath) ? "source" : "neither";
  }
}

function stateOf({ phase, problem }: StorePathMove): MoveState {
  return { phase, problem };
}

function passportFiles({ mountPoint }: OwnDisk, text: string) {
  return passportFilenames.map((name) => ({
    path: posix.join(mountPoint, passportDirectory, name),
    text,
  }));
}

function hasPath({ paths }: Passport, storePath: number): boolean {
  return paths.some(({ index }) => index === storePath);
}

/** Relative to the mount point, as for a new disk. */
function pathPlace(storePath: number): string {
  return `store/${nameOf(storePath)}`;
}

function placeOn({ mountPoint }: OwnDisk, storePath: number): string {
  return posix.join(mountPoint, pathPlace(storePath));
}

function nameOf(storePath: number): string {
  return storePathPrefix(StorePathIndex(storePath));
}
