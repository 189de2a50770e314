/**
 * Listening on a Unix socket: a socket file that a killed process left behind is replaced, one that somebody answers on is
 * not. The file gets its permission bits before the first connection is taken. Main thread.
 */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { createServer, type Server, Socket } from "node:net";
import type { ListenPathOptions, PathListener } from "#platform/network.ts";

/** How long an old socket may take to answer before it counts as in use. */
const probeTimeoutMs = 1000;

class NodePathListener implements PathListener {
  readonly path: string;
  readonly #server: Server;

  constructor(server: Server, path: string) {
    this.#server = server;
    this.path = path;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      // Node removes the socket file; `close` itself waits for open connections, which belong to their sessions.
      this.#server.close(() => resolve());
      resolve();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Rejects with EADDRINUSE where another process answers on the socket, or something else lies at its path. */
export async function listenOnPath(
  options: ListenPathOptions,
  onSocket: (socket: Socket) => void,
): Promise<PathListener> {
  try {
    return await listenOnce(options, onSocket);
  } catch (error) {
    if (!isInUse(error) || !isSocketFile(options.path)) throw error;
    if (await answers(options.path)) throw error;
    unlinkSync(options.path);
    return await listenOnce(options, onSocket);
  }
}

/** On a listening Unix socket that whoever started this process has opened, and keeps. */
export function listenOnDescriptor(
  descriptor: number,
  onSocket: (socket: Socket) => void,
): Promise<PathListener> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, onSocket);
    server.once("error", reject);
    server.listen({ fd: descriptor }, () => {
      server.off("error", reject);
      server.on("error", () => {});
      resolve(new NodePathListener(server, ""));
    });
  });
}

function listenOnce(
  options: ListenPathOptions,
  onSocket: (socket: Socket) => void,
): Promise<PathListener> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, onSocket);
    server.once("error", reject);
    server.listen({ path: options.path, backlog: options.backlog }, () => {
      server.off("error", reject);
      server.on("error", () => {});
      try {
        chmodSync(options.path, options.mode);
      } catch (error) {
        server.close();
        reject(error);
        return;
      }
      resolve(new NodePathListener(server, options.path));
    });
  });
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

function isSocketFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

/** Only a refusal proves that nobody is there. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const end = (answered: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    const timer = setTimeout(() => end(true), probeTimeoutMs);
    socket.once("connect", () => end(true));
    socket.once("error", (error) => end(!("code" in error && error.code === "ECONNREFUSED")));
    socket.connect({ path });
  });
}
