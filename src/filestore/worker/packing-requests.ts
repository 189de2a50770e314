/** Requests about packing small files (`worker-messages.ts`). Worker thread. */
import { AppError } from "#base/app-error.ts";
import { maxTrunkLogLineBytes, trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import { packingFrom } from "#filestore/packing.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { Answers } from "#filestore/worker/answers.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { request } from "#filestore/worker-messages.ts";

export interface PackingRequestParts {
  readonly engine: StorePathEngine;
  readonly answers: Answers;
}

/** Answers the request, or throws what it is to be answered with. */
export function performPacking(record: RingRecord, parts: PackingRequestParts): void {
  const { engine, answers } = parts;
  switch (record.kind) {
    case request.setPacking: {
      const packing = packingFrom(record);
      if (packing === undefined) throw new AppError("file-invalid", "no packing can be like that");
      const { packs, leased } = engine.setPacking(packing);
      answers.done(record.id, { a: packs ? 1 : 0, b: leased });
      break;
    }
    case request.trunkLease:
      engine.addTrunkLease(record.a, record.b);
      answers.done(record.id);
      break;
    default:
      giveAway(record, parts);
      break;
  }
}

function giveAway(record: RingRecord, { engine, answers }: PackingRequestParts): void {
  const view = answers.view(record.block);
  const slots = engine.giveTrunkSpaceAway(Math.floor(view.length / maxTrunkLogLineBytes));
  const lines = slots.map((slot) =>
    trunkLogLine("free", 0, { ...slot, storePathIndex: engine.storePathIndex }),
  );
  const text = Buffer.from(lines.join(""), "latin1");
  view.set(text);
  answers.done(record.id, { a: slots.length, length: text.length });
}
