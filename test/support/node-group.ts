/**
 * Nodes of one group as child processes, each on a loopback address of its own, since a storage without storage ids is known by its address.
 * The first one has the tracker. Folders and processes are gone at the end.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "./free-ports.ts";
import { type LogLine, logLines } from "./live-node.ts";
import { NodeProcess } from "./node-process.ts";
import { StorageCaller } from "./storage-caller.ts";

const activeLimitMs = 20_000;

export interface GroupOptions {
  readonly count: number;
  /** Beside those for addresses and data. */
  readonly settings?: readonly string[] | ((group: NodeGroup) => readonly string[]);
  /** The first node is a tracker and no storage. */
  readonly trackerAlone?: boolean;
}

export class NodeGroup implements AsyncDisposable {
  readonly folder: string;
  readonly ports: { readonly tracker: number; readonly storage: number; readonly gateway: number };
  readonly processes: NodeProcess[] = [];
  #settings: readonly string[] = [];
  #trackerRoles = "tracker,storage,gateway";
  readonly #net: string;

  private constructor(folder: string, ports: NodeGroup["ports"]) {
    this.folder = folder;
    this.ports = ports;
    // Tests of several processes at the same time.
    this.#net = `127.${1 + (process.pid % 250)}.${ports.tracker % 250}`;
  }

  /** Resolves when all are ACTIVE. */
  static async start(options: GroupOptions): Promise<NodeGroup> {
    const folder = mkdtempSync(join(tmpdir(), "cairn-group-"));
    const [tracker = 0, storage = 0, gateway = 0] = await freePorts(3);
    const ports = { tracker, storage, gateway };
    const group = new NodeGroup(folder, ports);
    const { settings = [] } = options;
    group.#settings = typeof settings === "function" ? settings(group) : settings;
    if (options.trackerAlone === true) group.#trackerRoles = "tracker";
    try {
      for (let at = 0; at < options.count; at += 1) await group.run(at);
      for (let at = 1; at < options.count; at += 1) await group.active(at);
      return group;
    } catch (error) {
      await group[Symbol.asyncDispose]();
      throw error;
    }
  }

  address(at: number): string {
    return `${this.#net}.${at + 2}`;
  }

  store(at: number): string {
    return join(this.folder, String(at), "store0");
  }

  log(at: number): readonly LogLine[] {
    return logLines(this.processes[at]?.errors ?? "");
  }

  /** Starts node `at`, or starts it again; further settings count for this run. */
  async run(at: number, settings: readonly string[] = []): Promise<void> {
    const dataDirectory = join(this.folder, String(at));
    mkdirSync(dataDirectory, { recursive: true });
    const roles = at === 0 ? this.#trackerRoles : "storage,gateway";
    this.processes[at] = await NodeProcess.start({
      dataDirectory,
      ports: this.ports,
      settings: [
        `node.bind=${this.address(at)}`,
        `node.roles=${roles}`,
        `storage.trackers=${this.address(0)}:${this.ports.tracker}`,
        "storage.heart_beat_interval=1s",
        ...this.#settings,
        ...settings,
      ],
    });
  }

  kill(at: number): Promise<void> {
    return this.processes[at]?.kill() ?? Promise.resolve();
  }

  async stop(at: number): Promise<void> {
    await this.processes[at]?.stop();
  }

  /** Calls to the storage of node `at` alone. */
  caller(at: number): Promise<StorageCaller> {
    return StorageCaller.connect(this.ports.storage, "group1", this.address(at));
  }

  /** Until node `at` has been told that it is ACTIVE. */
  async active(at: number): Promise<void> {
    await eventually(activeLimitMs, () =>
      this.log(at).some(({ event, to }) => event === "own-status" && to === "ACTIVE"),
    );
  }

  /** The content of a file on the disk of node `at`, undefined where there is none. */
  content(at: number, filename: string): Buffer | undefined {
    const path = join(this.store(at), "data", filename.slice(4));
    try {
      return readFileSync(path);
    } catch (error) {
      if ((error as { readonly code?: string }).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** What the binlog of node `at` says. */
  binlog(at: number): readonly string[] {
    const folder = join(this.store(at), "data", "sync");
    const names = readdirSync(folder).filter((name) => /^binlog\.\d+$/.test(name));
    return names
      .sort()
      .flatMap((name) => readFileSync(join(folder, name), "latin1").split("\n").slice(0, -1));
  }

  /** Ends all processes. */
  async end(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.stop().catch(() => process.kill())));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Until `holds` says so; rejects after `limitMs`. */
export async function eventually(
  limitMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const until = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`not so within ${limitMs} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
