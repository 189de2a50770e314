/**
 * An arm64 machine in software: QEMU's `virt` board with a SCSI controller, two slots for NVMe disks and a USB controller, all of them empty,
 * and a SATA disk, which cannot be pulled there. What it says goes to files in a folder of the test's own. It reaches nobody: its network leads to the ports of this
 * machine's loopback that are given to it, and nowhere else. Ended by its process id, whatever happens.
 *
 * Its clock counts instructions, a thousand million a second: it does not notice how slowly it runs, so that no deadline in it passes early.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePorts } from "../../support/free-ports.ts";
import { programPath } from "../../support/needs.ts";
import { guestPackages } from "./guest-packages.ts";
import { buildInitrd, kernelVersion } from "./initrd.ts";
import { Qmp } from "./qmp.ts";
import { buildSystemDisk, guestPorts, readyWords } from "./system-disk.ts";

export const emulator = "qemu-system-aarch64";
/** Of whatever is waited for. Seconds where nothing else runs; many times that on a machine that is busy. */
const waitLimitMs = 600_000;
const monitorLimitMs = 60_000;

/** Nothing is on it. */
export const sataDisk = { serial: "SATA0001", sizeBytes: 64 * 1024 * 1024 } as const;

export interface MachineOptions {
  /** The arm64 program that is `cairn` inside. */
  readonly executable: string;
  /** Ports that are the same inside and on this machine's loopback. */
  readonly ports: readonly number[];
}

export class Machine implements AsyncDisposable {
  readonly limitMs = waitLimitMs;
  readonly folder: string;
  readonly controlPort: number;
  readonly #shellPort: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #qmp: Qmp | undefined;
  #errors = "";

  private constructor(
    folder: string,
    child: ChildProcess,
    ports: { readonly shell: number; readonly control: number },
  ) {
    this.folder = folder;
    this.#child = child;
    this.#shellPort = ports.shell;
    this.controlPort = ports.control;
    this.#ended = new Promise((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
  }

  /** Resolves once its shell answers. */
  static async boot(options: MachineOptions): Promise<Machine> {
    const folder = mkdtempSync(join(tmpdir(), "cairn-vm-"));
    const [shell = 0, control = 0] = await freePorts(2);
    let machine: Machine;
    try {
      writeFileSync(join(folder, "initrd"), buildInitrd(guestPackages));
      buildSystemDisk(join(folder, "system"), options.executable);
      writeFileSync(join(folder, "sata"), Buffer.alloc(sataDisk.sizeBytes));
      const words = emulatorWords(folder, [
        ...options.ports.map((port): Forward => [port, port]),
        [shell, guestPorts.shell],
        [control, guestPorts.control],
      ]);
      const child = spawn("nice", ["-n", "10", programPath(emulator) ?? emulator, ...words], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      machine = new Machine(folder, child, { shell, control });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        machine.#errors += text;
      });
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
    try {
      machine.#qmp = await Qmp.connect(join(folder, "monitor"), monitorLimitMs);
      await machine.#ready();
      return machine;
    } catch (error) {
      const told = `${machine.#errors}${machine.console.slice(-2000)}`;
      await machine[Symbol.asyncDispose]();
      throw new Error(`the machine did not start: ${told}`, { cause: error });
    }
  }

  get qmp(): Qmp {
    if (this.#qmp === undefined) throw new Error("it has not started");
    return this.#qmp;
  }

  /** What kernel and init said. */
  get console(): string {
    return readText(join(this.folder, "console"));
  }

  /** What was written to the port for Cairn's log. */
  get log(): string {
    return readText(join(this.folder, "log"));
  }

  /** What a script printed inside. Rejects where it failed, or is not done in time. */
  async run(script: string, limitMs = waitLimitMs): Promise<string> {
    const text = await this.#shell(`{ ${script}\n} < /dev/null 2>&1\necho "#ended $?"\n`, limitMs);
    const end = /#ended (\d+)\n$/.exec(text);
    const printed = text.slice(0, end?.index);
    if (end?.[1] === "0") return printed;
    throw new Error(`${script}: ended with ${end?.[1] ?? "nothing"}: ${printed}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#qmp?.[Symbol.dispose]();
    this.#child.kill("SIGKILL");
    await this.#ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + waitLimitMs;
    for (;;) {
      if (this.#child.exitCode !== null) throw new Error("the emulator has ended");
      if (performance.now() > deadline) throw new Error("it was not ready in time");
      if (this.console.includes(readyWords) && (await this.#answers())) return;
      await pause(100);
    }
  }

  async #answers(): Promise<boolean> {
    try {
      await this.run("true", 20_000);
      return true;
    } catch {
      // It is ready before its shell listens.
      return false;
    }
  }

  #shell(script: string, limitMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#shellPort, "127.0.0.1");
      let text = "";
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new Error(`no answer within ${limitMs} ms: ${script}; so far: ${text}`));
      }, limitMs);
      socket.setEncoding("utf8").on("data", (more: string) => {
        text += more;
      });
      socket.on("error", reject);
      socket.on("close", () => {
        clearTimeout(timer);
        resolve(text);
      });
      socket.write(`${script}exit\n`);
    });
  }
}

/** A port of this machine, and the one inside. */
type Forward = readonly [number, number];

function emulatorWords(folder: string, forwards: readonly Forward[]): readonly string[] {
  const kernel = join(guestPackages, "boot", `vmlinuz-${kernelVersion(guestPackages)}`);
  const network = forwards.map(([own, inside]) => `,hostfwd=tcp:127.0.0.1:${own}-:${inside}`);
  return [
    ...["-M", "virt", "-cpu", "cortex-a72", "-smp", "1", "-m", "1024", "-nodefaults"],
    ...["-icount", "shift=0,sleep=on"],
    ...["-display", "none", "-no-reboot", "-rtc", "base=utc,clock=vm"],
    ...["-kernel", kernel, "-initrd", join(folder, "initrd")],
    ...["-append", "console=ttyAMA0 quiet loglevel=4 panic=-1"],
    ...["-serial", `file:${join(folder, "console")}`],
    ...["-qmp", `unix:${join(folder, "monitor")},server=on,wait=off`],
    ...["-netdev", `user,id=net,restrict=on${network.join("")}`],
    ...["-device", "virtio-net-pci,netdev=net,romfile="],
    ...["-chardev", `file,id=log,path=${join(folder, "log")}`],
    ...["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=log,nr=1,name=log"],
    ...["-drive", `file=${join(folder, "system")},format=raw,if=none,id=system,snapshot=on`],
    ...["-device", "virtio-blk-pci,drive=system"],
    ...["-device", "virtio-scsi-pci,id=scsi", "-device", "qemu-xhci,id=usb"],
    ...["-device", "ich9-ahci,id=sata"],
    ...["-drive", `file=${join(folder, "sata")},format=raw,if=none,id=sata-disk`],
    ...["-device", `ide-hd,bus=sata.0,drive=sata-disk,serial=${sataDisk.serial}`],
    ...["-device", "pcie-root-port,id=slot1,chassis=1,slot=1"],
    ...["-device", "pcie-root-port,id=slot2,chassis=2,slot=2"],
  ];
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Nothing was said yet.
    return "";
  }
}
