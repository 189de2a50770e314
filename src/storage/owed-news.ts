/**
 * What the group's trunk server has still to be told, in order, on the disk as well (first store path, `.cairn/trunk-owed`), so that an end of
 * this process loses none of it. Saying twice that a slot is in use changes nothing. Saying twice that it can be given to others could take it
 * from whoever got it in between: such news is noted as said before it is said, and lost where nobody knows whether it was heard. Lost news
 * costs the slot, never a file. Bounded; main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import { maxTrunkLogPieceBytes, type TrunkLogClient } from "#filestore/trunk-log-client.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";
import { wireStatus } from "#protocol/wire-status.ts";

export interface News {
  readonly kind: "confirm" | "free";
  readonly location: TrunkLocation;
  /** Of `confirm`: what became of the slot (protocol §2.8/28). */
  readonly status: number;
}

export interface OwedNewsItem extends News {
  /** On the disk, where it is there. */
  number: number;
  isOnDisk: boolean;
  /** How often the server did not want to hear it. */
  refusals: number;
}

/** More than these are forgotten, the oldest first. */
export const maxOwed = 10_000;
/** Lines of what was told are left there until there are so many. */
const maxSettledLines = 1000;
/** Of the file, at a start. */
const maxFileBytes = 4 * 1024 * 1024;
/** With a longer line the file is not ours. */
const maxLineBytes = 128;

/** True where it can be said twice. */
export function isRepeatable({ kind, status }: News): boolean {
  return kind === "confirm" && (status === wireStatus.ok || status === wireStatus.exists);
}

type Disk = Pick<TrunkLogClient, "read" | "appendOwed" | "replaceOwed">;

export class OwedNews {
  readonly #disk: Disk;
  readonly #log: Log;
  #items: OwedNewsItem[] = [];
  #number = 0;
  #isLoaded = false;
  #settledLines = 0;
  #isFailing = false;
  /** One write at a time, in order. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(disk: Disk, log: Log) {
    this.#disk = disk;
    this.#log = log;
  }

  get length(): number {
    return this.#items.length;
  }

  /** What an earlier run left is known. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get first(): OwedNewsItem | undefined {
    return this.#items[0];
  }

  /** What an earlier run left comes before what is there. False where the disk cannot be read just now. Never rejects. */
  load(): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#isLoaded) return;
      const { items, number } = parseOwedNews(await this.#readFile());
      const before = items.map((news) => ({ ...news, isOnDisk: true, refusals: 0 }));
      for (const item of this.#items) item.number += number;
      this.#items = [...before, ...this.#items];
      this.#number += number;
      this.#isLoaded = true;
      if (before.length > 0) this.#log.notice("trunk-news-owed", { slots: before.length });
      if (this.#items.length > 0 || number > 0) await this.#rewrite();
    });
  }

