/** The root helper in this process, with the real world below it and a folder of the test's own for what it keeps. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signerOf } from "#base/ed25519.ts";
import { Log, type LogRecord } from "#base/log.ts";
import { HelperClient, type HelperLine } from "#disks/helper-client.ts";
import type { VerbInput, VerbName, VerbResult } from "#disks/helper-protocol.ts";
import { formatPassport } from "#disks/passport.ts";
import { HelperSession, helperParts } from "#helper/helper-session.ts";
import type { HelperSettings, HelperWorld } from "#helper/helper-world.ts";
import { DiskId } from "#model/disk-id.ts";
import { GroupName } from "#model/group-name.ts";
import { nodeIdOf } from "#model/node-id.ts";
import { nodeBlockDevices } from "#platform/node/node-block-devices.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { nodeCommands } from "#platform/node/node-commands.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { nodeRandom } from "#platform/node/node-random.ts";
import { nodeSystemFiles } from "#platform/node/node-system-files.ts";
import { run } from "./loop-device.ts";

export const stageSigner = signerOf(Buffer.alloc(32, 7));
export const stageNode = nodeIdOf(stageSigner.publicKey);

/** As the node of the stage would write it. */
export function stagePassport(diskId: string): string {
  return formatPassport(
    {
      diskId: DiskId(diskId),
      revision: 1,
      node: { id: stageNode, publicKey: stageSigner.publicKey, name: "stage" },
      group: GroupName("group1"),
      paths: [{ index: 0, id: undefined, directory: "store/M00" }],
      history: [{ at: 1_763_900_000, what: "given", node: stageNode }],
      rest: {},
    },
    stageSigner,
  );
}

/** A line to a helper in this process; portions arrive later, as over a socket. */
export function lineTo(makeSession: (write: (text: string) => void) => HelperSession): HelperLine {
  const line: HelperLine = {
    onReceive: () => {},
    onClose: () => {},
    write: (text) => setImmediate(() => session.receive(Buffer.from(text))),
    close: () => session.close(),
  };
  const session = makeSession((text) => setImmediate(() => line.onReceive(Buffer.from(text))));
  return line;
}

export class HelperStage implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "cairn-helper-"));
  readonly records: LogRecord[] = [];
  readonly settings: HelperSettings;
  readonly world: HelperWorld;
  readonly client: HelperClient;

  constructor(change: Partial<HelperWorld> = {}) {
    this.settings = {
      mountDirectory: join(this.folder, "mounts"),
      stateDirectory: join(this.folder, "state"),
      owner: { user: 4321, group: 4322 },
    };
    this.world = {
      clock: nodeClock,
      random: nodeRandom(),
      log: new Log("helper", (record) => this.records.push(record)),
      commands: nodeCommands(),
      devices: nodeBlockDevices,
      system: nodeSystemFiles,
      files: new NodeFiles(),
      settings: this.settings,
      ...change,
    };
    this.client = this.connect();
  }

  /** A helper that was just started, over what an earlier one left. */
  connect(): HelperClient {
    const parts = helperParts(this.world);
    return new HelperClient(async () => {
      return lineTo((write) => {
        const stream = { write, unsentBytes: 0, end: () => {} };
        return new HelperSession(stream, parts);
      });
    }, nodeClock);
  }

  ask<V extends VerbName>(verb: V, input: VerbInput<V>): Promise<VerbResult<V>> {
    return this.client.ask(verb, input, { silenceMs: 60_000 });
  }

  [Symbol.dispose](): void {
    this.client.close();
    for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n").reverse()) {
      const point = line.split(" ")[4] ?? "";
      if (point.startsWith(`${this.folder}/`)) run("umount", "--lazy", "--", point);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
