/** A request's payload that comes from memory in chunks, each in a turn of its own, and pauses when it is told to. */
import type { ByteSink } from "#net/byte-flow.ts";
import { netError } from "#net/errors.ts";
import type { HttpBody } from "#net/http-message.ts";

export interface ChunkedBodyOptions {
  readonly chunkBytes: number;
  /** The sender goes away after the last byte. */
  readonly breaks?: boolean;
}

export interface BodySource extends HttpBody {
  readonly sentBytes: number;
}

export function chunkedBody(bytes: Uint8Array, options: ChunkedBodyOptions): BodySource {
  let at = 0;
  let wake: (() => void) | undefined;
  return {
    length: bytes.length,
    get sentBytes(): number {
      return at;
    },
    async drainTo(sink: ByteSink): Promise<void> {
      while (at < bytes.length) {
        await new Promise((resolve) => setImmediate(resolve));
        // A copy that is overwritten afterwards: sinks must not keep what they are given.
        const chunk = Buffer.from(bytes.subarray(at, at + options.chunkBytes));
        at += chunk.length;
        const resumed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const goOn = sink.write(chunk);
        chunk.fill(0);
        if (!goOn) await resumed;
      }
      if (options.breaks === true) throw netError("flow-broken", "the client went away");
    },
    resume(): void {
      wake?.();
    },
  };
}
