/** Carries out what a plan says goes wrong, and puts it right again after its time. */
import { FastdfsClient } from "#client/fastdfs-client.ts";
import { StorageId } from "#model/storage-id.ts";
import { copiesOf, recordedDeletions } from "./checkers/replicas.ts";
import type { SimulatedCluster } from "./cluster.ts";
import type { Manifest } from "./manifest.ts";
import type { Fault } from "./plan.ts";
import { goodLink } from "./platform/fabric.ts";
import type { SimulatedDisk } from "./platform/simulated-disk.ts";
import type { SimulatedMachine } from "./platform/simulated-machine.ts";
import { oneIn, oneOf, skewed, type World } from "./platform/world.ts";

const dayMs = 86_400_000;
/** A process that ends in the middle of a file call does so within so many of them. */
const maxCallsUntil = 60;
/** A storage that was silent for so long is OFFLINE, and can be removed. */
const silentMs = 6000;

export class FaultInjector {
  readonly #cluster: SimulatedCluster;
  readonly #world: World;
  /** Where clients are. */
  readonly #outside: readonly string[];
  readonly #manifest: Manifest;
  #over = false;
  #leavers = 0;

  constructor(cluster: SimulatedCluster, manifest: Manifest, outside: readonly string[]) {
    this.#cluster = cluster;
    this.#manifest = manifest;
    this.#world = cluster.world;
    this.#outside = outside;
  }

