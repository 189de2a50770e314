/**
 * The disks of this node: what is found, what the plan says of it (`disks/disk-plan.ts`), and doing that: mounting, store paths that come
 * and go, passports that follow. Looks again whenever something has come or gone. Touches no data disk itself: finders and workers do.
 * Main thread.
 */
import { AppError, describeError } from "#base/app-error.ts";
import { ignore } from "#base/log.ts";
import type {
  DiskShelfParts,
  OwnDisk,
  PlacedPath,
  ShelfReport,
  ShelfStore,
} from "#daemon/shelf-world.ts";
import { type DiskPlan, type DiskStep, planDisks } from "#disks/disk-plan.ts";
import { type LostDisk, lostDisks, requireAbsent } from "#disks/moves/new-disk-paths.ts";
import {
  formatPassport,
  type Passport,
  type PassportOwner,
  passportFilenames,
} from "#disks/passport.ts";
import { followingPassport, ownedPassport, passportWithout } from "#disks/passport-changes.ts";
import type { SeenDisk } from "#disks/seen-disk.ts";
import type { DiskId } from "#model/disk-id.ts";
import { nowSeconds, type Timer } from "#platform/clock.ts";

/** Whether something has come or gone is looked at this often; that touches no disk. */
const watchPeriodMs = 500;
/** A disk that was found and cannot be mounted or opened is tried again after this. */
const retryMs = 10_000;

export class DiskShelf {
  readonly #parts: DiskShelfParts;
  #store: ShelfStore | undefined;
  #seen: readonly SeenDisk[] = [];
  #plan: DiskPlan = { verdicts: [], steps: [], absent: [], former: undefined };
  /** Store paths that are served, from which place. */
  readonly #served = new Map<number, string>();
  #timer: Timer | undefined;
  #stamp = "";
  #retryAtMs = Number.POSITIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #again = false;
  /** Places that somebody takes away: as if nothing were there. */
  readonly #leaving = new Set<(place: string) => boolean>();
  /** Store paths that are not to be opened: they are on their way to another disk. */
  readonly #held = new Set<number>();
  #stopped = false;

  constructor(parts: DiskShelfParts) {
    this.#parts = parts;
  }

  get seen(): readonly SeenDisk[] {
    return this.#seen;
  }

