/**
 * Pointing at a disk among others: its LED where an enclosure has one to be switched, and otherwise the LED that every disk has, which blinks
 * when it is read. The reads are harmless, short, at places spread over the disk so that no cache serves them, and end by themselves. A
 * pattern that no ordinary work has: three short and a pause. A disk that sleeps is woken: somebody stands before the box. Main thread; the
 * reads are made by children of whoever may.
 */
import { AppError, describeError } from "#base/app-error.ts";
import { type Clock, delay } from "#platform/clock.ts";
import type { Commands } from "#platform/commands.ts";
import type { Random } from "#platform/random.ts";

export const locateLimits = {
  maxDurationMs: 5 * 60_000,
  defaultDurationMs: 30_000,
  /** A disk that wakes up takes up to 15 s for its first read. */
  burstDeadlineMs: 25_000,
} as const;

/** One blink, as long as eyes need, and what is between. */
const blinkMs = 250;
const gapMs = 250;
const blinksInRow = 3;
const pauseMs = 1200;
/** A burst is of pieces of this size; how many make a blink is found out. */
const pieceBytes = 1024 * 1024;
const maxPieces = 512;

export interface BlinkSource {
  readonly sizeBytes: number;
  /** Reads `pieces` times 1 MiB from `offsetBytes`, past all caches. Rejects where that fails. */
  read(offsetBytes: number, pieces: number): Promise<void>;
}

export interface BlinkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly durationMs: number;
  /** Ends it sooner, without an error. */
  readonly signal: AbortSignal;
}

/** Blinks until the time is over. Resolves to the number of blinks; rejects with `locate-failed` where the disk cannot be read. */
export async function blink(source: BlinkSource, options: BlinkOptions): Promise<number> {
  const { clock, signal } = options;
  const endMs = clock.monotonicMs() + Math.min(options.durationMs, locateLimits.maxDurationMs);
  let pieces = 8;
  let blinks = 0;
  const over = (): boolean => signal.aborted || clock.monotonicMs() >= endMs;
  while (!over()) {
    for (let each = 0; each < blinksInRow && !over(); each += 1) {
      const beginMs = clock.monotonicMs();
      await burst(source, pieces, options.random);
      const tookMs = Math.max(1, clock.monotonicMs() - beginMs);
      // Disks differ by a factor of a hundred; the first read of one that slept says nothing.
      const wanted = Math.round((pieces * blinkMs) / tookMs);
      pieces = Math.max(1, Math.min(maxPieces, Math.max(wanted, Math.floor(pieces / 2))));
      blinks += 1;
      await rest(gapMs, options);
    }
    if (!over()) await rest(pauseMs, options);
  }
  return blinks;
}

async function burst(source: BlinkSource, pieces: number, random: Random): Promise<void> {
  const places = Math.max(1, Math.floor(source.sizeBytes / pieceBytes) - pieces);
  const offset = random.below(Math.min(places, 2 ** 32)) * pieceBytes;
  try {
    await source.read(offset, pieces);
  } catch (cause) {
    const words = `the disk cannot be read, so that it does not blink: ${describeError(cause)}`;
    throw new AppError("locate-failed", words, { cause });
  }
}

async function rest(ms: number, { clock, signal }: BlinkOptions): Promise<void> {
  try {
    await delay(clock, ms, signal);
  } catch {
    // It was ended: the caller's loop sees that.
  }
}

/**
 * Reads of a device, or of a large file on it, by `dd` with O_DIRECT. `path` is absolute and checked by the caller; nothing is written
 * anywhere.
 */
export function directReads(commands: Commands, path: string, sizeBytes: number): BlinkSource {
  return {
    sizeBytes,
    read: async (offsetBytes, pieces) => {
      const { code, stderr } = await commands.run(
        "dd",
        [
          ...[`if=${path}`, "of=/dev/null", `bs=${pieceBytes}`, "iflag=direct", "status=none"],
          ...[`skip=${Math.floor(offsetBytes / pieceBytes)}`, `count=${pieces}`],
        ],
        { deadlineMs: locateLimits.burstDeadlineMs, maxOutputBytes: 4096 },
      );
      if (code !== 0) {
        const why = stderr.split("\n")[0]?.slice(0, 200) ?? "";
        throw new AppError("disk-unreadable", why === "" ? `dd ended with ${code}` : why);
      }
    },
  };
}
