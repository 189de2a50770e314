import { expect, test } from "vitest";
import { GroupName } from "#model/group-name.ts";
import type { TrunkLocation } from "#model/trunk-location.ts";
import { addHandlers, type HandlerEntry } from "#net/frame-handlers.ts";
import { FrameServer } from "#net/frame-server.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import {
  trunkAllocConfirm,
  trunkAllocSpace,
  trunkFreeSpace,
} from "#protocol/fastdfs/storage-trunk.ts";
import { WireStatusError } from "#protocol/wire-status.ts";
import { TrunkClient, type TrunkServerPlace } from "#storage/trunk-client.ts";
import { defaultTrunkParameters } from "#storage/trunk-parameters.ts";
import { TrunkServer } from "#storage/trunk-server.ts";
import { collectedLog, storageLike } from "../../support/frame-fixture.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { soon } from "../../support/soon.ts";
import { MemoryTrunkLog } from "../../support/trunk-log.ts";

const group = GroupName("group1");
const location: TrunkLocation = {
  storePathIndex: 1,
  high: 2,
  low: 3,
  fileId: 4,
  offset: 0,
  size: 512,
};

/** A trunk server that notes what it is asked and answers as told. */
class ScriptedTrunkServer implements AsyncDisposable {
  readonly asked: string[] = [];
  answer = location;
  refusal = 0;
  port = 0;
  #server: FrameServer<undefined> | undefined;

  async start(): Promise<void> {
    const handlers = new Map<number, HandlerEntry<undefined>>();
    const family = { trunkAllocSpace, trunkAllocConfirm, trunkFreeSpace };
    const note = (what: string): void => {
      this.asked.push(what);
      if (this.refusal !== 0) throw new WireStatusError(this.refusal, "as told");
    };
    addHandlers<typeof family, undefined>(handlers, family, {
      trunkAllocSpace: ({ group: name, size, storePathIndex }) => {
        note(`alloc ${name} ${size} ${storePathIndex}`);
        return this.answer;
      },
      trunkAllocConfirm: ({ headerStatus, location: slot }) =>
        note(`confirm ${headerStatus} ${slot.offset}`),
      trunkFreeSpace: ({ location: slot }) => note(`free ${slot.offset}`),
    });
    const options = storageLike({ network: new NodeNetwork(), clock: nodeClock, handlers });
    this.#server = new FrameServer<undefined>({ ...options, closesAfterInvalid: false });
    const [listener] = await this.#server.listen(["127.0.0.1"], this.port);
    this.port = listener?.port ?? 0;
  }

