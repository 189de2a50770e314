/** The main thread's end of a store path, against a worker loop in this thread and against the rings alone. */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import { RingReader, type RingRecord, RingWriter, ringSlots } from "#filestore/ring.ts";
import { StorePathClient } from "#filestore/store-path-client.ts";
import { PathCondition } from "#filestore/worker/path-condition.ts";
import { request, type StorePathThreadData, writeFlag } from "#filestore/worker-messages.ts";
import type { WorkerThread } from "#platform/workers.ts";
import { collectedLog } from "../../support/frame-fixture.ts";
import { turns } from "../../support/settled.ts";
import { expectNothingLeft, pathSettings, pathStage } from "../../support/store-fixture.ts";

const space = { kind: request.space };

test("a request's promise ends with its completion", async () => {
  const stage = await pathStage(true);
  expect(await stage.client.send(space)).toMatchObject({ a: 1e12, b: 9e11 });
  const missing = stage.client.send({ kind: request.remove, text: "M00/00/00/none" });
  await expect(missing).rejects.toMatchObject({ code: "file-missing" });
  await expectNothingLeft(stage);
});

test("the errno of a failure crosses with it", async () => {
  const stage = await pathStage(true);
  stage.worker.engine.files.set("M00/00/00/some", {
    content: Buffer.alloc(0),
    metadata: undefined,
  });
  stage.worker.engine.failCommits.add("*");
  const removing = stage.client.send({ kind: request.remove, text: "M00/00/00/some" });
  await expect(removing).rejects.toMatchObject({
    code: "disk-failed",
    message: "the flush failed",
    details: { errno: "EIO" },
  });
});

test("more requests than the ring holds are all answered, in order, and never more are in flight", async () => {
  const stage = await pathStage(false);
  const answered: number[] = [];
  const wanted = 3 * ringSlots;
  for (let at = 0; at < wanted; at += 1) {
    void stage.client.send(space).then(() => answered.push(at));
  }
  expect(stage.client.pending).toBe(wanted);
  stage.worker.automatic = true;
  for (let wait = 0; wait < 500 && answered.length < wanted; wait += 1) await turns(1);
  expect(answered).toEqual(Array.from({ length: wanted }, (_, at) => at));
  await expectNothingLeft(stage);
});

test("completions find room even when the worker answers late and all at once", async () => {
  // The worker takes everything it finds and keeps it, as it does with what waits for a name or takes long.
  let data: StorePathThreadData | undefined;
  const thread: WorkerThread = { onMessage: () => {}, onExit: () => {} };
  const client = new StorePathClient(pathSettings(0), collectedLog().log);
  const started = client.start({
    afterTurn: (task) => task(),
    start: (_entry, given) => {
      data = given as StorePathThreadData;
      return thread;
    },
  });
  thread.onMessage({ post: "opened", rolledForward: 0, swept: 0, adopted: false });
  await started;
  const requests = new RingReader((data as StorePathThreadData).requests);
  const completions = new RingWriter((data as StorePathThreadData).completions);
  let answered = 0;
  for (let at = 0; at < 3 * ringSlots; at += 1) {
    void client.send(space).then(() => {
      answered += 1;
    });
  }
  const kept: number[] = [];
  const answer = (count: number): void => {
    for (const id of kept.splice(0, count)) {
      const fields = { block: -1, blockLength: 0, a: 0, b: 0, c: 0, text: "", text2: "" };
      expect(completions.push({ id, kind: 0, flags: 0, ...fields })).toBe(true);
    }
    completions.wake();
  };
  for (let round = 0; round < 20 && answered < 3 * ringSlots; round += 1) {
    for (let next = requests.take(); next !== undefined; next = requests.take()) kept.push(next.id);
    expect(kept.length).toBeLessThanOrEqual(ringSlots);
    answer(round % 2 === 0 ? 1 : kept.length);
    await turns();
  }
  expect(answered).toBe(3 * ringSlots);
});

