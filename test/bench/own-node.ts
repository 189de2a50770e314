/**
 * A Cairn node of a benchmark's own: started as a user starts it, with its data in a folder and its ports on loopback, in a
 * process group of its own, so that Ctrl-C reaches the benchmark alone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePorts } from "../support/free-ports.ts";

/** Also makes the program of the sources, at the first start. */
const startLimitMs = 60_000;
const stopLimitMs = 40_000;

/** `npm start` and `npm run cairn`. */
export const program = fileURLToPath(new URL("../../image/start.ts", import.meta.url));

export class OwnNode implements AsyncDisposable {
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #said = "";

  private constructor(folder: string, child: ChildProcess) {
    this.folder = folder;
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once("exit", resolve));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
    });
  }

  /** Resolves once the node serves. */
  static async start(folder: string, settings: readonly string[]): Promise<OwnNode> {
    mkdirSync(folder, { recursive: true });
    const [tracker, storage, gateway] = await freePorts(3);
    const all = [
      ...[`node.data_dir=${folder}`, "node.bind=127.0.0.1", "node.log_format=json"],
      ...[`tracker.port=${tracker}`, `storage.port=${storage}`, `gateway.port=${gateway}`],
      ...settings,
    ];
    const sets = all.flatMap((each) => ["--set", each]);
    const child = spawn(process.execPath, [program, "serve", ...sets], {
      cwd: folder,
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const node = new OwnNode(folder, child);
    try {
      await node.#ready();
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
    return node;
  }

  get socket(): string {
    return join(this.folder, "cairn.sock");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    const late = pause(stopLimitMs, "late", { ref: false });
    if ((await Promise.race([this.#ended, late])) === "late") this.#child.kill("SIGKILL");
    await this.#ended;
  }

  async #ready(): Promise<void> {
    const until = performance.now() + startLimitMs;
    while (!this.#said.includes('"event":"ready"')) {
      if (this.#child.exitCode !== null) throw new Error(`the node ended: ${this.#said}`);
      if (performance.now() > until) throw new Error(`the node is not ready: ${this.#said}`);
      await pause(20);
    }
  }
}
