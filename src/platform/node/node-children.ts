/** Real children. They lead process groups of their own and see the small environment of `node-commands.ts`. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { isSea } from "node:sea";
import { fileURLToPath } from "node:url";
import type { Child, Children } from "#platform/children.ts";
import { childEnvironment, findProgram } from "#platform/node/node-commands.ts";

/** Kept of what a child says on standard error, for the words about its end. */
const maxErrorCharacters = 2000;
/** A child of ours may wait in file calls for several disks at once (`UV_THREADPOOL_SIZE`). */
const selfPoolSize = 32;
/** Beside what a daemon needs: it computes little and lives long. */
const selfFlags: readonly string[] = ["--max-semi-space-size=1", "--max-old-space-size=128"];

/** Program and first arguments that start this program again. */
export interface SelfCommand {
  readonly program: string;
  readonly parameters: readonly string[];
}

/** The executable knows itself; else the runtime runs the script beside this one, or `main.ts` where the sources run. */
export function selfCommand(): SelfCommand {
  if (isSea()) return { program: process.execPath, parameters: [] };
  const bundled = !import.meta.url.endsWith(".ts");
  const main = bundled
    ? new URL("main.cjs", import.meta.url)
    : new URL("../../main.ts", import.meta.url);
  return { program: process.execPath, parameters: [...selfFlags, fileURLToPath(main)] };
}

export function nodeChildren(self: () => SelfCommand = selfCommand): Children {
  return {
    start: (program, parameters) => {
      const path = findProgram(program);
      return path === undefined
        ? new NoChild(`there is no program ${program} on this system`)
        : new NodeChild(path, parameters, {});
    },
    startSelf: (parameters) => {
      const own = self();
      const { NODE_COMPILE_CACHE } = process.env;
      return new NodeChild(own.program, [...own.parameters, ...parameters], {
        UV_THREADPOOL_SIZE: String(selfPoolSize),
        ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
      });
    },
  };
}

/** What could not even be started. */
class NoChild implements Child {
  readonly processId = undefined;
  onOutput: (bytes: Uint8Array) => void = () => {};
  onEnd: (why: string) => void = () => {};

  constructor(why: string) {
    // Later, so that whoever started it has set its handlers.
    setImmediate(() => this.onEnd(why));
  }

  write(): void {}
  abandon(): void {
    this.onEnd = () => {};
  }
}

class NodeChild implements Child {
  onOutput: (bytes: Uint8Array) => void = () => {};
  onEnd: (why: string) => void = () => {};
  readonly #child: ChildProcessWithoutNullStreams;
  #errors = "";
  #ended = false;

  constructor(program: string, parameters: readonly string[], environment: NodeJS.ProcessEnv) {
    const child = spawn(program, parameters, {
      detached: true,
      cwd: "/",
      env: { ...childEnvironment(), ...environment },
      stdio: "pipe",
    });
    this.#child = child;
    child.on("error", (error) => this.#end(error.message));
    child.on("exit", (code, signal) => {
      const words = signal === null ? `ended with ${code}` : `was ended by ${signal}`;
      const said = this.#errors.trim();
      this.#end(said === "" ? words : `${words}: ${said}`);
    });
    if (child.pid === undefined) return;
    child.stdin.on("error", () => {});
    child.stdout.on("error", () => {});
    child.stderr.on("error", () => {});
    child.stdout.on("data", (chunk: Buffer) => this.onOutput(chunk));
    child.stderr.setEncoding("utf8");
    child.stderr.on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-maxErrorCharacters);
    });
    // It goes when we do, since its input ends then; nobody waits for it.
    child.unref();
    for (const stream of child.stdio) (stream as unknown as { unref?(): void } | null)?.unref?.();
  }

  get processId(): number | undefined {
    return this.#child.pid;
  }

  write(text: string): void {
    if (!this.#ended && this.#child.pid !== undefined) this.#child.stdin.write(text);
  }

  abandon(): void {
    this.#ended = true;
    this.onOutput = () => {};
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
    for (const stream of this.#child.stdio) stream?.destroy();
  }

  #end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.onEnd(why);
  }
}
