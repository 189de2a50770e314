/** The commands of C between a sender and a receiver without sockets: a client whose calls go to the handlers, with statuses as errors. */
import { StorageId } from "#model/storage-id.ts";
import { type ByteSource, collect, flowOfBytes, flowOfSource } from "#net/byte-flow.ts";
import type { FrameClient } from "#net/frame-client.ts";
import type { FrameSession } from "#net/frame-session.ts";
import { WireStatusError, wireStatus } from "#protocol/wire-status.ts";
import { syncHandlers } from "#storage/handlers/sync-handlers.ts";
import { ReplicaReceiver } from "#storage/replica-receiver.ts";
import { StorageCounters } from "#storage/storage-statistics.ts";
import { Tombstones } from "#sync/tombstones.ts";
import { ManualClock } from "./manual-clock.ts";
import type { MemorySyncStore } from "./memory-sync-store.ts";

export class CWire {
  readonly sent: string[] = [];
  readonly unfit: string[] = [];
  /** Whether the sender gives whole files. */
  hasWhole = true;
  readonly counters = new StorageCounters();
  readonly receiver: ReplicaReceiver;
  readonly session = { remoteAddress: "10.0.0.1" } as FrameSession<undefined>;
  readonly handlers: ReturnType<typeof syncHandlers>;
  readonly client: FrameClient;

  constructor(to: MemorySyncStore) {
    const parts = { store: to, clock: new ManualClock(), counters: this.counters };
    this.receiver = new ReplicaReceiver({
      ...{ ...parts, tombstones: new Tombstones() },
      isOutdated: () => false,
    });
    this.handlers = syncHandlers({
      services: {
        checkGroup: (group) => {
          if (group !== "group1") throw new WireStatusError(wireStatus.invalid, "another group");
        },
      },
      receiver: this.receiver,
      store: to,
      memberAt: () => StorageId("10.0.0.9"),
      onSender: () => {},
      replaceFrom: async (name) => {
        this.unfit.push(name);
        return this.hasWhole;
      },
    });
    const handlers = this.handlers as unknown as Record<
      string,
      (request: unknown, session: unknown, body?: unknown) => Promise<unknown>
    >;
    const call = async (message: { readonly name: string }, request: unknown, body?: unknown) => {
      const { headerStatus = 0 } = request as { readonly headerStatus?: number };
      if (message.name === "queryFileInfo") {
        const { filename } = request as { readonly filename: string };
        const file = to.files.get(filename);
        if (file === undefined) throw new WireStatusError(wireStatus.notFound, "none");
        return { fileSize: file.bytes.length, crc32: (await to.facts(filename)).crc32 };
      }
      this.sent.push(headerStatus === 0 ? message.name : `${message.name}/${headerStatus}`);
      return handlers[message.name]?.(request, this.session, body);
    };
    this.client = {
      usable: true,
      close: () => {},
      call,
      announce: (message: { readonly name: string }, request: unknown) =>
        call(message, request, flowOfBytes(new Uint8Array(0))),
      uploadTo: async (
        message: { readonly name: string },
        request: unknown,
        { source }: { readonly source: ByteSource },
      ) => call(message, request, flowOfBytes(await collect(flowOfSource(source)))),
    } as unknown as FrameClient;
  }
}
