/**
 * The process that serves one FUSE file system for a test: whoever uses the mount waits in the kernel for this process, so it can be
 * neither the test's process nor one of its threads. It does what its parent's messages say, and ends with its parent: everything that was
 * mounted is unmounted then, whether the test ended well or was killed.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { Faults } from "./faults.ts";
import type { ServerMessage, ServerRequest } from "./fuse-mount.ts";
import { FileSystemError, PassThrough } from "./pass-through.ts";
import {
  decodeRequest,
  encodeReply,
  initReply,
  type Operation,
  type Request,
  requestBytesMax,
} from "./wire.ts";
import { WriteLog } from "./write-log.ts";

const ioError = 5;
const notImplemented = 38;
const nothing = Buffer.alloc(0);
const commandLimitMs = 20_000;

const [mountPoint = "", directory = "", logPath = "", keepUndo = ""] = process.argv.slice(2);
const faults = new Faults();
const system = new PassThrough(directory, {
  log: logPath === "" ? undefined : new WriteLog(logPath),
  keepUndo: keepUndo === "undo",
});
const device = fs.openSync("/dev/fuse", "r+");
/** Commands that undo what the parent built on top of the mount; the latest first. */
const teardown: (readonly string[])[] = [];
let mounted = false;
let ending = false;

function answer(request: Request, errno: number, body: Uint8Array): void {
  try {
    fs.writeSync(device, encodeReply(request.unique, errno, body));
  } catch {
    // ENOENT: who asked was killed meanwhile. ENODEV: unmounted.
  }
}

function serve(request: Request): void {
  try {
    const body = system.perform(request);
    if (body !== undefined) answer(request, 0, body);
  } catch (error) {
    const errno = error instanceof FileSystemError ? error.errno : systemErrno(error);
    answer(request, errno ?? ioError, nothing);
    if (errno === undefined) process.stderr.write(`fuse: ${String(error)}\n`);
  }
}

function systemErrno(error: unknown): number | undefined {
  const { errno } = error as NodeJS.ErrnoException;
  return errno === undefined ? undefined : -errno;
}

function take(request: Request): void {
  const { operation } = request;
  if (operation === undefined) answer(request, notImplemented, nothing);
  else if (operation === "init") answer(request, 0, initReply(request.body));
  else meet(request, operation);
}

function meet(request: Request, operation: Operation): void {
  system.arrived(request);
  const met = faults.meet(operation, () => system.pathOf(request));
  if (met === undefined) serve(request);
  else if (met instanceof Promise) void met.then(() => serve(request));
  else {
    if (met.kind === "lose") system.lose(request);
    answer(request, met.kind === "fail" ? met.errno : ioError, nothing);
  }
}

/** One read at a time, in libuv's pool; each gives one whole request. */
function receive(buffer: Buffer): void {
  fs.read(device, buffer, 0, buffer.length, null, (error, count) => {
    if (error === null) take(decodeRequest(buffer.subarray(0, count)));
    else if (error.code === "EPERM" && !mounted) {
      // The mount call has not happened yet.
      setTimeout(() => receive(buffer), 1);
      return;
    } else if (error.code === "ENODEV") return;
    receive(buffer);
  });
}

function run(command: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe", device] });
    let errors = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    const limit = setTimeout(() => child.kill("SIGKILL"), commandLimitMs);
    child.once("error", (error) => resolve(String(error)));
    child.once("close", (code) => {
      clearTimeout(limit);
      resolve(code === 0 ? "" : `${command} ended with ${code}: ${errors}`);
    });
  });
}

/** SIGKILL: an orderly exit would wait for the read of the device. With the device closed the kernel fails whatever still waits. */
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  faults.clear(undefined);
  for (const [command = "", ...args] of teardown.toReversed()) await run(command, ...args);
  if (mounted) await run("umount", "-l", mountPoint);
  process.kill(process.pid, "SIGKILL");
}

/** The value that a request of the parent is answered with. */
function obey(request: ServerRequest): unknown {
  switch (request.ask) {
    case "add":
      return faults.add(request.fault.id, request.fault);
    case "clear":
      return faults.clear(request.fault);
    case "counts":
      return faults.counts();
    case "hits":
      return faults.hits(request.fault);
    case "teardown":
      return teardown.push(request.command);
    case "end":
      return end();
  }
}

function tell(message: ServerMessage): void {
  process.send?.(message);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => void end());
process.on("uncaughtException", (error) => {
  process.stderr.write(`fuse: ${error.stack ?? error.message}\n`);
  void end();
});
process.on("disconnect", () => void end());
process.on("message", (message) => {
  const request = message as ServerRequest;
  const value = obey(request);
  if (!ending) tell({ id: request.id, value: value ?? null });
});
receive(Buffer.allocUnsafe(requestBytesMax));
const options = "fd=3,rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other";
const failure = await run("mount", "-i", "-t", "fuse", "-o", options, "cairn-test", mountPoint);
mounted = failure === "";
tell({ id: 0, value: failure });
