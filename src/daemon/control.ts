/** The operations of the running daemon behind its control socket. Main thread. */
import type { Log } from "#base/log.ts";
import { describeConfig, formatRowValue } from "#config/describe-config.ts";
import type { LoadedConfig } from "#config/load-config.ts";
import { ControlBus } from "#control/control-bus.ts";
import { systemOperations } from "#control/operations/system.ts";
import type { RunningNode } from "#daemon/compose.ts";
import type { LogOutput } from "#daemon/log-output.ts";
import { nodeStatus } from "#daemon/node-status.ts";
import { ControlServer } from "#net/control-server.ts";
import { type Clock, nowSeconds } from "#platform/clock.ts";
import type { Host } from "#platform/host.ts";
import type { Network } from "#platform/network.ts";

export interface ControlParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly host: Host;
  readonly log: Log;
  /** Of the Unix socket. */
  readonly path: string;
  readonly version: string;
  readonly runtime: string;
  readonly node: RunningNode;
  readonly output: LogOutput;
  readonly loaded: () => LoadedConfig;
}

export interface RunningControl {
  stop(): Promise<void>;
}

/** Rejects when the socket cannot be had, such as because another daemon listens on it. */
export async function startControl(parts: ControlParts): Promise<RunningControl> {
  const { node, host, clock, version, runtime, output } = parts;
  const startedAt = nowSeconds(clock);
  const bus = new ControlBus();
  bus.add(systemOperations, {
    status: () => nodeStatus({ node, config: parts.loaded().config, host, version, startedAt }),
    version: () => ({ version, runtime }),
    showConfig: () => {
      const { config, origins } = parts.loaded();
      return {
        settings: describeConfig(config, origins).map((row) => ({
          key: row.key,
          value: formatRowValue(row),
          origin: row.origin,
          unit: row.unit,
          applies: row.applies,
          says: row.says,
        })),
      };
    },
    setLogLevel: ({ level }) => {
      const before = output.level;
      output.level = level;
      parts.log.notice("log-level-set", { before, level });
      return { before };
    },
  });
  const server = new ControlServer({
    network: parts.network,
    clock,
    log: parts.log,
    bus,
    path: parts.path,
    // The socket's permissions let in the node's own user and group: whoever runs the daemon owns it.
    caller: { name: "control socket", access: "owner" },
  });
  await server.start();
  return { stop: () => server.stop() };
}
