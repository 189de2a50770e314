/** The helper as a process of its own: over a socket of its own or systemd's, as a child, and killed in the middle. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { HelperClient, helperAsChild, helperAtSocket } from "#disks/helper-client.ts";
import { nodeChildren } from "#platform/node/node-children.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";
import { stagePassport } from "../../support/helper-stage.ts";
import { LoopDevice, loopNeeds, run } from "../../support/loop-device.ts";
import { needs, program, programPath, root } from "../../support/needs.ts";

const mainFile = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));
const GiB = 1024 ** 3;
const diskId = "decade".padEnd(32, "0");
const limitMs = 120_000;
const silenceMs = 60_000;

class HelperProcess implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "cairn-helper-"));
  readonly socket = join(this.folder, "helper.sock");
  #child: ChildProcess | undefined;
  #errors = "";

  /** `front`: a program that starts the helper with a socket. */
  async start(front: readonly string[] = []): Promise<HelperClient> {
    const own = [
      ...["helper", "--mount-directory", join(this.folder, "mounts"), "--owner", "4321:4321"],
      ...["--state-directory", join(this.folder, "state")],
    ];
    const listen = front.length > 0 ? [] : ["--listen", this.socket];
    const words = [...front, process.execPath, mainFile, ...own, ...listen];
    const child = spawn(words[0] ?? "", words.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    for (let waits = 0; !existsSync(this.socket) && waits < 400; waits += 1) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    if (!existsSync(this.socket)) throw new Error(`no helper: ${this.#errors}`);
    return new HelperClient(helperAtSocket(new NodeNetwork(), this.socket), nodeClock);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n").reverse()) {
      const point = line.split(" ")[4] ?? "";
      if (point.startsWith(`${this.folder}/`)) run("umount", "--lazy", "--", point);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const provisioned = needs(...loopNeeds, program("mkfs.ext4", { apt: "e2fsprogs" }));

function requestFor(disk: LoopDevice) {
  return {
    ...{ disk: disk.name, sequence: disk.sequence, action: "begin" as const },
    plan: { diskId, fileSystem: "ext4" as const },
    passport: stagePassport(diskId),
  };
}

provisioned(
  "a disk of 64 GiB is usable within 15 seconds after the yes",
  async () => {
    using disk = new LoopDevice(64 * 1024);
    await using helper = new HelperProcess();
    const client = await helper.start();
    const { token = "" } = await client.ask("identify", { disk: disk.name }, { silenceMs });
    const began = performance.now();
    const typed = { model: "", serial: "", sizeBytes: 64 * GiB };
    const steps: string[] = [];
    const progress = ({ step }: { readonly step: string }) => void steps.push(step);
    const request = { ...requestFor(disk), token, typed };
    const { directory } = await client.ask("provision", request, { silenceMs, progress });
    const tookMs = performance.now() - began;
    console.info(`64 GiB: usable after ${Math.round(tookMs)} ms`);
    expect(tookMs).toBeLessThan(15_000);
    expect(existsSync(join(directory ?? "", "store/M00"))).toBe(true);
    expect(steps).toEqual([
      ...["checking", "wiping", "partitioning", "formatting", "mounting", "naming"],
    ]);
    client.close();
  },
  limitMs,
);

provisioned(
  "killed in any step it goes on in a new process, without a second yes",
  async () => {
    for (const fatal of ["wiping", "partitioning", "formatting", "mounting", "naming"]) {
      using disk = new LoopDevice(600);
      await using helper = new HelperProcess();
      const client = await helper.start();
      run("mkfs.ext4", "-q", "-F", disk.path);
      const { token = "" } = await client.ask("identify", { disk: disk.name }, { silenceMs });
      const typed = { model: "", serial: "", sizeBytes: 600 * 1024 ** 2 };
      let killed: Promise<void> | undefined;
      const request = { ...requestFor(disk), token, typed };
      const ended = client.ask("provision", request, {
        silenceMs,
        progress: ({ step }) => {
          if (step === fatal) killed = helper.kill();
        },
      });
      await expect(ended).rejects.toMatchObject({ code: "helper-unreachable" });
      await killed;
      rmSync(helper.socket, { force: true });
      const next = await helper.start();
      const found = await next.ask("identify", { disk: disk.name }, { silenceMs });
      // A kill in the first step may come before anything was written.
      const goesOn = found.unfinished !== undefined || found.obstacles.length > 0;
      if (!goesOn) expect(fatal).toBe("wiping");
      else {
        const again = { ...requestFor(disk), action: "continue" as const };
        const { directory } = await next.ask("provision", again, { silenceMs });
        expect(existsSync(join(directory ?? "", ".cairn-disk/passport.copy.json"))).toBe(true);
      }
      next.close();
    }
  },
  limitMs,
);

needs(root(), program("systemd-socket-activate", { apt: "systemd" }))(
  "it takes the socket that systemd passes to it",
  async () => {
    await using helper = new HelperProcess();
    const activate = programPath("systemd-socket-activate") ?? "";
    const client = await helper.start([activate, "--listen", helper.socket]);
    const asked = client.ask("identify", { disk: "sdzz" }, { silenceMs });
    await expect(asked).rejects.toMatchObject({ code: expect.stringMatching(/^device-/) });
    client.close();
  },
  limitMs,
);

needs(root())(
  "a daemon that is root has it as a child",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "cairn-helper-"));
    const children = nodeChildren();
    const directories = { state: join(folder, "state"), mounts: join(folder, "mounts") };
    const client = new HelperClient(helperAsChild(children, directories), nodeClock);
    try {
      const asked = client.ask("identify", { disk: "sdzz" }, { silenceMs });
      await expect(asked).rejects.toMatchObject({ code: expect.stringMatching(/^device-/) });
      const unknown = client.ask("mkfs" as "eject", { disk: "sdzz", sequence: 1 }, { silenceMs });
      await expect(unknown).rejects.toMatchObject({ code: "verb-unknown" });
    } finally {
      client.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
  limitMs,
);
