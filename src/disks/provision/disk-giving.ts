/**
 * The daemon's part in making a disk one of its own: asks the helper, keeps a note of each work in the data directory, and hands over what
 * became of it. What the disk is to carry is decided here, whether it may be written to by the helper. Main thread.
 */
import { AppError, describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { ignore } from "#base/log.ts";
import { list, readShape, record, type ShapeValue, text } from "#base/schema.ts";
import type { HelperClient } from "#disks/helper-client.ts";
import type { DiskFileSystem, Identified, VerbInput, VerbResult } from "#disks/helper-protocol.ts";
import { DiskId } from "#model/disk-id.ts";
import type { Clock } from "#platform/clock.ts";
import type { Random } from "#platform/random.ts";

export interface DiskGivingParts {
  readonly helper: Pick<HelperClient, "ask">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Of the notes. */
  readonly readNotes: () => string | undefined;
  readonly writeNotes: (text: string) => void;
  /** What the new disk is to say on itself, with these store paths, or new ones. Throws where it cannot have these. */
  readonly passportFor: (diskId: DiskId, storePaths: readonly number[] | undefined) => string;
  /** The disk is mounted with its passport; resolves when its store paths are served. */
  readonly placed: (directory: string) => Promise<void>;
  /** Stops using what is mounted of the disk; resolves to what ends that, or makes it last until the disk is plugged in anew. */
  readonly letGo: (
    disk: string,
    sequence: number,
  ) => Promise<(isEjected: boolean) => Promise<void>>;
}

export interface Giving {
  readonly diskId: DiskId;
  readonly disk: string;
  readonly state: "running" | "done" | "failed" | "undone" | "interrupted";
  readonly step: string;
  readonly permille: number;
  readonly problem: string | undefined;
  readonly directory: string | undefined;
}

export interface GivenDisk {
  readonly disk: string;
  readonly sequence: number;
  readonly token: string;
  readonly typed: VerbInput<"provision">["typed"];
  readonly fileSystem: DiskFileSystem;
  /** That have no disk now; undefined for new ones. */
  readonly storePaths?: readonly number[] | undefined;
}

const noteShape = record({
  diskId: text({ maxLength: 32 }),
  disk: text({ maxLength: 32 }),
  fileSystem: text({ maxLength: 16 }),
  passport: text({ maxLength: 64 * 1024 }),
});
const notesShape = record({ works: list(noteShape, { max: 64 }) });
type Note = ShapeValue<typeof noteShape>;

/** A disk may have to spin up, and mkfs of a large one says nothing for minutes. */
const lookSilenceMs = 60_000;
const makeSilenceMs = 900_000;
/** Of one question to read on; slow disks give 100 MB a second. */
const readBytes = 256 * 1024 * 1024;
const maxKept = 64;
const diskIdBytes = 16;

export class DiskGiving {
  readonly #parts: DiskGivingParts;
  readonly #givings = new Map<string, Giving>();
  /** By disk, the end of the last one. */
  readonly #readings = new Map<string, Promise<undefined>>();
  #notes: readonly Note[];

  constructor(parts: DiskGivingParts) {
    this.#parts = parts;
    this.#notes = notesOf(parts.readNotes());
    for (const { diskId, disk } of this.#notes) {
      this.#tell({ diskId: DiskId(diskId), disk, state: "interrupted" });
    }
  }

  get givings(): readonly Giving[] {
    return [...this.#givings.values()];
  }

  prepare(disk: string): Promise<Identified> {
    return this.#parts.helper.ask("identify", { disk }, { silenceMs: lookSilenceMs });
  }

  /** Reads on: some seconds' worth, or one second's worth at a pace. Readings of one disk wait for each other. */
  async read(disk: string, sequence: number, bytesPerSecond?: number): Promise<VerbResult<"read">> {
    const pace = bytesPerSecond === undefined ? {} : { bytesPerSecond };
    const input = { disk, sequence, maxBytes: bytesPerSecond ?? readBytes, ...pace };
    const before = this.#readings.get(disk) ?? Promise.resolve();
    const reading = before.then(() =>
      this.#parts.helper.ask("read", input, { silenceMs: lookSilenceMs }),
    );
    const ended = reading.then(
      () => undefined,
      () => undefined,
    );
    this.#readings.set(disk, ended);
    try {
      return await reading;
    } finally {
      if (this.#readings.get(disk) === ended) this.#readings.delete(disk);
    }
  }

  /** Begins; how it goes on is in `givings`. Throws where another work on the disk is under way. */
  add(given: GivenDisk): DiskId {
    const { disk, sequence, token, typed, fileSystem, storePaths } = given;
    this.#requireIdle(disk);
    const { random, passportFor } = this.#parts;
    const diskId = DiskId(Buffer.from(random.bytes(diskIdBytes)).toString("hex"));
    const passport = passportFor(diskId, storePaths);
    this.#save([...this.#notes, { diskId, disk, fileSystem, passport }]);
    const plan = { diskId, fileSystem };
    const input = { disk, sequence, action: "begin", plan, passport, token } as const;
    this.#start(diskId, typed === undefined ? input : { ...input, typed });
    return diskId;
  }

  /** Goes on with an interrupted work, or undoes it. Throws `nothing-unfinished`. */
  resume(wanted: {
    readonly disk: string;
    readonly sequence: number;
    readonly diskId: DiskId;
    readonly undo: boolean;
  }): void {
    const { disk, sequence, diskId, undo } = wanted;
    this.#requireIdle(disk);
    const note = this.#notes.find((each) => each.diskId === diskId);
    const fileSystem = note?.fileSystem;
    const known: DiskFileSystem =
      fileSystem === "xfs" || fileSystem === "btrfs" ? fileSystem : "ext4";
    const plan = { diskId, fileSystem: known };
    if (undo) {
      this.#start(diskId, { disk, sequence, action: "undo", plan });
      return;
    }
    const passport = note?.passport ?? this.#parts.passportFor(diskId, undefined);
    this.#start(diskId, { disk, sequence, action: "continue", plan, passport });
  }

  async eject(disk: string, sequence: number): Promise<boolean> {
    this.#requireIdle(disk);
    const { helper, letGo } = this.#parts;
    const end = await letGo(disk, sequence);
    let isEjected = false;
    try {
      const limits = { silenceMs: lookSilenceMs };
      const { detached } = await helper.ask("eject", { disk, sequence }, limits);
      isEjected = true;
      return detached;
    } finally {
      await end(isEjected);
    }
  }

  #start(diskId: DiskId, input: VerbInput<"provision">): void {
    this.#tell({ diskId, disk: input.disk, state: "running" });
    ignore(this.#make(diskId, input), this.#parts.log, "its end is in the list of givings");
  }

  async #make(diskId: DiskId, input: VerbInput<"provision">): Promise<void> {
    const { helper, log, placed } = this.#parts;
    const { disk, action } = input;
    const seen = { diskId, disk, state: "running" } as const;
    log.notice("disk-giving", { disk, diskId, action });
    try {
      const { directory } = await helper.ask("provision", input, {
        silenceMs: makeSilenceMs,
        progress: ({ step, permille }) => this.#tell({ ...seen, step, permille }),
      });
      if (directory !== undefined) {
        this.#tell({ ...seen, step: "serving", permille: 990, directory });
        await placed(directory);
      }
      this.#save(this.#notes.filter((note) => note.diskId !== diskId));
      const state = directory === undefined ? "undone" : "done";
      this.#tell({ ...seen, state, step: state, permille: 1000, directory });
      log.notice("disk-given", { disk, diskId, state });
    } catch (error) {
      const problem = describeError(error);
      log.error("disk-not-given", { disk, diskId, why: problem });
      // What was refused never began; anything else can go on.
      if (hasBegun(error, action)) this.#tell({ ...seen, state: "interrupted", problem });
      else {
        this.#save(this.#notes.filter((note) => note.diskId !== diskId));
        this.#tell({ ...seen, state: "failed", problem });
      }
    }
  }

  #requireIdle(disk: string): void {
    const busy = this.givings.find((each) => each.disk === disk && each.state === "running");
    if (busy === undefined) return;
    throw new AppError("disk-busy", `${disk} is being made one of this node's: wait for its end`);
  }

  #tell(change: Pick<Giving, "diskId" | "disk" | "state"> & Partial<Giving>): void {
    const before = this.#givings.get(change.diskId);
    const fresh = { step: "", permille: 0, problem: undefined, directory: undefined };
    const kept = before?.state === "running" ? before : undefined;
    this.#givings.set(change.diskId, { ...fresh, ...kept, ...change });
    const [oldest] = this.#givings.keys();
    if (this.#givings.size > maxKept && oldest !== undefined) this.#givings.delete(oldest);
  }

  #save(notes: readonly Note[]): void {
    this.#notes = notes.slice(-maxKept);
    this.#parts.writeNotes(`${JSON.stringify({ works: this.#notes })}\n`);
  }
}

/** Refusals of the helper that come before its first write. */
const beforeAnything = [
  ...["write-refused", "input-invalid", "verb-unknown", "device-missing", "device-changed"],
  ...["device-busy", "passport-refused", "nothing-unfinished"],
];

function hasBegun(error: unknown, action: VerbInput<"provision">["action"]): boolean {
  if (action !== "begin") return true;
  // Where the helper was lost nobody knows: the disk itself tells.
  if (!(error instanceof AppError) || error.code === "helper-unreachable") return true;
  return !beforeAnything.includes(error.code);
}

/** What cannot be read is as if it were not there: the disks tell of themselves. */
function notesOf(content: string | undefined): readonly Note[] {
  if (content === undefined) return [];
  try {
    const read = readShape(notesShape, JSON.parse(content), { what: "notes", surplus: "drop" });
    return read.works.filter(({ diskId }) => /^[0-9a-f]{32}$/.test(diskId));
  } catch {
    return [];
  }
}
