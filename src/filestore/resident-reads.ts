/**
 * Small files that the kernel has in memory, read by the main thread itself: two hand-overs between threads cost more than the reading.
 * Only ordinary files, whose names say their size and CRC-32, and which never change: what is there whole is theirs. Everything
 * else, and everything that is not in memory, is the worker's. Nothing here waits for a disk. Main thread.
 */
import { blockDataOffset } from "#filestore/block-pool.ts";
import type { FileFacts } from "#filestore/file-store.ts";
import type { StorePathClient } from "#filestore/store-path-client.ts";
import { FileLayout } from "#filestore/worker/file-layout.ts";
import { crcInName, normalBaseLength, sizeInName } from "#model/file-id.ts";
import type { ResidentFiles, ResidentReader } from "#platform/resident-files.ts";

/** Larger ones are better copied by the disk's thread, while this one goes on. */
export const maxResidentBytes = 16 * 1024;

/** How many tries in vain, less those that were not, end the trying; and how seldom it goes on then, to see whether it pays again. */
const patience = 32;
const missCost = 4;
const seldom = 32;

export class ResidentReads {
  readonly #client: StorePathClient;
  readonly #files: ResidentFiles;
  readonly #reader: ResidentReader;
  readonly #layout: FileLayout;
  #device = Number.NaN;
  #isServed = false;
  #credit = patience;
  #passed = 0;

  constructor(client: StorePathClient, files: ResidentFiles) {
    const { directory, index } = client.settings;
    this.#client = client;
    this.#files = files;
    this.#reader = files.readerInto(client.blocks.memory);
    this.#layout = new FileLayout(directory, index);
  }

  /** The file system that the path lies on, as its worker saw it. */
  liesOn(device: number): void {
    if (device === this.#device) return;
    this.#device = device;
    this.#isServed = this.#files.serves(device);
  }

  /** Puts a file of `sizeBytes`, as its name says, into a block that has room for more. False: the worker is to be asked. */
  readWhole(name: string, block: number, sizeBytes: number): boolean {
    const path = this.#pathOf(name);
    if (path === undefined) return false;
    return this.#tried(this.#reader.readWhole(path, blockDataOffset(block), sizeBytes));
  }

  /** Undefined: the worker is to be asked. */
  facts(name: string): FileFacts | undefined {
    // What it shares with others would be told of the content: its time is in the name then.
    if (this.#client.settings.dedup) return undefined;
    const path = this.#pathOf(name);
    if (path === undefined) return undefined;
    const base = path.slice(path.lastIndexOf("/") + 1);
    const sizeBytes = sizeInName(base);
    const crc32 = crcInName(base);
    if (sizeBytes === undefined || crc32 === undefined) return undefined;
    const stat = this.#reader.stat(path);
    // Another size is a file that is cut off, or another's: the worker knows what to say.
    const isWhole = this.#tried(stat?.sizeBytes === sizeBytes);
    return isWhole && stat !== undefined ? { ...stat, crc32 } : undefined;
  }

  /** Of an ordinary file, where trying is worth it. */
  #pathOf(name: string): string | undefined {
    if (!this.#isServed || !this.#isWorthIt()) return undefined;
    const place = this.#layout.find(name);
    return place?.base.length === normalBaseLength ? place.path : undefined;
  }

  #isWorthIt(): boolean {
    if (this.#credit > 0) return true;
    this.#passed = (this.#passed + 1) % seldom;
    return this.#passed === 0;
  }

  #tried(succeeded: boolean): boolean {
    const credit = this.#credit + (succeeded ? 1 : -missCost);
    this.#credit = Math.min(patience, Math.max(0, credit));
    return succeeded;
  }
}
