/** The part of a storage that answers a tracker's questions about trunk files, on a loopback address of its own. */
import { Log } from "#base/log.ts";
import { addHandlers, type HandlerEntry } from "#net/frame-handlers.ts";
import { FrameServer } from "#net/frame-server.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { narrowAddresses } from "#protocol/codec.ts";
import { trunkDeleteBinlogMarks, trunkGetBinlogSize } from "#protocol/fastdfs/storage-trunk.ts";
import { wireStatus } from "#protocol/wire-status.ts";

export class FakeTrunkStorage implements AsyncDisposable {
  binlogSize = 0;
  marksDeleted = 0;
  readonly #server: FrameServer<undefined>;

  private constructor() {
    const table = new Map<number, HandlerEntry<undefined>>();
    const family = { trunkGetBinlogSize, trunkDeleteBinlogMarks };
    addHandlers<typeof family, undefined>(table, family, {
      trunkGetBinlogSize: () => ({ size: this.binlogSize }),
      trunkDeleteBinlogMarks: () => {
        this.marksDeleted += 1;
        return undefined;
      },
    });
    this.#server = new FrameServer<undefined>({
      network: new NodeNetwork(),
      clock: nodeClock,
      log: new Log("fake", () => {}),
      handlers: table,
      context: () => narrowAddresses,
      statusOf: () => wireStatus.ioError,
      newFacts: () => undefined,
      admits: () => true,
      maxConnections: 16,
      networkTimeoutMs: 5000,
      maxBodyBytes: 1024,
      closesAfterInvalid: true,
      answersOversized: true,
    });
  }

  /** `port` 0 takes a free one; several storages of a group share one port on addresses of their own. */
  static async start(
    address: string,
    port: number,
  ): Promise<{ storage: FakeTrunkStorage; port: number }> {
    const storage = new FakeTrunkStorage();
    const [listener] = await storage.#server.listen([address], port);
    return { storage, port: listener?.port ?? 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(100);
  }
}
