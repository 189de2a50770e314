/** A daemon for the command line: the real control socket and bus, with answers that tests choose. */
import { Log } from "#base/log.ts";
import { ControlBus } from "#control/control-bus.ts";
import { controlError } from "#control/errors.ts";
import {
  diskHealthOperations,
  type Located,
  type ToldHealth,
} from "#control/operations/disk-health.ts";
import { diskImportOperations, type ShownImport } from "#control/operations/disk-imports.ts";
import {
  diskMoveOperations,
  type ToldMove,
  type ToldPlan,
} from "#control/operations/disk-moves.ts";
import { diskOwnershipOperations, type FoundDisks } from "#control/operations/disk-ownership.ts";
import { type DiskList, diskOperations } from "#control/operations/disks.ts";
import { fileOperations, type PathScrubReport, type Receipt } from "#control/operations/files.ts";
import { packingOperations, type StartedRebuild } from "#control/operations/packing.ts";
import { peerOperations } from "#control/operations/peers.ts";
import {
  type NodeStatus,
  type ShownSetting,
  systemOperations,
} from "#control/operations/system.ts";
import { ControlServer } from "#net/control-server.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";

export class FakeDaemon implements AsyncDisposable {
  status: NodeStatus = {
    version: "1.2.3",
    state: "ready",
    processId: 42,
    startedAt: Math.floor(Date.now() / 1000) - 3700,
    address: "10.0.0.1",
    group: "group1",
    residentBytes: 64 * 1024 * 1024,
    roles: [
      {
        name: "tracker",
        state: "serving",
        endpoints: ["10.0.0.1:22122"],
        connections: { current: 3, peak: 5, limit: 100 },
      },
    ],
    storePaths: [
      {
        index: 0,
        directory: "/srv/disk0",
        state: "online",
        readOnly: false,
        totalBytes: 2 ** 40,
        freeBytes: 2 ** 39,
        packing: "off",
      },
    ],
    trackers: [{ endpoint: "10.0.0.1:22122", state: "joined" }],
    problems: [],
  };
  settings: ShownSetting[] = [];
  /** What the passports of disks say, and what was asked for about them. */
  foundDisks: FoundDisks = { disks: [] };
  readonly ownership: string[] = [];
  /** What would be moved, and what was. */
  planned: ToldPlan = [];
  moves: ToldMove[] = [];
  imports: ShownImport[] = [];
  readonly importsAsked: object[] = [];
  /** What a rebuild of packing is answered with. */
  rebuilds: StartedRebuild[] = [];
  /** What a comparison with the peers begins with. */
  verify = () => ({ started: true, round: 1 });
  level = "info";
  /** By the name of the disk. */
  health: Readonly<Record<string, ToldHealth>> = {};
  located: Located | undefined;
  /** Orders to disks, in words. */
  readonly diskOrders: string[] = [];
  disks: DiskList = { disks: [], watching: true, problems: [] };
  readonly scrubOrders: string[] = [];
  scrubs: PathScrubReport[] = [];
  receipt: Receipt = { id: "", says: "", copies: [] };
  /** Answers changes as for somebody who may only look. */
  refuses = false;
  readonly #server: ControlServer;

  private constructor(path: string) {
    const bus = new ControlBus();
    bus.add(diskOperations, { listDisks: () => this.disks });
    this.#addMoves(bus);
    bus.add(diskHealthOperations, {
      readSmart: ({ disk }) => {
        const told = this.health[disk];
        if (told === undefined) throw controlError("input-invalid", `there is no disk ${disk}`);
        return told;
      },
      selfTest: ({ disk, test }) => {
        this.diskOrders.push(`${disk} ${test}`);
        return { disk };
      },
      locateDisk: ({ disk, seconds = 30 }) => {
        this.diskOrders.push(`${disk} ${seconds}`);
        return this.located ?? { disk, by: seconds === 0 ? [] : ["reads"], seconds };
      },
    });
    bus.add(systemOperations, {
      status: () => this.status,
      showConfig: () => ({ settings: this.settings }),
      version: () => ({ version: "1.2.3", runtime: "node 26" }),
      setLogLevel: ({ level }) => {
        if (this.refuses) throw controlError("access-denied", "only to look");
        const before = this.level;
        this.level = level;
        return { before };
      },
    });
    bus.add(packingOperations, {
      rebuildPacking: ({ storePath, half }) => ({
        started: this.rebuilds.filter(
          (each) =>
            (storePath ?? each.storePath) === each.storePath && (half ?? each.half) === each.half,
        ),
      }),
    });
    this.#addImports(bus);
    bus.add(diskOwnershipOperations, {
      findDisks: () => this.foundDisks,
      adoptDisk: ({ disk }) => {
        this.ownership.push(`adopt ${disk}`);
        return { storePaths: [2, 3] };
      },
      restoreNode: ({ node }) => {
        this.ownership.push(`restore ${node ?? "the only one"}`);
        return { node: "00112233445566aa", writtenAt: 1_800_000_000, disks: 2 };
      },
    });
    bus.add(fileOperations, {
      orderScrub: ({ order, storePath }) => {
        this.scrubOrders.push(`${order} ${storePath ?? "all"}`);
        return { changed: 1 };
      },
      reportScrub: () => ({ paths: this.scrubs }),
      receipt: ({ id, read }) => ({ ...this.receipt, id: read === true ? `${id} read` : id }),
    });
    bus.add(peerOperations, {
      verifyPeers: () => this.verify(),
    });
    this.#server = new ControlServer({
      network: new NodeNetwork(),
      clock: nodeClock,
      log: new Log("test", () => {}),
      bus,
      path,
      caller: { name: "a test", access: "owner" },
    });
  }

  #addMoves(bus: ControlBus): void {
    const order = (words: string) => {
      this.diskOrders.push(words);
      return {};
    };
    const named = { disk: "b".repeat(32), name: "/dev/sdb1" };
    bus.add(diskMoveOperations, {
      planRetire: () => ({ ...named, moves: this.planned }),
      retireDisk: ({ disk, moves }) => ({ ...order(`retire ${moves.length}`), disk }),
      drainDisk: ({ drain }) => ({ ...order(drain ? "drain" : "undrain"), ...named }),
      planRebalance: () => ({ moves: this.planned }),
      rebalanceDisks: ({ moves }) => order(`rebalance ${moves.length}`),
      listMoves: () => ({ moves: this.moves }),
      changeMove: ({ storePath, action }) => order(`${action} ${storePath}`),
    });
  }

  static async start(path: string): Promise<FakeDaemon> {
    const daemon = new FakeDaemon(path);
    await daemon.#server.start();
    return daemon;
  }

  #addImports(bus: ControlBus): void {
    bus.add(diskImportOperations, {
      importDisk: (input) => {
        this.importsAsked.push(input);
        return { id: "d".repeat(32) };
      },
      listImports: () => ({ imports: this.imports }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }
}