  /** From now on, at its time each. */
  schedule(faults: readonly Fault[]): void {
    for (const fault of faults) {
      this.#world.at(fault.atMs, { life: undefined, label: fault.kind }, () => {
        if (!this.#over) this.#inject(fault);
      });
    }
  }

  /** Nothing goes wrong any more; everything that did is repaired, and whoever is down is started. */
  repairAll(): void {
    this.#over = true;
    const { fabric, machines } = this.#cluster;
    fabric.healAll();
    for (const machine of machines) {
      for (const disk of machine.disks) disk.heal();
      machine.goOn();
      if (!machine.runs && machine.joined) machine.powerOn();
    }
  }

  get #machines(): readonly SimulatedMachine[] {
    return this.#cluster.machines.filter(({ joined }) => joined);
  }

  get #storages(): readonly SimulatedMachine[] {
    return this.#cluster.storageMachines.filter(({ joined }) => joined);
  }

  #inject(fault: Fault): void {
    const { random } = this.#world;
    switch (fault.kind) {
      case "partition":
      case "one-way":
      case "slow-link":
      case "lossy-link":
      case "reset":
        this.#disturbLink(fault);
        return;
      case "disk-hang":
      case "disk-slow":
      case "disk-errors":
      case "flush-errors":
      case "disk-full":
        this.#disturbDisk(fault);
        return;
      case "kill-in-call":
      case "power-loss-in-call":
        this.#endInCall(fault);
        return;
      case "disk-wipe":
        this.#wipe(fault);
        return;
      case "leave":
        this.#leave(fault);
        return;
      case "join":
        this.#cluster.storageMachines.find(({ joined }) => !joined)?.powerOn();
        return;
      default:
        this.#disturb(oneOf(random, this.#machines), fault);
    }
  }

  #disturb(machine: SimulatedMachine, { kind, forMs }: Fault): void {
    const { random } = this.#world;
    switch (kind) {
      case "kill":
        machine.kill();
        this.#later(forMs, () => machine.start());
        break;
      case "power-loss":
        machine.losePower();
        this.#later(forMs, () => machine.powerOn());
        break;
      case "restart":
        void machine.stop().then(() => {
          // It may end when everything else is repaired.
          if (this.#over) machine.start();
          else this.#later(forMs / 10, () => machine.start());
        });
        break;
      case "pause":
        machine.pause();
        this.#later(forMs, () => machine.goOn());
        break;
      case "clock-step":
        this.#stepClock(machine, Math.floor(skewed(random, 1000, dayMs)));
        break;
      default:
        this.#stepClock(machine, Math.floor(skewed(random, dayMs, 4000 * dayMs)));
        break;
    }
  }

  #stepClock(machine: SimulatedMachine, ms: number): void {
    const by = oneIn(this.#world.random, 2) ? ms : -ms;
    this.#world.note(`${machine.name}'s clock is set by ${(by / 1000).toFixed(0)} s`);
    machine.time.step(by);
  }

  #disturbDisk({ kind, forMs }: Fault): void {
    const { random } = this.#world;
    const machine = oneOf(random, this.#storages);
    const disk = oneOf(random, machine.disks);
    this.#world.note(`${disk.name}: ${kind} for ${forMs} ms`);
    const undo = disturbed(disk, kind, 2 + random.below(30));
    this.#later(forMs, () => {
      this.#world.note(`${disk.name}: no more ${kind}`);
      undo();
    });
  }

  #endInCall({ kind, forMs }: Fault): void {
    const { random } = this.#world;
    const machine = oneOf(random, this.#storages);
    const disk = oneOf(random, machine.disks);
    this.#world.note(`${disk.name}: ${kind} soon`);
    disk.endAfter(1 + random.below(maxCallsUntil), () => {
      if (kind === "kill-in-call") {
        machine.kill();
        this.#later(forMs / 4, () => machine.start());
      } else {
        machine.losePower();
        this.#later(forMs / 4, () => machine.powerOn());
      }
    });
  }

  /**
   * Another disk is put in while the machine is off. In the relaxed mode it is not the power that went: the machine's other disks
   * would lose what was acknowledged, see `durableFaults`.
   */
  #wipe({ forMs }: Fault): void {
    const machine = oneOf(this.#world.random, this.#storages);
    const disk = oneOf(this.#world.random, machine.disks);
    if (machine.config.storage.durability === "flushed") machine.losePower();
    else machine.kill();
    this.#world.note(`${disk.name} is replaced by an empty one`);
    disk.replace();
    const { group } = machine.config.storage;
    this.#manifest.diskLost(group, {
      copiesOf: (id) => copiesOf(this.#cluster, id),
      deletions: recordedDeletions(this.#cluster, group),
    });
    this.#later(forMs, () => machine.powerOn());
  }

  /** A storage is taken for dead and removed from its group, by the trackers that can be reached, and comes back later. */
  #leave({ forMs }: Fault): void {
    const cluster = this.#cluster;
    const machine = oneOf(this.#world.random, this.#storages);
    const { group } = machine.config.storage;
    if (cluster.storagesOf(group).length < 2) return;
    machine.kill();
    this.#later(silentMs, () => {
      if (machine.runs) return;
      this.#leavers += 1;
      const { life, network, clock } = cluster.outsider("operator", `10.0.4.${this.#leavers}`);
      const client = new FastdfsClient({ trackers: cluster.trackers, network, clock });
      const id = StorageId(machine.address);
      void client.removeStorage(group, id).then((removals) => {
        const outcomes = removals.map(({ outcome }) => outcome);
        if (!machine.runs) machine.removed();
        this.#world.note(`${life.name} removes ${machine.name}: ${outcomes.join(", ")}`);
        client.close();
      });
      this.#later(forMs, () => machine.start());
    });
  }

  #disturbLink({ kind, forMs }: Fault): void {
    const { random } = this.#world;
    const { fabric, machines } = this.#cluster;
    const inside = machines.map(({ address }) => address);
    const one = oneOf(random, inside);
    const others = [...inside, ...this.#outside].filter((each) => each !== one);
    const apart = oneIn(random, 2) ? others : [oneOf(random, others)];
    const both = kind !== "one-way";
    this.#world.note(`${kind} of ${one} and ${apart.join(", ")} for ${forMs} ms`);
    const latencyMs = 5 + random.below(300);
    for (const other of apart) {
      const links = both
        ? [
            [one, other],
            [other, one],
          ]
        : [oneIn(random, 2) ? [one, other] : [other, one]];
      for (const [from = "", to = ""] of links) {
        if (kind === "slow-link") {
          fabric.setQuality(from, to, {
            ...goodLink,
            latencyMs,
            bytesPerMs: 20 + random.below(500),
          });
        } else if (kind === "lossy-link") {
          fabric.setQuality(from, to, { ...goodLink, lossOneIn: 3 + random.below(30) });
        } else if (kind !== "reset") {
          fabric.block(from, to);
        }
        this.#later(forMs, () => {
          fabric.setQuality(from, to, goodLink);
          fabric.unblock(from, to);
        });
      }
      if (kind === "reset") fabric.resetBetween(one, other);
    }
  }

  #later(ms: number, task: () => void): void {
    this.#world.at(ms, { life: undefined, label: "repaired" }, () => {
      if (!this.#over) task();
    });
  }
}

function disturbed(disk: SimulatedDisk, kind: Fault["kind"], oneCallIn: number): () => void {
  switch (kind) {
    case "disk-hang":
      disk.hang();
      return () => disk.goOn();
    case "disk-slow":
      disk.slowness = 1000;
      return () => {
        disk.slowness = 1;
      };
    case "disk-errors":
      disk.failsOneIn = oneCallIn;
      return () => {
        disk.failsOneIn = 0;
      };
    case "flush-errors":
      disk.flushFailsOneIn = oneCallIn;
      return () => {
        disk.flushFailsOneIn = 0;
      };
    default:
      disk.full = true;
      return () => {
        disk.full = false;
      };
  }
}
