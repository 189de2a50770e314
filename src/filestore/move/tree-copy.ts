/**
 * Makes one directory the same as another, file by file: names, contents, holes, times of modification, and names that share a file. What is
 * the same already is left alone, so that it can begin anew at any time, and passes over a store path that is served come to little. Whoever
 * sees nothing change meanwhile has an exact copy after a pass. The mover's thread.
 *
 * A copy counts as the same where size and time of modification are, and nothing about the source changed since two seconds before the copy
 * was last touched, by a clock that nobody can set in files. The time of modification is set last, so that half a copy never counts.
 */
import { crc32 } from "node:zlib";
import {
  flushEveryBytes,
  holeBytes,
  maxLinked,
  maxNamed,
  sameTimeNs,
  youngNs,
} from "#filestore/move/limits.ts";
import type { MoveFindings } from "#filestore/move/move-messages.ts";
import { isDiskError } from "#filestore/scrub/read-content.ts";
import { toldBy } from "#filestore/worker/replicas/replica-content.ts";
import {
  type DiskFile,
  type DiskFileFacts,
  type DiskReads,
  maxDiskRead,
} from "#platform/disk-reads.ts";
import { type FileDescriptor, FileError } from "#platform/files.ts";
import type { MoveFacts, MoveFiles } from "#platform/move-files.ts";

/** What is the engine's alone, and changes all the time while it runs. */
const ownPart = "data/.cairn";
/** Remains of damaged files: what cannot be read of them is no loss. */
const asidePart = `${ownPart}/aside`;
/** Never opened by anybody but who holds it: the lock would be gone. It means nothing on another disk. */
const claims: ReadonlySet<string> = new Set([`${ownPart}/claim`, `${ownPart}/claim-journal`]);
const zeros = Buffer.alloc(holeBytes);

export interface CopyWorld {
  readonly files: MoveFiles;
  /** Of the source. */
  readonly reads: DiskReads;
  readonly source: string;
  readonly target: string;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Called after each piece and each file; may wait, and throws where it is to end. */
  readonly pace: () => void;
}

export interface CopyCounts {
  files: number;
  bytes: number;
  copiedFiles: number;
  copiedBytes: number;
  /** They changed while they were copied: the next pass does it again. */
  unsteady: number;
}

interface FirstName {
  /** At the target. */
  readonly path: string;
  left: number;
}

export class TreeCopy {
  readonly #world: CopyWorld;
  readonly #links = new Map<number, FirstName>();
  readonly #unreadable: string[] = [];
  readonly #rotten: string[] = [];
  #unreadableTotal = 0;
  #nowNs = 0n;
  #whole = false;
  #counts = emptyCounts();

  constructor(world: CopyWorld) {
    this.#world = world;
  }

  get counts(): Readonly<CopyCounts> {
    return this.#counts;
  }

  get findings(): MoveFindings {
    return {
      unreadable: this.#unreadable,
      unreadableTotal: this.#unreadableTotal,
      rotten: this.#rotten,
    };
  }

  /**
   * `all`: with what is the engine's own, for which nothing may be served. Throws `FileError` for what is not a single file's fault, such as
   * a full target, and what `pace` throws.
   */
  pass(scope: "files" | "all"): void {
    this.#counts = emptyCounts();
    this.#links.clear();
    this.#unreadable.length = 0;
    this.#rotten.length = 0;
    this.#unreadableTotal = 0;
    this.#whole = scope === "all";
    this.#nowNs = BigInt(Math.floor(this.#world.nowMs())) * 1_000_000n;
    this.#directory("");
  }

  #directory(below: string): void {
    const { files, source, target, pace } = this.#world;
    const from = join(source, below);
    const to = join(target, below);
    const names = this.#names(below, from);
    if (names === undefined) return;
    if (files.facts(to)?.kind !== "directory") {
      this.#remove(to);
      files.makeDirectory(to);
    }
    const there = new Set(files.list(to) ?? []);
    for (const name of names) {
      const place = below === "" ? name : `${below}/${name}`;
      there.delete(name);
      if (this.#isPassedOver(place)) continue;
      this.#entry(place);
      pace();
    }
    for (const name of there) {
      const place = below === "" ? name : `${below}/${name}`;
      if (!this.#isPassedOver(place) || claims.has(place)) this.#remove(join(target, place));
    }
  }

  /** Undefined where it went away meanwhile, or the disk does not give it. */
  #names(below: string, from: string): readonly string[] | undefined {
    try {
      return this.#world.files.list(from)?.sort();
    } catch (error) {
      if (!isDiskError(error)) throw error;
      this.#missing(`${below}/`);
      return undefined;
    }
  }

