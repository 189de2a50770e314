/**
 * A line that shows how far a transfer is, on a terminal only. Drawn at most a few times a second, whatever happens; wiped
 * before anything else is written.
 */
import { readableDuration, readableSize } from "#cli/render/units.ts";
import type { Clock } from "#platform/clock.ts";
import type { Terminal } from "#platform/terminal.ts";

export interface ProgressFacts {
  /** What is transferred, such as a file name. */
  readonly label: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Of what was done now, without what was there before. */
  readonly bytesPerSecond: number;
}

const drawPeriodMs = 100;
/** The speed is that of the last seconds. */
const speedWindowMs = 5000;
const wipe = "\r\u001b[K";

/** Counts what passes and draws it. Without a terminal it only counts. */
export class ProgressBar {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #visible: boolean;
  readonly #label: string;
  readonly #total: number;
  #done: number;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #shown = false;
  readonly #marks: { readonly atMs: number; readonly done: number }[] = [];

  constructor(
    world: { readonly terminal: Terminal; readonly clock: Clock },
    transfer: {
      readonly label: string;
      readonly totalBytes: number;
      readonly doneBytes?: number;
      readonly visible: boolean;
    },
  ) {
    this.#terminal = world.terminal;
    this.#clock = world.clock;
    this.#visible = transfer.visible;
    this.#label = transfer.label;
    this.#total = transfer.totalBytes;
    this.#done = transfer.doneBytes ?? 0;
    this.#marks.push({ atMs: world.clock.monotonicMs(), done: this.#done });
  }

  /** Negative when a transfer begins again. */
  add(bytes: number): void {
    this.#done += bytes;
    if (!this.#visible) return;
    const now = this.#clock.monotonicMs();
    if (now - this.#drawnAtMs < drawPeriodMs) return;
    this.#drawnAtMs = now;
    this.#marks.push({ atMs: now, done: this.#done });
    while ((this.#marks[1]?.atMs ?? now) < now - speedWindowMs) this.#marks.shift();
    this.#draw(now);
  }

  /** Wipes the line. */
  end(): void {
    if (this.#shown) this.#terminal.writeError(wipe);
    this.#shown = false;
  }

  #draw(nowMs: number): void {
    const since = this.#marks[0] ?? { atMs: nowMs, done: this.#done };
    const seconds = (nowMs - since.atMs) / 1000;
    const facts: ProgressFacts = {
      label: this.#label,
      doneBytes: this.#done,
      totalBytes: this.#total,
      bytesPerSecond: seconds > 0 ? Math.max(0, this.#done - since.done) / seconds : 0,
    };
    this.#shown = true;
    this.#terminal.writeError(`${wipe}${formatProgress(facts, this.#terminal.columns() - 1)}`);
  }
}

const barWidth = 24;
const least = 10;

/** One line of at most `columns` characters. Pure. */
export function formatProgress(facts: ProgressFacts, columns: number): string {
  const { doneBytes, totalBytes, bytesPerSecond } = facts;
  const part = totalBytes === 0 ? 1 : Math.min(1, Math.max(0, doneBytes / totalBytes));
  const percent = `${String(Math.floor(part * 100)).padStart(3)}%`;
  const filled = Math.round(part * barWidth);
  const bar = `[${"=".repeat(filled)}${" ".repeat(barWidth - filled)}]`;
  const size = `${readableSize(doneBytes)} of ${readableSize(totalBytes)}`;
  const rest =
    bytesPerSecond > 0
      ? `${readableSize(bytesPerSecond)}/s, ${readableDuration((totalBytes - doneBytes) / bytesPerSecond)} left`
      : "";
  // What does not fit is left out, the least important first.
  for (const parts of [
    [percent, bar, size, rest],
    [percent, size, rest],
    [percent, size],
    [percent],
  ]) {
    const tail = parts.filter((each) => each !== "").join(" ");
    const room = columns - tail.length - 1;
    if (room >= Math.min(least, facts.label.length)) return `${shorten(facts.label, room)} ${tail}`;
  }
  return percent.slice(0, Math.max(0, columns));
}

/** The end of a name tells more than its begin. */
function shorten(label: string, room: number): string {
  return label.length <= room ? label : `…${label.slice(label.length - room + 1)}`;
}
