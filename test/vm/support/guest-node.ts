/**
 * The arm64 executable as a whole node inside of a machine, which looks after the machine's disks as root. Its command line runs inside as well;
 * what is asked again and again comes over a socket of this machine that leads to its control socket, and clients reach it at its own ports
 * on loopback. Everybody here is patient: the machine may be many times slower than any real one, while its own clock does not notice.
 */
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ControlClient } from "#cli/control-client.ts";
import type { Operation } from "#control/operation.ts";
import { readSmart, type ToldHealth } from "#control/operations/disk-health.ts";
import { listDisks, type ShownDisk } from "#control/operations/disks.ts";
import { status } from "#control/operations/system.ts";
import { FrameClient } from "#net/frame-client.ts";
import type { Clock } from "#platform/clock.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { freePorts } from "../../support/free-ports.ts";
import { StorageCaller } from "../../support/storage-caller.ts";
import { Machine } from "./machine.ts";
import { guestData } from "./system-disk.ts";

/** Each look costs the machine some time as well. */
const lookPeriodMs = 500;
const connectTimeoutMs = 5000;
const networkTimeoutMs = 20_000;
const patience = 20;
const patientClock: Clock = {
  nowMs: () => nodeClock.nowMs(),
  monotonicMs: () => nodeClock.monotonicMs(),
  after: (ms, act) => nodeClock.after(ms * patience, act),
  every: (ms, act) => nodeClock.every(ms, act),
};

export interface LoggedEvent {
  readonly event: string;
  readonly [name: string]: unknown;
}

export class GuestNode implements AsyncDisposable {
  readonly machine: Machine;
  readonly #ports: { readonly tracker: number; readonly storage: number };
  readonly #relay: Server;
  readonly #control: ControlClient;

  private constructor(machine: Machine, ports: { tracker: number; storage: number }) {
    this.machine = machine;
    this.#ports = ports;
    const path = join(machine.folder, "control");
    this.#relay = relayTo(machine.controlPort, path);
    this.#control = new ControlClient({ network: new NodeNetwork(), clock: patientClock, path });
  }

  /** A machine with a node that serves, and has no disk yet. */
  static async start(executable: string): Promise<GuestNode> {
    const [tracker = 0, storage = 0] = await freePorts(2);
    const machine = await Machine.boot({ executable, ports: [tracker, storage] });
    const node = new GuestNode(machine, { tracker, storage });
    try {
      await node.#serve();
      return node;
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #serve(): Promise<void> {
    const { tracker, storage } = this.#ports;
    const sets = [
      ...[`node.data_dir=${guestData}`, "node.log_format=json", "node.address=127.0.0.1"],
      ...["node.roles=tracker,storage", "disks.manage=true", "tracker.reserved_space=1MiB"],
      ...[`tracker.port=${tracker}`, `storage.port=${storage}`],
    ];
    const words = sets.map((set) => `--set ${set}`).join(" ");
    const log = "log=$(echo /dev/vport*p1)";
    await this.machine.run(`${log}; setsid cairn serve ${words} > /dev/null 2> $log &`);
    await this.seen("ready", {});
  }

  /** Everything that it logged, in order. */
  get log(): readonly LoggedEvent[] {
    const lines = this.machine.log.split("\n").slice(0, -1);
    return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }

  /** The first record with this event and these values. */
  seen(event: string, values: Readonly<Record<string, unknown>>): Promise<LoggedEvent> {
    const wanted = Object.entries({ event, ...values });
    return this.#until(`no ${event} in its log`, async () =>
      this.log.find((each) => wanted.every(([name, value]) => each[name] === value)),
    );
  }

  /** Of `cairn …` inside: what it printed. */
  cairn(...words: readonly string[]): Promise<string> {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    return this.machine.run(`cairn ${quoted} --socket ${guestData}/cairn.sock`);
  }

  ask<Input, Output>(operation: Operation<Input, Output>, input: Input): Promise<Output> {
    return this.#control.ask(operation, input);
  }

  /** Once the disk with this serial was met, and what is on it was read. */
  known(serial: string): Promise<ShownDisk> {
    return this.#until(`no disk ${serial}`, async () => {
      const { disks } = await this.ask(listDisks, { refresh: true });
      return disks.find((disk) => disk.serial === serial && disk.problems.length === 0);
    });
  }

  /** Once a store path is in this state. */
  async path(index: number, state: string): Promise<void> {
    await this.#until(`store path ${index} is not ${state}`, async () => {
      const { storePaths } = await this.ask(status, {});
      return storePaths.find((path) => path.index === index && path.state === state);
    });
  }

  /** Once something like that is told against the disk with this serial, without asking the disk. */
  reason(serial: string, words: RegExp): Promise<ShownDisk> {
    return this.#until(`nothing like ${words} is told of ${serial}`, async () => {
      const { disks } = await this.ask(listDisks, {});
      return disks.find(
        (disk) => disk.serial === serial && disk.reasons?.some((reason) => words.test(reason)),
      );
    });
  }

  smart(disk: string): Promise<ToldHealth> {
    return this.ask(readSmart, { disk });
  }

  /** Whoever asks for it closes it. */
  async storage(): Promise<StorageCaller> {
    const to = { address: "127.0.0.1", port: this.#ports.storage, timeoutMs: connectTimeoutMs };
    const world = { network: new NodeNetwork(), clock: patientClock, networkTimeoutMs };
    return StorageCaller.over(await FrameClient.connect(to, world));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#relay.close();
    await this.machine[Symbol.asyncDispose]();
  }

  async #until<T>(problem: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + this.machine.limitMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > deadline) {
        const last = this.machine.log.split("\n").slice(-30).join("\n");
        throw new Error(`${problem}; the last of its log: ${last}`);
      }
      await pause(lookPeriodMs);
    }
  }
}

/** Each connection to `path` is one to the port of loopback. */
function relayTo(port: number, path: string): Server {
  const server = createServer({ allowHalfOpen: true }, (own) => {
    const other = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    own.pipe(other);
    other.pipe(own);
    own.on("error", () => other.destroy());
    other.on("error", () => own.destroy());
  });
  return server.listen(path);
}