  #isPassedOver(place: string): boolean {
    return claims.has(place) || (!this.#whole && place === ownPart);
  }

  #entry(place: string): void {
    const { files, source, target } = this.#world;
    const to = join(target, place);
    const facts = this.#look(place, join(source, place));
    if (facts === undefined) {
      this.#remove(to);
      return;
    }
    switch (facts.kind) {
      case "directory":
        this.#directory(place);
        return;
      case "file":
        this.#counts.files += 1;
        this.#counts.bytes += facts.sizeBytes;
        this.#file(place, facts);
        return;
      case "link": {
        const content = files.readLink(join(source, place));
        if (files.facts(to)?.kind === "link" && files.readLink(to) === content) return;
        this.#remove(to);
        files.makeLink(to, content);
        return;
      }
      case "other":
        // Nothing that the engine makes; nobody misses it.
        return;
    }
  }

  #look(place: string, path: string): MoveFacts | undefined {
    try {
      return this.#world.files.facts(path);
    } catch (error) {
      if (!isDiskError(error)) throw error;
      this.#missing(place);
      return undefined;
    }
  }

  #file(place: string, facts: MoveFacts): void {
    const { files, target } = this.#world;
    const to = join(target, place);
    const there = files.facts(to);
    const first = facts.links > 1 ? this.#links.get(facts.inode) : undefined;
    if (first !== undefined) {
      first.left -= 1;
      if (first.left <= 1) this.#links.delete(facts.inode);
      if (this.#isNameOf(to, there, first)) return;
    }
    if (!this.#isSame(facts, there)) {
      if (!this.#copy(place, facts, there)) return;
    }
    if (facts.links > 1 && first === undefined && this.#links.size < maxLinked) {
      this.#links.set(facts.inode, { path: to, left: facts.links });
    }
  }

  /** True where it is, or is now, another name of the file that was copied under its first one. */
  #isNameOf(to: string, there: MoveFacts | undefined, first: FirstName): boolean {
    const { files } = this.#world;
    const copy = files.facts(first.path);
    if (copy === undefined) return false;
    if (there?.inode === copy.inode) return true;
    this.#remove(to);
    try {
      files.makeHardLink(to, first.path);
      return true;
    } catch (error) {
      if (error instanceof FileError && ["EMLINK", "EPERM"].includes(error.code)) return false;
      throw error;
    }
  }

  #isSame(facts: MoveFacts, there: MoveFacts | undefined): boolean {
    if (there?.kind !== "file" || there.sizeBytes !== facts.sizeBytes) return false;
    const apart = there.modifiedNs - facts.modifiedNs;
    if (apart > sameTimeNs || apart < -sameTimeNs) return false;
    // A copy from the future was made before the clock was set back: nothing can be said by it.
    return there.changedNs > facts.changedNs + youngNs && there.changedNs <= this.#nowNs + youngNs;
  }

  /** False where it is not there: gone, or not to be read. */
  #copy(place: string, facts: MoveFacts, there: MoveFacts | undefined): boolean {
    const { files, reads, source, target } = this.#world;
    const to = join(target, place);
    // Another name of it may be a copy that is well.
    if (there !== undefined && (there.kind !== "file" || there.links > 1)) this.#remove(to);
    let from: DiskFile;
    try {
      from = reads.open(join(source, place));
    } catch (error) {
      return this.#notRead(place, to, new SourceError(error));
    }
    try {
      const descriptor = files.open(to, "write", facts.forOwner);
      try {
        this.#fill({ place, from, facts, descriptor });
      } finally {
        files.close(descriptor);
      }
    } catch (error) {
      return this.#notRead(place, to, error);
    } finally {
      from.close();
    }
    return true;
  }

  /** Of what is one file's fault; throws what is not. */
  #notRead(place: string, to: string, error: unknown): false {
    if (!(error instanceof SourceError)) throw error;
    const { cause } = error;
    const isGone = cause instanceof FileError && cause.code === "ENOENT";
    if (!isGone && !isDiskError(cause)) throw cause;
    this.#remove(to);
    if (!isGone) this.#missing(place);
    return false;
  }

  #fill(copy: {
    readonly place: string;
    readonly from: DiskFile;
    readonly facts: MoveFacts;
    readonly descriptor: FileDescriptor;
  }): void {
    const { place, from, facts, descriptor } = copy;
    const { files, pace } = this.#world;
    const before = from.facts();
    const hasHoles = facts.allocatedBytes < facts.sizeBytes;
    let crc = 0;
    let flushed = 0;
    for (let at = 0; at < before.sizeBytes; ) {
      const piece = readFrom(from, Math.min(maxDiskRead, before.sizeBytes - at), at);
      if (piece.length === 0) break;
      crc = crc32(piece, crc);
      if (hasHoles) this.#writeUsed(descriptor, piece, at);
      else files.write(descriptor, piece, at);
      at += piece.length;
      this.#counts.copiedBytes += piece.length;
      if (at - flushed >= flushEveryBytes) {
        files.flush(descriptor);
        flushed = at;
      }
      pace();
    }
    files.truncate(descriptor, before.sizeBytes);
    this.#counts.copiedFiles += 1;
    const after = from.facts();
    if (!isUnchanged(before, after)) {
      this.#counts.unsteady += 1;
      files.setModifiedNs(descriptor, 0n);
      return;
    }
    files.setModifiedNs(descriptor, before.modifiedNs);
    if (flushed > 0) files.flush(descriptor);
    this.#judge(place, before.sizeBytes, crc);
  }

  /** Where a file has holes, its copy has some as well. */
  #writeUsed(descriptor: FileDescriptor, piece: Buffer, at: number): void {
    const { files } = this.#world;
    let start = -1;
    for (let offset = 0; offset < piece.length; offset += holeBytes) {
      const block = piece.subarray(offset, offset + holeBytes);
      const isHole = block.equals(zeros.subarray(0, block.length));
      if (!isHole && start < 0) start = offset;
      if (!isHole || start < 0) continue;
      files.write(descriptor, piece.subarray(start, offset), at + start);
      start = -1;
    }
    if (start >= 0) files.write(descriptor, piece.subarray(start), at + start);
  }

  #judge(place: string, sizeBytes: number, crc: number): void {
    const told = toldBy(place.slice(place.lastIndexOf("/") + 1));
    if (told === undefined || (told.size === sizeBytes && told.crc32 === crc)) return;
    if (this.#rotten.length < maxNamed) this.#rotten.push(withoutData(place));
  }

  #missing(place: string): void {
    if (place.startsWith(`${asidePart}/`)) return;
    this.#unreadableTotal += 1;
    if (this.#unreadable.length < maxNamed) this.#unreadable.push(withoutData(place));
  }

  #remove(path: string): void {
    removeTree(this.#world.files, path, this.#world.pace);
  }
}

