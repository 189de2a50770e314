/**
 * Takes received bytes into blocks and writes them to a file one after the other, from one place on. Asks for a pause while
 * more than a few blocks wait for the disk.
 */
import type { LocalFile } from "#platform/local-files.ts";

const blockSize = 1024 * 1024;
const maxWaitingBlocks = 2;

export interface FileSinkOptions {
  readonly file: LocalFile;
  /** Where the first byte goes. */
  readonly position: number;
  /** More can be taken. */
  readonly resume: () => void;
  /** So many bytes more are in the file. */
  readonly written: (bytes: number) => void;
  /** Writing failed; what comes from now on is dropped. */
  readonly failed: (error: unknown) => void;
}

export class FileSink {
  readonly #options: FileSinkOptions;
  #block: Uint8Array = Buffer.allocUnsafe(blockSize);
  #filled = 0;
  readonly #waiting: Uint8Array[] = [];
  readonly #free: Uint8Array[] = [];
  #position: number;
  #writing: Promise<void> = Promise.resolve();
  #busy = false;
  #paused = false;
  #failed = false;

  constructor(options: FileSinkOptions) {
    this.#options = options;
    this.#position = options.position;
  }

  /** All of `chunk` has been copied on return; false asks for a pause. */
  write(chunk: Uint8Array): boolean {
    if (this.#failed) return true;
    for (let taken = 0; taken < chunk.length; ) {
      const part = chunk.subarray(taken, taken + blockSize - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === blockSize) this.#hand();
    }
    this.#paused = this.#waiting.length >= maxWaitingBlocks;
    return !this.#paused;
  }

  /** Resolves when everything taken is in the file, or writing has failed. */
  async finish(): Promise<void> {
    if (this.#filled > 0) this.#hand();
    await this.#writing;
  }

  #hand(): void {
    this.#waiting.push(this.#block.subarray(0, this.#filled));
    this.#block = this.#free.pop() ?? Buffer.allocUnsafe(blockSize);
    this.#filled = 0;
    if (this.#busy) return;
    this.#busy = true;
    this.#writing = this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      const block = this.#waiting.shift();
      if (block === undefined) {
        this.#busy = false;
        return;
      }
      try {
        await this.#options.file.write(block, this.#position);
      } catch (error) {
        this.#failed = true;
        this.#waiting.length = 0;
        this.#options.failed(error);
        return;
      }
      this.#position += block.length;
      this.#options.written(block.length);
      if (block.length === blockSize) this.#free.push(block);
      if (this.#paused && this.#waiting.length < maxWaitingBlocks) {
        this.#paused = false;
        this.#options.resume();
      }
    }
  }
}
