/**
 * File calls of one worker on a simulated disk. Each costs time, which the worker's next turn waits for; each can be the last one of
 * the process.
 */
import {
  type Expansion,
  type FileDescriptor,
  FileError,
  type FileStat,
  type FileSystemSpace,
  type Files,
  type OpenMode,
} from "#platform/files.ts";
import type { MemoryFiles } from "../../support/memory-files.ts";
import type { MachineTime } from "./simulated-clock.ts";
import { ProcessGone, type SimulatedDisk } from "./simulated-disk.ts";
import type { Life } from "./world.ts";

const callMs = 0.01;
const syncFlushMs = 0.4;
const bytesPerMs = 500_000;

export class SimulatedFiles implements Files {
  readonly #disk: SimulatedDisk;
  readonly #memory: MemoryFiles;
  readonly #life: Life;
  readonly #time: MachineTime;
  readonly #open = new Map<FileDescriptor, string>();
  #costMs = 0;

  constructor(disk: SimulatedDisk, life: Life, time: MachineTime) {
    this.#disk = disk;
    this.#memory = disk.memory;
    this.#life = life;
    this.#time = time;
  }

  /** Milliseconds that the calls since the last time took. */
  takeCost(): number {
    const cost = this.#costMs * this.#disk.slowness;
    this.#costMs = 0;
    return cost;
  }

  /** The process has ended. */
  closeAll(): void {
    for (const descriptor of this.#open.keys()) {
      try {
        this.#memory.close(descriptor);
      } catch (error) {
        // A loss of power has closed everything.
        if (!(error instanceof FileError)) throw error;
      }
    }
    this.#open.clear();
  }

  /** How often the content or the entries were flushed: see `SimulatedFlusher`. */
  get memory(): MemoryFiles {
    return this.#memory;
  }

  open(path: string, mode: OpenMode): FileDescriptor {
    this.#begin();
    const makes = mode !== "read" && mode !== "read-write";
    if (makes && this.#memory.stat(path, true) === undefined) this.#disk.checkWriting(path);
    const descriptor = this.#memory.open(path, mode);
    this.#open.set(descriptor, path);
    return descriptor;
  }

  close(descriptor: FileDescriptor): void {
    this.#begin();
    this.#open.delete(descriptor);
    this.#memory.close(descriptor);
  }

  read(descriptor: FileDescriptor, target: Uint8Array, position: number): number {
    this.#begin(target.length);
    return this.#memory.read(descriptor, target, position);
  }

  readOnce(descriptor: FileDescriptor, target: Uint8Array, length: number): number {
    this.#begin(length);
    return this.#memory.readOnce(descriptor, target, length);
  }

  write(descriptor: FileDescriptor, bytes: Uint8Array, position?: number): void {
    this.#requireLife();
    this.#costMs += callMs + bytes.length / bytesPerMs;
    const path = this.#open.get(descriptor) ?? "";
    if (this.#disk.strikesNow()) {
      const part = bytes.subarray(0, this.#disk.world.random.below(bytes.length + 1));
      this.#memory.write(descriptor, part, position);
      this.#disk.strike();
    }
    this.#disk.checkWriting(path);
    this.#memory.write(descriptor, bytes, position);
  }

  truncate(descriptor: FileDescriptor, sizeBytes: number): void {
    this.#begin();
    this.#memory.truncate(descriptor, sizeBytes);
  }

  flush(descriptor: FileDescriptor): void {
    this.#begin();
    this.#costMs += syncFlushMs;
    const failure = this.#disk.flushFailure(this.#open.get(descriptor) ?? "");
    if (failure !== undefined) throw failure;
    this.#memory.flush(descriptor);
  }

  flushDirectory(path: string): void {
    this.#begin();
    this.#costMs += syncFlushMs;
    const failure = this.#disk.flushFailure(path);
    if (failure !== undefined) throw failure;
    this.#memory.flushDirectory(path);
  }

  stat(path: string, follow: boolean): FileStat | undefined {
    this.#begin();
    return this.#memory.stat(path, follow);
  }

  statDescriptor(descriptor: FileDescriptor): FileStat {
    this.#begin();
    return this.#memory.statDescriptor(descriptor);
  }

  setModified(path: string, seconds: number): void {
    this.#begin();
    this.#memory.setModified(path, seconds);
  }

  rename(from: string, to: string): void {
    this.#begin();
    this.#memory.rename(from, to);
  }

  remove(path: string): boolean {
    this.#begin();
    return this.#memory.remove(path);
  }

  removeDirectory(path: string): void {
    this.#begin();
    this.#memory.removeDirectory(path);
  }

  makeDirectory(path: string): void {
    this.#begin();
    if (this.#memory.stat(path, true) === undefined) this.#disk.checkWriting(path);
    this.#memory.makeDirectory(path);
  }

  list(path: string): string[] | undefined {
    this.#begin();
    return this.#memory.list(path);
  }

  makeLink(path: string, target: string): void {
    this.#begin();
    this.#disk.checkWriting(path);
    this.#memory.makeLink(path, target);
  }

  makeHardLink(path: string, existing: string): void {
    this.#begin();
    this.#disk.checkWriting(path);
    this.#memory.makeHardLink(path, existing);
  }

  readLink(path: string): string {
    this.#begin();
    return this.#memory.readLink(path);
  }

  space(path: string): FileSystemSpace {
    this.#begin();
    const { totalBytes, freeBytes } = this.#memory.space(path);
    return { totalBytes, freeBytes: this.#disk.full ? 0 : freeBytes };
  }

  isRotational(): boolean | undefined {
    return false;
  }

  /** Told by the kernel, not by the disk. */
  mounting(path: string): string | undefined {
    return this.#memory.mounting(path);
  }

  expand(from: string, to: string, maxBytes: number): Expansion {
    this.#begin();
    this.#disk.checkWriting(to);
    return this.#memory.expand(from, to, maxBytes);
  }

  claim(path: string): void {
    this.#begin();
    this.#memory.claim(path);
  }

  #begin(bytes = 0): void {
    this.#requireLife();
    this.#costMs += callMs + bytes / bytesPerMs;
    if (this.#disk.strikesNow()) this.#disk.strike();
  }

  #requireLife(): void {
    if (this.#life.ended) throw new ProcessGone(`the process has ended`);
    this.#memory.nowSeconds = Math.floor(this.#time.wallMs() / 1000);
  }
}
