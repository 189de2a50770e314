/**
 * Programs of the system as short-lived children, each the leader of a process group of its own, so that what it started ends with
 * it. They see a small, fixed environment: what they print is in English, and nobody's PATH decides what runs. Main thread, or any
 * process that serves it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import {
  type CommandEnd,
  type CommandErrorCode,
  type CommandOptions,
  type Commands,
  commandError,
} from "#platform/commands.ts";

/** Where programs are looked for, in this order. */
export const systemDirectories: readonly string[] = [
  ...["/usr/local/sbin", "/usr/local/bin"],
  ...["/usr/sbin", "/usr/bin", "/sbin", "/bin"],
];

/** Between asking a program to end and ending it. */
const politeMs = 1000;
/** What SIGKILL does not end within this time is held by the kernel. */
const killedMs = 500;
/** After its end something that it left behind may keep its output open. */
const lateOutputMs = 300;

/** `directories` is for tests; everybody else takes the system's. */
export function nodeCommands(directories: readonly string[] = systemDirectories): Commands {
  return {
    run: (program, parameters, options) => {
      const path = findProgram(program, directories);
      if (path === undefined) return Promise.reject(missing(program));
      try {
        return new CommandRun(path, parameters, options).end;
      } catch (error) {
        return Promise.reject(notStarted(path, error));
      }
    },
  };
}

/** The path of a program; undefined where there is none that may be run. */
export function findProgram(
  program: string,
  directories: readonly string[] = systemDirectories,
): string | undefined {
  if (program.startsWith("/")) return isProgram(program) ? program : undefined;
  if (program === "" || program.includes("/")) return undefined;
  return directories.map((directory) => join(directory, program)).find(isProgram);
}

/** What children get to know of the world around us. */
export function childEnvironment(): Record<string, string> {
  return { LC_ALL: "C", PATH: systemDirectories.join(":"), HOME: "/", TZ: "UTC" };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function missing(program: string): Error {
  const message = `there is no program ${program} on this system: install the package that brings it`;
  return commandError("command-missing", message, { program });
}

function notStarted(program: string, error: unknown): Error {
  const { code = "unknown" } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "EACCES") return missing(program);
  return commandError("command-not-started", `${program} was not started: ${code}`, { program });
}

/** One child, from its start until it ended or was given up. */
class CommandRun {
  readonly end: Promise<CommandEnd>;
  readonly #program: string;
  readonly #options: CommandOptions;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #resolve: (end: CommandEnd) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  #timer: NodeJS.Timeout | undefined;
  /** Why it is being ended; the first reason counts. */
  #failure: unknown;

  constructor(path: string, parameters: readonly string[], options: CommandOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<CommandEnd>();
    this.end = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#program = path;
    this.#options = options;
    this.#child = spawn(path, parameters, {
      detached: true,
      cwd: "/",
      env: childEnvironment(),
      stdio: "pipe",
    });
    // Where nothing was started it has no streams either.
    if (this.#child.pid === undefined) this.#child.on("error", (error) => this.#fail(error));
    else this.#watch();
  }

  #fail(error: Error): void {
    this.#reject(notStarted(this.#program, error));
  }

  #watch(): void {
    const child = this.#child;
    const { deadlineMs, input, signal } = this.#options;
    child.on("error", (error) => this.#fail(error));
    child.on("exit", (code, by) => {
      this.#after(lateOutputMs, () => this.#ended(code, by));
    });
    child.on("close", (code, by) => this.#ended(code, by));
    this.#collect("stdout");
    this.#collect("stderr");
    // It may end, or close its input, without reading all of it.
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
    this.#after(deadlineMs, () => {
      const words = `${this.#program} did not end within ${deadlineMs} ms`;
      this.#terminate(this.#error("command-hung", words));
    });
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted === true) this.#onAbort();
  }

  readonly #onAbort = (): void => this.#kill(this.#options.signal?.reason);

  #collect(name: "stdout" | "stderr"): void {
    let held = 0;
    const stream = this.#child[name];
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => {
      if (this.#failure !== undefined) return;
      held += chunk.length;
      if (held <= this.#options.maxOutputBytes) {
        this.#output[name].push(chunk);
        return;
      }
      const words = `${this.#program} printed more than ${this.#options.maxOutputBytes} bytes`;
      this.#kill(this.#error("command-output-too-large", words));
    });
  }

  #terminate(why: unknown): void {
    this.#failure ??= why;
    this.#signalGroup("SIGTERM");
    this.#after(politeMs, () => this.#kill(why));
  }

  #kill(why: unknown): void {
    this.#failure ??= why;
    this.#signalGroup("SIGKILL");
    this.#after(killedMs, () => this.#abandon());
  }

  /** It stays behind as a process of its own, and goes whenever the kernel lets it. */
  #abandon(): void {
    const child = this.#child;
    child.unref();
    for (const stream of child.stdio) stream?.destroy();
    const words = `${this.#program} hangs in the kernel, and was left behind`;
    const hung = commandError("command-hung", words, {
      ...{ program: this.#program, abandoned: true, processId: child.pid },
    });
    const { signal } = this.#options;
    this.#settle(() => this.#reject(signal?.aborted === true ? signal.reason : hung));
  }

  #ended(code: number | null, by: NodeJS.Signals | null): void {
    if (this.#failure !== undefined) {
      // Of its group somebody may be left who took no notice.
      this.#signalGroup("SIGKILL");
      this.#settle(() => this.#reject(this.#failure));
      return;
    }
    const { stdout, stderr } = this.#output;
    this.#settle(() =>
      this.#resolve({
        code: by === null ? (code ?? undefined) : undefined,
        stdout: Buffer.concat(stdout).toString("utf8"),
        stderr: Buffer.concat(stderr).toString("utf8"),
      }),
    );
  }

  #settle(act: () => void): void {
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    const { stdout, stderr } = this.#child;
    // What its children still print is nobody's.
    stdout.destroy();
    stderr.destroy();
    act();
  }

  #after(delayMs: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, delayMs);
  }

  #signalGroup(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // It is gone already.
    }
  }

  #error(code: CommandErrorCode, message: string): Error {
    return commandError(code, message, { program: this.#program });
  }
}
