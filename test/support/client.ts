/** Clients for tests: of a fake cluster, with limits so short that failures show within a test. */
import { Log } from "#base/log.ts";
import type { ClientParts } from "#client/client-parts.ts";
import { FastdfsClient } from "#client/fastdfs-client.ts";
import { type ClientLimits, defaultClientLimits } from "#client/limits.ts";
import { TrackerRing } from "#client/tracker-ring.ts";
import type { Endpoint } from "#model/endpoint.ts";
import { ConnectionPool } from "#net/connection-pool.ts";
import type { FakeCluster } from "./fake-cluster.ts";

export const quickLimits: Partial<ClientLimits> = {
  connectTimeoutMs: 1000,
  networkTimeoutMs: 300,
  slowAnswerMs: 600,
  testAfterIdleMs: 60_000,
};

export function clientOf(
  cluster: FakeCluster,
  limits: Partial<ClientLimits> = {},
  trackers: readonly Endpoint[] = cluster.trackerEndpoints,
): FastdfsClient {
  const { network, clock } = cluster;
  return new FastdfsClient({ trackers, network, clock, limits: { ...quickLimits, ...limits } });
}

/** What the operations of the client get, without the client around it. */
export function partsOf(
  cluster: FakeCluster,
  changes: Partial<ClientLimits> = {},
  trackers: readonly Endpoint[] = cluster.trackerEndpoints,
): ClientParts {
  const { network, clock } = cluster;
  const limits = { ...defaultClientLimits, ...quickLimits, ...changes };
  const log = new Log("test", () => {});
  const pool = new ConnectionPool({ network, clock, limits });
  const ring = new TrackerRing({ trackers, pool, clock, log, limits });
  return { pool, trackers: ring, clock, log, limits };
}

/** The code of the error that `promise` rejects with, or what it resolves to. */
export async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Error && "code" in error) return error.code;
    return error;
  }
}
