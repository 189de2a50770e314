/**
 * The life of the daemon: settings, a node, signals, the end. SIGTERM and SIGINT stop it gracefully, a second one at once;
 * SIGHUP reads the settings again and takes over what can be; SIGUSR2 writes a summary to the log. Main thread.
 */
import { AppError, describeError } from "#base/app-error.ts";
import { Log } from "#base/log.ts";
import { changesThatNeedRestart } from "#config/describe-config.ts";
import { formatProblem } from "#config/errors.ts";
import type { LoadedConfig } from "#config/load-config.ts";
import { formatBanner } from "#daemon/banner.ts";
import { closeGraceMs, type RunningNode, startNode } from "#daemon/compose.ts";
import { type ConfigRequest, loadConfigFiles } from "#daemon/config-files.ts";
import { type RunningControl, startControl } from "#daemon/control.ts";
import { explainListenFailure } from "#daemon/listen-failure.ts";
import { LogOutput } from "#daemon/log-output.ts";
import { nodeName } from "#daemon/node-status.ts";
import { nodeStorages } from "#daemon/node-storages.ts";
import { exitCodeOf, exitCodes } from "#daemon/shutdown.ts";
import type { StorePathReport } from "#filestore/file-store.ts";
import type { Platform } from "#platform/platform.ts";

/** A watchdog of the service manager is fed this often; half of it is the most that its limit may be. */
const watchdogPeriodMs = 10_000;

export interface DaemonRequest extends ConfigRequest {
  readonly version: string;
  /** What runs us, for `version`. */
  readonly runtime: string;
  /** Prints what to open once the node is up. */
  readonly banner: boolean;
}

/** Runs until told to stop; resolves to the exit code. */
export async function runDaemon(platform: Platform, request: DaemonRequest): Promise<number> {
  const { host, clock } = platform;
  let loaded: LoadedConfig;
  try {
    loaded = loadConfigFiles(host, request);
  } catch (error) {
    host.writeError(`cairn: ${explain(error)}\n`);
    return exitCodeOf(error);
  }
  const { node } = loaded.config;
  const output = new LogOutput(host, clock, { level: node.logLevel, format: node.logFormat });
  const daemon = new Daemon(platform, request, { loaded, output });
  return daemon.run();
}

/** Every problem of the settings on a line of its own. */
function explain(error: unknown): string {
  if (!(error instanceof AppError)) return describeError(error);
  const problems = error.details.problems;
  if (!Array.isArray(problems)) return describeError(error);
  return `the settings are not valid:\n${problems.map((each) => `  ${formatProblem(each)}`).join("\n")}`;
}

class Daemon {
  readonly #platform: Platform;
  readonly #request: DaemonRequest;
  readonly #output: LogOutput;
  readonly #log: Log;
  #loaded: LoadedConfig;
  readonly #startedMs: number;
  #node: RunningNode | undefined;
  /** A reload was asked for during the start. */
  #reloadWaits = false;

  constructor(
    platform: Platform,
    request: DaemonRequest,
    parts: { readonly loaded: LoadedConfig; readonly output: LogOutput },
  ) {
    this.#platform = platform;
    this.#request = request;
    this.#loaded = parts.loaded;
    this.#output = parts.output;
    this.#log = new Log("daemon", parts.output.sink);
    this.#startedMs = platform.clock.monotonicMs();
  }

