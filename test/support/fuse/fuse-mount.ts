/**
 * A directory mounted a second time through a FUSE server of the test, in whose hands every call of the users of the mount is:
 * it delays, holds, fails, counts or records them. The users must live in processes other than the server, such as a node under test.
 * As root only. The server unmounts it when the test ends, however that ends.
 */
import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { file, type Need, program, programPath, root } from "../needs.ts";
import type { Fault } from "./faults.ts";
import type { Operation } from "./wire.ts";

export type ServerRequest = { readonly id: number } & (
  | { readonly ask: "add"; readonly fault: Fault & { readonly id: number } }
  | { readonly ask: "clear"; readonly fault?: number }
  | { readonly ask: "counts" }
  | { readonly ask: "hits"; readonly fault: number }
  | { readonly ask: "teardown"; readonly command: readonly string[] }
  | { readonly ask: "end" }
);

export interface ServerMessage {
  /** Of the request; 0 when the mount was tried, with the reason why it failed or "". */
  readonly id: number;
  readonly value: unknown;
}

export const fuseNeeds: readonly Need[] = [
  root(),
  file("/dev/fuse", "a kernel with FUSE"),
  program("mount", { apt: "mount" }),
];

export interface FuseMountOptions {
  /** Where everybody's writes and flushes are recorded: see `write-log.ts`. */
  readonly log?: string;
  /** Remembers what lay under writes that are not flushed, for the fault `lose`. */
  readonly keepUndo?: boolean;
  /** What is shown; a new, empty folder when left out. */
  readonly directory?: string;
}

const serverFile = fileURLToPath(new URL("fuse-server.ts", import.meta.url));
const answerLimitMs = 10_000;

export class FuseMount implements AsyncDisposable {
  /** Where the file system is mounted. */
  readonly path: string;
  /** The folder behind it: what lies there can be looked at without the server. */
  readonly behind: string;
  readonly #folder: string;
  readonly #server: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  #nextId = 1;

  private constructor(folder: string, options: FuseMountOptions) {
    this.#folder = folder;
    this.path = join(folder, "mounted");
    this.behind = options.directory ?? join(folder, "behind");
    mkdirSync(this.path);
    mkdirSync(this.behind, { recursive: true });
    const undo = options.keepUndo === true ? "undo" : "";
    this.#server = fork(serverFile, [this.path, this.behind, options.log ?? "", undo], {
      // In a session of its own: what kills the test by its terminal or group leaves the server time to unmount.
      detached: true,
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#exited = new Promise((resolve) => this.#server.once("exit", () => resolve()));
    this.#server.on("message", (message: ServerMessage) => {
      this.#waiting.get(message.id)?.(message.value);
      this.#waiting.delete(message.id);
    });
  }

  static async start(options: FuseMountOptions = {}): Promise<FuseMount> {
    const mount = new FuseMount(mkdtempSync(join(tmpdir(), "cairn-fuse-")), options);
    const failure = await mount.#answer(0);
    if (failure === "") return mount;
    await mount[Symbol.asyncDispose]();
    throw new Error(`the FUSE file system could not be mounted: ${String(failure)}`);
  }

  /** Holds from now on; the number is for `clear` and `hits`. Of several that match a call the oldest counts. */
  async inject(fault: Fault): Promise<number> {
    const id = this.#nextId;
    await this.#ask({ ask: "add", fault: { ...fault, id } });
    return id;
  }

  /** Ends one fault or all of them; calls that hung are performed. */
  async clear(fault?: number): Promise<void> {
    await this.#ask(fault === undefined ? { ask: "clear" } : { ask: "clear", fault });
  }

  /** Calls so far, by operation. */
  async counts(): Promise<Partial<Record<Operation, number>>> {
    return (await this.#ask({ ask: "counts" })) as Partial<Record<Operation, number>>;
  }

  /** Calls that a fault was done to. */
  async hits(fault: number): Promise<number> {
    return (await this.#ask({ ask: "hits", fault })) as number;
  }

  /** A command that the server runs before it unmounts, for what the test builds on top of the mount; the latest first. */
  async beforeUnmount(...command: readonly string[]): Promise<void> {
    await this.#ask({ ask: "teardown", command });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.connected) this.#server.send({ id: 0, ask: "end" } satisfies ServerRequest);
    await this.#exited;
    // Only a server that was killed has left something to unmount.
    spawnSync(programPath("umount") ?? "umount", ["-l", this.path], { stdio: "ignore" });
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ask(request: Asked): Promise<unknown> {
    if (!this.#server.connected) throw new Error("the FUSE server has ended");
    const id = this.#nextId;
    this.#nextId += 1;
    const answer = this.#answer(id);
    this.#server.send({ ...request, id });
    return answer;
  }

  #answer(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        reject(new Error("the FUSE server does not answer"));
      }, answerLimitMs);
      this.#waiting.set(id, (value) => {
        clearTimeout(limit);
        resolve(value);
      });
      void this.#exited.then(() => {
        clearTimeout(limit);
        reject(new Error("the FUSE server has ended"));
      });
    });
  }
}

type Without<T> = T extends unknown ? Omit<T, "id"> : never;
type Asked = Without<ServerRequest>;