test("a path that is not open yet, or not any more, refuses", async () => {
  const client = new StorePathClient(pathSettings(0), collectedLog().log);
  await expect(client.send(space)).rejects.toMatchObject({ code: "store-path-unready" });
  await client.close();
  const stage = await pathStage(true);
  await stage.client.close();
  expect(stage.client.state).toBe("offline");
  expect(stage.worker.engine.closed).toBe(true);
  await expect(stage.client.send(space)).rejects.toMatchObject({ code: "store-closing" });
  await stage.client.close();
});

test("what waits when the path is closed ends: what the worker has is finished, the rest refused", async () => {
  const stage = await pathStage(false);
  const before = stage.client.send(space);
  const closing = stage.client.close();
  const after = expect(stage.client.send(space)).rejects.toMatchObject({ code: "store-closing" });
  await stage.turn(2);
  expect((await before).a).toBe(1e12);
  await closing;
  await after;
  expect(stage.client.pending).toBe(0);
});

test("a worker that ends by itself takes its path offline, and what it had finished counts", async () => {
  const stage = await pathStage(false);
  const states: string[] = [];
  stage.client.onStateChange = () => states.push(stage.client.state);
  const finished = stage.client.send(space);
  stage.worker.turn();
  const lost = expect(stage.client.send(space)).rejects.toMatchObject({
    code: "store-path-offline",
  });
  stage.worker.onExit(new Error("the thread is gone"));
  expect((await finished).a).toBe(1e12);
  await lost;
  expect(states).toEqual(["offline"]);
  expect(stage.client.problem).toContain("the thread is gone");
  await expect(stage.client.send(space)).rejects.toMatchObject({ code: "store-path-offline" });
});

test("a path that cannot be served says why", async () => {
  const thread: WorkerThread = { onMessage: () => {}, onExit: () => {} };
  const client = new StorePathClient(pathSettings(0), collectedLog().log);
  const started = client.start({ start: () => thread, afterTurn: (task) => task() });
  thread.onMessage({ post: "unfit", code: "store-path-busy", message: "held by process 7" });
  thread.onExit(undefined);
  await expect(started).rejects.toMatchObject({ code: "store-path-busy" });
  expect([client.state, client.problem]).toEqual(["offline", "held by process 7"]);
});

const refusal = fileStoreError("store-path-unready", "quarantined");
const pending = fileStoreError("store-path-offline", "not answered");

/** A worker that only does what the test says, over the rings. */
async function scriptedWorker() {
  let data: StorePathThreadData | undefined;
  const thread: WorkerThread = { onMessage: () => {}, onExit: () => {} };
  const client = new StorePathClient(pathSettings(0), collectedLog().log);
  const started = client.start({
    start: (_entry, given) => {
      data = given as StorePathThreadData;
      return thread;
    },
    afterTurn: (task) => task(),
  });
  thread.onMessage({ post: "opened", rolledForward: 0, swept: 0, adopted: false });
  await started;
  const { requests, completions, pulse } = data as StorePathThreadData;
  const reader = new RingReader(requests);
  const writer = new RingWriter(completions);
  const condition = new PathCondition(pulse, (post) => thread.onMessage(post));
  return {
    client,
    condition,
    /** Requests that it has not seen before. */
    taken(): RingRecord[] {
      const records: RingRecord[] = [];
      for (let next = reader.take(); next !== undefined; next = reader.take()) records.push(next);
      return records;
    },
    async answer(id: number, fields: Partial<RingRecord> = {}): Promise<void> {
      const nothing = { a: 0, b: 0, c: 0, text: "", text2: "" };
      writer.push({ id, kind: 0, flags: 0, block: -1, blockLength: 0, ...nothing, ...fields });
      writer.wake();
      await turns();
    },
  };
}

const remove = { kind: request.remove, text: "M00/00/00/some" };
const read = { kind: request.read, text: "M00/00/00/some" };
const upload = { kind: request.write, flags: writeFlag.first | writeFlag.last, a: 1 };

