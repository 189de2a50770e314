/**
 * What a disk may hold after a power cut at some position of its log: everything that was written before the last flush which was
 * answered by then, and of the later writes any part. A disk keeps its cache coherent, so of two writes to one sector the older one
 * may survive alone, but never replace the newer one. Positions must not go back.
 */
import * as fs from "node:fs";
import type { Random } from "#platform/random.ts";
import { run } from "../loop-device.ts";
import { type LogEntry, readLog } from "./write-log.ts";

type Write = Extract<LogEntry, { readonly kind: "write" }>;

/** What becomes of the writes that no flush covers. */
export type Survival = "none" | "all" | "some" | "few" | "most" | "torn-4096" | "torn-512";

const survivals: readonly Survival[] = [
  "none",
  "all",
  "some",
  "few",
  "most",
  "torn-4096",
  "torn-512",
];

/** In percent. */
const chances: Readonly<Record<Survival, number>> = {
  none: 0,
  all: 100,
  some: 50,
  few: 10,
  most: 90,
  "torn-4096": 50,
  "torn-512": 50,
};

/** ext4's superblock has its checksum in another sector than its fields: it asks for a disk that writes this much as one. */
const wholeUpTo = 4096;

export interface Cut {
  readonly position: number;
  readonly survival: Survival;
  /** Writes that no flush covers, and how many of them survive at least in part. */
  readonly pending: number;
  readonly kept: number;
}

export class CutImages implements Disposable {
  readonly entries: readonly LogEntry[];
  readonly #log: number;
  readonly #durablePath: string;
  readonly #durable: number;
  #applied = 0;

  /** `workPath` is written; the caller removes it. */
  constructor(
    recording: { readonly pristine: string; readonly logPath: string },
    workPath: string,
  ) {
    this.entries = readLog(recording.logPath);
    this.#log = fs.openSync(recording.logPath, "r");
    this.#durablePath = workPath;
    run("cp", "--sparse=always", recording.pristine, workPath);
    this.#durable = fs.openSync(workPath, "r+");
  }

  /** Makes the image of one cut in the file `path`. */
  make(path: string, position: number, random: Random): Cut {
    const seen = this.entries.filter(({ end }) => end <= position);
    const last = seen.findLast((entry) => entry.kind === "flush");
    const covers = last?.kind === "flush" ? last.covers : 0;
    const writes = seen.filter((entry) => entry.kind === "write");
    this.#advance(writes, covers);
    run("cp", "--sparse=always", this.#durablePath, path);
    const pending = writes.filter(({ end }) => end > covers);
    const survival = survivals[random.below(survivals.length)] ?? "none";
    const image = fs.openSync(path, "r+");
    let kept = 0;
    for (const write of pending) {
      if (this.#survive(image, write, { survival, random })) kept += 1;
    }
    fs.closeSync(image);
    return { position, survival, pending: pending.length, kept };
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#log);
    fs.closeSync(this.#durable);
  }

  #advance(writes: readonly Write[], covers: number): void {
    for (const write of writes) {
      if (write.end <= this.#applied || write.end > covers) continue;
      this.#copy(this.#durable, write, { from: 0, to: write.length });
    }
    this.#applied = Math.max(this.#applied, covers);
  }

  /** True where something of it is there. */
  #survive(
    image: number,
    write: Write,
    how: { readonly survival: Survival; readonly random: Random },
  ): boolean {
    const { survival, random } = how;
    const torn = survival.startsWith("torn");
    const whole = !torn || random.below(2) === 0 || write.offset < wholeUpTo;
    const piece = whole ? write.length : survival === "torn-512" ? 512 : 4096;
    let kept = false;
    for (let from = 0; from < write.length; from += piece) {
      if (random.below(100) >= chances[survival]) continue;
      this.#copy(image, write, { from, to: Math.min(from + piece, write.length) });
      kept = true;
    }
    return kept;
  }

  #copy(target: number, write: Write, part: { readonly from: number; readonly to: number }): void {
    const bytes = Buffer.allocUnsafe(part.to - part.from);
    fs.readSync(this.#log, bytes, 0, bytes.length, write.bytesAt + part.from);
    fs.writeSync(target, bytes, 0, bytes.length, write.offset + part.from);
  }
}
