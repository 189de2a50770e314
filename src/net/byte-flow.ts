/**
 * Payloads on their way: a `ByteFlow` comes in from a peer and is drained into a sink; a `ByteSource` is read by whoever
 * sends it out. Both hand out views of buffers that are reused, so that nothing is copied on the way.
 */

/** Takes bytes in order. All of `chunk` has been used or copied when `write` returns. */
export interface ByteSink {
  /** False asks the flow to pause until its `resume` is called. */
  write(chunk: Uint8Array): boolean;
}

/** A payload that arrives from outside. Drained once, by `drainTo`. */
export interface ByteFlow {
  /** Bytes in all; with `lengthIsEstimate` only a guess, for choosing a place with room. */
  readonly length: number;
  /** True where only the end of the flow tells its length, as in HTTP's chunked bodies: `drainTo` hands over more or fewer bytes. */
  readonly lengthIsEstimate?: boolean;
  /** Resolves when every byte was handed to `sink`; rejects with `flow-broken` when the sender stops early. */
  drainTo(sink: ByteSink): Promise<void>;
  /** The sink can take more. Harmless at any time. */
  resume(): void;
}

/** A view of a reused buffer; `release` gives the buffer back, once. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Writable bytes directly in front of `bytes` in the same buffer, where a sender may put a header. */
  readonly room: number;
  /** What was sent directly of the payload in front of `bytes`, which may be empty then. */
  readonly sent?: number;
  release(): void;
}

/** A payload of known length that is read piece by piece. */
export interface ByteSource {
  /** Bytes in all; `endlessLength` of a reply that ends with its connection, however many there are. */
  readonly length: number;
  /** What was sent directly so far, header included (`direct-peer.ts`); the first piece follows it. */
  readonly sent?: number;
  /** The next piece, at once where it is there, or undefined after the last one. One call at a time. */
  next(): Piece | undefined | Promise<Piece | undefined>;
  /** Gives up what is left. Harmless after the end. */
  close(): void;
}

/** A source over bytes that are in memory already. */
export function sourceOfBytes(bytes: Uint8Array): ByteSource {
  let given = false;
  return {
    length: bytes.length,
    next: async () => {
      if (given || bytes.length === 0) return undefined;
      given = true;
      return { bytes, room: 0, release: () => {} };
    },
    close: () => {
      given = true;
    },
  };
}

/** A flow over a source, for callers that have the payload on this side. */
export function flowOfSource(source: ByteSource): ByteFlow {
  let wake: (() => void) | undefined;
  return {
    length: source.length,
    async drainTo(sink: ByteSink): Promise<void> {
      for (;;) {
        const piece = await source.next();
        if (piece === undefined) return;
        const goOn = sink.write(piece.bytes);
        piece.release();
        if (!goOn) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
    resume(): void {
      wake?.();
      wake = undefined;
    },
  };
}

export function flowOfBytes(bytes: Uint8Array): ByteFlow {
  return flowOfSource(sourceOfBytes(bytes));
}

/** Everything a flow brings, in one buffer; for payloads known to be small. */
export async function collect(flow: ByteFlow): Promise<Buffer> {
  const target = Buffer.allocUnsafe(flow.length);
  let filled = 0;
  await flow.drainTo({
    write(chunk): boolean {
      target.set(chunk, filled);
      filled += chunk.length;
      return true;
    },
  });
  return target.subarray(0, filled);
}
