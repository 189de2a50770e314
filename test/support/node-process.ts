/**
 * A whole Cairn node as a child process, from the sources or from a built executable (`CAIRN_EXECUTABLE`), with its data in a
 * directory of the test and its ports on loopback.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { freePorts } from "./free-ports.ts";

const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** Else every start strips the types of all sources anew. */
const compileCache = fileURLToPath(
  new URL("../../node_modules/.cache/cairn/compile", import.meta.url),
);
/** With several times as many programs as cores a start was seen to take more than 20 s. */
const startLimitMs = 60_000;
const stopLimitMs = 40_000;

export interface NodePorts {
  readonly tracker: number;
  readonly storage: number;
  readonly gateway: number;
}

export interface NodeProcessOptions {
  readonly dataDirectory: string;
  /** `--set` values beside those for ports and data. */
  readonly settings?: readonly string[];
  readonly ports?: NodePorts;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface NodeExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class NodeProcess {
  readonly ports: NodePorts;
  readonly dataDirectory: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<NodeExit>;
  #errors = "";
  #output = "";
  /** From the start of the process until it said that it is ready. */
  readyAfterMs = 0;

  private constructor(child: ChildProcess, ports: NodePorts, dataDirectory: string) {
    this.#child = child;
    this.ports = ports;
    this.dataDirectory = dataDirectory;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
    });
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
  }

  /** Resolves once the node serves. */
  static async start(options: NodeProcessOptions): Promise<NodeProcess> {
    const node = await NodeProcess.launch(options);
    await node.ready();
    return node;
  }

  /** Starts the process and does not wait for it. */
  static async launch(options: NodeProcessOptions): Promise<NodeProcess> {
    const ports = options.ports ?? (await chosenPorts());
    const sets = [
      `node.data_dir=${options.dataDirectory}`,
      "node.bind=127.0.0.1",
      "node.log_format=json",
      `tracker.port=${ports.tracker}`,
      `storage.port=${ports.storage}`,
      `gateway.port=${ports.gateway}`,
      "tracker.reserved_space=1MiB",
      // Whatever the disk of the machine is: most tests look at files of their own.
      "storage.packing=off",
      // Disks of other tests are on the same machine.
      "disks.blank_read_rate=0",
      ...(options.settings ?? []),
    ];
    const { command, leading } = program();
    const child = spawn(command, [...leading, "serve", ...sets.flatMap((set) => ["--set", set])], {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: options.dataDirectory,
      env: { NODE_COMPILE_CACHE: compileCache, ...plainEnvironment(), ...options.environment },
    });
    return new NodeProcess(child, ports, options.dataDirectory);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it wrote to standard error so far, one JSON record a line. */
  get errors(): string {
    return this.#errors;
  }

  get output(): string {
    return this.#output;
  }

  async ready(): Promise<void> {
    const started = performance.now();
    for (;;) {
      if (this.#errors.includes('"event":"ready"')) break;
      const exit = await Promise.race([this.#exited, pause(10)]);
      if (exit !== undefined) {
        throw new Error(`the node ended with ${exit.code ?? exit.signal}: ${this.#errors}`);
      }
      if (performance.now() - started > startLimitMs) {
        this.#child.kill("SIGKILL");
        throw new Error(`the node was not ready in time: ${this.#errors}`);
      }
    }
    this.readyAfterMs = performance.now() - started;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** Resolves when the process has ended. */
  async exit(limitMs = stopLimitMs): Promise<NodeExit> {
    const exit = await Promise.race([this.#exited, pause(limitMs)]);
    if (exit === undefined) {
      this.#child.kill("SIGKILL");
      throw new Error(`the node did not end in time: ${this.#errors}`);
    }
    return exit;
  }

  async stop(): Promise<NodeExit> {
    this.#child.kill("SIGTERM");
    return this.exit();
  }
}

/** Our own variables steer tests; a node would take them for settings that it does not know. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("CAIRN_"));
  return Object.fromEntries(kept);
}

async function chosenPorts(): Promise<NodePorts> {
  const [tracker = 0, storage = 0, gateway = 0] = await freePorts(3);
  return { tracker, storage, gateway };
}

/** The sources under this Node, or the executable under test. */
export function program(): { readonly command: string; readonly leading: readonly string[] } {
  const executable = process.env.CAIRN_EXECUTABLE;
  if (executable !== undefined && executable !== "") return { command: executable, leading: [] };
  return { command: process.execPath, leading: [mainFile] };
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms).unref());
}
