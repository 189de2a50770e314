/**
 * The disks of a node that looks after them: finding them, their store paths, and the copies of the node's state that they carry. Puts those
 * parts together. Main thread.
 */
import { posix } from "node:path";
import { AppError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import type { Config } from "#config/schema.ts";
import { DiskMoves } from "#daemon/disk-moves.ts";
import { DiskShelf } from "#daemon/disk-shelf.ts";
import { ForeignDisks } from "#daemon/foreign-disks.ts";
import { Mover } from "#daemon/mover.ts";
import { identityFilename, type NodeIdentity } from "#daemon/node-identity.ts";
import { nodeName } from "#daemon/node-status.ts";
import type { OwnDisk, ShelfReport } from "#daemon/shelf-world.ts";
import { type DiskNotes, diskOf } from "#daemon/shown-disks.ts";
import { StateKeeper } from "#daemon/state-keeper.ts";
import { stageRestore } from "#daemon/state-restore.ts";
import type { StorageHalf } from "#daemon/storage-half.ts";
import { StorePathMoves } from "#daemon/store-path-moves.ts";
import { DeviceDisks } from "#disks/device-disks.ts";
import type { DiskInventory } from "#disks/disk-inventory.ts";
import { DiskTable } from "#disks/disk-table.ts";
import { HelperClient, helperAsChild, helperAtSocket } from "#disks/helper-client.ts";
import { MountedDisks } from "#disks/mounted-disks.ts";
import { MoveTable } from "#disks/moves/move-table.ts";
import { type Passport, passportDirectory, passportFilenames } from "#disks/passport.ts";
import { BlankWatch } from "#disks/provision/blank-watch.ts";
import { DiskGiving } from "#disks/provision/disk-giving.ts";
import { GivingAgain } from "#disks/provision/giving-again.ts";
import { fileSystemUuidOf } from "#disks/provision/layout.ts";
import type { DiskFinder } from "#disks/seen-disk.ts";
import { stateCopyFilename } from "#disks/state-copy.ts";
import { type DiskFacts, diskKeyOf } from "#model/disk-facts.ts";
import type { DiskId } from "#model/disk-id.ts";
import { GroupName } from "#model/group-name.ts";
import type { NodeId } from "#model/node-id.ts";
import { delay } from "#platform/clock.ts";
import type { Database } from "#platform/databases.ts";
import { parseMounts } from "#platform/mount-table.ts";
import type { Platform } from "#platform/platform.ts";

/** Writing all that a kernel holds back onto a slow disk. */
const flushMs = 1_800_000;
/** A thread in the middle of a piece has this long to end it. */
const stopLimitMs = 5000;

/** Of a file of its own, or its metadata: what a trunk file has is found by a scrub. */
const filePlace = /^[0-9A-F]{2}\/[0-9A-F]{2}\/[\w-]{27}/;

export interface OwnDisksParts {
  readonly platform: Platform;
  readonly config: Config;
  readonly database: Database;
  readonly identity: NodeIdentity;
  /** Undefined where nobody looks at disks. */
  readonly inventory: Pick<DiskInventory, "disks" | "look" | "subscribe"> | undefined;
  readonly log: Log;
}

export class OwnDisks {
  readonly #parts: OwnDisksParts;
  readonly #mounted: MountedDisks;
  /** Undefined where nobody could mount anything. */
  readonly #devices: DeviceDisks | undefined;
  readonly #helper: HelperClient | undefined;
  readonly #map: DiskTable;
  #unsubscribe = (): void => {};
  #isServing = (): boolean => false;
  /** What is there, and what is done about it. */
  readonly shelf: DiskShelf;
  /** What others have left. */
  readonly foreign: ForeignDisks;
  /** Making new ones. Undefined where there is nobody who could. */
  readonly giving: DiskGiving | undefined;
  /** Reading those that look blank. Undefined where there is nobody who could. */
  readonly blanks: BlankWatch | undefined;
  /** Taking store paths from disk to disk. */
  readonly moves: DiskMoves;
  /** Whether a disk may be read from without waking it. */
  mayReadDisk: (name: string) => boolean = () => true;
  /** What is the matter with a disk, by its health; undefined where it is well, or nobody knows. */
  illnessOf: (disk: DiskFacts) => string | undefined = () => undefined;
  readonly #mover: Mover;
  /** Pluggings that were ejected. */
  readonly #ejected = new Set<string>();
  #keeper: StateKeeper | undefined;

  constructor(parts: OwnDisksParts) {
    this.#parts = parts;
    const { platform, config, database, identity, log } = parts;
    const { clock, commands, host } = platform;
    const mountDirectory = posix.resolve(host.workingDirectory, config.disks.mountDirectory);
    const mounted = new MountedDisks({ commands, host, log, mountDirectory });
    this.#mounted = mounted;
    this.#map = new DiskTable(database);
    this.#helper = openHelper(platform, config);
    const { inventory } = parts;
    const devices =
      this.#helper === undefined || inventory === undefined
        ? undefined
        : new DeviceDisks({
            ...{ helper: this.#helper, log },
            disks: () => inventory.disks,
            remembered: (uuid) => this.#remembered(uuid),
          });
    this.#devices = devices;
    this.shelf = new DiskShelf({
      ...{ clock, log, identity },
      finder: finderOf(mounted, devices),
      stamp: () => [mounted.stamp, devices?.stamp].join("\n"),
      map: this.#map,
      name: nodeName(config, host),
      group: GroupName(config.storage.group),
      configured: config.storage.paths.length,
      pathsPerDisk: config.disks.pathsPerDisk,
      writeBare: (mountPoint, text) => this.#writeBare(mountPoint, text),
    });
    this.#mover = new Mover({ workers: platform.workers, clock });
    this.moves = this.#movesOf(this.shelf);
    this.foreign = new ForeignDisks(this.shelf, devices);
    this.giving = this.#helper && this.#giver(this.#helper);
    this.blanks = this.giving && this.#reader(this.giving);
  }

  /** Who may ask disks what needs the rights of root; undefined where there is nobody. */
  get helper(): HelperClient | undefined {
    return this.#helper;
  }

  #reader(giving: DiskGiving): BlankWatch {
    const { platform, config, log, inventory } = this.#parts;
    return new BlankWatch({
      ...{ giving, log, clock: platform.clock },
      disks: () => inventory?.disks ?? [],
      isTaken: (disk) => this.#roleOfDisk(disk).role !== undefined,
      isBusy: () => this.#isServing(),
      mayRead: (name) => this.mayReadDisk(name),
      bytesPerSecond: config.disks.blankReadRateBytes,
    });
  }

  #movesOf(shelf: DiskShelf): DiskMoves {
    const { platform, config, database, identity, log, inventory } = this.#parts;
    const { clock, commands, host } = platform;
    const disks = (): readonly DiskFacts[] => inventory?.disks ?? [];
    const moves = new StorePathMoves({
      ...{ clock, log, shelf, signer: identity.signer, mover: this.#mover },
      memory: new MoveTable(database),
      map: new DiskTable(database),
      flush: async (directory) => {
        const limits = { deadlineMs: flushMs, maxOutputBytes: 4096 };
        const { code, stderr } = await commands.run("sync", ["-f", directory], limits);
        if (code !== 0) throw new AppError("disk-failed", stderr.trim() || "sync failed");
      },
    });
    return new DiskMoves({
      ...{ shelf, moves, commands, clock, pathsPerDisk: config.disks.pathsPerDisk },
      hintsAtRebalance: config.disks.rebalance === "ask",
      isMount: (directory) =>
        parseMounts(host.readText("/proc/self/mountinfo") ?? "").some(
          ({ point }) => point === directory,
        ),
      diskNamed: (name) => {
        const named = disks().find((disk) => [disk.name, disk.serial, disk.wwn].includes(name));
        const isOn = ({ mountPoint }: OwnDisk): boolean =>
          named !== undefined && diskOf(mountPoint, disks()) === named;
        return shelf.ownDisks.find(isOn)?.diskId;
      },
      illness: ({ mountPoint }) => {
        const disk = diskOf(mountPoint, disks());
        return disk === undefined ? undefined : this.illnessOf(disk);
      },
    });
  }

  async #writeBare(mountPoint: string, text: string): Promise<void> {
    const files = passportFilenames.map((name) => ({
      path: posix.join(mountPoint, passportDirectory, name),
      text,
    }));
    const { signal } = new AbortController();
    const watch = { isBusy: () => false, progress: () => {}, signal };
    await this.#mover.run({ kind: "write", files }, watch);
  }

  #giver(helper: HelperClient): DiskGiving {
    const { platform, config, log } = this.#parts;
    const { clock, random, host } = platform;
    const notes = posix.join(config.node.dataDir, "disk-givings.json");
    return new DiskGiving({
      ...{ helper, clock, random, log },
      readNotes: () => host.readText(notes),
      writeNotes: (text) => host.replaceFile(notes, text),
      passportFor: (diskId, paths) => this.shelf.newPassport(diskId, paths),
      placed: () => this.shelf.look(),
      letGo: (disk, sequence) => this.#letGo(disk, sequence),
    });
  }

  /** What the passport of a disk of ours said last, by the number of the file system that was made for it. */
  #remembered(uuid: string): Passport | undefined {
    const { identity, config, platform } = this.#parts;
    const known = this.#map
      .load()
      .find(({ diskId, role }) => role !== "adopting" && fileSystemUuidOf(diskId) === uuid);
    if (known === undefined) return undefined;
    const { diskId, paths } = known;
    const { id, signer } = identity;
    const node = { id, publicKey: signer.publicKey, name: nodeName(config, platform.host) };
    const group = GroupName(config.storage.group);
    return { diskId, revision: 1, node, group, paths, history: [], rest: {} };
  }

  async #letGo(disk: string, sequence: number): Promise<(isEjected: boolean) => Promise<void>> {
    const mounts = this.#parts.platform.host.readText("/proc/self/mountinfo") ?? "";
    const directories = new Set(placesOf(disk, mounts));
    const isOfPlugging = (place: string): boolean => {
      const [device = "", plugging] = place.split("#");
      return plugging === String(sequence) && isPartOf(disk, device);
    };
    const leaving = this.shelf.ownDisks.filter(({ mountPoint }) => directories.has(mountPoint));
    for (const { diskId, name } of leaving) this.moves.moves.requireIdle(diskId, name);
    const end = await this.shelf.letGo((place) => directories.has(place) || isOfPlugging(place));
    return (isEjected) => {
      if (isEjected) this.#ejected.add(`${disk}#${sequence}`);
      return end(isEjected ? isOfPlugging : undefined);
    };
  }

  get report(): ShelfReport {
    return this.shelf.report;
  }

  async begin(): ReturnType<DiskShelf["begin"]> {
    const { inventory } = this.#parts;
    if (this.#devices !== undefined) await inventory?.look();
    return this.shelf.begin();
  }

  start(half: StorageHalf): void {
    const { platform, config, database, identity, log } = this.#parts;
    const { store } = half;
    this.shelf.start({
      addPath: async (path) => {
        await half.addPath(path);
        this.moves.moves.lookAgain();
      },
      takePath: (index, why) => store.takePath(index, why),
      takePathBriefly: (index, why) => store.takePathBriefly(index, why),
      pathId: (index) => store.inventories.identityOf(index)?.id,
      writeDiskFile: (index, file) => store.writeDiskFile(index, file),
    });
    this.moves.moves.start({
      closeForNew: (paths, lastResorts) => store.closeForNew(paths, lastResorts),
      isBusy: (index) => store.isBusy(index),
      heal: async (index, place) => {
        if (filePlace.test(place)) await store.scrubs.settle(index, place, "found");
      },
      stillDamaged: async (index, places) => {
        const damaged = (await store.scrubs.report(index))?.damaged ?? [];
        return places.filter((place) => damaged.some((each) => each.place === place));
      },
    });
    const keys = posix.join(config.node.dataDir, identityFilename);
    this.#keeper = new StateKeeper({
      ...{ clock: platform.clock, log, database, nodeId: identity.id },
      identity: platform.host.readText(keys) ?? "",
      carriers: () => this.shelf.carriers,
      write: (index, file) => store.writeDiskFile(index, file),
      mayWrite: (index) => store.mayReadInBackground(index),
    });
    this.#keeper.start();
    this.#isServing = () => store.paths.some(({ index }) => store.isBusy(index));
    this.blanks?.start();
    const { inventory } = this.#parts;
    if (inventory === undefined) return;
    const { giving } = this;
    const again = giving && new GivingAgain({ giving, disks: () => inventory.disks, log });
    const goOn = (): void => again && ignore(again.look(), log, "it never rejects");
    goOn();
    // What comes and goes is heard of before the next look at the mounts.
    this.#unsubscribe = inventory.subscribe(() => {
      ignore(this.shelf.look(), log, "it says why");
      goOn();
    });
  }

  /** While the store still takes files. False where a disk holds a thread. */
  async stop(): Promise<boolean> {
    this.#unsubscribe();
    this.blanks?.stop();
    const { clock } = this.#parts.platform;
    const ended = this.moves.moves.stop().then(() => true);
    const limit = delay(clock, stopLimitMs).then(() => false);
    const isFree = await Promise.race([ended, limit]);
    await this.shelf.stop();
    await this.#keeper?.stop();
    this.#helper?.close();
    return isFree;
  }

  /** What `cairn disks` shows of a disk beside what the probe found: its passport, what it is here, and how far it was read. */
  notesOf(disk: DiskFacts): Pick<DiskNotes, "role" | "diskId" | "blankReading"> {
    return { ...this.#roleOfDisk(disk), blankReading: this.blanks?.progressOf(disk) };
  }

  #roleOfDisk(disk: DiskFacts): Pick<DiskNotes, "role" | "diskId"> {
    if (this.#ejected.has(diskKeyOf(disk))) return { role: "ejected" };
    const { name, mounts, partitions } = disk;
    const parts = [{ name, mounts }, ...partitions];
    const places = new Set(
      parts.flatMap((part) => [`/dev/${part.name}`, ...part.mounts.map(({ point }) => point)]),
    );
    const verdict = this.report.disks.find((each) => places.has(each.name));
    if (verdict === undefined) return {};
    const { kind, diskId } = verdict;
    if (kind === "own") return { role: this.#roleOf(diskId), diskId };
    return { role: kind === "foreign" ? "foreign" : "refused", diskId };
  }

  #roleOf(diskId: DiskId | undefined): string {
    if (diskId === undefined) return "store";
    const wish = this.moves.moves.wishes.get(diskId);
    if (wish === "drain") return "draining";
    if (wish === undefined) return "store";
    const disk = this.shelf.ownDisks.find((each) => each.diskId === diskId);
    return disk?.passport.paths.length === 0 ? "retired" : "retiring";
  }

  adopt(diskId: DiskId): Promise<readonly number[]> {
    return this.shelf.adopt(diskId);
  }

  /** This node is that one from the next start on, which the caller brings about. Rejects where there is nothing to be restored. */
  async restore(nodeId: NodeId): Promise<{ readonly writtenAt: number; readonly disks: number }> {
    const { former } = this.report;
    if (former === undefined || former.id !== nodeId) {
      throw new AppError(
        "node-not-restorable",
        "only a node that was never given a disk can become another one, and only where all disks that carry a passport were that one's: unplug the others, or begin with an empty node.data_dir",
      );
    }
    const { platform, config, log } = this.#parts;
    const sources = former.places.map((place) => ({
      place,
      copyTo: async (path: string) => {
        const mountPoint = await this.shelf.mountPointOf(place);
        await this.#mounted.copyFile(mountPoint, stateCopyFilename, path);
      },
    }));
    const world = { host: platform.host, dataDirectory: config.node.dataDir, log };
    const { writtenAt } = await stageRestore(sources, nodeId, world);
    return { writtenAt, disks: sources.length };
  }
}

