/**
 * Lines of a trunk binlog or snapshot out of pieces of it, as they are read (protocol §4.6). A snapshot begins with a line of its own, the
 * position in the binlog from which on that one goes on. Lines that are none are counted and passed over. Pure state.
 */
import { maxTrunkLogLineBytes, parseTrunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import type { SlotEvent } from "#filestore/trunk/group-allocator.ts";

const lineFeed = 0x0a;

export class TrunkLogReplay {
  readonly #apply: (event: SlotEvent) => void;
  readonly #onHead: ((offset: number) => void) | undefined;
  #carry = "";
  #isHead: boolean;
  #invalid = 0;

  /** `onHead` is given for snapshots, and called with their first line's position. */
  constructor(apply: (event: SlotEvent) => void, onHead?: (offset: number) => void) {
    this.#apply = apply;
    this.#onHead = onHead;
    this.#isHead = onHead !== undefined;
  }

  /** Lines that were none so far. */
  get invalid(): number {
    return this.#invalid;
  }

  /** Bytes of an unfinished line. */
  get pending(): number {
    return this.#carry.length;
  }

  /** The next bytes; a line that they do not end is completed by the next ones. */
  add(bytes: Uint8Array): void {
    const end = bytes.lastIndexOf(lineFeed) + 1;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (end > 0) {
      const lines = (this.#carry + text.toString("latin1", 0, end - 1)).split("\n");
      this.#carry = "";
      for (const line of lines) this.#take(line);
    }
    // No line is that long: what does not end is not worth keeping, but must not be taken for a beginning either.
    const rest = text.toString("latin1", end);
    this.#carry = (this.#carry + rest).slice(0, 2 * maxTrunkLogLineBytes);
  }

  #take(line: string): void {
    if (this.#isHead) {
      this.#isHead = false;
      if (/^\d{1,15}$/.test(line)) {
        this.#onHead?.(Number(line));
        return;
      }
    }
    const entry = line.length < maxTrunkLogLineBytes ? parseTrunkLogLine(line) : undefined;
    if (entry === undefined) this.#invalid += 1;
    else this.#apply(entry);
  }
}
