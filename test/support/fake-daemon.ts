/** A daemon for the command line: the real control socket and bus, with answers that tests choose. */
import { Log } from "#base/log.ts";
import { ControlBus } from "#control/control-bus.ts";
import { controlError } from "#control/errors.ts";
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
  level = "info";
  /** Answers changes as for somebody who may only look. */
  refuses = false;
  readonly #server: ControlServer;

  private constructor(path: string) {
    const bus = new ControlBus();
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
    this.#server = new ControlServer({
      network: new NodeNetwork(),
      clock: nodeClock,
      log: new Log("test", () => {}),
      bus,
      path,
      caller: { name: "a test", access: "owner" },
    });
  }

  static async start(path: string): Promise<FakeDaemon> {
    const daemon = new FakeDaemon(path);
    await daemon.#server.start();
    return daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }
}