  async stop(): Promise<void> {
    await this.#server?.stop(0);
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function client(
  where: () => TrunkServerPlace | "own" | undefined,
  disk = new MemoryTrunkLog().client,
  takesSlots: () => boolean = () => true,
) {
  const clock = new ManualClock();
  const { log, records } = collectedLog();
  const own = new TrunkServer({
    ...{
      clock,
      log,
      binlog: new MemoryTrunkLog().client,
      subdirCount: 256,
      storePathCount: () => 2,
    },
    ...{ onNews: () => {}, onGrown: () => {} },
    readers: { pause: async () => {}, resume: () => {} },
  });
  const slots = new TrunkClient({
    network: new NodeNetwork(),
    clock,
    log,
    group,
    own,
    disk,
    server: where,
    takesSlots,
  });
  slots.start();
  return { slots, clock, own, records };
}

test("the trunk server is asked for the file with its header, told what became of the slot, and of its end", async () => {
  await using server = new ScriptedTrunkServer();
  await server.start();
  const { slots } = client(() => ({ address: "127.0.0.1", port: server.port }));
  expect(await slots.allocate(1, 400)).toEqual(location);
  await slots.confirm(location, "kept");
  await slots.confirm(location, "occupied");
  await slots.confirm(location, "unused");
  await slots.free(location);
  await expect
    .poll(() => server.asked)
    .toEqual(["alloc group1 424 1", "confirm 0 0", "confirm 17 0", "confirm 5 0", "free 0"]);
  await slots.close();
});

test("slots that are not to be taken are not asked for, and what is owed is told all the same", async () => {
  await using server = new ScriptedTrunkServer();
  await server.start();
  const place = { address: "127.0.0.1", port: server.port };
  const { slots } = client(
    () => place,
    undefined,
    () => false,
  );
  expect([await slots.allocate(1, 400), slots.isReady]).toEqual([undefined, true]);
  await slots.free(location);
  await expect.poll(() => server.asked).toEqual(["free 0"]);
  await slots.close();
});

test("where the trunk server refuses, lies, or is not there, the file is to be one of its own", async () => {
  await using server = new ScriptedTrunkServer();
  await server.start();
  let place: TrunkServerPlace | undefined = { address: "127.0.0.1", port: server.port };
  const { slots, clock, records } = client(() => place);
  server.refusal = 22;
  expect(await slots.allocate(1, 400)).toBeUndefined();
  server.refusal = 0;
  server.answer = { ...location, storePathIndex: 0 };
  expect(await slots.allocate(1, 400)).toBeUndefined();
  server.answer = { ...location, size: 423 };
  expect(await slots.allocate(1, 400)).toBeUndefined();
  server.answer = location;
  await server.stop();
  expect(await slots.allocate(1, 400)).toBeUndefined();
  await server.start();
  const asked = server.asked.length;
  expect(await slots.allocate(1, 400)).toBeUndefined();
  expect(server.asked).toHaveLength(asked);
  clock.advance(5001);
  expect(await slots.allocate(1, 400)).toEqual(location);
  place = undefined;
  expect(await slots.allocate(1, 400)).toBeUndefined();
  expect(records.map(({ event }) => event)).toContain("trunk-server-works-again");
  await slots.close();
});

test("what the trunk server did not hear it is told later, in order", async () => {
  await using server = new ScriptedTrunkServer();
  await server.start();
  const { slots, clock } = client(() => ({ address: "127.0.0.1", port: server.port }));
  await slots.allocate(1, 400);
  await server.stop();
  await slots.confirm(location, "kept");
  await slots.free(location);
  await slots.free({ ...location, offset: 512 });
  await soon(() => slots.owed).toBe(3);
  await server.start();
  server.asked.length = 0;
  clock.advance(5000);
  await soon(() => server.asked).toEqual(["confirm 0 0", "free 0", "free 512"]);
  await soon(() => slots.owed).toBe(0);
  server.refusal = 17;
  await slots.free(location);
  await soon(() => server.asked).toHaveLength(4);
  expect(slots.owed).toBe(0);
  await slots.close();
});

test("a trunk server that is not ready yet is told again, though not for ever", async () => {
  await using server = new ScriptedTrunkServer();
  await server.start();
  const { slots, clock } = client(() => ({ address: "127.0.0.1", port: server.port }));
  server.refusal = 22;
  await slots.free(location);
  expect([slots.owed, slots.isReady]).toEqual([1, false]);
  for (let again = 2; again <= 12; again += 1) {
    clock.advance(5000);
    await soon(() => server.asked).toHaveLength(again);
  }
  await soon(() => slots.owed).toBe(0);
  expect(slots.isReady).toBe(true);
  await slots.close();
});

test("a storage that is the trunk server asks itself", async () => {
  const { slots, own } = client(() => "own");
  expect(await slots.allocate(0, 100)).toBeUndefined();
  own.begin({ ...defaultTrunkParameters, enabled: true });
  await soon(() => own.state).toBe("waiting-for-number");
  own.learnFileId(6);
  const slot = await slots.allocate(0, 100);
  expect(slot).toMatchObject({ storePathIndex: 0, fileId: 7, offset: 0, size: 256 });
  await slots.confirm(slot as TrunkLocation, "kept");
  await slots.free(slot as TrunkLocation);
  expect(await slots.allocate(0, 100)).toEqual(slot);
  await slots.close();
  await own.end();
});

test("what was not told is told by the next run; a slot that may have been given away is not freed again", async () => {
  await using server = new ScriptedTrunkServer();
  await server.start();
  const { client: disk } = new MemoryTrunkLog();
  const where = () => ({ address: "127.0.0.1", port: server.port });
  const first = client(where, disk);
  await first.slots.confirm(location, "kept");
  await server.stop();
  await first.slots.confirm({ ...location, offset: 512 }, "kept");
  await first.slots.free({ ...location, offset: 1024 });
  expect(first.slots.owed).toBe(2);
  await first.slots.close();
  await server.start();
  server.asked.length = 0;
  const second = client(where, disk);
  await soon(() => server.asked).toEqual(["confirm 0 512", "free 1024"]);
  await soon(() => second.slots.owed).toBe(0);
  await second.slots.close();
  const third = client(where, disk);
  await third.slots.confirm(location, "kept");
  expect(server.asked).toEqual(["confirm 0 512", "free 1024", "confirm 0 0"]);
  await third.slots.close();
});

test("where nobody knows whether the trunk server heard it, a slot in use is told again, one for others is not", async () => {
  const network = new NodeNetwork();
  let connections = 0;
  const listener = await network.listen(
    { address: "127.0.0.1", port: 0, backlog: 16 },
    (connection) => {
      connections += 1;
      connection.onReceive = () => connection.destroy();
    },
  );
  const { slots, records } = client(() => ({ address: "127.0.0.1", port: listener.port }));
  await slots.free(location);
  await slots.confirm(location, "unused");
  expect([slots.owed, connections]).toEqual([0, 2]);
  await slots.confirm(location, "kept");
  expect(slots.owed).toBe(1);
  const left = records.filter(({ event }) => event === "trunk-slot-left");
  expect(left.map(({ data }) => data.kind)).toEqual(["free", "confirm"]);
  await slots.close();
  await listener.close();
});
