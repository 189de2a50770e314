/** The real process and machine. */
import { spawn } from "node:child_process";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { FileError } from "#platform/files.ts";
import type { AppendFile, Host, ProcessUsage, SignalName } from "#platform/host.ts";

const appendPeriodMs = 500;
/** An append file is written out before it holds more than this in memory. */
const maxPendingCharacters = 64 * 1024;
const notifyTimeoutMs = 5000;

export function nodeHost(): Host {
  return {
    processId: process.pid,
    hostname: hostname(),
    workingDirectory: process.cwd(),
    environment: process.env,
    interactive: process.stderr.isTTY === true,
    writeError: (text) => writeAll(2, text),
    writeOutput: (text) => writeAll(1, text),
    onSignal: (name: SignalName, handler) => {
      process.on(name, handler);
    },
    exit: (code) => process.exit(code),
    usage,
    killSelf: () => {
      process.kill(process.pid, "SIGKILL");
    },
    readText: (path) => readBytes(path)?.toString("utf8"),
    readBytes,
    listDirectory,
    makeDirectory: (path) => {
      mkdirSync(path, { recursive: true });
    },
    replaceFile,
    removeFile,
    openAppend: (path) => new NodeAppendFile(path),
    notify,
  };
}

/** Standard error may be a full pipe or gone; neither is worth ending for. */
function writeAll(descriptor: number, text: string): void {
  try {
    writeSync(descriptor, text);
  } catch {
    // There is no other place to say it.
  }
}

function usage(): ProcessUsage {
  const { rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  let openDescriptors: number | undefined;
  try {
    openDescriptors = readdirSync("/proc/self/fd").length;
  } catch {
    openDescriptors = undefined;
  }
  return { residentBytes: rss, cpuSeconds: (user + system) / 1e6, openDescriptors };
}

function readBytes(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT") return undefined;
    throw new FileError(code, `cannot read ${path}: ${code}`, path);
  }
}

function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new FileError(code, `cannot list ${path}: ${code}`, path);
  }
}

function replaceFile(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.new`;
  try {
    writeFileSync(temporary, content, { mode: 0o600, flush: true });
    renameSync(temporary, path);
    flushDirectory(dirname(path));
  } catch (error) {
    const code = codeOf(error);
    throw new FileError(code, `cannot write ${path}: ${code}`, path);
  }
}

function removeFile(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT") return false;
    throw new FileError(code, `cannot remove ${path}: ${code}`, path);
  }
}

function flushDirectory(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? "EIO";
}

/** systemd-notify costs 8 ms of a child's time; a datagram socket of our own Node does not have. */
function notify(state: string): void {
  if (process.env.NOTIFY_SOCKET === undefined) return;
  const child = spawn("systemd-notify", [state], { stdio: "ignore", timeout: notifyTimeoutMs });
  child.on("error", () => {
    // Without the program nobody waits for the message either.
  });
  child.unref();
}

class NodeAppendFile implements AppendFile {
  readonly #path: string;
  #descriptor: number;
  #pending = "";
  readonly #timer: NodeJS.Timeout;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, "a");
    this.#timer = setInterval(() => this.#flush(), appendPeriodMs);
    this.#timer.unref();
  }

  write(text: string): void {
    this.#pending += text;
    if (this.#pending.length > maxPendingCharacters) this.#flush();
  }

  reopen(): void {
    this.#flush();
    const descriptor = openSync(this.#path, "a");
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#flush();
    closeSync(this.#descriptor);
  }

  #flush(): void {
    if (this.#pending === "") return;
    const text = this.#pending;
    this.#pending = "";
    try {
      writeSync(this.#descriptor, text);
    } catch {
      // A log that cannot be written, on a full disk say, must not stop what it logs.
    }
  }
}
