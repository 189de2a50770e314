/** Requests about packing small files (`worker-messages.ts`). Worker thread. */
import { AppError } from "#base/app-error.ts";
import { maxTrunkLogLineBytes, trunkLogLine } from "#filestore/formats/trunk-log-line.ts";
import { packingFrom } from "#filestore/packing.ts";
import type { RingRecord } from "#filestore/ring.ts";
import { TrunkLogReplay } from "#filestore/trunk/trunk-log-replay.ts";
import type { Answers } from "#filestore/worker/answers.ts";
import { failureOf } from "#filestore/worker/failure.ts";
import type { LongWork } from "#filestore/worker/long-work.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { request } from "#filestore/worker-messages.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";

export interface PackingRequestParts {
  readonly engine: StorePathEngine;
  readonly answers: Answers;
  readonly longWork: LongWork;
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
    case request.slotsInUse:
      findInUse(record, parts);
      break;
    case request.trunkRebuild:
      rebuild(record, parts);
      break;
    default:
      giveAway(record, parts);
      break;
  }
}

/** Answered at once; how far it is is told with the path's room. */
function rebuild(record: RingRecord, { engine, answers, longWork }: PackingRequestParts): void {
  const { rebuild: running } = engine.trunkFacts;
  if (running?.state !== "running") {
    longWork.start(engine.rebuildTrunkSpace(), {
      committed: false,
      done: () => {},
      // The path closes. What is a bug of ours is thrown on.
      failed: (error) => void failureOf(error),
    });
  }
  answers.done(record.id, { a: engine.trunkFacts.rebuild?.id ?? 0 });
}

function findInUse(record: RingRecord, { engine, answers }: PackingRequestParts): void {
  const slots: TrunkLocation[] = [];
  new TrunkLogReplay(({ location }) => slots.push(location)).add(answers.payload(record));
  const lines = engine.slotsInUse(slots).map((slot) => trunkLogLine("used", 0, slot));
  const text = Buffer.from(lines.join(""), "latin1");
  answers.view(record.block).set(text);
  answers.done(record.id, { a: lines.length, length: text.length });
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
