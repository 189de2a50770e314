/**
 * What became of storages that are gone: one line each, told to the storages of all groups from where each has read to
 * (protocol §2.4/77, §5.5). Positions are bytes since the first line ever, and stay valid when the oldest lines are dropped.
 * Main thread.
 */
import type { GroupName } from "#model/group-name.ts";
import { isIpAddress } from "#model/ip-address.ts";
import { isStorageId, type StorageId } from "#model/storage-id.ts";
import { storageStatus } from "#model/storage-status.ts";
import { maxChangelogBytes, maxChangelogReplyBytes } from "#tracker/limits.ts";
import { idOfAddress } from "#tracker/storage-identity.ts";
import type { ChangelogLine } from "#tracker/tracker-state.ts";

export type ChangelogEvent =
  | { readonly name: "deleted"; readonly group: GroupName; readonly id: StorageId }
  | {
      readonly name: "moved";
      readonly group: GroupName;
      readonly id: StorageId;
      readonly newAddress: string;
    };

export class Changelog {
  #lines: ChangelogLine[];

  constructor(lines: readonly ChangelogLine[]) {
    this.#lines = inOrder(lines);
  }

  /** Another tracker's lines take the place of ours. */
  replace(lines: readonly ChangelogLine[]): void {
    this.#lines = inOrder(lines);
  }

  /** Position of the first line that is still there. */
  get start(): number {
    return this.#lines[0]?.position ?? 0;
  }

  /** Position behind the last line. */
  get end(): number {
    const last = this.#lines.at(-1);
    return last === undefined ? 0 : last.position + Buffer.byteLength(last.text);
  }

  append(event: ChangelogEvent, nowSeconds: number): ChangelogLine {
    const line = { position: this.end, text: formatEvent(event, nowSeconds) };
    this.#lines.push(line);
    while (this.end - this.start > maxChangelogBytes) this.#lines.shift();
    return line;
  }

  /** Whole lines from `position` on, at most some 8 KB, and the position behind them. */
  read(position: number): { readonly text: string; readonly next: number } {
    let text = "";
    let next = Math.max(position, this.start);
    for (const line of this.#lines) {
      if (line.position < next) continue;
      if (text.length + line.text.length > maxChangelogReplyBytes) break;
      text += line.text;
      next = line.position + Buffer.byteLength(line.text);
    }
    return { text, next };
  }

  /** Everything that is still there, as C's file has it. */
  text(): string {
    return this.#lines.map((line) => line.text).join("");
  }

  /** Storages that moved, oldest first, as far as the lines reach back. */
  moves(): readonly { readonly group: string; readonly from: StorageId; readonly to: StorageId }[] {
    return this.#lines.flatMap(({ text }) => {
      const [, group = "", from = "", status, newAddress = ""] = text.trimEnd().split(" ");
      if (Number(status) !== storageStatus.ipChanged || !isIpAddress(newAddress)) return [];
      return isStorageId(from) ? [{ group, from, to: idOfAddress(newAddress) }] : [];
    });
  }

  lines(): readonly ChangelogLine[] {
    return this.#lines;
  }
}

function inOrder(lines: readonly ChangelogLine[]): ChangelogLine[] {
  return [...lines].sort((one, other) => one.position - other.position);
}

/** The lines of C's file with their positions; what is no whole line is left out. */
export function parseChangelog(text: string): readonly ChangelogLine[] {
  const lines: ChangelogLine[] = [];
  let position = 0;
  for (const line of text.split("\n").slice(0, -1)) {
    const whole = `${line}\n`;
    lines.push({ position, text: whole });
    position += Buffer.byteLength(whole);
  }
  return lines;
}

function formatEvent(event: ChangelogEvent, nowSeconds: number): string {
  const status = event.name === "deleted" ? storageStatus.deleted : storageStatus.ipChanged;
  const argument = event.name === "deleted" ? "" : event.newAddress;
  return `${nowSeconds} ${event.group} ${event.id} ${status} ${argument}\n`;
}
