/**
 * The bytes of a file in memory, and what of them is on stable storage: kept as what the changes since the last flush replaced, so that
 * neither a write nor a flush copies the file.
 */

/** What a change replaced: bytes at a place, and the size before. */
interface Replaced {
  readonly at: number;
  readonly bytes: Buffer;
  readonly size: number;
}

/** What a change after a failed flush wrote: bytes at a place, and the size since. */
interface Written {
  readonly at: number;
  readonly bytes: Buffer;
  readonly size: number;
}

const empty = Buffer.alloc(0);
const leastRoom = 64;

export class FileContent {
  /** With room behind `#size` bytes. */
  #room = empty;
  #size = 0;
  /** Of the changes that are not on stable storage, in order. */
  #replaced: Replaced[] = [];
  /** After a failed flush instead: what the disk has, and the changes since then that it has not. */
  #disk: Buffer | undefined;
  #written: Written[] = [];
  /** Changes that were made before those. */
  #settled = 0;

  get size(): number {
    return this.#size;
  }

  /** As they are now; changes of them show. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.#size);
  }

  get isDurable(): boolean {
    return this.#replaced.length === 0 && this.#disk === undefined;
  }

  /** As a loss of power would leave them, where it leaves nothing else. */
  durableBytes(): Buffer {
    if (this.#disk !== undefined) return Buffer.from(this.#disk);
    let bytes = Buffer.from(this.bytes);
    for (const { at, bytes: before, size } of this.#replaced.toReversed()) {
      if (bytes.length !== size) bytes = Buffer.concat([bytes], size);
      before.copy(bytes, at);
    }
    return bytes;
  }

  write(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length;
    const overwritten = Buffer.from(this.bytes.subarray(at, Math.min(end, this.#size)));
    this.#note(Math.min(at, this.#size), overwritten);
    this.#resize(Math.max(end, this.#size));
    this.#room.set(bytes, at);
    this.#noteWritten(at, bytes);
  }

  truncate(size: number): void {
    this.#note(Math.min(size, this.#size), Buffer.from(this.bytes.subarray(size)));
    this.#resize(size);
    this.#noteWritten(size, empty);
  }

  /**
   * A flush failed, and what the disk does not have is not written any more, unless it is changed again. It can still be read, until,
   * `evicted`, its memory is used for something else; the size stays.
   */
  drop(evicted: boolean): void {
    if (this.isDurable) return;
    const disk = this.durableBytes();
    this.#settled += this.#replaced.length + this.#written.length;
    this.#replaced = [];
    this.#written = [];
    this.#disk = disk;
    if (!evicted) return;
    const size = this.#size;
    this.#room.fill(0, 0, size);
    this.#room.set(disk.subarray(0, size));
    this.#noteWritten(size, empty);
  }

  /** A flush begins: the result, called at its end, has put on stable storage what is there now. */
  beginFlush(): () => void {
    const until = this.#settled + this.#replaced.length + this.#written.length;
    return () => {
      const count = until - this.#settled;
      if (count <= 0) return;
      this.#replaced.splice(0, count);
      for (const written of this.#written.splice(0, count)) this.#reach(written);
      this.#settled = until;
    };
  }

  /** These are its bytes, now and on stable storage. */
  settle(bytes: Buffer): void {
    this.#room = Buffer.from(bytes);
    this.#size = bytes.length;
    this.#settled += this.#replaced.length + this.#written.length;
    this.#replaced = [];
    this.#written = [];
    this.#disk = undefined;
  }

  #note(at: number, bytes: Buffer): void {
    if (this.#disk === undefined) this.#replaced.push({ at, bytes, size: this.#size });
  }

  #noteWritten(at: number, bytes: Uint8Array): void {
    if (this.#disk === undefined) return;
    this.#written.push({ at, bytes: Buffer.from(bytes), size: this.#size });
  }

  /** A change reaches the disk. */
  #reach({ at, bytes, size }: Written): void {
    const disk = Buffer.alloc(size);
    this.#disk?.copy(disk);
    bytes.copy(disk, at);
    this.#disk = disk;
  }

  /** What is behind the size is zeros. */
  #resize(size: number): void {
    if (size > this.#room.length) {
      const room = Buffer.alloc(Math.max(size, 2 * this.#size, leastRoom));
      this.bytes.copy(room);
      this.#room = room;
    } else if (size < this.#size) {
      this.#room.fill(0, size, this.#size);
    }
    this.#size = size;
  }
}
