/** The part of a storage that is asked about trunk files by trackers and by a trunk server, on a loopback address of its own. */
import { Log } from "#base/log.ts";
import { addHandlers, type HandlerEntry } from "#net/frame-handlers.ts";
import { FrameServer } from "#net/frame-server.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { narrowAddresses } from "#protocol/codec.ts";
import { activeTest } from "#protocol/fastdfs/common.ts";
import {
  trunkDeleteBinlogMarks,
  trunkGetBinlogSize,
  trunkSyncBinlog,
  trunkTruncateBinlogFile,
} from "#protocol/fastdfs/storage-trunk.ts";
import { wireStatus } from "#protocol/wire-status.ts";

export class FakeTrunkStorage implements AsyncDisposable {
  binlogSize = 0;
  marksDeleted = 0;
  /** What a trunk server has sent, since it last said that the binlog begins anew. */
  binlog = "";
  truncations = 0;
  activeTests = 0;
  readonly messageSizes: number[] = [];
  readonly #server: FrameServer<undefined>;

  private constructor() {
    const table = new Map<number, HandlerEntry<undefined>>();
    const family = {
      trunkGetBinlogSize,
      trunkDeleteBinlogMarks,
      trunkSyncBinlog,
      trunkTruncateBinlogFile,
      activeTest,
    };
    addHandlers<typeof family, undefined>(table, family, {
      trunkGetBinlogSize: () => ({ size: this.binlogSize }),
      trunkDeleteBinlogMarks: () => {
        this.marksDeleted += 1;
        return undefined;
      },
      trunkSyncBinlog: ({ lines }) => {
        this.messageSizes.push(lines.length);
        this.binlog += Buffer.from(lines).toString("latin1");
      },
      trunkTruncateBinlogFile: () => {
        this.truncations += 1;
        this.binlog = "";
      },
      activeTest: () => {
        this.activeTests += 1;
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
      maxBodyBytes: 256 * 1024,
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

  get connections(): number {
    return this.#server.connections.current;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(100);
  }
}
