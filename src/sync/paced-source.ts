/**
 * A payload that goes out no faster than a budget allows: in pieces of an eighth of a second, so that a large file is no burst and a peer
 * never waits in silence. Main thread.
 */
import type { ByteSource, Piece } from "#net/byte-flow.ts";
import { type Clock, delay } from "#platform/clock.ts";
import type { ByteBudget } from "#sync/sync-pace.ts";

const minPieceBytes = 1024;
const maxPieceBytes = 256 * 1024;
const piecesPerSecond = 8;

/** `source` itself where the budget limits nothing. */
export function pacedSource(source: ByteSource, budget: ByteBudget, clock: Clock): ByteSource {
  const { bytesPerSecond } = budget;
  if (bytesPerSecond === 0) return source;
  const fair = Math.floor(bytesPerSecond / piecesPerSecond);
  const pieceBytes = Math.min(maxPieceBytes, Math.max(minPieceBytes, fair));
  let rest: Piece | undefined;
  let closed = false;
  return {
    length: source.length,
    next: async () => {
      const whole = rest ?? (await source.next());
      rest = undefined;
      if (whole === undefined) return undefined;
      const [piece, behind] = split(whole, pieceBytes);
      rest = behind;
      const ms = closed ? 0 : budget.take(piece.bytes.length, clock.monotonicMs());
      if (ms > 0) await delay(clock, ms);
      if (!closed) return piece;
      piece.release();
      rest?.release();
      rest = undefined;
      return undefined;
    },
    close: () => {
      closed = true;
      rest?.release();
      rest = undefined;
      source.close();
    },
  };
}

/** The buffer goes back when both parts were released. */
function split(whole: Piece, bytes: number): readonly [Piece, Piece | undefined] {
  if (whole.bytes.length <= bytes) return [whole, undefined];
  let held = 2;
  const release = (): void => {
    held -= 1;
    if (held === 0) whole.release();
  };
  const first = { bytes: whole.bytes.subarray(0, bytes), room: whole.room, release };
  return [first, { bytes: whole.bytes.subarray(bytes), room: 0, release }];
}
