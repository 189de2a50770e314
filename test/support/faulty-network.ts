/**
 * The loopback network of one process of several, with lines that can be cut: between two addresses nothing arrives any more, in silence, as
 * when a cable is pulled. Connections that were open then are dead, and reset when the line is mended. `freeze` is a process that
 * stands still: its peers can connect, and hear nothing.
 */
import type {
  Connection,
  ConnectOptions,
  Listener,
  ListenOptions,
  Network,
} from "#platform/network.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";

/** Lines that are cut, shared by all that are on the network. */
export class Cables {
  readonly #cut = new Set<string>();
  readonly networks = new Set<FaultyNetwork>();

  cut(one: string, other: string): void {
    this.#cut.add(`${one} ${other}`).add(`${other} ${one}`);
    for (const network of this.networks) network.apply();
  }

  mend(one: string, other: string): void {
    for (const network of this.networks) network.reset();
    this.#cut.delete(`${one} ${other}`);
    this.#cut.delete(`${other} ${one}`);
  }

  isCut(one: string, other: string): boolean {
    return this.#cut.has(`${one} ${other}`);
  }
}

export class FaultyNetwork extends NodeNetwork implements Network {
  readonly #cables: Cables;
  readonly #open = new Set<Connection>();
  #frozen = false;

  constructor(cables: Cables) {
    super();
    this.#cables = cables;
    cables.networks.add(this);
  }

  override listen(
    options: ListenOptions,
    onConnection: (connection: Connection) => void,
  ): Promise<Listener> {
    return super.listen(options, (connection) => {
      onConnection(connection);
      this.#watch(connection);
    });
  }

  override async connect(options: ConnectOptions, signal?: AbortSignal): Promise<Connection> {
    const { from = "127.0.0.1", address, timeoutMs } = options;
    if (this.#frozen || this.#cables.isCut(from, address)) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        signal?.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve(undefined);
        });
      });
      throw new Error("ETIMEDOUT");
    }
    const connection = await super.connect(options, signal);
    this.#watch(connection);
    return connection;
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen;
    this.apply();
  }

  /** Silences what is cut off by now. */
  apply(): void {
    for (const connection of this.#open) {
      if (connection.closed) this.#open.delete(connection);
      else if (this.#isDead(connection)) connection.pauseReceiving();
      else connection.resumeReceiving();
    }
  }

  /** Connections over lines that are cut do not survive it. */
  reset(): void {
    for (const connection of this.#open) {
      if (this.#cables.isCut(connection.localAddress, connection.remoteAddress)) {
        connection.destroy();
      }
    }
  }

  #isDead(connection: Connection): boolean {
    return this.#frozen || this.#cables.isCut(connection.localAddress, connection.remoteAddress);
  }

  #watch(connection: Connection): void {
    this.#open.add(connection);
    if (this.#isDead(connection)) connection.pauseReceiving();
  }
}
