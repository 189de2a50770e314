/**
 * Where a walk takes place: nodes that look after their disks, each with its own, all on one machine, where each sees all disks. Takes
 * everything away at its end, and leaves that to the FUSE server where the test is killed.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Random } from "#platform/random.ts";
import { freePorts } from "../free-ports.ts";
import { FuseMount, fuseNeeds } from "../fuse/fuse-mount.ts";
import { imageFolder } from "../fuse/recorded-disk.ts";
import { loopNeeds } from "../loop-device.ts";
import { type Need, program } from "../needs.ts";
import { cleanUp } from "./clean-up.ts";
import { mounts, pause } from "./system.ts";
import { WalkDisk } from "./walk-disk.ts";
import { isDrained, WalkNode } from "./walk-node.ts";

export const walkNeeds: readonly Need[] = [
  ...fuseNeeds,
  ...loopNeeds,
  program("mkfs.ext4", { apt: "e2fsprogs" }),
  program("fsfreeze", { apt: "util-linux" }),
  program("fallocate", { apt: "util-linux" }),
];

const cleanUpFile = fileURLToPath(new URL("clean-up.ts", import.meta.url));
const diskMiB = 520;
export const diskBytes = diskMiB * 1024 * 1024;
const wantedBytes = 4 * 1024 ** 3;
const letters = "abcdefgh";
const wellLimitMs = 240_000;

const settings: readonly string[] = [
  "storage.heart_beat_interval=1s",
  "storage.disk_report_interval=1s",
  "storage.disk_timeout=3s",
  "storage.packing=on",
  "storage.journal_size=8MiB",
  "tracker.trunk.file_size=8MiB",
  "tracker.trunk.slot_max_size=16KiB",
];

export class WalkStage implements AsyncDisposable {
  readonly folder: string;
  readonly fuse: FuseMount;
  readonly nodes: readonly WalkNode[];
  readonly disks: WalkDisk[] = [];
  readonly #random: Random;
  /** Disks, by owner. */
  readonly #made = new Map<number, number>();

  private constructor(
    folder: string,
    fuse: FuseMount,
    { nodes, random }: { nodes: readonly WalkNode[]; random: Random },
  ) {
    this.folder = folder;
    this.fuse = fuse;
    this.nodes = nodes;
    this.#random = random;
  }

  /** Two nodes that run, and have no disk yet. */
  static async start(random: Random): Promise<WalkStage> {
    const folder = imageFolder("cairn-walk-", wantedBytes);
    for (const name of ["pids", "images"]) mkdirSync(join(folder, name));
    const fuse = await FuseMount.start({ directory: join(folder, "images") });
    await fuse.beforeUnmount(process.execPath, cleanUpFile, folder, fuse.path);
    const [tracker = 0, storage = 0, gateway = 0] = await freePorts(3);
    const net = `127.${1 + (process.pid % 250)}.${tracker % 250}`;
    const names = [0, 1].map((at) => ({ name: letters[at] ?? "", address: `${net}.${at + 2}` }));
    const trackers = names.map(({ address }) => `${address}:${tracker}`).join(",");
    const nodes = names.map(
      (name) =>
        new WalkNode({
          ...name,
          folder,
          ports: { tracker, storage, gateway },
          settings: [`storage.trackers=${trackers}`, ...settings],
        }),
    );
    const stage = new WalkStage(folder, fuse, { nodes, random });
    try {
      for (const node of nodes) await node.start();
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  nodeOf(disk: WalkDisk): WalkNode {
    const node = this.nodes[disk.owner];
    if (node === undefined) throw new Error(`${disk.name} is nobody's`);
    return node;
  }

  disksOf(node: WalkNode): readonly WalkDisk[] {
    return this.disks.filter((disk) => this.nodeOf(disk) === node);
  }

  plug(disk: WalkDisk, port?: string): Promise<void> {
    return disk.plug((limit) => this.#random.below(limit), port);
  }

  /** A blank one, in some port, that nobody has been given yet. */
  async newDisk(owner: number): Promise<WalkDisk> {
    const number = (this.#made.get(owner) ?? 0) + 1;
    this.#made.set(owner, number);
    const name = `${letters[owner]}${number}`;
    const disk = new WalkDisk(this.fuse, { name, owner, sizeMiB: diskMiB });
    await this.plug(disk);
    this.disks.push(disk);
    return disk;
  }

  /** It is out, and does not come back. */
  leave(disk: WalkDisk): void {
    this.disks.splice(this.disks.indexOf(disk), 1);
  }

  /** By the command that people use; also where that was interrupted before. */
  async give(disk: WalkDisk): Promise<void> {
    const node = this.nodeOf(disk);
    await node.cairn("disk", "add", disk.device ?? "", "--read", "--yes").catch((error) => {
      const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
      throw new Error(`${disk.name} was not given to ${node.name}: ${stdout} ${stderr}`);
    });
  }

  /** What keeps the nodes from being well; empty where nothing does. */
  async complaints(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const node of this.nodes) {
      const say = (text: string): number => found.push(`${node.name}: ${text}`);
      if (!node.isRunning) {
        say("is not running");
        continue;
      }
      try {
        const status = await node.status();
        if (status.state !== "ready") say(status.state);
        for (const problem of status.problems) say(problem);
        const paths = status.storePaths.filter(({ state }) => state === "online").length;
        if (paths !== this.disksOf(node).length) {
          say(status.storePaths.map(({ index, state }) => `path ${index} ${state}`).join(", "));
        }
        if (status.membership?.status !== "ACTIVE") say(`is ${status.membership?.status}`);
        for (const recovery of status.recoveries ?? []) {
          if (recovery.state !== "done") say(`path ${recovery.storePath} is being filled`);
        }
        if (!isDrained(status)) say(`owes its peers: ${JSON.stringify(status.links)}`);
      } catch (error) {
        say(String(error));
      }
    }
    return [...found, ...this.#misplaced()];
  }

  /** Disks that the wrong node has mounted, or twice. */
  #misplaced(): readonly string[] {
    const all = mounts().filter(({ point }) => point.startsWith(this.folder));
    return this.disks.flatMap((disk) => {
      const { device, name } = disk;
      if (device === undefined) return [];
      const points = all.filter(
        ({ source, point }) => source.startsWith(`/dev/${device}p`) && point.includes("/mnt/"),
      );
      const place = join(this.nodeOf(disk).data, "mnt/");
      const own = points.filter(({ point }) => point.startsWith(place));
      if (own.length === 1 && points.length === 1) return [];
      return [`${name} is mounted at ${points.map(({ point }) => point).join(", ") || "no place"}`];
    });
  }

  /** Until nothing is left to be done. Rejects with what is. */
  async well(): Promise<void> {
    const end = performance.now() + wellLimitMs;
    for (let good = 0; good < 2; ) {
      const found = await this.complaints();
      good = found.length === 0 ? good + 1 : 0;
      if (performance.now() > end) {
        throw new Error(`not well within ${wellLimitMs / 1000} s: ${found.join("; ")}`);
      }
      await pause(500);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) node.kill();
    await this.fuse.clear();
    await cleanUp(this.folder, this.fuse.path);
    await this.fuse[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