  get report(): ShelfReport {
    return { disks: this.#plan.verdicts, former: this.#plan.former };
  }

  /** Own disks that are served, each with a store path that lies on it. */
  get carriers(): readonly { readonly diskId: DiskId; readonly storePathIndex: number }[] {
    const disks = new Map<string, { diskId: DiskId; storePathIndex: number }>();
    for (const [index, place] of [...this.#served].sort(([one], [other]) => one - other)) {
      const passport = this.#passportAt(place);
      if (passport === undefined || disks.has(place)) continue;
      disks.set(place, { diskId: passport.diskId, storePathIndex: index });
    }
    return [...disks.values()];
  }

  get ownDisks(): readonly OwnDisk[] {
    return this.#plan.verdicts.flatMap(({ kind, place, name }) => {
      const seen = kind === "own" ? this.#seen.find((each) => each.place === place) : undefined;
      if (seen?.mountPoint === undefined || seen.passport.kind !== "genuine") return [];
      const { mountPoint } = seen;
      const { passport } = seen.passport;
      const served = [...this.#served].flatMap(([index, at]) => (at === place ? [index] : []));
      return [{ diskId: passport.diskId, name, mountPoint, passport, served }];
    });
  }

  get owner(): PassportOwner {
    const { identity, name } = this.#parts;
    return { id: identity.id, publicKey: identity.signer.publicKey, name };
  }

  /** Nobody is served from the path any more, until `release` and a look. Rejects as `takePath` does; then it is not held. */
  async hold(index: number, why: string): Promise<void> {
    this.#held.add(index);
    try {
      await this.#store?.takePathBriefly(index, why);
      this.#served.delete(index);
    } catch (error) {
      this.#held.delete(index);
      this.#served.delete(index);
      throw error;
    }
  }

  release(index: number): void {
    this.#held.delete(index);
  }

  /** While somebody else writes to the disks' passports, this neither reads nor writes them. */
  async apart(act: () => Promise<void>): Promise<void> {
    while (this.#looking !== undefined) await this.#looking.catch(() => undefined);
    const acting = act();
    const settled = acting.catch(() => undefined);
    this.#looking = settled;
    try {
      await acting;
    } finally {
      await settled;
      this.#looking = undefined;
    }
  }

  /** The disk that a store path is served from; undefined where it lies on none of the node's own. */
  diskOf(storePathIndex: number): DiskId | undefined {
    const place = this.#served.get(storePathIndex);
    return place === undefined ? undefined : this.#passportAt(place)?.diskId;
  }

  /** Before the store is there: what it is to begin with. Mounts what is ours. */
  async begin(): Promise<readonly PlacedPath[]> {
    await this.#find();
    await this.#mountAll();
    const placed: PlacedPath[] = [];
    for (const step of this.#plan.steps) {
      if (step.name === "remember") this.#save(step.disk);
      if (step.name !== "open") continue;
      placed.push(this.#placeOf(step));
      this.#served.set(step.index, step.place);
    }
    const absent = new Map(this.#plan.absent.map(({ index, why }) => [index, why]));
    const last = Math.max(...placed.map(({ index }) => index), ...absent.keys());
    for (let index = this.#parts.configured; index <= last; index += 1) {
      if (placed.some((path) => path.index === index)) continue;
      const why = absent.get(index) ?? "no disk of this node carries it: plug in the one that does";
      placed.push({ index, directory: "", diskDirectory: undefined, takesOver: false, why });
    }
    return placed.sort((one, other) => one.index - other.index);
  }

  /** The store has opened what `begin` said; what comes and goes is followed from now on. */
  start(store: ShelfStore): void {
    this.#store = store;
    this.#timer = this.#parts.clock.every(watchPeriodMs, () => this.#watch());
    ignore(this.#followPassports(), this.#parts.log, "the next look does it");
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  /** Something may have come or gone. Resolves when all that follows from it was done. */
  look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#again = true;
      return this.#looking;
    }
    this.#looking = this.#lookUntilDone().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** The number for a new store path: none that any disk of this node has or had. */
  get nextIndex(): number {
    const known = this.#parts.map.load().flatMap(({ paths }) => paths.map(({ index }) => index));
    return Math.max(this.#parts.configured - 1, ...known, ...this.#served.keys()) + 1;
  }

  /** Disks whose store paths nothing carries now. */
  get lostDisks(): readonly LostDisk[] {
    return lostDisks(this.#parts.map.load(), this.#absent);
  }

  get #absent(): readonly number[] {
    return this.#plan.absent.map(({ index }) => index);
  }

  /**
   * The passport of a disk that is given to this node: with these store paths, which have no disk now, or with new ones. Throws
   * `store-path-taken`.
   */
  newPassport(diskId: DiskId, agreed?: readonly number[]): string {
    const { identity, group, clock, pathsPerDisk = 1 } = this.#parts;
    if (agreed !== undefined) requireAbsent(agreed, this.#absent);
    const first = this.nextIndex;
    const indexes = agreed ?? Array.from({ length: pathsPerDisk }, (_, at) => first + at);
    const paths = indexes.map((index) => {
      return { index, id: undefined, directory: `store/${pathName(index)}` };
    });
    const history = [{ at: nowSeconds(clock), what: "given", node: identity.id }];
    const passport = { diskId, revision: 1, node: this.owner, group, paths, history, rest: {} };
    return formatPassport(passport, identity.signer);
  }

  /**
   * Serves nothing from these places any more, so that they can be unmounted. What it resolves to ends that; but for those that `stay` away,
   * such as a plugging of a disk that was ejected.
   */
  async letGo(
    leaves: (place: string) => boolean,
  ): Promise<(stay?: (place: string) => boolean) => Promise<void>> {
    this.#leaving.add(leaves);
    await this.look();
    return async (stay) => {
      this.#leaving.delete(leaves);
      if (stay !== undefined) this.#leaving.add(stay);
      await this.look();
    };
  }

  /** A disk of another node is ours from now on, with its store paths and their numbers. Rejects with what stands against it. */
  async adopt(diskId: DiskId): Promise<readonly number[]> {
    await this.look();
    const verdict = this.#plan.verdicts.find((each) => each.diskId === diskId);
    if (verdict === undefined) throw noSuchDisk(diskId);
    if (verdict.kind !== "foreign") {
      throw new AppError("disk-not-foreign", `${verdict.name} ${verdict.says}`);
    }
    const passport = this.#passportAt(verdict.place);
    if (passport === undefined) throw noSuchDisk(diskId);
    this.#requireFree(passport, verdict.name);
    const { paths } = passport;
    this.#parts.log.notice("disk-adopted", { disk: diskId, from: passport.node.id });
    this.#save({ diskId, role: "adopting", paths });
    await this.look();
    return paths.map(({ index }) => index);
  }

  /** Where the disk at `place` is mounted, by somebody's yes if it is not yet. */
  async mountPointOf(place: string): Promise<string> {
    const disk = this.#seen.find((each) => each.place === place);
    const { finder } = this.#parts;
    const mountPoint = disk?.mountPoint ?? (disk && (await finder.mount?.(disk)));
    if (mountPoint !== undefined) return mountPoint;
    throw new AppError("disk-unknown", `${place} has gone`);
  }

  #requireFree({ paths, group }: Passport, name: string): void {
    const { map, configured } = this.#parts;
    if (group !== this.#parts.group) {
      throw new AppError(
        "disk-of-other-group",
        `${name} holds files of group ${group}, and the group is part of their ids: this storage is of group ${this.#parts.group} (storage.group)`,
      );
    }
    const own = map.load().filter(({ role }) => role === "store");
    const used = new Set(own.flatMap(({ paths }) => paths.map(({ index }) => index)));
    for (const { index } of paths) {
      if (index >= configured && !used.has(index) && !this.#served.has(index)) continue;
      throw new AppError(
        "store-path-taken",
        `${name} carries store path ${pathName(index)}, and this node has one of that number, which is part of the ids of its files`,
      );
    }
  }

  #watch(): void {
    const isDue = this.#parts.clock.monotonicMs() >= this.#retryAtMs;
    if (this.#looking !== undefined || (!isDue && this.#parts.stamp() === this.#stamp)) return;
    ignore(this.look(), this.#parts.log, "it is looked at again");
  }

  async #lookUntilDone(): Promise<void> {
    do {
      this.#again = false;
      this.#retryAtMs = Number.POSITIVE_INFINITY;
      await this.#find();
      await this.#takeAll();
      await this.#mountAll();
      for (const step of this.#plan.steps) await this.#perform(step);
      await this.#followPassports();
    } while (this.#again && !this.#stopped);
  }

  async #find(): Promise<void> {
    const { finder, stamp } = this.#parts;
    this.#stamp = stamp();
    const found = await finder.find();
    if (finder.isIncomplete === true) this.#retryLater();
    this.#seen = found.filter(({ place }) => ![...this.#leaving].some((leaves) => leaves(place)));
    this.#replan();
  }

  #replan(): void {
    const { map, identity, configured, log } = this.#parts;
    const before = new Map(this.#plan.verdicts.map(({ place, kind }) => [place, kind]));
    this.#plan = planDisks({
      seen: this.#seen,
      known: map.load(),
      ownId: identity.id,
      served: this.#served,
      configured,
    });
    for (const { place, name, kind, says } of this.#plan.verdicts) {
      if (before.get(place) === kind) continue;
      log[kind === "own" ? "notice" : "warn"](`disk-${kind}`, { disk: name, says });
    }
  }

  /** Before anything is mounted: a disk that has just come back would be taken for the one that it was, in the same place. */
  async #takeAll(): Promise<void> {
    for (const step of this.#plan.steps) if (step.name === "take") await this.#perform(step);
    this.#replan();
  }

  async #mountAll(): Promise<void> {
    const { finder, log } = this.#parts;
    const mounts = this.#plan.steps.filter(({ name }) => name === "mount");
    for (const step of mounts) {
      const disk =
        "place" in step ? this.#seen.find(({ place }) => place === step.place) : undefined;
      if (disk === undefined || finder.mount === undefined) continue;
      try {
        await finder.mount(disk);
      } catch (error) {
        this.#retryLater();
        log.error("disk-not-mounted", { disk: disk.name, why: describeError(error) });
      }
    }
    if (mounts.length > 0) await this.#find();
  }

  async #perform(step: DiskStep): Promise<void> {
    const store = this.#store;
    if (this.#stopped || store === undefined) return;
    switch (step.name) {
      case "remember":
        this.#save(step.disk);
        return;
      case "take":
        await this.#take(store, step);
        return;
      case "forget":
        await this.#try("passport-not-written", step.indexes[0] ?? 0, () => this.#forget(step));
        return;
      case "open":
        if (this.#held.has(step.index)) return;
        await this.#try("store-path-not-added", step.index, async () => {
          await store.addPath(this.#placeOf(step));
          this.#served.set(step.index, step.place);
        });
    }
  }

  /** Its disk has gone; when none of its store paths is used any more, its mount goes as well. */
  async #take(
    store: ShelfStore,
    { index, why }: Extract<DiskStep, { name: "take" }>,
  ): Promise<void> {
    const place = this.#served.get(index);
    this.#served.delete(index);
    // A disk that was pulled fails the last flush; its mount goes all the same.
    await this.#try("store-path-not-taken", index, () => store.takePath(index, why));
    const isUsed = place === undefined || [...this.#served.values()].includes(place);
    // Whoever takes it away unmounts it as well.
    if (isUsed || [...this.#leaving].some((leaves) => leaves(place))) return;
    if (this.#seen.some((disk) => disk.mountPoint === place)) return;
    await this.#try("disk-not-released", index, async () => this.#parts.finder.release?.(place));
  }

  /** Its store paths went to another disk, and the passport did not come to say so. */
  async #forget({ place, indexes }: Extract<DiskStep, { name: "forget" }>): Promise<void> {
    const passport = this.#passportAt(place);
    if (passport === undefined || this.#store === undefined) return;
    const at = nowSeconds(this.#parts.clock);
    const what = "store path moved to another disk";
    const change = { at, owner: this.owner, what };
    await this.#write(passportWithout(passport, new Set(indexes), change), place, this.#store);
  }

  async #try(event: string, path: number, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#retryLater();
      this.#parts.log.error(event, { path, why: describeError(error) });
    }
  }

  #retryLater(): void {
    this.#retryAtMs = this.#parts.clock.monotonicMs() + retryMs;
  }

  #placeOf({ index, directory, place, diskId }: Extract<DiskStep, { name: "open" }>): PlacedPath {
    const role = this.#parts.map.load().find((disk) => disk.diskId === diskId)?.role;
    const takesOver = role === "adopting";
    const diskDirectory = this.#seen.find((disk) => disk.place === place)?.mountPoint;
    return { index, directory, diskDirectory, takesOver, why: undefined };
  }

  #save(disk: Extract<DiskStep, { name: "remember" }>["disk"]): void {
    this.#parts.map.save({ ...disk, seenAt: nowSeconds(this.#parts.clock) });
  }

  #passportAt(place: string): Passport | undefined {
    const found = this.#seen.find((disk) => disk.place === place)?.passport;
    return found?.kind === "genuine" ? found.passport : undefined;
  }

  /** What is served says on its disk whose it is, and by which ids its store paths are known. */
  async #followPassports(): Promise<void> {
    const store = this.#store;
    if (store === undefined) return;
    const { clock, log } = this.#parts;
    for (const place of new Set(this.#served.values())) {
      const passport = this.#passportAt(place);
      if (passport === undefined || this.#stopped) continue;
      const { owner } = this;
      const at = nowSeconds(clock);
      const ids = followingPassport(passport, (index) => store.pathId(index), { at, owner });
      const changed = ownedPassport(ids ?? passport, { at, owner }) ?? ids;
      if (changed === undefined) continue;
      try {
        await this.#write(changed, place, store);
      } catch (error) {
        this.#retryLater();
        log.error("passport-not-written", { disk: place, why: describeError(error) });
      }
    }
  }

  async #write(passport: Passport, place: string, store: ShelfStore): Promise<void> {
    const { diskId, paths } = passport;
    const carrier = paths.find(({ index }) => this.#served.get(index) === place);
    const text = formatPassport(passport, this.#parts.identity.signer);
    if (carrier !== undefined) {
      const bytes = Buffer.from(text);
      for (const name of passportFilenames) {
        await store.writeDiskFile(carrier.index, { name, bytes });
      }
    } else {
      const mountPoint = this.#seen.find((disk) => disk.place === place)?.mountPoint;
      const { writeBare } = this.#parts;
      if (mountPoint === undefined || writeBare === undefined) return;
      await writeBare(mountPoint, text);
    }
    this.#save({ diskId, role: "store", paths });
    this.#seen = this.#seen.map((disk) =>
      disk.place === place ? { ...disk, passport: { kind: "genuine", passport } } : disk,
    );
    this.#replan();
  }
}

/** As names of files have it. */
export function pathName(index: number): string {
  return `M${index.toString(16).toUpperCase().padStart(2, "0")}`;
}

function noSuchDisk(diskId: string): AppError {
  return new AppError(
    "disk-unknown",
    `no disk ${diskId} is there: "cairn disk found" lists those that are`,
  );
}
