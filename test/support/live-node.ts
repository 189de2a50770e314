/** A node of a test with a folder of its own, both gone at the end; and what tests often ask of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WireStatusError } from "#protocol/wire-status.ts";
import { NodeProcess, type NodeProcessOptions } from "./node-process.ts";
import { frame, type Place, RawConnection } from "./raw-connection.ts";

const queryStore = 101;
const activeLimitMs = 10_000;

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

export class LiveNode implements AsyncDisposable {
  readonly folder: string;
  process: NodeProcess;
  readonly #settings: readonly string[];

  private constructor(folder: string, process: NodeProcess, settings: readonly string[]) {
    this.folder = folder;
    this.process = process;
    this.#settings = settings;
  }

  /** `settings` may name the folder. */
  static async start(
    settings: (folder: string) => readonly string[] = () => [],
    options: Partial<NodeProcessOptions> = {},
  ): Promise<LiveNode> {
    const folder = mkdtempSync(join(tmpdir(), "cairn-node-"));
    const own = settings(folder);
    try {
      const process = await NodeProcess.start({ dataDirectory: folder, settings: own, ...options });
      return new LiveNode(folder, process, own);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Another process with the same settings, ports and data; the former has ended. */
  async restart(): Promise<void> {
    this.process = await NodeProcess.start({
      dataDirectory: this.folder,
      settings: this.#settings,
      ports: this.process.ports,
    });
  }

  get storage(): Place {
    return { address: "127.0.0.1", port: this.process.ports.storage };
  }

  get tracker(): Place {
    return { address: "127.0.0.1", port: this.process.ports.tracker };
  }

  /** Where the only store path of a node without settings lies. */
  get store(): string {
    return join(this.folder, "store0");
  }

  get log(): readonly LogLine[] {
    return logLines(this.process.errors);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.process.stop();
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

export function logLines(text: string): readonly LogLine[] {
  const whole = text.split("\n").filter((line) => line.startsWith("{") && line.endsWith("}"));
  return whole.map((line) => JSON.parse(line) as LogLine);
}

/** Resolves once the tracker names a storage for new files. */
export async function storable(tracker: Place): Promise<void> {
  const until = performance.now() + activeLimitMs;
  for (;;) {
    const connection = await RawConnection.connect(tracker);
    await connection.write(frame(queryStore));
    const reply = await connection.frame(activeLimitMs);
    connection.destroy();
    if (typeof reply !== "string" && reply.status === 0) return;
    if (performance.now() > until) throw new Error("the storage does not become ACTIVE");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The status that a call was answered with, 0 where it succeeded. */
export async function statusOf(call: Promise<unknown>): Promise<number> {
  try {
    await call;
    return 0;
  } catch (error) {
    if (error instanceof WireStatusError) return error.status;
    throw error;
  }
}
