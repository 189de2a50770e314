/**
 * A disk of the walk: an image behind a FUSE server of ours, on a loop device while it is plugged in. Each plugging is a file name of its own,
 * so that what was pulled is dead for good, whoever still has files open there, while the same disk answers in another port.
 */
import { linkSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { FaultAction } from "../fuse/faults.ts";
import type { FuseMount } from "../fuse/fuse-mount.ts";
import { ask, isFree, loops, mounts, ports } from "./system.ts";

const ioError = 5;

interface Plugging {
  /** `loop17`. */
  readonly device: string;
  /** Behind the FUSE mount. */
  readonly file: string;
}

export class WalkDisk {
  readonly name: string;
  /** Which node it was given to. */
  readonly owner: number;
  readonly image: string;
  readonly sizeBytes: number;
  /** What the walk does to it just now. */
  trouble: string | undefined;
  readonly #fuse: FuseMount;
  #plugging: Plugging | undefined;
  #pluggings = 0;

  constructor(fuse: FuseMount, disk: { name: string; owner: number; sizeMiB: number }) {
    this.#fuse = fuse;
    this.name = disk.name;
    this.owner = disk.owner;
    this.sizeBytes = disk.sizeMiB * 1024 * 1024;
    this.image = join(fuse.behind, disk.name);
    writeFileSync(this.image, "");
    truncateSync(this.image, this.sizeBytes);
  }

  /** `loop17`; undefined while it is out. */
  get device(): string | undefined {
    return this.#plugging?.device;
  }

  /** Where a node has mounted it; looking into it is none. */
  get mountPoint(): string | undefined {
    const { device } = this;
    if (device === undefined) return undefined;
    return mounts().find(({ source, point }) => isOf(device, source) && point.includes("/mnt/"))
      ?.point;
  }

  /** Into that port, or into one of `below` after which others are tried. */
  async plug(below: (limit: number) => number, port?: string): Promise<void> {
    if (this.#plugging !== undefined) throw new Error(`${this.name} is plugged in`);
    this.#pluggings += 1;
    const file = `${this.name}.${this.#pluggings}`;
    linkSync(this.image, join(this.#fuse.behind, file));
    const device = port ?? (await freePort(below));
    await ask("losetup", "--direct-io=on", `/dev/${device}`, join(this.#fuse.path, file));
    this.#plugging = { device, file };
    // As it may have been left by the disk before it in this port, which somebody looked into when it was pulled.
    await ask("blockdev", "--setrw", `/dev/${device}`);
    // Kernels that know no GPT are told of the partition, as udev does it elsewhere.
    await ask("partx", "--add", `/dev/${device}`).catch(() => "it has none yet");
  }

  /** As if the cable were pulled: nothing that was not written yet ever will be. */
  async pull(): Promise<void> {
    await this.die();
    await this.unplug();
  }

  /** It answers everything with an error from now on, until it is pulled and plugged in anew. */
  async die(): Promise<void> {
    await this.#inject({ kind: "fail", errno: ioError });
  }

  /** Nothing is answered; resolves to how that ends. */
  async hang(): Promise<() => Promise<void>> {
    const fault = await this.#inject({ kind: "hang" });
    return () => this.#fuse.clear(fault);
  }

  /** The port is free as soon as nobody has files open there. */
  async unplug(): Promise<void> {
    const plugging = this.#required();
    const { device, file } = plugging;
    for (const { source, point } of mounts().toReversed()) {
      if (!isOf(device, source)) continue;
      // Its node may have been quicker.
      await ask("umount", "--lazy", "--", point).catch(() => "it is not mounted any more");
    }
    await ask("partx", "--delete", `/dev/${device}`).catch(() => "its partition is still open");
    if (this.#isOn(plugging)) await ask("losetup", "--detach", `/dev/${device}`);
    rmSync(join(this.#fuse.behind, file));
    this.#plugging = undefined;
  }

  #isOn({ device, file }: Plugging): boolean {
    return basename(loops().get(device) ?? "").startsWith(file);
  }

  #inject(action: FaultAction): Promise<number> {
    const path = `^${this.#required().file.replaceAll(".", "\\.")}$`;
    return this.#fuse.inject({ operations: ["read", "write", "fsync", "fallocate"], path, action });
  }

  #required(): Plugging {
    if (this.#plugging === undefined) throw new Error(`${this.name} is not plugged in`);
    return this.#plugging;
  }
}

function isOf(device: string, source: string): boolean {
  return source === `/dev/${device}` || source.startsWith(`/dev/${device}p`);
}

async function freePort(below: (limit: number) => number): Promise<string> {
  const first = below(ports.length);
  for (let step = 0; step < ports.length; step += 1) {
    const port = ports[(first + step) % ports.length];
    if (port !== undefined && (await isFree(port))) return port;
  }
  throw new Error("all ports are taken");
}
