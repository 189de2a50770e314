/** The other end of a real socket: sends what and as it likes, and keeps what it gets. */
import { connect, type Socket } from "node:net";
import { until } from "./settled.ts";

export class RawPeer {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  /** Sizes of what each read gave. */
  readonly reads: number[] = [];
  /** The other side sends no more. */
  ended = false;
  closed = false;
  error: Error | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.reads.push(chunk.length);
      this.received = Buffer.concat([this.received, chunk]);
    });
    socket.on("end", () => {
      this.ended = true;
    });
    socket.on("error", (error) => {
      this.error = error;
    });
    socket.on("close", () => {
      this.closed = true;
    });
  }

  static async open(port: number, address = "127.0.0.1"): Promise<RawPeer> {
    const socket = connect({ port, host: address, allowHalfOpen: true });
    const peer = new RawPeer(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return peer;
  }

  send(...parts: Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** In pieces that leave one by one. */
  async sendSlowly(bytes: Uint8Array, pieceBytes: number): Promise<void> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      this.socket.write(bytes.subarray(at, at + pieceBytes));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async expect(length: number): Promise<Buffer> {
    await until(() => this.received.length >= length, `${length} bytes of reply`);
    return this.received;
  }

  async untilEnd(): Promise<void> {
    await until(() => this.ended || this.closed, "the end of the connection");
  }

  destroy(): void {
    this.socket.destroy();
  }
}
