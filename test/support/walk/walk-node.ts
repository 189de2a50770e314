/** A node of the walk: a process that looks after its disks by itself, and what is asked of it over its sockets and by its commands. */
import { execFile } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type NodeStatus, status } from "#control/operations/system.ts";
import { controlOf } from "../disk-node.ts";
import { type NodePorts, NodeProcess, program } from "../node-process.ts";
import { StorageCaller } from "../storage-caller.ts";
import { pause } from "./system.ts";

const commandLimitMs = 90_000;

export interface WalkNodeOptions {
  readonly name: string;
  readonly folder: string;
  readonly address: string;
  readonly ports: NodePorts;
  readonly settings: readonly string[];
}

export class WalkNode {
  readonly options: WalkNodeOptions;
  readonly data: string;
  #process: NodeProcess | undefined;
  #exit: Promise<unknown> = Promise.resolve();
  /** Of earlier lives. */
  #log = "";

  constructor(options: WalkNodeOptions) {
    this.options = options;
    this.data = join(options.folder, options.name);
    mkdirSync(join(this.data, "mnt"), { recursive: true });
  }

  get name(): string {
    return this.options.name;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** All that it has written, one JSON record a line. */
  get log(): string {
    return this.#log + (this.#process?.errors ?? "");
  }

  async start(): Promise<void> {
    const { address, ports, settings, folder } = this.options;
    const process = await NodeProcess.launch({
      dataDirectory: this.data,
      ports,
      settings: [
        `node.bind=${address}`,
        `node.name=box-${this.name}`,
        "disks.manage=true",
        `disks.mount_directory=${join(this.data, "mnt")}`,
        ...settings,
      ],
    });
    writeFileSync(join(folder, "pids", String(process.pid)), this.name);
    this.#process = process;
    await process.ready();
  }

  /** Does not wait: a process that waits for a disk that hangs ends when that answers. */
  kill(): void {
    const process = this.#process;
    if (process === undefined) return;
    this.#exit = process.kill();
    this.#log += process.errors;
    this.#process = undefined;
  }

  /** True when the process that was killed has gone. */
  async hasEnded(limitMs: number): Promise<boolean> {
    const ended = this.#exit.then(() => true);
    return await Promise.race([ended, pause(limitMs).then(() => false)]);
  }

  async stop(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    try {
      await process.stop();
    } finally {
      this.#log += process.errors;
    }
  }

  /** What `cairn …` printed; rejects with what it failed with. */
  async cairn(...words: readonly string[]): Promise<string> {
    const { command, leading } = program();
    const all = [...leading, ...words, "--socket", join(this.data, "cairn.sock")];
    const { stdout } = await promisify(execFile)(command, all, { timeout: commandLimitMs });
    return stdout;
  }

  get control(): ReturnType<typeof controlOf> {
    return controlOf(this.data);
  }

  status(): Promise<NodeStatus> {
    return this.control.ask(status, {});
  }

  /** Calls to its storage alone. */
  caller(): Promise<StorageCaller> {
    return StorageCaller.connect(this.options.ports.storage, "group1", this.options.address);
  }

  keepLog(folder: string): void {
    appendFileSync(join(folder, `${this.name}.log`), this.log);
  }
}

/** Where every change made there has reached all others, as far as it knows. */
export function isDrained({ links = [] }: NodeStatus): boolean {
  return (
    links.length > 0 &&
    links.every(
      ({ pendingRecords, backlogBytes, setAside, lagSeconds }) =>
        pendingRecords + backlogBytes + setAside + (lagSeconds ?? 1) === 0,
    )
  );
}
