/**
 * Disks that are plugged into a machine, pulled from it, and fail. The medium is a sparse file of this machine, which stays when the disk is
 * pulled, so that the same disk can be plugged in elsewhere.
 */
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "./machine.ts";

export type GuestBus = "scsi" | "nvme" | "usb";

export interface Medium {
  /** Also what the disk tells as its serial. */
  readonly serial: string;
  readonly sizeBytes: number;
}

export interface PluggedDisk {
  readonly medium: Medium;
  /** Its name in the emulator. */
  readonly id: string;
}

export interface PlugOptions {
  /** Counts from 0. */
  readonly port?: number;
  /** Sectors of 512 bytes that cannot be read. */
  readonly unreadable?: readonly number[];
}

type Options = Readonly<Record<string, unknown>>;

/** Where a disk can be plugged in. */
const ports: Readonly<Record<GuestBus, readonly Options[]>> = {
  scsi: [1, 2, 3].map((id) => ({ driver: "scsi-hd", bus: "scsi.0", "scsi-id": id, lun: 0 })),
  nvme: ["slot1", "slot2"].map((bus) => ({ driver: "nvme", bus })),
  usb: ["1", "2"].map((port) => ({ driver: "usb-storage", bus: "usb.0", port })),
};
const inputOutputError = 5;
const sectorBytes = 512;

export class DiskPorts {
  readonly #machine: Machine;
  #count = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** A blank one. */
  medium(serial: string, sizeMiB: number): Medium {
    const sizeBytes = sizeMiB * 1024 * 1024;
    const path = this.#path(serial);
    writeFileSync(path, "");
    truncateSync(path, sizeBytes);
    return { serial, sizeBytes };
  }

  /** The first sector of an unplugged medium that is within what begins with these bytes. */
  sectorWithin({ serial }: Medium, bytes: Uint8Array): number {
    const at = readFileSync(this.#path(serial)).indexOf(bytes);
    if (at < 0) throw new Error("nothing on the medium begins so");
    return Math.ceil(at / sectorBytes);
  }

  async plug(medium: Medium, bus: GuestBus, options: PlugOptions = {}): Promise<PluggedDisk> {
    const { qmp } = this.#machine;
    const { port = 0, unreadable = [] } = options;
    const place = ports[bus][port];
    if (place === undefined) throw new Error(`there is no port ${port} on ${bus}`);
    this.#count += 1;
    const id = `disk${this.#count}`;
    const layers: readonly Options[] = [
      { driver: "file", "node-name": `${id}-file`, filename: this.#path(medium.serial) },
      faulty(id, "worn", unreadable.map(unreadableSector)),
      faulty(id, "dead", ["read", "write"].map(everything)),
      { driver: "raw", "node-name": id, file: `${id}-worn` },
    ];
    for (const each of layers) await qmp.ask("blockdev-add", each);
    await qmp.ask("device_add", { ...place, id, drive: id, serial: medium.serial });
    return { medium, id };
  }

  /** Resolves when the machine has it no more. */
  async pull({ id }: PluggedDisk): Promise<void> {
    const { qmp } = this.#machine;
    const since = qmp.events.length;
    await qmp.ask("device_del", { id });
    await qmp.event(({ event, data }) => event === "DEVICE_DELETED" && data?.device === id, {
      since,
      limitMs: this.#machine.limitMs,
    });
    for (const name of [id, `${id}-dead`, `${id}-worn`, `${id}-file`]) {
      await qmp.ask("blockdev-del", { "node-name": name });
    }
  }

  /** From now on whatever is read or written fails: it answers with errors, and keeps its place. QEMU itself has to flush it, to revive it. */
  die(disk: PluggedDisk): Promise<void> {
    return this.#become(disk, "dead");
  }

  /** It is well again. */
  revive(disk: PluggedDisk): Promise<void> {
    return this.#become(disk, "worn");
  }

  async #become({ id }: PluggedDisk, how: "dead" | "worn"): Promise<void> {
    const options = { driver: "raw", "node-name": id, file: `${id}-${how}` };
    await this.#machine.qmp.ask("blockdev-reopen", { options: [options] });
  }

  #path(serial: string): string {
    return join(this.#machine.folder, `medium-${serial}`);
  }
}

function faulty(id: string, how: string, errors: readonly Options[]): Options {
  const layer = { driver: "blkdebug", "node-name": `${id}-${how}`, image: `${id}-file` };
  // QEMU takes no empty list.
  return errors.length === 0 ? layer : { ...layer, "inject-error": errors };
}

function unreadableSector(sector: number): Options {
  return { event: "none", iotype: "read", errno: inputOutputError, sector };
}

function everything(iotype: string): Options {
  return { event: "none", iotype, errno: inputOutputError };
}
