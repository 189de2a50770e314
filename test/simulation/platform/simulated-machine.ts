/**
 * A machine of the simulated world: its addresses, clocks and disks, and at most one process, the Cairn node. The process can be
 * started, stopped in order, killed or paused, and the power can go.
 */
import { Log, type LogRecord } from "#base/log.ts";
import type { Config } from "#config/schema.ts";
import { type RunningNode, startNode } from "#daemon/compose.ts";
import { ScriptedCommands } from "../../support/scripted-commands.ts";
import type { Fabric } from "./fabric.ts";
import { MachineTime, SimulatedClock } from "./simulated-clock.ts";
import { DatabaseDisk, SimulatedDatabases } from "./simulated-databases.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";
import { SimulatedHost } from "./simulated-host.ts";
import { EphemeralPorts, SimulatedNetwork } from "./simulated-network.ts";
import { SimulatedWorkers } from "./simulated-workers.ts";
import { Life, type World } from "./world.ts";

export interface MachineOptions {
  readonly world: World;
  readonly fabric: Fabric;
  readonly name: string;
  readonly address: string;
  readonly config: Config;
  readonly disks: readonly SimulatedDisk[];
  /** Seconds of its clock in a true one. */
  readonly rate: number;
  readonly wallMs: number;
}

/** What a service manager waits before it starts a process again that could not be started. */
const restartMs = 1000;
const stopDeadlineMs = 3000;
/** Trackers have told all members of a new one within this time. */
const newsMs = 2000;

export class SimulatedMachine {
  readonly name: string;
  readonly address: string;
  readonly disks: readonly SimulatedDisk[];
  readonly time: MachineTime;
  readonly #options: MachineOptions;
  readonly #databases: DatabaseDisk;
  readonly #ports = new EphemeralPorts();
  #life: Life | undefined;
  #node: RunningNode | undefined;
  #starts = 0;
  #isRemoved = false;
  #returnedMs = Number.NEGATIVE_INFINITY;
  /** Log lines at `error` of all processes so far. */
  readonly errors: string[] = [];

  constructor(options: MachineOptions) {
    const { world, fabric, name, address, disks, rate, wallMs } = options;
    this.#options = options;
    this.name = name;
    this.address = address;
    this.disks = disks;
    this.time = new MachineTime(world, { rate, wallMs });
    this.#databases = new DatabaseDisk(world);
    fabric.switchOn(address);
  }

  get config(): Config {
    return this.#options.config;
  }

  /** The node, where it serves. */
  get node(): RunningNode | undefined {
    return this.#life?.ended === false ? this.#node : undefined;
  }

  get runs(): boolean {
    return this.#life?.ended === false;
  }

  /** It was started once: it belongs to the cluster. */
  get joined(): boolean {
    return this.#starts > 0;
  }

  /** It was removed from its group, and is away, or back since a moment: the others may not have heard of it yet. */
  get isOutside(): boolean {
    return this.#isRemoved || this.#options.world.nowMs < this.#returnedMs + newsMs;
  }

  /** From its group, by the trackers. */
  removed(): void {
    this.#isRemoved = true;
  }

  get paused(): boolean {
    return this.#life?.stopped === true;
  }

  start(): void {
    const { world, fabric, name, address, config } = this.#options;
    // Whoever was to start it again may come while the power is off.
    if (this.runs || !fabric.isUp(address)) return;
    this.#starts += 1;
    if (this.#isRemoved) this.#returnedMs = world.nowMs;
    this.#isRemoved = false;
    const life = new Life(this.#starts === 1 ? name : `${name}#${this.#starts}`);
    this.#life = life;
    this.#node = undefined;
    const network = new SimulatedNetwork({
      ...{ world, fabric, life, ports: this.#ports, addresses: [address] },
    });
    const worker = { world, life, time: this.time, databases: this.#databases };
    const platform = {
      clock: new SimulatedClock(world, this.time, life),
      random: world.newRandom(),
      network,
      workers: new SimulatedWorkers({ ...worker, diskOf: (directory) => this.#diskOf(directory) }),
      databases: new SimulatedDatabases(this.#databases, life),
      host: new SimulatedHost(life, () => this.kill()),
      commands: new ScriptedCommands(),
    };
    world.note(`${life.name} starts`);
    const log = new Log("node", (record) => this.#logged(life, record));
    startNode(platform, config, { log, version: "0.0.0" }).then(
      (node) => {
        if (life.ended) return;
        this.#node = node;
        world.note(`${life.name} serves`);
      },
      (error: unknown) => {
        if (life.ended) return;
        world.note(
          `${life.name} could not start: ${error instanceof TypeError ? error.stack : String(error)}`,
        );
        this.kill();
        world.at(restartMs, { life: undefined, label: `${name} is started again` }, () =>
          this.start(),
        );
      },
    );
  }

  /** As SIGTERM does. Resolves when the process is gone. */
  async stop(): Promise<void> {
    const life = this.#life;
    const node = this.#node;
    if (life === undefined || node === undefined || life.ended) return;
    this.#options.world.note(`${life.name} is told to stop`);
    await node.stop(stopDeadlineMs);
    if (!life.ended) this.#processGone(life, "stopped");
  }

  /** As SIGKILL does. */
  kill(): void {
    if (this.#life !== undefined && !this.#life.ended) this.#processGone(this.#life, "killed");
  }

  #processGone(life: Life, how: string): void {
    const { world, fabric, address } = this.#options;
    world.note(`${life.name} ${how}`);
    for (const disk of this.disks) disk.disarm();
    life.end();
    fabric.processEnded(address, life);
    this.#databases.processEnded();
    this.#node = undefined;
  }

  /** The power goes, and stays away until `powerOn`. */
  losePower(): void {
    const { world, fabric, address, name } = this.#options;
    world.note(`${name} loses power`);
    const life = this.#life;
    for (const disk of this.disks) disk.disarm();
    this.#databases.powerLost();
    fabric.switchOff(address);
    life?.end();
    for (const disk of this.disks) disk.powerLost();
    this.#node = undefined;
  }

  powerOn(): void {
    this.#options.fabric.switchOn(this.address);
    this.start();
  }

  /** As SIGSTOP does. */
  pause(): void {
    if (this.#life === undefined || this.#life.ended) return;
    this.#options.world.note(`${this.#life.name} is paused`);
    this.#life.stop();
  }

  goOn(): void {
    if (this.#life === undefined || !this.#life.stopped) return;
    this.#options.world.note(`${this.#life.name} goes on`);
    this.#options.world.resume(this.#life);
  }

  /** Takes the node's own state away, as a new system disk does. */
  loseState(): void {
    this.#databases.wipe();
  }

  #diskOf(directory: string): SimulatedDisk {
    const disk = this.disks.find((each) => each.directory === directory);
    if (disk === undefined) throw new Error(`${this.name} has no disk at ${directory}`);
    return disk;
  }

  #logged(life: Life, { level, area, event, data }: LogRecord): void {
    if (level === "debug" || life.ended) return;
    const words = Object.entries(data).map(([key, value]) => `${key}=${String(value)}`);
    const line = `${life.name} ${level} ${area} ${event} ${words.join(" ")}`;
    this.#options.world.note(line);
    if (level === "error") this.errors.push(line);
  }
}
