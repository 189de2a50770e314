/**
 * A sender and a receiver of ours without sockets between them: the sender's lanes call the receiver's handlers, over a wire that can lose
 * requests or replies and change bits.
 */
import { ignore, Log } from "#base/log.ts";
import { StorageId } from "#model/storage-id.ts";
import { type ByteSource, collect, flowOfBytes, flowOfSource } from "#net/byte-flow.ts";
import { netError } from "#net/errors.ts";
import type { FrameClient } from "#net/frame-client.ts";
import type { FrameSession } from "#net/frame-session.ts";
import { replicationHandlers } from "#storage/handlers/replication-handlers.ts";
import { ReplicaReceiver } from "#storage/replica-receiver.ts";
import { StorageCounters } from "#storage/storage-statistics.ts";
import { CairnLane } from "#sync/cairn-lane.ts";
import { HeldPositions } from "#sync/held-positions.ts";
import { PathPump } from "#sync/path-pump.ts";
import type { PathPumpParts, PumpStart } from "#sync/pump-parts.ts";
import type { PushLane } from "#sync/push.ts";
import { Tombstones } from "#sync/tombstones.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemorySyncStore } from "./memory-sync-store.ts";

interface Named {
  readonly name: string;
}

/** What becomes of one exchange. */
export type WireFate = "passes" | "lost" | "reply-lost" | "damaged";

export const senderId = StorageId("10.0.0.1");
const quiet = new Log("test", () => {});

export class SyncPair {
  readonly from = new MemorySyncStore("10.0.0.1");
  readonly to = new MemorySyncStore("10.0.0.2");
  readonly clock = new ManualClock();
  readonly held = new HeldPositions({ loadHeld: () => new Map(), saveHeld: () => {} });
  readonly tombstones = new Tombstones();
  readonly receiver: ReplicaReceiver;
  /** The receiver lost a disk, and has not compared its files with the sender's since. */
  isOutdated = false;
  /** Files of which versions met at the receiver. */
  readonly contested: string[] = [];
  pump: PathPump;
  fate: () => WireFate = () => "passes";
  heal: (name: string) => Promise<boolean> = async () => false;
  /** Records that were acknowledged, as the pump tells it. */
  acknowledged = 0;
  failures = 0;
  caughtUp = 0;
  exchanges = 0;
  start: PumpStart = {
    plan: { needSyncOld: false, oldDone: false, until: 0 },
    startOver: false,
    peerHolds: 0,
  };
  #down = false;

  constructor(parts: Partial<PathPumpParts> = {}) {
    const { to: store, clock, tombstones } = this;
    const counters = new StorageCounters();
    this.receiver = new ReplicaReceiver({
      ...{ store, clock, counters, tombstones },
      isOutdated: () => this.isOutdated,
      onContest: async (name) => {
        this.contested.push(name);
      },
    });
    this.pump = this.newPump(parts);
    this.from.onGrowth = () => this.pump.wake();
  }

  /** As after a restart of the sender: marks are what it remembers. */
  newPump(parts: Partial<PathPumpParts> = {}): PathPump {
    return new PathPump({
      store: this.from,
      clock: this.clock,
      log: quiet,
      storePathIndex: 0,
      peer: "10.0.0.2",
      markName: () => "10.0.0.2_23000",
      maxLanes: () => 3,
      openLane: () => this.openLane(),
      fileIntervalMs: 0,
      skipsInvalid: true,
      heal: (name) => this.heal(name),
      onBinlogGone: () => {},
      onProgress: (records) => {
        this.acknowledged += records;
      },
      onCaughtUp: () => {
        this.caughtUp += 1;
      },
      onFailure: () => this.#failed(),
      ...parts,
    });
  }

  async openLane(): Promise<PushLane> {
    const handlers = replicationHandlers({
      services: { checkGroup: () => {} },
      log: quiet,
      receiver: this.receiver,
      store: this.to,
      held: this.held,
      ownId: () => StorageId("10.0.0.2"),
      ownDisk: () => "",
      isMember: () => true,
      onSender: () => {},
    });
    let usable = true;
    const session = {} as FrameSession<undefined>;
    const client = {
      get usable(): boolean {
        return usable;
      },
      close: () => {
        usable = false;
      },
      uploadTo: (message: Named, request: unknown, how: { readonly source: ByteSource }) =>
        client.upload(message, request, how.source),
      upload: async (message: Named, request: unknown, source: ByteSource) => {
        this.exchanges += 1;
        const fate = this.fate();
        const payload = await collect(flowOfSource(source));
        if (fate === "lost") {
          usable = false;
          throw netError("flow-broken", "lost");
        }
        if (fate === "damaged" && payload.length > 0) {
          const at = payload.length - 1;
          payload[at] = (payload[at] ?? 0) ^ 0x10;
        }
        const handle = handlers[message.name as "syncBatch"];
        const reply = await handle(request as never, session, flowOfBytes(payload));
        if (fate === "reply-lost" || !usable) {
          usable = false;
          throw netError("flow-broken", "the reply is lost");
        }
        return reply;
      },
    };
    const held = () => ({ heldUntil: this.pump.reached, gaps: this.pump.gaps });
    return new CairnLane({
      client: client as unknown as FrameClient,
      store: this.from,
      group: "group1",
      ownId: senderId,
      held,
      paced: (source) => source,
      adopt: async () => true,
    });
  }

  begin(): void {
    this.#down = false;
    this.pump.start(this.start);
  }

  /** The sender's process ends and another one begins; `saves` is false for a kill. */
  async restart(saves = true): Promise<void> {
    const before = new Map(this.from.marks);
    await this.pump.stop();
    if (!saves) {
      this.from.marks.clear();
      for (const [name, text] of before) this.from.marks.set(name, text);
    }
    this.pump = this.newPump();
    await this.pump.load();
    this.begin();
  }

  /** Lets everything that is due happen, for so many seconds of the clock. */
  async pass(seconds: number): Promise<void> {
    for (let step = 0; step < seconds * 4; step += 1) {
      this.clock.advance(250);
      await settle();
    }
  }

  #failed(): void {
    this.failures += 1;
    if (this.#down) return;
    this.#down = true;
    ignore(this.pump.stop(), quiet, "the link pauses");
    this.clock.after(1000, () => this.begin());
  }
}

/** Until promises have run out. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
