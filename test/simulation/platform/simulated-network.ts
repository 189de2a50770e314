/** The network as one process of a simulated machine sees it. */
import type {
  Connection,
  ConnectOptions,
  Listener,
  ListenOptions,
  Network,
  NetworkAddress,
  PathListener,
} from "#platform/network.ts";
import type { Fabric } from "./fabric.ts";
import { SimulatedConnection } from "./simulated-connection.ts";
import { type Life, skewed, type World } from "./world.ts";

const firstEphemeralPort = 32_768;

/** Ports that the machine gives out, which outlive its processes. */
export class EphemeralPorts {
  #next = firstEphemeralPort;

  take(): number {
    this.#next = this.#next === 65_535 ? firstEphemeralPort : this.#next + 1;
    return this.#next;
  }
}

export interface NetworkPlace {
  readonly world: World;
  readonly fabric: Fabric;
  readonly life: Life;
  readonly ports: EphemeralPorts;
  /** Those of the machine. */
  readonly addresses: readonly string[];
}

export class SimulatedNetwork implements Network {
  readonly #place: NetworkPlace;

  constructor(place: NetworkPlace) {
    this.#place = place;
  }

  async listen(
    options: ListenOptions,
    onConnection: (connection: Connection) => void,
  ): Promise<Listener> {
    const { fabric, life, ports, addresses } = this.#place;
    const everywhere = options.address === "0.0.0.0" || options.address === "::";
    const where = everywhere ? addresses : [options.address];
    const port = options.port === 0 ? ports.take() : options.port;
    for (const address of where) {
      if (!addresses.includes(address)) throw failed("EADDRNOTAVAIL", `${address}:${port}`);
      if (fabric.listeningAt(address, port) !== undefined) {
        throw failed("EADDRINUSE", `${address}:${port}`);
      }
    }
    for (const address of where) fabric.listen(address, port, { life, onConnection });
    const close = async (): Promise<void> => {
      for (const address of where) fabric.stopListening(address, port);
    };
    return { address: options.address, port, close, [Symbol.asyncDispose]: close };
  }

  connect(options: ConnectOptions, signal?: AbortSignal): Promise<Connection> {
    const { world, life, addresses } = this.#place;
    const from = options.from ?? addresses[0] ?? "";
    const name = `${options.address}:${options.port}`;
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(new Error("connecting was abandoned"));
        return;
      }
      let settled = false;
      const settle = (end: () => void): void => {
        if (settled) return;
        settled = true;
        limit.cancel();
        signal?.removeEventListener("abort", onAbort);
        end();
      };
      const onAbort = (): void => settle(() => reject(new Error("connecting was abandoned")));
      const limit = world.at(
        options.timeoutMs,
        { life, label: `${life.name} connect limit` },
        () => {
          const message = `no answer from ${name} within ${options.timeoutMs} ms`;
          settle(() => reject(Object.assign(new Error(message), { code: "ETIMEDOUT" })));
        },
      );
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#handshake(from, options, {
        isWanted: () => !settled,
        opened: (connection) => settle(() => resolve(connection)),
        refused: () => settle(() => reject(failed("ECONNREFUSED", name))),
      });
    });
  }

  /** Asks, and is answered, each after its time on the way. What is lost is asked again after a second. */
  #handshake(from: string, to: ConnectOptions, how: Handshake): void {
    const { world, fabric, life } = this.#place;
    if (!how.isWanted() || life.ended) return;
    const there = fabric.link(from, to.address);
    const back = fabric.link(to.address, from);
    const askMs = there.delayMs(0);
    const again = (): void => {
      world.at(1000 + skewed(world.random, 0, 50), { life, label: `${life.name} asks again` }, () =>
        this.#handshake(from, to, how),
      );
    };
    if (askMs === undefined || !fabric.isUp(to.address)) {
      again();
      return;
    }
    world.at(askMs, { life: undefined, label: `${life.name} connects` }, () => {
      const listening = fabric.listeningAt(to.address, to.port);
      const answerMs = back.delayMs(0);
      if (answerMs === undefined || !fabric.isUp(to.address)) {
        again();
      } else if (listening === undefined || listening.life.ended) {
        world.at(answerMs, { life, label: `${life.name} refused` }, how.refused);
      } else {
        world.at(answerMs, { life, label: `${life.name} connected` }, () => {
          if (how.isWanted()) this.#opened(from, to, { listening, how });
        });
      }
    });
  }

  #opened(
    from: string,
    to: ConnectOptions,
    { listening, how }: { readonly listening: ListeningOf; readonly how: Handshake },
  ): void {
    const { world, fabric, life, ports } = this.#place;
    const local = { address: from, port: ports.take() };
    const remote = { address: to.address, port: to.port };
    const label = `${life.name}>${listening.life.name}`;
    const near = new SimulatedConnection({
      ...{ world, label, life, local, remote, allowHalfOpen: false },
      link: fabric.link(from, to.address),
      isUp: () => fabric.isUp(from),
    });
    const far = new SimulatedConnection({
      ...{ world, label: `${listening.life.name}>${life.name}`, life: listening.life },
      ...{ local: remote, remote: local, allowHalfOpen: true },
      link: fabric.link(to.address, from),
      isUp: () => fabric.isUp(to.address),
    });
    SimulatedConnection.join(near, far);
    fabric.track(near);
    fabric.track(far);
    if (listening.life.ended) {
      far.processEnded();
    } else {
      world.at(0, { life: listening.life, label: `${label} accepted` }, () => {
        if (!far.closed) listening.onConnection(far);
      });
    }
    how.opened(near);
  }

  addresses(): NetworkAddress[] {
    return this.#place.addresses.map((address) => ({
      interfaceName: "eth0",
      address,
      prefixLength: 8,
      family: 4,
      internal: false,
    }));
  }

  listenPath(): Promise<PathListener> {
    return Promise.reject(failed("ENOTSUP", "Unix socket"));
  }

  connectPath(): Promise<Connection> {
    return Promise.reject(failed("ENOENT", "Unix socket"));
  }

  async resolve(name: string): Promise<readonly string[]> {
    return [name];
  }
}

interface Handshake {
  readonly isWanted: () => boolean;
  readonly opened: (connection: Connection) => void;
  readonly refused: () => void;
}

interface ListeningOf {
  readonly life: Life;
  readonly onConnection: (connection: SimulatedConnection) => void;
}

function failed(code: string, where: string): Error {
  return Object.assign(new Error(`${code}: ${where} (simulated)`), { code });
}
