/**
 * A line between two hosts on which bits change: what comes in at one address goes on to another one, and every now and then one bit of it is
 * another one. What comes back passes as it is.
 */
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import type { Random } from "#platform/random.ts";
import { seededRandom } from "./seeded-random.ts";

export interface DamagingProxyOptions {
  readonly listen: { readonly address: string; readonly port: number };
  readonly to: { readonly address: string; readonly port: number };
  /** Own address of the connections that go on. */
  readonly from: string;
  /** In the mean, one bit of so many bytes. */
  readonly bytesAFlip: number;
  readonly seed: number;
}

export class DamagingProxy implements AsyncDisposable {
  readonly #options: DamagingProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #random: Random;
  /** Bits that were changed. */
  flips = 0;
  damages = true;

  private constructor(options: DamagingProxyOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#server = createServer((socket) => this.#join(socket));
  }

  static async start(options: DamagingProxyOptions): Promise<DamagingProxy> {
    const proxy = new DamagingProxy(options);
    const { address, port } = options.listen;
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(port, address, resolve);
    });
    return proxy;
  }

  #join(incoming: Socket): void {
    const { to, from } = this.#options;
    const outgoing = dial({ host: to.address, port: to.port, localAddress: from });
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.on("drain", () => other.resume());
    }
    incoming.on("data", (chunk: Buffer) => {
      this.#damage(chunk);
      if (!outgoing.write(chunk)) incoming.pause();
    });
    outgoing.on("data", (chunk) => {
      if (!incoming.write(chunk)) outgoing.pause();
    });
  }

  #damage(chunk: Buffer): void {
    if (!this.damages) return;
    if (this.#random.below(this.#options.bytesAFlip) > chunk.length) return;
    const at = this.#random.below(chunk.length);
    chunk[at] = (chunk[at] ?? 0) ^ (1 << this.#random.below(8));
    this.flips += 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
