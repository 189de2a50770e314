/**
 * What other storages and trackers ask about trunk files (protocol §2.8): slots, where this storage is the trunk server; otherwise lines for its
 * copy of the trunk binlog. Main thread.
 */
import type { TrunkLogClient } from "#filestore/trunk-log-client.ts";
import type { Handlers } from "#net/frame-handlers.ts";
import { type Clock, nowSeconds } from "#platform/clock.ts";
import type { storageTrunk } from "#protocol/fastdfs/storage-trunk.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { StorageServices } from "#storage/storage-services.ts";
import type { TrunkParameters } from "#storage/trunk-parameters.ts";
import type { TrunkServer } from "#storage/trunk-server.ts";

export interface TrunkHandlersParts {
  readonly services: Pick<StorageServices, "checkGroup">;
  readonly clock: Clock;
  readonly server: TrunkServer;
  readonly binlog: TrunkLogClient;
  readonly parameters: () => TrunkParameters;
}

const lineFeed = 0x0a;

export function trunkHandlers(parts: TrunkHandlersParts): Handlers<typeof storageTrunk> {
  const { services, server, binlog, clock } = parts;
  const requireTrunk = (): void => {
    if (!parts.parameters().enabled) throw invalid("trunk files are off");
  };
  const requireCopy = (): void => {
    requireTrunk();
    if (server.state !== "off") throw invalid("this storage is the trunk server itself");
  };
  return {
    trunkAllocSpace: ({ group, size, storePathIndex }) => {
      services.checkGroup(group);
      return server.allocate(storePathIndex, size);
    },
    trunkAllocConfirm: ({ headerStatus, group, location }) => {
      services.checkGroup(group);
      return server.confirm(location, headerStatus);
    },
    trunkFreeSpace: ({ group, location }) => {
      services.checkGroup(group);
      server.free(location);
    },
    trunkSyncBinlog: async ({ lines }) => {
      requireCopy();
      if (lines.at(-1) !== lineFeed) throw invalid("the last line has no end");
      await binlog.append(lines);
    },
    trunkGetBinlogSize: async () => {
      requireTrunk();
      return { size: await binlog.size() };
    },
    trunkDeleteBinlogMarks: async () => {
      requireCopy();
      await binlog.forget();
    },
    trunkTruncateBinlogFile: async () => {
      requireCopy();
      await binlog.reset(parts.parameters().maxBackups, nowSeconds(clock));
    },
  };
}

function invalid(problem: string): WireStatusError {
  return new WireStatusError(wireStatus.invalid, problem);
}
