/** The other end of a connection that was recorded: answers what it is asked by what was answered, in order, and keeps the requests. */
import { createServer, type Server, type Socket } from "node:net";
import { headerSize } from "#protocol/header.ts";

export class RecordedPeer implements AsyncDisposable {
  readonly received: Buffer[] = [];
  port = 0;
  readonly #replyTo: (request: Buffer, at: number) => Buffer | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  /** `replyTo` gives the bytes of a reply; undefined ends the connection, as does a reply that announces more than there is. */
  constructor(replyTo: (request: Buffer, at: number) => Buffer | undefined) {
    this.#replyTo = replyTo;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(address = "127.0.0.1"): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, address, resolve));
    this.port = (this.#server.address() as { port: number }).port;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    let pending: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        if (pending.length < headerSize) return;
        const size = headerSize + Number(pending.readBigInt64BE(0));
        if (pending.length < size) return;
        const request = pending.subarray(0, size);
        pending = pending.subarray(size);
        const reply = this.#replyTo(request, this.received.length);
        this.received.push(request);
        if (reply === undefined) {
          socket.end();
          return;
        }
        socket.write(reply);
        if (headerSize + Number(reply.readBigInt64BE(0)) > reply.length) socket.end();
      }
    });
  }
}
