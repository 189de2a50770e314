/** The operations of the running daemon behind its control socket. Main thread. */
import type { Log } from "#base/log.ts";
import { describeConfig, formatRowValue } from "#config/describe-config.ts";
import type { LoadedConfig } from "#config/load-config.ts";
import { ControlBus } from "#control/control-bus.ts";
import { diskGivingOperations } from "#control/operations/disk-giving.ts";
import { diskHealthOperations } from "#control/operations/disk-health.ts";
import { diskImportOperations } from "#control/operations/disk-imports.ts";
import { diskMoveOperations } from "#control/operations/disk-moves.ts";
import { diskOwnershipOperations } from "#control/operations/disk-ownership.ts";
import { diskOperations } from "#control/operations/disks.ts";
import { fileOperations } from "#control/operations/files.ts";
import { packingOperations } from "#control/operations/packing.ts";
import { peerOperations } from "#control/operations/peers.ts";
import { systemOperations } from "#control/operations/system.ts";
import type { RunningNode } from "#daemon/compose.ts";
import { diskGivingHandlers } from "#daemon/disk-giving-operations.ts";
import { diskHealthHandlers } from "#daemon/disk-health-operations.ts";
import { diskImportHandlers } from "#daemon/disk-import-operations.ts";
import { diskMoveHandlers } from "#daemon/disk-move-operations.ts";
import { diskHandlers } from "#daemon/disk-operations.ts";
import { diskOwnershipHandlers } from "#daemon/disk-ownership.ts";
import { fileHandlers } from "#daemon/file-operations.ts";
import type { LogOutput } from "#daemon/log-output.ts";
import { nodeStatus } from "#daemon/node-status.ts";
import { nodeStorages } from "#daemon/node-storages.ts";
import { packingHandlers } from "#daemon/packing-operations.ts";
import { peerHandlers } from "#daemon/peer-operations.ts";
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
  /** Stops the node and starts it again, in this process. */
  readonly startAnew: () => void;
}

/** Whoever asked for a new start has the answer by then. */
const answerMs = 200;

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
  addNodeOperations(bus, parts);
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

/** What concerns the node's storages and disks. */
function addNodeOperations(bus: ControlBus, parts: ControlParts): void {
  const { node, clock } = parts;
  bus.add(
    packingOperations,
    packingHandlers(() => nodeStorages(node)),
  );
  bus.add(
    peerOperations,
    peerHandlers(() => nodeStorages(node).map(({ storage }) => storage)),
  );
  bus.add(
    diskOperations,
    diskHandlers({
      inventory: node.disks,
      storePaths: () =>
        nodeStorages(node).flatMap(({ store }) => store.paths.filter(({ isAbsent }) => !isAbsent)),
      notesOf: (disk) => ({ ...node.diskHealth?.notesOf(disk), ...node.ownDisks?.notesOf(disk) }),
      advice: () => node.ownDisks?.moves.advice ?? [],
    }),
  );
  bus.add(
    diskHealthOperations,
    diskHealthHandlers(() => node.diskHealth),
  );
  bus.add(
    diskOwnershipOperations,
    diskOwnershipHandlers({
      disks: node.ownDisks,
      startAnew: () => void clock.after(answerMs, parts.startAnew),
    }),
  );
  bus.add(
    diskGivingOperations,
    diskGivingHandlers(
      () => node.ownDisks?.giving,
      () => node.ownDisks?.shelf.lostDisks ?? [],
    ),
  );
  bus.add(
    diskMoveOperations,
    diskMoveHandlers(() => node.ownDisks?.moves),
  );
  bus.add(
    diskImportOperations,
    diskImportHandlers(
      () => node.imports,
      () => parts.loaded().config.storage.group,
    ),
  );
  bus.add(
    fileOperations,
    fileHandlers(
      () => nodeStorages(node),
      () => parts.loaded().config.storage.group,
    ),
  );
}
