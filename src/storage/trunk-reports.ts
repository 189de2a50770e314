/**
 * What a storage and a tracker have to say to each other about trunk files, after the join and after each beat (protocol §2.4/72–74, and
 * `protocol/peer/trunk-lease.ts`). Each tracker is told by its own reporter. Main thread.
 */
import type { Log } from "#base/log.ts";
import type { GroupName } from "#model/group-name.ts";
import type { FrameClient } from "#net/frame-client.ts";
import {
  fetchTrunkFileId,
  reportTrunkFileId,
  reportTrunkFree,
} from "#protocol/fastdfs/tracker-reports.ts";
import { leaseTrunkFiles } from "#protocol/peer/trunk-lease.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import type { PackingControl } from "#storage/packing-control.ts";
import type { TrunkParameters } from "#storage/trunk-parameters.ts";
import type { TrunkServer } from "#storage/trunk-server.ts";

export interface TrunkReportsParts {
  readonly log: Log;
  readonly group: GroupName;
  readonly control: PackingControl;
  readonly server: TrunkServer;
}

/** A tracker that was joined. */
export interface JoinedTracker {
  readonly client: FrameClient;
  /** What it said of itself. */
  readonly parameters: TrunkParameters;
  /** It leads the trackers, as far as we know. */
  readonly leads: boolean;
}

export class TrunkReports {
  readonly #parts: TrunkReportsParts;
  /** What the tracker at the other end of a connection was told. */
  readonly #told = new WeakMap<FrameClient, { fileId: number; freeMb: number }>();

  constructor(parts: TrunkReportsParts) {
    this.#parts = parts;
  }

  /** Says and asks what is due. Rejects where the connection fails; what a tracker refuses is asked again the next time. */
  async attend(tracker: JoinedTracker): Promise<void> {
    await this.#askForLease(tracker);
    const { server } = this.#parts;
    if (server.state === "waiting-for-number") {
      const reply = await answered(tracker.client.call(fetchTrunkFileId, undefined));
      if (reply !== undefined) server.learnFileId(Math.max(0, reply.fileId));
    }
    if (server.state === "serving") await this.#report(tracker.client);
    this.#parts.control.tidyUp();
  }

  async #askForLease({ client, parameters, leads }: JoinedTracker): Promise<void> {
    const { group, control, log } = this.#parts;
    if (!parameters.leases) {
      control.learnParameters(parameters);
      if (leads) control.learnNoLeases();
      return;
    }
    try {
      const lease = await client.call(leaseTrunkFiles, { group, wanted: control.wanted });
      control.learnParameters(parameters);
      await control.learnLease(lease);
    } catch (error) {
      if (!(error instanceof WireStatusError)) throw error;
      // A follower: the leader answers.
      if (error.status !== wireStatus.notSupported)
        log.warn("trunk-lease-refused", { status: error.status });
    }
  }

  async #report(client: FrameClient): Promise<void> {
    const { server } = this.#parts;
    const { currentFileId: fileId, freeMb } = server;
    const told = this.#told.get(client) ?? { fileId: -1, freeMb: -1 };
    // C refuses both until it has heard who the trunk server is.
    if (told.fileId !== fileId && (await accepted(client.call(reportTrunkFileId, { fileId })))) {
      told.fileId = fileId;
    }
    if (told.freeMb !== freeMb && (await accepted(client.call(reportTrunkFree, { freeMb })))) {
      told.freeMb = freeMb;
    }
    this.#told.set(client, told);
  }
}

/** Undefined where the tracker refuses. */
async function answered<Reply>(reply: Promise<Reply>): Promise<Reply | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof WireStatusError) return undefined;
    throw error;
  }
}

async function accepted(reply: Promise<unknown>): Promise<boolean> {
  try {
    await reply;
    return true;
  } catch (error) {
    if (error instanceof WireStatusError) return false;
    throw error;
  }
}