  /** Resolves when it is on the disk, or cannot be written there. */
  async push(news: News): Promise<void> {
    if (this.#items.length >= maxOwed) {
      const [oldest] = this.#items;
      this.#log.warn("trunk-slot-forgotten", { limit: maxOwed });
      if (oldest !== undefined) void this.settled(oldest);
    }
    this.#number += 1;
    const item = { ...news, number: this.#number, isOnDisk: false, refusals: 0 };
    this.#items.push(item);
    await this.#inTurn(() => this.#note(item));
  }

  /** To be awaited before it is said: false where it must not be said yet. */
  saying(item: OwedNewsItem): Promise<boolean> {
    if (isRepeatable(item) || !item.isOnDisk) return Promise.resolve(true);
    return this.#inTurn(async () => {
      await this.#append(settledLine(item));
      item.isOnDisk = false;
    });
  }

  /** Not heard for certain after all: it is owed again. */
  async notSaid(item: OwedNewsItem): Promise<void> {
    if (!item.isOnDisk) await this.#inTurn(() => this.#note(item));
  }

  /** It is told, or given up. Resolves when the disk knows. */
  async settled(item: OwedNewsItem): Promise<void> {
    const at = this.#items.indexOf(item);
    if (at < 0) return;
    this.#items.splice(at, 1);
    this.#settledLines += 1;
    await this.#inTurn(async () => {
      const isWorthIt = this.#items.length === 0 || this.#settledLines > maxSettledLines;
      if (isWorthIt && this.#isLoaded) await this.#rewrite();
      else if (item.isOnDisk) await this.#append(settledLine(item));
    });
  }

  async #readFile(): Promise<string> {
    const pieces: Buffer[] = [];
    for (let offset = 0; offset < maxFileBytes; ) {
      const piece = await this.#disk.read("owed", offset, maxTrunkLogPieceBytes);
      if (piece === undefined || piece.bytes.length === 0) break;
      pieces.push(Buffer.from(piece.bytes));
      offset += piece.bytes.length;
    }
    return Buffer.concat(pieces).toString("latin1");
  }

  /** Nothing is written before what is there was read: it would be taken for a part of that. */
  async #note(item: OwedNewsItem): Promise<void> {
    if (!this.#isLoaded || item.isOnDisk || !this.#items.includes(item)) return;
    await this.#append(newsLine(item));
    item.isOnDisk = true;
  }

  /** Behind a line end of its own: what a failed write left must not spoil the line. */
  async #append(line: string): Promise<void> {
    await this.#disk.appendOwed(Buffer.from(`\n${line}`, "latin1"));
  }

  async #rewrite(): Promise<void> {
    const items = [...this.#items];
    const lines = items.map(newsLine);
    this.#settledLines = 0;
    let text = "";
    let isFirst = true;
    for (const line of [...lines, ""]) {
      const isLast = line === "";
      if (text.length + line.length > maxTrunkLogPieceBytes || isLast) {
        const bytes = Buffer.from(text, "latin1");
        if (isFirst) await this.#disk.replaceOwed(bytes);
        else await this.#disk.appendOwed(bytes);
        isFirst = false;
        text = "";
      }
      text += line;
    }
    for (const item of items) item.isOnDisk = true;
  }

  /** True where it worked. */
  #inTurn(write: () => Promise<void>): Promise<boolean> {
    const turn = this.#writing.then(async () => {
      try {
        await write();
        this.#isFailing = false;
        return true;
      } catch (error) {
        // Where nothing is owed nothing is missed: at the start of a node that has no disk yet.
        const isMissed = this.#items.length > 0;
        if (!isMissed || !this.#isFailing) {
          const level = isMissed ? "warn" : "debug";
          this.#log[level]("trunk-news-not-noted", { why: describeError(error) });
        }
        this.#isFailing = isMissed;
        return false;
      }
    });
    this.#writing = turn;
    return turn;
  }
}

function newsLine({ number, kind, status, location }: OwedNewsItem): string {
  const { storePathIndex, high, low, fileId, offset, size } = location;
  const slot = `${storePathIndex} ${high} ${low} ${fileId} ${offset} ${size}`;
  return `${number} ${kind} ${status} ${slot}\n`;
}

function settledLine({ number }: OwedNewsItem): string {
  return `${number} said\n`;
}

const linePattern = /^(\d{1,15}) (said|(?:(confirm|free) (\d{1,3})((?: \d{1,10}){6})))$/;

/** What of the lines still holds, and the highest number in them. A torn or foreign line says nothing. */
export function parseOwedNews(text: string): {
  readonly items: readonly (News & { readonly number: number })[];
  readonly number: number;
} {
  const items = new Map<number, News & { readonly number: number }>();
  let highest = 0;
  for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
    const match = line.length > maxLineBytes ? null : linePattern.exec(line);
    if (match === null) continue;
    const number = Number(match[1]);
    highest = Math.max(highest, number);
    items.delete(number);
    if (match[2] === "said") continue;
    const kind = match[3] === "free" ? "free" : "confirm";
    const fields = (match[5] ?? "").trim().split(" ").map(Number);
    const [storePathIndex = 0, high = 0, low = 0, fileId = 0, offset = 0, size = 0] = fields;
    const location = { storePathIndex, high, low, fileId, offset, size };
    items.set(number, { number, kind, status: Number(match[4]), location });
  }
  return { items: [...items.values()].slice(-maxOwed), number: highest };
}