/** What is mounted, and what could be. */
function finderOf(mounted: MountedDisks, devices: DeviceDisks | undefined): DiskFinder {
  if (devices === undefined) return mounted;
  return {
    find: async () => [
      ...(await mounted.find((directory, source) => devices.isGone(directory, source))),
      ...(await devices.find()),
    ],
    get isIncomplete() {
      return devices.isIncomplete;
    },
    mount: (disk, readOnly) => devices.mount(disk, readOnly),
    release: (directory) => devices.release(directory),
  };
}

/** Behind the socket that the settings name, or a child, which is of use where the daemon is root. */
function openHelper(
  { network, children, clock, host }: Platform,
  { node, disks }: Config,
): HelperClient | undefined {
  // A simulation has no disks.
  if (children === undefined) return undefined;
  const mounts = posix.resolve(host.workingDirectory, disks.mountDirectory);
  const state = posix.resolve(host.workingDirectory, node.dataDir, "helper");
  const open =
    disks.helperSocket === ""
      ? helperAsChild(children, { state, mounts })
      : helperAtSocket(network, disks.helperSocket);
  return new HelperClient(open, clock);
}

/** Where a disk and its partitions are mounted. */
function placesOf(disk: string, mountinfo: string): readonly string[] {
  return parseMounts(mountinfo)
    .filter(({ source }) => source.startsWith("/dev/") && isPartOf(disk, source.slice(5)))
    .map(({ point }) => point);
}

/** Whether a device is the disk or a partition of it: `sda1` is of `sda`, `sdaa` is not. */
function isPartOf(disk: string, device: string): boolean {
  if (device === disk) return true;
  return device.startsWith(disk) && partitionEnd(disk).test(device.slice(disk.length));
}

function partitionEnd(disk: string): RegExp {
  return /\d$/.test(disk) ? /^p\d+$/ : /^\d+$/;
}
