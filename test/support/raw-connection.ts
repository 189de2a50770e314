/**
 * A TCP connection that sends exactly the bytes it is given and reads whole frames (protocol §1.1): for tests of what a server
 * does with requests that no client library would send.
 */
import { createConnection, type Socket } from "node:net";

const headerSize = 10;

export interface Frame {
  readonly command: number;
  readonly status: number;
  readonly body: Buffer;
}

/** `closed` by the peer, or `silent` for as long as was waited. */
export type Received = Frame | "closed" | "silent";

export interface Place {
  readonly address: string;
  readonly port: number;
}

export class RawConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const closed = (): void => {
      this.#closed = true;
      this.#wake();
    };
    socket.on("end", closed);
    socket.on("close", closed);
    socket.on("error", closed);
  }

  static connect(place: Place): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({
        host: place.address,
        port: place.port,
        allowHalfOpen: true,
      });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  /** The peer has ended or broken the connection. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the kernel has taken the bytes; does not mind a broken connection, which reading shows. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
  }

  /** The next frame, waiting at most `limitMs` for more of it to come. */
  async frame(limitMs: number): Promise<Received> {
    const header = await this.#take(headerSize, limitMs);
    if (typeof header === "string") return header;
    const body = await this.#take(Number(header.readBigInt64BE(0)), limitMs);
    if (typeof body === "string") return body;
    return { command: header.readUInt8(8), status: header.readUInt8(9), body };
  }

  /** True when the peer ended the connection within `limitMs`. */
  async endsWithin(limitMs: number): Promise<boolean> {
    const until = performance.now() + limitMs;
    while (!this.#closed && performance.now() < until) await this.#changes(until);
    return this.#closed;
  }

  /** Ends our side only. */
  end(): void {
    this.#socket.end();
  }

  /** Closes both sides; what was not sent yet is lost. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** As a crashed peer's kernel does: with a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  async #take(count: number, limitMs: number): Promise<Buffer | "closed" | "silent"> {
    const until = performance.now() + limitMs;
    while (this.#received.length < count) {
      if (this.#closed) return "closed";
      if (performance.now() >= until) return "silent";
      await this.#changes(until);
    }
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }

  #changes(until: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, until - performance.now()));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A request as it is sent; `length` and `status` may lie. */
export function frame(
  command: number,
  body: Uint8Array = Buffer.alloc(0),
  lies: { readonly length?: number | bigint; readonly status?: number } = {},
): Buffer {
  const header = Buffer.alloc(headerSize);
  header.writeBigInt64BE(BigInt(lies.length ?? body.length), 0);
  header.writeUInt8(command, 8);
  header.writeUInt8(lies.status ?? 0, 9);
  return Buffer.concat([header, body]);
}
