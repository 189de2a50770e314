/** What becomes of an upload that one store path holds while the others are asked: paths that have it, that fail, that are slow. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { askLimitMs, settleUpload } from "#filestore/held-upload.ts";
import type { RingRecord } from "#filestore/ring.ts";
import type { RequestFields, StorePathClient } from "#filestore/store-path-client.ts";
import { completionFlag, request } from "#filestore/worker-messages.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { turns } from "../../support/settled.ts";

type Answer = (fields: RequestFields) => Promise<Partial<RingRecord>>;

/** A path that answers as the test says, and remembers what it was asked. */
function path(answer: Answer) {
  const asked: RequestFields[] = [];
  const send = (fields: RequestFields) => {
    asked.push(fields);
    return answer(fields);
  };
  return { asked, client: { send } as unknown as StorePathClient };
}

const last = { flags: completionFlag.held, text: "ab12", a: 5, b: 77, c: 9 } as RingRecord;
const holder = () => path(async ({ kind }) => ({ text: kind === request.storeHeld ? "own" : "" }));
const kinds = ({ asked }: { readonly asked: readonly RequestFields[] }): number[] =>
  asked.map(({ kind }) => kind);

function settle(held: ReturnType<typeof path>, others: readonly ReturnType<typeof path>[]) {
  const clock = new ManualClock();
  const settled = settleUpload(last, {
    client: held.client,
    extension: "jpg",
    others: others.map(({ client }) => client),
    clock,
    log: collectedLog().log,
  });
  return { clock, settled };
}

test("the first path that has the content names it, and the upload is given up", async () => {
  const held = holder();
  const others = ["", "M02/found", "M03/found"].map((text) => path(async () => ({ text })));
  const { settled, clock } = settle(held, others);
  expect(await settled).toEqual({ text: "M02/found", isNew: false });
  expect(others.map(kinds)).toEqual([[request.linkContent], [request.linkContent], []]);
  expect(others[0]?.asked[0]).toMatchObject({ text: "ab12", text2: "jpg", a: 5, b: 77 });
  expect(held.asked).toEqual([{ kind: request.abort, a: 9 }]);
  expect(clock.pending).toBe(0);
});

test("where nobody has it, or can say so, the upload is stored", async () => {
  const held = holder();
  const failing = path(() => Promise.reject(fileStoreError("disk-failed", "no")));
  const { settled } = settle(held, [path(async () => ({ text: "" })), failing]);
  expect(await settled).toEqual({ text: "own", isNew: true });
  expect(held.asked).toEqual([{ kind: request.storeHeld, a: 9 }]);
});

test("a slow path is not waited for, and what it makes afterwards is removed", async () => {
  const held = holder();
  let answer = (_: Partial<RingRecord>): void => {};
  const slow = path(({ kind }) =>
    kind === request.linkContent
      ? new Promise((resolve) => {
          answer = resolve;
        })
      : Promise.resolve({}),
  );
  const { settled, clock } = settle(held, [slow]);
  await turns(3);
  clock.advance(askLimitMs);
  expect(await settled).toEqual({ text: "own", isNew: true });
  answer({ text: "M01/late" });
  await turns(3);
  expect(slow.asked.at(-1)).toEqual({ kind: request.remove, text: "M01/late" });
});

test("what cannot be stored fails as storing does", async () => {
  const held = path(() => Promise.reject(fileStoreError("store-full", "no room")));
  await expect(settle(held, []).settled).rejects.toMatchObject({ code: "store-full" });
});

test("an upload that was not held is settled: its content was here, or was not", async () => {
  const held = holder();
  const named = (flags: number): RingRecord => ({ flags, text: "M00/name" }) as RingRecord;
  const clock = new ManualClock();
  const owner = { client: held.client, extension: "", others: [], clock, log: collectedLog().log };
  const settled = [named(0), named(completionFlag.linked)].map((each) => settleUpload(each, owner));
  expect(await Promise.all(settled)).toEqual([
    { text: "M00/name", isNew: true },
    { text: "M00/name", isNew: false },
  ]);
  expect(held.asked).toEqual([]);
});
