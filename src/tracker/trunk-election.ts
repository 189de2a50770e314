/**
 * Finds and installs the trunk server of a group by asking its storages (protocol §4.8). Only the leader does so, one group at a
 * time, and every question has a deadline. Main thread.
 */
import { describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import type { StorageId } from "#model/storage-id.ts";
import { FrameClient } from "#net/frame-client.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import { trunkDeleteBinlogMarks, trunkGetBinlogSize } from "#protocol/fastdfs/storage-trunk.ts";
import type { GroupRecord } from "#tracker/group-record.ts";
import { trunkQuestionTimeoutMs } from "#tracker/limits.ts";
import type { Registry } from "#tracker/registry.ts";
import type { StateWriter } from "#tracker/state-writer.ts";
import type { StorageRecord } from "#tracker/storage-record.ts";
import type { TrackerSettings } from "#tracker/tracker-settings.ts";
import { isAllOurs } from "#tracker/trunk-lease.ts";
import { chooseTrunkServer, grantedIntervals } from "#tracker/trunk-server-choice.ts";

export interface TrunkElectionParts {
  readonly settings: TrackerSettings;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
  readonly writer: StateWriter;
}

export class TrunkElection {
  readonly #parts: TrunkElectionParts;
  /** One election a group at a time; whoever comes meanwhile shares its outcome. */
  readonly #running = new Map<GroupRecord, Promise<StorageId | undefined>>();

  constructor(parts: TrunkElectionParts) {
    this.#parts = parts;
  }

  /** The id of the new trunk server, or undefined when none can be had now. Never rejects. */
  elect(group: GroupRecord): Promise<StorageId | undefined> {
    const running = this.#running.get(group);
    if (running !== undefined) return running;
    const election = this.#elect(group)
      .catch((error: unknown) => {
        this.#parts.log.warn("trunk-election-failed", {
          group: group.name,
          why: describeError(error),
        });
        return undefined;
      })
      .finally(() => this.#running.delete(group));
    this.#running.set(group, election);
    return election;
  }

  /** Makes `storage` the trunk server. Rejects when it cannot be told to forget what an earlier one's readers have read. */
  async install(storage: StorageRecord): Promise<void> {
    const { group } = storage;
    if (storage.id !== (group.trunkServer ?? group.lastTrunkServer)) {
      const client = await this.#connect(storage);
      try {
        await client.call(trunkDeleteBinlogMarks, undefined);
      } finally {
        client.destroy();
      }
    }
    this.#parts.registry.setTrunkServer(group, storage.id);
    this.#parts.writer.flush();
  }

  /** Elects where a group lacks a trunk server, or where its trunk server has been silent for too long. */
  async check(): Promise<void> {
    for (const group of this.#parts.registry.groups) {
      if (group.writable.length > 0 && this.#needsServer(group)) await this.elect(group);
    }
  }

  #needsServer(group: GroupRecord): boolean {
    if (isAllOurs(group)) return false;
    if (group.trunkServer === undefined) return true;
    const server = group.byId.get(group.trunkServer);
    if (server === undefined) return true;
    const { settings, clock } = this.#parts;
    const interval = settings.checkActiveIntervalMs;
    const upMs = server.upTime > 0 ? clock.nowMs() - server.upTime * 1000 : 0;
    const granted = grantedIntervals(upMs / interval, settings.trunk) * interval;
    return clock.monotonicMs() - server.heardAtMs > granted;
  }

  async #elect(group: GroupRecord): Promise<StorageId | undefined> {
    const { storeServer } = group;
    if (storeServer === undefined) return undefined;
    const others = group.writable.filter((storage) => storage !== storeServer);
    const candidates = await Promise.all(
      [storeServer, ...others].map(async (storage) => ({
        storage,
        binlogSize: await this.#binlogSize(storage),
      })),
    );
    const chosen = chooseTrunkServer(candidates);
    if (chosen === undefined) return undefined;
    await this.install(chosen);
    return chosen.id;
  }

  async #binlogSize(storage: StorageRecord): Promise<number | undefined> {
    try {
      const client = await this.#connect(storage);
      try {
        return (await client.call(trunkGetBinlogSize, undefined)).size;
      } finally {
        client.destroy();
      }
    } catch (error) {
      this.#parts.log.warn("trunk-binlog-size-unknown", {
        storage: storage.id,
        why: describeError(error),
      });
      return undefined;
    }
  }

  #connect(storage: StorageRecord): Promise<FrameClient> {
    const { network, clock } = this.#parts;
    const [address = ""] = storage.addresses;
    return FrameClient.connect(
      { address, port: storage.port, timeoutMs: trunkQuestionTimeoutMs },
      { network, clock, networkTimeoutMs: trunkQuestionTimeoutMs },
    );
  }
}