/** With everything in it; nothing where nothing is. `pace` as in `CopyWorld`. */
export function removeTree(files: MoveFiles, path: string, pace: () => void): void {
  const kind = files.facts(path)?.kind;
  if (kind === undefined) return;
  if (kind !== "directory") {
    files.remove(path);
    return;
  }
  for (const name of files.list(path) ?? []) {
    removeTree(files, `${path}/${name}`, pace);
    pace();
  }
  files.removeDirectory(path);
}

/** Reading failed, and not writing. */
class SourceError extends Error {
  constructor(cause: unknown) {
    super("the source cannot be read", { cause });
  }
}

function readFrom(from: DiskFile, length: number, at: number): Buffer {
  try {
    return from.read(length, at);
  } catch (error) {
    throw new SourceError(error);
  }
}

function isUnchanged(before: DiskFileFacts, after: DiskFileFacts): boolean {
  return (
    before.sizeBytes === after.sizeBytes &&
    before.modifiedNs === after.modifiedNs &&
    before.changedNs === after.changedNs
  );
}

function emptyCounts(): CopyCounts {
  return { files: 0, bytes: 0, copiedFiles: 0, copiedBytes: 0, unsteady: 0 };
}

function join(directory: string, below: string): string {
  return below === "" ? directory : `${directory}/${below}`;
}

function withoutData(place: string): string {
  return place.replace(/^data\//, "");
}
