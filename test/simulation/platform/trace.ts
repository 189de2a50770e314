/**
 * What happened in a run: a hash over everything, and the last notes in words. Two runs of one seed have the same hash, or
 * something in them did not come from the seed.
 */
import { crc32 } from "node:zlib";

const keptNotes = 4000;

export class Trace {
  /** Called with each note as it is made. */
  onNote: ((line: string) => void) | undefined;
  readonly #notes: string[] = [];
  #hash = 0;
  #events = 0;

  /** Counts what happened, without words that anybody reads. */
  event(atMs: number, label: string): void {
    this.#events += 1;
    this.#hash = crc32(`${atMs} ${label}`, this.#hash);
  }

  /** Bytes that went somewhere. */
  bytes(content: Uint8Array): void {
    this.#hash = crc32(content, this.#hash);
  }

  note(atMs: number, text: string): void {
    this.event(atMs, text);
    const line = `${(atMs / 1000).toFixed(4).padStart(10)} ${text}`;
    this.#notes.push(line);
    if (this.#notes.length >= 2 * keptNotes) this.#notes.splice(0, keptNotes);
    this.onNote?.(line);
  }

  /** Of all so far. */
  get hash(): string {
    return `${this.#events}-${this.#hash.toString(16).padStart(8, "0")}`;
  }

  get events(): number {
    return this.#events;
  }

  /** The newest, oldest first. */
  notes(count = keptNotes): readonly string[] {
    return this.#notes.slice(-count);
  }
}
