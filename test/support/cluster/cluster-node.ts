/**
 * A Cairn node on a host of a `ClusterNetwork`: a process that is killed, paused, restarted, moved in time, or loses its disk. Its
 * data is a directory of the test, and survives the process.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { formatEndpoint } from "#model/endpoint.ts";
import { program } from "../node-process.ts";
import type { ClusterNetwork } from "./network.ts";

const fakeTimeLibraries = ["x86_64", "aarch64"].map(
  (machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`,
);

/** The library by which a process has a wall clock of its own; undefined where it is not installed. */
const fakeTimeLibrary = fakeTimeLibraries.find((path) => existsSync(path));

const startLimitMs = 30_000;
const stopLimitMs = 30_000;

export interface ClusterNodeOptions {
  readonly network: ClusterNetwork;
  readonly host: string;
  /** Of the test; the node's own lies in it. */
  readonly directory: string;
  readonly roles: readonly ("tracker" | "storage")[];
  readonly group: string;
  /** Hosts with trackers. */
  readonly trackers: readonly string[];
  readonly settings?: readonly string[];
  readonly storePaths?: number;
  /** Listens and is named by its IPv6 address alone. */
  readonly ipv6?: boolean;
}

export class ClusterNode {
  readonly options: ClusterNodeOptions;
  readonly dataDirectory: string;
  readonly #clockFile: string;
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();
  #output = "";
  #wasStarted = false;

  constructor(options: ClusterNodeOptions) {
    this.options = options;
    this.dataDirectory = join(options.directory, options.host);
    this.#clockFile = join(options.directory, `${options.host}.clock`);
    mkdirSync(this.dataDirectory, { recursive: true });
    for (const path of this.storePaths) mkdirSync(path, { recursive: true });
    this.stepClock(0);
  }

  get name(): string {
    return this.options.host;
  }

  get storePaths(): readonly string[] {
    const count = this.options.storePaths ?? 1;
    return Array.from({ length: count }, (_, index) => join(this.dataDirectory, `disk${index}`));
  }

  get address(): string {
    return this.#addressOf(this.name);
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get wasStarted(): boolean {
    return this.#wasStarted;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** What it wrote since its last start. */
  get output(): string {
    return this.#output;
  }

  /** Its wall clock, and no other clock, differs from the machine's by so much from now on. */
  stepClock(seconds: number): void {
    writeFileSync(this.#clockFile, `${seconds >= 0 ? "+" : ""}${seconds}s\n`);
  }

  /** Resolves once it serves. */
  async start(): Promise<void> {
    this.launch();
    const begun = performance.now();
    while (!this.#output.includes('"event":"ready"')) {
      if (performance.now() - begun > startLimitMs) {
        throw new Error(`${this.name} was not ready in time: ${this.#output.slice(-4000)}`);
      }
      if (this.#child === undefined) {
        throw new Error(`${this.name} ended at once: ${this.#output.slice(-4000)}`);
      }
      await pause(20);
    }
  }

  launch(): void {
    this.#wasStarted = true;
    const { network, host, roles, group, trackers, settings } = this.options;
    const { namespace } = network.host(host);
    const { address } = this;
    const { command, leading } = program();
    const list = (values: readonly string[]): string => JSON.stringify(values);
    const sets = [
      `node.data_dir=${this.dataDirectory}`,
      `node.bind=${list([address, "127.0.0.1"])}`,
      `node.address=${address}`,
      "node.log_format=json",
      `node.roles=${list(roles)}`,
      "tracker.reserved_space=1MiB",
      `storage.group=${group}`,
      `storage.path=${this.storePaths.join(",")}`,
      `storage.trackers=${list(trackers.map((name) => formatEndpoint({ address: this.#addressOf(name), port: 22122 })))}`,
      "storage.packing=off",
      ...(settings ?? []),
    ];
    const words = [command, ...leading, "serve", ...sets.flatMap((set) => ["--set", set])];
    this.#output = "";
    const child = spawn("ip", ["netns", "exec", namespace, ...words], {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: this.dataDirectory,
      env: { PATH: process.env.PATH ?? "", ...this.#clockEnvironment() },
    });
    const note = (text: string): void => {
      this.#output = (this.#output + text).slice(-2_000_000);
      appendFileSync(join(this.options.directory, `${this.name}.log`), text);
    };
    child.stdout.setEncoding("utf8").on("data", note);
    child.stderr.setEncoding("utf8").on("data", note);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        if (this.#child === child) this.#child = undefined;
        resolve(code ?? signal);
      });
    });
  }

  /** What `cairn` prints, asked from this host or, for its control socket, on the machine. */
  async cairn(...words: readonly string[]): Promise<string> {
    const { command, leading } = program();
    const { namespace } = this.options.network.host(this.name);
    const all = ["netns", "exec", namespace, command, ...leading, ...words];
    const { stdout } = await promisify(execFile)("ip", all, { timeout: 20_000 });
    return stdout;
  }

  /** True when each change that was made here is at every other storage. */
  async isDrained(): Promise<boolean> {
    const socket = join(this.dataDirectory, "cairn.sock");
    const status = JSON.parse(await this.cairn("status", "--json", "--socket", socket)) as {
      readonly links?: readonly {
        readonly pendingRecords: number;
        readonly backlogBytes: number;
        readonly setAside: number;
        readonly lagSeconds?: number;
      }[];
    };
    const { links = [] } = status;
    return links.every(
      ({ pendingRecords, backlogBytes, setAside, lagSeconds }) =>
        pendingRecords + backlogBytes + setAside + (lagSeconds ?? 1) === 0,
    );
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  async stop(): Promise<void> {
    this.#child?.kill("SIGTERM");
    const ended = await Promise.race([this.#exited.then(() => true), pause(stopLimitMs)]);
    if (ended !== true) {
      await this.kill();
      throw new Error(`${this.name} did not stop in time`);
    }
  }

  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** As if a store path had got a new disk. The node must not run. */
  wipe(storePathIndex: number): void {
    const path = this.storePaths[storePathIndex];
    if (path === undefined) throw new Error(`${this.name} has no store path ${storePathIndex}`);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
  }

  #addressOf(host: string): string {
    const { ipv6, address } = this.options.network.host(host);
    return this.options.ipv6 === true ? ipv6 : address;
  }

  /** As if the box came from the shop. The node must not run. */
  forgetAll(): void {
    rmSync(this.dataDirectory, { recursive: true, force: true });
    for (const path of this.storePaths) mkdirSync(path, { recursive: true });
  }

  #clockEnvironment(): NodeJS.ProcessEnv {
    if (fakeTimeLibrary === undefined) return {};
    return {
      LD_PRELOAD: fakeTimeLibrary,
      FAKETIME_TIMESTAMP_FILE: this.#clockFile,
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      FAKETIME_DONT_RESET: "1",
    };
  }
}

export function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}
