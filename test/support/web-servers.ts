/**
 * Debian's nginx and Apache in front of a gateway, with the example configurations of `src/gateway/examples` and nothing of them
 * changed but ports and directories. On loopback, in a folder of the test.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts } from "./free-ports.ts";
import { programPath } from "./needs.ts";

const examples = fileURLToPath(new URL("../../src/gateway/examples/", import.meta.url));
const startLimitMs = 10_000;
const stopLimitMs = 5_000;
const apacheModules = "/usr/lib/apache2/modules";

export interface WebServer extends AsyncDisposable {
  readonly port: number;
  /** What it wrote to its error log. */
  errors(): string;
}

export interface WebServerOptions {
  readonly gatewayPort: number;
  /** Where store path 0 lies, for nginx serving files by itself. */
  readonly storePath?: string;
}

/** nginx with `nginx-upstream.conf` or `nginx-accel.conf`. */
export async function startNginx(
  example: "nginx-upstream.conf" | "nginx-accel.conf",
  options: WebServerOptions,
): Promise<WebServer> {
  const [port = 0] = await freePorts(1);
  const folder = makeFolder();
  const site = substitute(readFileSync(join(examples, example), "utf8"), [
    ["127.0.0.1:8080", `127.0.0.1:${options.gatewayPort}`],
    ["listen 80;", `listen 127.0.0.1:${port};`],
    ...(options.storePath === undefined
      ? []
      : ([["/srv/cairn/disk0/", `${options.storePath}/`]] as const)),
  ]);
  writeFileSync(join(folder, "site.conf"), site);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  const main = [
    "daemon off; worker_processes 1;",
    `pid ${folder}/pid; error_log ${folder}/error.log;`,
    "events {}",
    `http { access_log off; ${temporary} include ${folder}/site.conf; }`,
  ];
  const configuration = join(folder, "nginx.conf");
  writeFileSync(configuration, main.join("\n"));
  const command = programPath("nginx") ?? "nginx";
  const log = join(folder, "error.log");
  const child = run(command, ["-c", configuration, "-e", log]);
  return started(child, { port, folder, log });
}

/** Apache with `apache-upstream.conf`. */
export async function startApache(options: WebServerOptions): Promise<WebServer> {
  const [port = 0] = await freePorts(1);
  const folder = makeFolder();
  const site = substitute(readFileSync(join(examples, "apache-upstream.conf"), "utf8"), [
    ["http://127.0.0.1:8080/", `http://127.0.0.1:${options.gatewayPort}/`],
    ["<VirtualHost *:80>", `<VirtualHost 127.0.0.1:${port}>`],
  ]);
  writeFileSync(join(folder, "site.conf"), site);
  const modules = ["mpm_event", "authz_core", "authz_host", "headers", "proxy", "proxy_http"];
  const log = join(folder, "error.log");
  const main = [
    ...modules.map((name) => `LoadModule ${name}_module ${apacheModules}/mod_${name}.so`),
    `Listen 127.0.0.1:${port}`,
    "ServerName localhost",
    `ServerRoot ${folder}`,
    `PidFile ${folder}/pid`,
    `ErrorLog ${log}`,
    `Mutex file:${folder} default`,
    ...(process.getuid?.() === 0 ? ["User www-data", "Group www-data"] : []),
    `Include ${folder}/site.conf`,
  ];
  const configuration = join(folder, "apache.conf");
  writeFileSync(configuration, `${main.join("\n")}\n`);
  const command = programPath("apache2") ?? "apache2";
  const child = run(command, ["-D", "FOREGROUND", "-f", configuration]);
  return started(child, { port, folder, log });
}

/** Its workers run as another user, who has to get in. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "cairn-web-"));
  chmodSync(folder, 0o755);
  return folder;
}

function substitute(text: string, changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`the example does not say ${from} any more`);
    return result.replaceAll(from, to);
  }, text);
}

function run(command: string, given: readonly string[]): ChildProcess {
  return spawn(command, given, { stdio: "ignore" });
}

async function started(
  child: ChildProcess,
  facts: { readonly port: number; readonly folder: string; readonly log: string },
): Promise<WebServer> {
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const errors = (): string => {
    try {
      return readFileSync(facts.log, "utf8");
    } catch {
      return "it wrote no log";
    }
  };
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), stopLimitMs);
    await exited;
    clearTimeout(killer);
    rmSync(facts.folder, { recursive: true, force: true });
  };
  const deadline = performance.now() + startLimitMs;
  // Both write their pid once they listen: who answers before that is somebody else who was given the same port.
  const pid = join(facts.folder, "pid");
  while (!existsSync(pid) || !(await answers(facts.port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      const why = errors();
      await stop();
      throw new Error(`the web server did not start: ${why}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { port: facts.port, errors, [Symbol.asyncDispose]: stop };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
