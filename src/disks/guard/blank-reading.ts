/**
 * The proof that a device is blank: reads it from begin to end, in steps, and stops at the first byte that is not zero. It belongs to one
 * plugging, and is void as soon as anybody wrote to the device.
 */
import type { BlankProof } from "#disks/guard/evidence.ts";

/** Of one read. Background work is done in steps of at most this. */
export const blankStepBytes = 1024 * 1024;

const zeros = Buffer.alloc(blankStepBytes);

export interface BlankSubject {
  readonly sequence: number;
  readonly sizeBytes: number;
  /** As the kernel counts them when reading begins. */
  readonly changedSectors: number;
}

export class BlankReading {
  readonly #subject: BlankSubject;
  #readBytes = 0;
  #dataAtBytes: number | undefined;

  constructor(subject: BlankSubject) {
    this.#subject = subject;
  }

  get proof(): BlankProof {
    return { ...this.#subject, readBytes: this.#readBytes, dataAtBytes: this.#dataAtBytes };
  }

  get done(): boolean {
    return this.#dataAtBytes !== undefined || this.#readBytes >= this.#subject.sizeBytes;
  }

  /** The next part to be read. */
  get next(): { readonly atBytes: number; readonly length: number } {
    const length = Math.min(blankStepBytes, this.#subject.sizeBytes - this.#readBytes);
    return { atBytes: this.#readBytes, length };
  }

  /** Takes what was read of `next`; a device that gives less is not what it said to be, which never makes a whole proof. */
  take(bytes: Uint8Array): void {
    const { atBytes, length } = this.next;
    const given = bytes.subarray(0, length);
    if (Buffer.compare(given, zeros.subarray(0, given.length)) === 0) {
      this.#readBytes += given.length;
      return;
    }
    this.#dataAtBytes = atBytes + given.findIndex((byte) => byte !== 0);
  }
}