test("when nothing is admitted any more, who waits is told, the worker skips it, and only the owner is served", async () => {
  const { client, condition, taken, answer } = await scriptedWorker();
  const block = await client.blocks.take("small");
  const waiting = client.send({ ...upload, block });
  const lost = expect(waiting).rejects.toBe(pending);
  const measured = client.probe(space);
  client.admit("none", { refusal, pending });
  await lost;
  client.blocks.give(block);
  expect([client.blocks.inUse, client.pending, client.isBusy]).toEqual([1, 1, true]);
  await expect(client.send(read)).rejects.toBe(refusal);
  // What sets the worker's things free is sent, though nobody waits for it.
  await expect(client.send({ kind: request.abort, a: 1 })).rejects.toBe(refusal);
  const records = taken();
  expect(records.map(({ kind }) => kind)).toEqual([request.write, request.space, request.abort]);
  expect(records.map(({ id }) => condition.isAbandoned(id))).toEqual([true, true, false]);
  for (const { id } of records) await answer(id);
  expect((await measured).a).toBe(0);
  expect([client.blocks.inUse, client.pending, client.isBusy]).toEqual([0, 0, false]);
  expect(client.abandonedCount).toBe(1);
});

test("where reads are admitted only changes are given up", async () => {
  const { client, taken, answer } = await scriptedWorker();
  const reading = client.send(read);
  const removing = expect(client.send(remove)).rejects.toBe(pending);
  client.admit("reads", { refusal, pending });
  await removing;
  await expect(client.send(remove)).rejects.toBe(refusal);
  const again = client.send(read);
  for (const { id } of taken()) await answer(id, { a: 7 });
  expect([(await reading).a, (await again).a]).toEqual([7, 7]);
});

test("what a worker is told once reaches it whatever its disk does", async () => {
  const { client, taken, answer } = await scriptedWorker();
  const before = client.send({ kind: request.trunkLease, a: 7, b: 1 });
  client.admit("none", { refusal, pending });
  const after = client.send({ kind: request.setSource });
  for (const { id } of taken()) await answer(id);
  await Promise.all([before, after]);
});

test("a file that was stored after all is removed as soon as changes are admitted", async () => {
  const { client, taken, answer } = await scriptedWorker();
  const lost = expect(client.send(upload)).rejects.toBe(pending);
  client.admit("none", { refusal, pending });
  await lost;
  for (const { id } of taken()) await answer(id, { text: "M00/00/00/nobody-knows" });
  expect(taken()).toEqual([]);
  client.admit("all", undefined);
  expect(taken()).toMatchObject([{ kind: request.remove, text: "M00/00/00/nobody-knows" }]);
});

test("what is older than the deadline is given up alone", async () => {
  const { client, condition, taken, answer } = await scriptedWorker();
  const old = expect(client.send(remove)).rejects.toBe(pending);
  const { lastId } = client;
  const young = client.send(remove);
  client.expireUpTo(lastId, pending);
  await old;
  const records = taken();
  expect(records.map(({ id }) => condition.isAbandoned(id))).toEqual([true, false]);
  for (const { id } of records) await answer(id);
  await young;
  client.expireNothing();
  expect(condition.isAbandoned(records[1]?.id ?? 0)).toBe(true);
  expect(condition.isAbandoned((records[1]?.id ?? 0) + 1)).toBe(false);
});

test("requests that found the ring full never reach the worker once they are given up", async () => {
  const { client, taken, answer } = await scriptedWorker();
  const lost = Array.from({ length: ringSlots + 5 }, () => client.send(remove).catch(String));
  client.admit("none", { refusal, pending });
  await Promise.all(lost);
  const records = taken();
  expect(records).toHaveLength(ringSlots);
  for (const { id } of records) await answer(id);
  expect([taken(), client.isBusy]).toEqual([[], false]);
});
