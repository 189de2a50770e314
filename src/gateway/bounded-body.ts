/**
 * Payloads from outside on their way into the store or into memory: counted, and stopped at a limit. The store sees a
 * `ByteFlow`; where the length is not known beforehand it is told so. Main thread.
 */
import type { AppError } from "#base/app-error.ts";
import { gatewayError } from "#gateway/errors.ts";
import type { ByteFlow, ByteSink } from "#net/byte-flow.ts";

/** A request's body, or a part of a form. */
export interface RawBody {
  drainTo(sink: ByteSink): Promise<void>;
  resume(): void;
}

export interface UploadFlowOptions {
  readonly length: number;
  readonly lengthIsEstimate: boolean;
  readonly maxBytes: number;
}

export class UploadFlow implements ByteFlow {
  readonly length: number;
  readonly lengthIsEstimate: boolean;
  readonly #body: RawBody;
  readonly #maxBytes: number;
  #receivedBytes = 0;
  #failure: Error | undefined;

  constructor(body: RawBody, options: UploadFlowOptions) {
    this.#body = body;
    this.length = options.length;
    this.lengthIsEstimate = options.lengthIsEstimate;
    this.#maxBytes = options.maxBytes;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Why the payload did not arrive whole; the store may tell it in words of its own. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  drainTo(sink: ByteSink): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        this.#failure ??= error;
        reject(error);
      };
      const counting: ByteSink = {
        write: (chunk) => {
          if (this.#failure !== undefined) return true;
          this.#receivedBytes += chunk.length;
          if (this.#receivedBytes <= this.#maxBytes) return sink.write(chunk);
          fail(tooLarge(this.#maxBytes));
          return true;
        },
      };
      this.#body.drainTo(counting).then(() => {
        if (this.#failure === undefined) resolve();
      }, fail);
    });
  }

  resume(): void {
    this.#body.resume();
  }
}

export function tooLarge(maxBytes: number): AppError {
  return gatewayError("upload-too-large", `more than ${maxBytes} bytes are not taken here`);
}

/** A small payload as a whole. Rejects with `upload-too-large` above `maxBytes`. */
export async function collectBody(body: RawBody, maxBytes: number): Promise<Buffer> {
  const flow = new UploadFlow(body, { length: 0, lengthIsEstimate: true, maxBytes });
  const chunks: Buffer[] = [];
  await flow.drainTo({
    write: (chunk) => {
      chunks.push(Buffer.from(chunk));
      return true;
    },
  });
  return Buffer.concat(chunks);
}
