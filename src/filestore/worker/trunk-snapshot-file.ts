/**
 * The snapshot of a group's free list, C's `storage_trunk.dat` (protocol §4.6): its first line says up to where in the trunk binlog it holds, the
 * others are free slots. Written in pieces beside its place and put there as a whole, and only as long as the binlog is the one that it was
 * begun for. One that says more than the binlog has is removed. Worker thread of store path 0; failures are `FileError`s.
 */
import type { Log } from "#base/log.ts";
import type { TrunkFiles } from "#filestore/worker/trunk-files.ts";
import type { FileDescriptor, Files } from "#platform/files.ts";

export interface SnapshotPiece {
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** Whole lines. */
  readonly lines: Uint8Array;
  /** Of the first piece: bytes of the binlog that the snapshot holds for. */
  readonly binlogBytes: number;
}

const headBytes = 32;

export class TrunkSnapshotFile {
  readonly #files: Files;
  readonly #log: Log;
  readonly #places: TrunkFiles;
  readonly #draft: string;
  #descriptor: FileDescriptor | undefined;

  constructor(parts: { readonly files: Files; readonly log: Log }, places: TrunkFiles) {
    this.#files = parts.files;
    this.#log = parts.log;
    this.#places = places;
    this.#draft = `${places.own}/storage_trunk.part`;
  }

  /** False where the snapshot was given up: it is not, or not any more, one of the binlog, which has `size` bytes. */
  write({ isFirst, isLast, lines, binlogBytes }: SnapshotPiece, size: number): boolean {
    if (isFirst) {
      this.giveUp();
      if (binlogBytes !== size) return false;
      this.#descriptor = this.#files.open(this.#draft, "write");
      this.#files.write(this.#descriptor, Buffer.from(`${binlogBytes}\n`));
    }
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return false;
    if (lines.length > 0) this.#files.write(descriptor, lines);
    if (!isLast) return true;
    this.#files.flush(descriptor);
    this.giveUp();
    this.#files.rename(this.#draft, this.#places.snapshot);
    this.#files.flushDirectory(this.#places.snapshot.replace(/\/[^/]*$/, ""));
    return true;
  }

  /** The binlog becomes another one: what is being written does not hold for it. */
  giveUp(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) this.#files.close(descriptor);
  }

  /** Before the binlog is used. A binlog that lost its end in a power cut must not grow beyond what its snapshot calls known. */
  check(size: number): void {
    const path = this.#places.snapshot;
    if (this.#files.stat(path, true)?.kind !== "file") return;
    const head = Buffer.alloc(headBytes);
    const descriptor = this.#files.open(path, "read");
    const length = this.#files.read(descriptor, head, 0);
    this.#files.close(descriptor);
    const offset = /^(\d{1,15})\n/.exec(head.toString("latin1", 0, length))?.[1];
    if (offset !== undefined && Number(offset) <= size) return;
    this.#log.warn("trunk-snapshot-dropped", { offset: offset ?? "none", binlogBytes: size });
    this.#files.remove(path);
  }
}
