/** A gateway on loopback over a store in memory, and ways to talk to it. */
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { Log, type LogRecord } from "#base/log.ts";
import { MetricRegistry } from "#base/metrics.ts";
import { type GatewayParts, GatewayRole, type RunningGateway } from "#gateway/gateway-role.ts";
import type { GatewaySettings } from "#gateway/gateway-settings.ts";
import { LocalFileSource } from "#gateway/local-file-source.ts";
import { GroupName } from "#model/group-name.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { MemoryFileStore, type MemoryFileStoreOptions } from "./memory-file-store.ts";
import { seededRandom } from "./seeded-random.ts";

export const group = GroupName("group1");

export const gatewayDefaults: GatewaySettings = {
  group,
  bind: ["127.0.0.1"],
  port: 0,
  maxConnections: 256,
  networkTimeoutMs: 5000,
  upload: true,
  delete: true,
  maxUploadSizeBytes: 64 * 1024 * 1024,
  defaultContentType: "application/octet-stream",
  urlHasGroup: true,
  antiLeech: { check: false, secret: "", ttlMs: 600_000, failDocument: undefined },
  accelRedirectPrefix: "",
};

export interface GatewayFixture {
  readonly port: number;
  readonly store: MemoryFileStore;
  readonly metrics: MetricRegistry;
  readonly logged: LogRecord[];
  readonly running: RunningGateway;
  send(options: SendOptions): Promise<Reply>;
  stop(): Promise<void>;
}

export interface FixtureOptions {
  readonly settings?: Partial<GatewaySettings>;
  readonly parts?: Partial<GatewayParts>;
  readonly store?: MemoryFileStoreOptions;
}

export async function startGateway(options: FixtureOptions = {}): Promise<GatewayFixture> {
  const store = new MemoryFileStore({ clock: nodeClock, ...options.store });
  const metrics = new MetricRegistry();
  const logged: LogRecord[] = [];
  const role = new GatewayRole(
    { ...gatewayDefaults, ...options.settings },
    {
      clock: nodeClock,
      random: seededRandom(1),
      log: new Log("gateway", (record) => logged.push(record)),
      files: new LocalFileSource(store, group),
      metrics,
      readiness: () => [],
      ...options.parts,
    },
  );
  const running = await role.start(new AbortController().signal);
  const agent = new Agent({ keepAlive: true });
  return {
    port: running.port,
    store,
    metrics,
    logged,
    running,
    send: (wanted) => send(running.port, agent, wanted),
    stop: async () => {
      agent.destroy();
      await running.stop(2000);
    },
  };
}

export interface SendOptions {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Chunks of a list are sent without Content-Length. */
  readonly body?: string | Uint8Array | readonly (string | Uint8Array)[];
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  json(): Record<string, unknown>;
}

export function send(
  port: number,
  agent: Agent | undefined,
  { path, method = "GET", headers = {}, body }: SendOptions,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, path, method, headers, agent });
    outgoing.once("error", reject);
    outgoing.once("response", (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("error", reject);
      incoming.once("end", () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString("utf8");
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: bytes,
          text,
          json: () => JSON.parse(text) as Record<string, unknown>,
        });
      });
    });
    if (body === undefined) outgoing.end();
    else if (typeof body === "string" || body instanceof Uint8Array) outgoing.end(body);
    else {
      for (const chunk of body) outgoing.write(chunk);
      outgoing.end();
    }
  });
}

/** Sends `text` as it is and resolves to all that comes back until the server closes, or for `quietMs` says nothing. */
export function sendRaw(
  port: number,
  text: string | Uint8Array,
  quietMs = 300,
): Promise<{ readonly text: string; readonly closed: boolean }> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const chunks: Buffer[] = [];
    const finish = (closed: boolean): void => {
      clearTimeout(quiet);
      socket.destroy();
      resolve({ text: Buffer.concat(chunks).toString("latin1"), closed });
    };
    let quiet = setTimeout(() => finish(false), quietMs);
    socket.on("connect", () => socket.write(text));
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      clearTimeout(quiet);
      quiet = setTimeout(() => finish(false), quietMs);
    });
    socket.on("error", () => finish(true));
    socket.on("close", () => finish(true));
  });
}

export interface FormPart {
  readonly name?: string;
  readonly filename?: string;
  readonly type?: string;
  readonly content: string | Uint8Array;
}

export const formBoundary = "----test-boundary-7MA4YWxk";
export const formType = `multipart/form-data; boundary=${formBoundary}`;

/** A form as browsers write it. */
export function formBody(parts: readonly FormPart[]): Buffer {
  const pieces: Buffer[] = [];
  for (const { name, filename, type, content } of parts) {
    const named = name === undefined ? "" : `; name="${name}"`;
    const filed = filename === undefined ? "" : `; filename="${filename}"`;
    const lines = [
      `--${formBoundary}`,
      ...(name === undefined && filename === undefined
        ? []
        : [`Content-Disposition: form-data${named}${filed}`]),
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      "",
      "",
    ];
    pieces.push(Buffer.from(lines.join("\r\n")), Buffer.from(content), Buffer.from("\r\n"));
  }
  return Buffer.concat([...pieces, Buffer.from(`--${formBoundary}--\r\n`)]);
}