  async run(): Promise<number> {
    const { host } = this.#platform;
    for (const warning of this.#loaded.warnings) {
      this.#log.warn("setting-ignored", { problem: formatProblem(warning) });
    }
    const stopAsked = this.#stopSignal();
    // Without a handler either of them ends the process: also during the start, and right after "ready".
    host.onSignal("SIGHUP", () => this.#reload());
    host.onSignal("SIGUSR2", () => this.#summary());
    void stopAsked.then(() => this.#boundStart());
    for (;;) {
      const code = await this.#runOnce(stopAsked);
      if (code !== "again") return code;
    }
  }

  /** The exit code; or `again`, where the node is to start anew with what is on its disks. */
  async #runOnce(stopAsked: Promise<string>): Promise<number | "again"> {
    let node: RunningNode;
    let control: RunningControl;
    let startAnew = (): void => {};
    const anew = new Promise<undefined>((resolve) => {
      startAnew = () => resolve(undefined);
    });
    try {
      node = await startNode(this.#platform, this.#loaded.config, {
        log: new Log("node", this.#output.sink),
        version: this.#request.version,
      });
    } catch (error) {
      this.#log.error("start-failed", { why: describeError(error) });
      return exitCodeOf(error);
    }
    try {
      control = await this.#startControl(node, () => startAnew());
    } catch (error) {
      const failure = explainListenFailure("control", error);
      this.#log.error("start-failed", { why: describeError(failure) });
      await node.stop(0);
      return exitCodeOf(failure);
    }
    this.#node = node;
    this.#ready(node);
    if (this.#reloadWaits) this.#reload();
    const { clock, host } = this.#platform;
    const watchdog = clock.every(watchdogPeriodMs, () => host.notify("WATCHDOG=1"));
    const signal = await Promise.race([stopAsked, anew]);
    watchdog.cancel();
    if (signal !== undefined) return this.#stop(node, control, signal);
    this.#log.notice("starts-anew");
    this.#node = undefined;
    const code = await this.#stop(node, control, "a new start");
    return code === exitCodes.ok ? "again" : code;
  }

  #startControl(node: RunningNode, startAnew: () => void): Promise<RunningControl> {
    return startControl({
      network: this.#platform.network,
      log: this.#log.for("control"),
      path: this.#loaded.config.node.controlSocket,
      version: this.#request.version,
      runtime: this.#request.runtime,
      node,
      host: this.#platform.host,
      clock: this.#platform.clock,
      output: this.#output,
      loaded: () => this.#loaded,
      startAnew,
    });
  }

  #ready(node: RunningNode): void {
    const { host, clock } = this.#platform;
    const ports = {
      tracker: node.tracker?.listeners[0]?.port,
      storage: node.storage?.port,
      mirror: node.mirror?.storage.port,
      gateway: node.gateway?.port,
    };
    this.#log.notice("ready", {
      node: nodeName(this.#loaded.config, host),
      version: this.#request.version,
      address: node.address,
      ...ports,
      afterMs: Math.round(clock.monotonicMs() - this.#startedMs),
    });
    host.notify("READY=1");
    if (!this.#request.banner) return;
    const { config } = this.#loaded;
    host.writeOutput(
      formatBanner({
        version: this.#request.version,
        address: node.address,
        dataDirectory: config.node.dataDir,
        durability: config.storage.durability,
        ...ports,
        uploads: config.gateway.upload,
      }),
    );
  }

  /** Resolves at the first request to stop; the second one ends the process without more ado. */
  #stopSignal(): Promise<string> {
    return new Promise((resolve) => {
      let asked = false;
      for (const name of ["SIGTERM", "SIGINT"] as const) {
        this.#platform.host.onSignal(name, () => {
          if (asked) this.#endAtOnce();
          asked = true;
          resolve(name);
        });
      }
    });
  }

  /** An ordinary exit waits for the threads of the store paths, which a disk that hangs makes for ever. */
  #endAtOnce(): void {
    const { host } = this.#platform;
    const node = this.#node;
    const paths = node && nodeStorages(node).flatMap(({ store }) => store.paths);
    const idle = paths?.every(isOffline) === true;
    if (idle) host.exit(exitCodes.failure);
    this.#log.warn("killed", { why: "a second signal" });
    host.killSelf();
  }

  /** A start cannot be broken off while a disk hangs: it gets as much time as a stop. */
  #boundStart(): void {
    if (this.#node !== undefined) return;
    const limitMs = this.#loaded.config.node.stopTimeoutMs + closeGraceMs;
    this.#platform.clock.after(limitMs, () => {
      if (this.#node !== undefined) return;
      this.#log.error("start-hangs", { afterMs: limitMs, end: "SIGKILL" });
      this.#platform.host.killSelf();
    });
  }

  async #stop(node: RunningNode, control: RunningControl, signal: string): Promise<number> {
    const { host } = this.#platform;
    const deadlineMs = this.#loaded.config.node.stopTimeoutMs;
    host.notify("STOPPING=1");
    this.#log.notice("stopping", { signal, deadlineMs });
    try {
      await control.stop();
      await node.stop(deadlineMs);
    } catch (error) {
      this.#log.error("stop-failed", { why: describeError(error) });
      return exitCodes.internal;
    }
    this.#log.notice("stopped");
    return exitCodes.ok;
  }

  #reload(): void {
    const node = this.#node;
    this.#reloadWaits = node === undefined;
    if (node === undefined) return;
    this.#platform.host.notify("RELOADING=1");
    try {
      node.reopenLogs();
    } catch (error) {
      this.#log.error("access-log-not-reopened", { why: describeError(error) });
    }
    try {
      const fresh = loadConfigFiles(this.#platform.host, this.#request);
      const waiting = changesThatNeedRestart(this.#loaded.config, fresh.config);
      this.#loaded = fresh;
      this.#output.level = fresh.config.node.logLevel;
      node.reload(fresh.config);
      this.#log.notice("reloaded", {
        needRestart: waiting.length === 0 ? undefined : waiting.map(({ key }) => key).join(" "),
      });
    } catch (error) {
      this.#log.error("reload-failed", { why: explain(error) });
    }
    this.#platform.host.notify("READY=1");
  }

  #summary(): void {
    const usage = this.#platform.host.usage();
    this.#log.notice("summary", {
      residentBytes: usage.residentBytes,
      cpuSeconds: Math.round(usage.cpuSeconds * 1000) / 1000,
      openDescriptors: usage.openDescriptors,
      connections: this.#node?.storage?.snapshot().connections.current,
    });
  }
}

function isOffline({ state }: StorePathReport): boolean {
  return state === "offline";
}
