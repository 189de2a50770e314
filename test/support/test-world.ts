/**
 * A world for the command line in which everything that is written is kept, input is scripted, and files are those of a
 * temporary directory. Network and clock are real unless a test brings its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { runCli } from "#cli/cli.ts";
import type { CliParts, CliWorld } from "#cli/cli-world.ts";
import { type LoadedConfig, loadConfig } from "#config/load-config.ts";
import { scrubStorePath } from "#filestore/scrub/scrub-store-path.ts";
import { cachedReads } from "#platform/disk-reads.ts";
import { FileError } from "#platform/files.ts";
import type { LocalFiles } from "#platform/local-files.ts";
import type { Machine } from "#platform/machine.ts";
import type { Network } from "#platform/network.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { nodeLocalFiles } from "#platform/node/node-local-files.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import type { Terminal } from "#platform/terminal.ts";
import type { FakeCluster } from "./fake-cluster.ts";

export class TestTerminal implements Terminal {
  inputIsTerminal = false;
  outputIsTerminal = false;
  errorIsTerminal = false;
  /** What the program reads from its standard input. */
  input: readonly Uint8Array[] = [];
  /** What the person answers, in order. */
  answers: string[] = [];
  readonly questions: string[] = [];
  readonly outputChunks: Buffer[] = [];
  errors = "";
  /** The reader leaves after so many bytes. */
  outputEndsAfter = Number.POSITIVE_INFINITY;
  /** Called with the number of bytes written so far, before each write. */
  onOutput: (bytes: number) => void | Promise<void> = () => {};
  #interrupt: (() => void) | undefined;

  get output(): Buffer {
    return Buffer.concat(this.outputChunks);
  }

  get text(): string {
    return String(this.output);
  }

  columns(): number {
    return 80;
  }

  async writeOutput(data: string | Uint8Array): Promise<void> {
    const length = this.output.length;
    await this.onOutput(length);
    if (length + data.length > this.outputEndsAfter) throw new FileError("EPIPE", "reader left");
    this.outputChunks.push(Buffer.from(data));
  }

  writeError(text: string): void {
    this.errors += text;
  }

  async *readInput(): AsyncIterable<Uint8Array> {
    yield* this.input;
  }

  async ask(question: string): Promise<string> {
    this.questions.push(question);
    return this.answers.shift() ?? "";
  }

  onInterrupt(handler: () => void): () => void {
    this.#interrupt = handler;
    return () => {
      this.#interrupt = undefined;
    };
  }

  /** As Ctrl-C does. */
  interrupt(): void {
    this.#interrupt?.();
  }
}

export const testMachine: Machine = {
  runtimeVersion: "26.10.0",
  system: "Linux 6.12.0 x64",
  cpuCount: 2,
  memoryBytes: 2 ** 31,
  openFilesLimit: async () => ({ soft: 1_048_576, hard: 1_048_576 }),
  clockIsSynchronized: async () => true,
};

export interface TestRun {
  readonly code: number;
  /** Standard output. */
  readonly text: string;
  readonly errors: string;
}

export class TestWorld {
  readonly terminal = new TestTerminal();
  readonly directory: string;
  environment: Record<string, string | undefined> = {};
  files: LocalFiles = nodeLocalFiles;
  machine: Machine = testMachine;
  network: Network = new NodeNetwork();
  /** What `serve` was asked for. */
  readonly served: unknown[] = [];
  /** What `cairn probe` was started with. */
  readonly probed: (string | undefined)[] = [];
  /** The text of the settings file, if there is one. */
  settings = "";

  constructor(cluster?: FakeCluster) {
    this.directory = mkdtempSync(join(tmpdir(), "cairn-cli-"));
    onTestFinished(() => rmSync(this.directory, { recursive: true }));
    if (cluster === undefined) return;
    const trackers = cluster.trackerEndpoints.map(({ address, port }) => `${address}:${port}`);
    this.environment.CAIRN_TRACKERS = trackers.join(",");
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  get parts(): CliParts {
    return {
      version: "1.2.3",
      serve: async (request) => {
        this.served.push(request);
        return 7;
      },
      scrubDirectory: (directory) => {
        const files = new NodeFiles();
        return scrubStorePath({ directory, files, disk: cachedReads(files), clock: nodeClock });
      },
      helper: () => Promise.resolve(0),
      importFiles: () => Promise.resolve(0),
      probe: (packageName) => {
        this.probed.push(packageName);
        return Promise.resolve(7);
      },
      loadConfig: (request) => this.#load(request.settings),
    };
  }

  #load(settings: readonly string[]): LoadedConfig {
    const { directory } = this;
    const file = { kind: "file", name: "cairn.toml", directory, text: this.settings } as const;
    return loadConfig([file, { kind: "command-line", settings }], { directory });
  }

  /** Runs one command; what was written before is forgotten. */
  async run(...words: readonly string[]): Promise<TestRun> {
    const { terminal } = this;
    terminal.outputChunks.length = 0;
    terminal.errors = "";
    const world: CliWorld = {
      arguments: words,
      environment: this.environment,
      workingDirectory: this.directory,
      terminal,
      files: this.files,
      machine: this.machine,
      network: this.network,
      clock: nodeClock,
    };
    const code = await runCli(world, this.parts);
    return { code, text: terminal.text, errors: terminal.errors };
  }

  /** Runs one command that must succeed and prints JSON. */
  async json(...words: readonly string[]): Promise<unknown> {
    const { code, text, errors } = await this.run(...words, "--json");
    if (code !== 0) throw new Error(`exit code ${code}: ${errors}`);
    return JSON.parse(text);
  }
}
