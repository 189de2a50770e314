/** Scrubs of the store paths of a file store, and what is known of single files, as the main thread asks the workers for them. All calls reject with `AppError<FileStoreErrorCode>`. Main thread. */
import type { FileRecord } from "#filestore/file-record.ts";
import { findPath, notHere } from "#filestore/named-path.ts";
import {
  type Judgement,
  judgements,
  type ScrubOrder,
  type ScrubPaceSettings,
  type ScrubReport,
  type Settlement,
} from "#filestore/scrub/scrub-report.ts";
import type { ServedPath } from "#filestore/served-path.ts";
import type { RequestFields, StorePathClient } from "#filestore/store-path-client.ts";
import { flagComputeCrc, request } from "#filestore/worker-messages.ts";

export class StoreScrubs {
  readonly #paths: readonly ServedPath[];

  constructor(paths: readonly ServedPath[]) {
    this.#paths = paths;
  }

  /** Undefined where there is no such path, or it is not served. */
  async report(storePathIndex: number): Promise<ScrubReport | undefined> {
    const path = this.#paths[storePathIndex];
    if (path === undefined || !path.isOnline) return undefined;
    const report = await askJson<ScrubReport>(path.client, { kind: request.scrubReport });
    path.foundUnreadable(report.tally.unreadable);
    return report;
  }

  /** False where it changed nothing. */
  async order(
    storePathIndex: number,
    order: ScrubOrder,
    pace: ScrubPaceSettings,
  ): Promise<boolean> {
    const client = this.#paths[storePathIndex]?.client;
    if (client === undefined) return false;
    const { rateBytes: a, busyShare: b } = pace;
    return (await client.send({ kind: request.scrubOrder, text: order, a, b })).a === 1;
  }

  /** `what`: a logical name, or the place of something damaged. It is set aside where it is damaged. */
  async judge(storePathIndex: number, what: string): Promise<Judgement> {
    const client = this.#paths[storePathIndex]?.client;
    if (client === undefined) return "missing";
    const { text } = await client.send({ kind: request.scrubJudge, text: what });
    return judgements.find((each) => each === text) ?? "strange";
  }

  async settle(storePathIndex: number, place: string, settlement: Settlement): Promise<void> {
    const client = this.#paths[storePathIndex]?.client;
    await client?.send({ kind: request.scrubSettle, text: place, text2: settlement });
  }

  /** `reads`: its CRC-32 is computed anew, from the disk. Rejects with `file-missing` where there is no such file. */
  async fileRecord(name: string, reads: boolean): Promise<FileRecord> {
    const path = findPath(this.#paths, name);
    if (path === undefined) throw notHere(name);
    const flags = reads ? flagComputeCrc : 0;
    return await askJson<FileRecord>(path.client, { kind: request.fileRecord, text: name, flags });
  }
}

async function askJson<Answer>(client: StorePathClient, fields: RequestFields): Promise<Answer> {
  const { blocks } = client;
  const block = await blocks.take("large");
  try {
    const view = blocks.view(block);
    const { blockLength } = await client.send({ ...fields, block, blockLength: view.length });
    const bytes = Buffer.from(view.buffer, view.byteOffset, blockLength);
    return JSON.parse(bytes.toString()) as Answer;
  } finally {
    blocks.give(block);
  }
}
