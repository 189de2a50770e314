/**
 * Entry of the client package, for programs that are not ours: a FastDFS client over Node's own sockets and clock, and what one
 * needs beside it. Our own parts import the files that define these things.
 */
import type { Log } from "#base/log.ts";
import { clientError } from "#client/errors.ts";
import { FastdfsClient } from "#client/fastdfs-client.ts";
import type { ClientLimits } from "#client/limits.ts";
import { type Endpoint, parseEndpoint } from "#model/endpoint.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";

export { AppError } from "#base/app-error.ts";
export { chunksOf } from "#client/chunks.ts";
export { contentOfReadable } from "#client/content.ts";
export type { FastdfsClient } from "#client/fastdfs-client.ts";

export interface OpenClientOptions {
  /** `10.0.0.5:22122`, `[fe80::2]:22122`, `tracker.example`; at least one. */
  readonly trackers: readonly string[];
  readonly limits?: Partial<ClientLimits>;
  readonly log?: Log;
}

/** FastDFS's own. */
const defaultTrackerPort = 22_122;

/** A client that connects with its first call. Throws `argument-invalid` for an address that is none, and without any. */
export function openClient(options: OpenClientOptions): FastdfsClient {
  const { limits, log } = options;
  return new FastdfsClient({
    trackers: options.trackers.map(endpointOf),
    network: new NodeNetwork(),
    clock: nodeClock,
    ...(limits === undefined ? {} : { limits }),
    ...(log === undefined ? {} : { log }),
  });
}

function endpointOf(text: string): Endpoint {
  const endpoint = parseEndpoint(text, defaultTrackerPort);
  if (endpoint !== undefined) return endpoint;
  throw clientError(
    "argument-invalid",
    `${text} is no address of a tracker; write it like 10.0.0.5:22122`,
  );
}
