/** A simulated cluster: trackers and storages, each on a machine of its own, and places for those who talk to them. */
import type { Config } from "#config/schema.ts";
import { type ConfigOverrides, defaultConfig } from "../support/config.ts";
import type { ClusterPlan } from "./plan.ts";
import { Fabric } from "./platform/fabric.ts";
import { MachineTime, SimulatedClock } from "./platform/simulated-clock.ts";
import { SimulatedDisk } from "./platform/simulated-disk.ts";
import { SimulatedMachine } from "./platform/simulated-machine.ts";
import { EphemeralPorts, SimulatedNetwork } from "./platform/simulated-network.ts";
import { Life, type World } from "./platform/world.ts";

/** The first of January 2026. */
export const beginMs = Date.UTC(2026, 0, 1);
const trackerPort = 22_122;
const storagePort = 23_000;
/** Clocks go wrong by at most one in so many. */
const worstDrift = 5000;

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export class SimulatedCluster {
  readonly world: World;
  readonly fabric: Fabric;
  readonly trackerMachines: readonly SimulatedMachine[];
  readonly storageMachines: readonly SimulatedMachine[];
  /** They join while the cluster serves. */
  readonly #later = new Set<SimulatedMachine>();

  constructor(world: World, plan: ClusterPlan) {
    this.world = world;
    this.fabric = new Fabric(world);
    const trackerAddresses = Array.from({ length: plan.trackers }, (_, at) => `10.0.0.${1 + at}`);
    const trackers = trackerAddresses.map((address) => ({
      addresses: [address],
      port: trackerPort,
    }));
    this.trackerMachines = trackerAddresses.map((address, at) =>
      this.#machine(`tracker${1 + at}`, address, { config: trackerConfig(plan) }),
    );
    this.storageMachines = plan.storages.map(({ group, disks, later }, at) => {
      const name = `storage${1 + at}`;
      const made = Array.from({ length: disks }, (_, disk) => {
        return new SimulatedDisk(world, `${name}/disk${disk}`, `/disks/${disk}`);
      });
      const config = storageConfig(plan, { group, disks: made, trackers });
      const machine = this.#machine(name, `10.0.1.${1 + at}`, { config, disks: made });
      if (later === true) this.#later.add(machine);
      return machine;
    });
  }

  get machines(): readonly SimulatedMachine[] {
    return [...this.trackerMachines, ...this.storageMachines];
  }

  /** For clients. */
  get trackers(): readonly Endpoint[] {
    const { trackerMachines, storageMachines } = this;
    const machines = trackerMachines.length === 0 ? storageMachines : trackerMachines;
    return machines.map(({ address }) => ({ address, port: trackerPort }));
  }

  get groups(): readonly string[] {
    return [...new Set(this.storageMachines.map(({ config }) => config.storage.group))];
  }

  /** Those that have joined. */
  storagesOf(group: string): readonly SimulatedMachine[] {
    return this.storageMachines.filter(
      ({ config, joined }) => joined && config.storage.group === group,
    );
  }

  /** Whoever has a file of this group can be asked for it now. */
  isWhole(group: string): boolean {
    const serves = this.storagesOf(group).every(
      ({ node, paused, disks }) =>
        node !== undefined && !paused && !disks.some(({ hangs }) => hangs),
    );
    return serves && this.fabric.isWhole;
  }

  start(): void {
    for (const machine of this.machines) {
      if (!this.#later.has(machine)) machine.start();
    }
  }

  /** A process that belongs to nobody, with a good clock. */
  outsider(
    name: string,
    address: string,
  ): { readonly life: Life; readonly clock: SimulatedClock; readonly network: SimulatedNetwork } {
    const { world, fabric } = this;
    const life = new Life(name);
    fabric.switchOn(address);
    const time = new MachineTime(world, { rate: 1, wallMs: beginMs + world.nowMs });
    const place = { world, fabric, life, ports: new EphemeralPorts(), addresses: [address] };
    return {
      life,
      clock: new SimulatedClock(world, time, life),
      network: new SimulatedNetwork(place),
    };
  }

  #machine(
    name: string,
    address: string,
    { config, disks = [] }: { readonly config: Config; readonly disks?: readonly SimulatedDisk[] },
  ): SimulatedMachine {
    const { world, fabric } = this;
    const rate = 1 + (world.random.below(2001) - 1000) / 1000 / worstDrift;
    const wallMs = beginMs + world.random.below(4000) - 2000;
    return new SimulatedMachine({ world, fabric, name, address, config, disks, rate, wallMs });
  }
}

/** Everything happens sooner than by default, so that a short run sees much of it. */
const hasty = { connectTimeoutMs: 1500, networkTimeoutMs: 5000 };

/** So small that a run comes to its end, and begins anew. */
const journalBytes = 1024 * 1024;

/** As small as trunk files can be, so that several are used. */
const trunk = {
  enabled: true,
  slotMinSizeBytes: 256,
  slotMaxSizeBytes: 8 * 1024,
  fileSizeBytes: 4 * 1024 * 1024,
};

function trackerConfig(plan: ClusterPlan): Config {
  return defaultConfig({
    node: { roles: ["tracker"], dataDir: "/state", ...hasty },
    tracker: trackerSettings(plan),
  });
}

function trackerSettings({ packing }: ClusterPlan) {
  const settings = { port: trackerPort, checkActiveIntervalMs: 12_000 };
  return packing ? { ...settings, trunk } : settings;
}

function storageConfig(
  plan: ClusterPlan,
  how: {
    readonly group: string;
    readonly disks: readonly SimulatedDisk[];
    readonly trackers: readonly { readonly addresses: readonly string[]; readonly port: number }[];
  },
): Config {
  const { allInOne, durability, dedup, packing } = plan;
  const overrides: ConfigOverrides = {
    node: { roles: allInOne ? ["tracker", "storage"] : ["storage"], dataDir: "/state", ...hasty },
    tracker: trackerSettings(plan),
    storage: {
      port: storagePort,
      group: how.group,
      trackers: [...how.trackers],
      paths: how.disks.map(({ directory }) => ({ directory, readonly: false, takeOver: false })),
      durability,
      dedup,
      packing: packing ? "on" : "off",
      journalSizeBytes: journalBytes,
      subdirCount: 4,
      diskTimeoutMs: 4000,
      heartBeatIntervalMs: 3000,
      diskReportIntervalMs: 10_000,
    },
  };
  return defaultConfig(overrides);
}
