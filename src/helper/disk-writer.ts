/**
 * The only place that writes to a disk as a whole. It exists only with a yes of the guard, which it asks for itself, with evidence
 * gathered while the kernel lets nobody else have the disk.
 */
import type { Confirmation } from "#disks/guard/evidence.ts";
import { type Decision, mayWrite } from "#disks/guard/may-write.ts";
import { scannedRegions } from "#disks/guard/signature-scan.ts";
import type { DiskLayout, Piece } from "#disks/provision/layout.ts";
import {
  type EvidenceParts,
  type GatheredEvidence,
  gatherEvidence,
} from "#helper/disk-evidence.ts";
import { type OpenDisk, openDisk, viewDisk } from "#helper/disk-view.ts";
import { helperError } from "#helper/errors.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import type { OpenBlockDevice } from "#platform/block-devices.ts";
import { FileError } from "#platform/files.ts";

export interface WriteRequest extends Pick<EvidenceParts, "blank" | "unfinished"> {
  readonly disk: string;
  readonly sequence: number;
  readonly confirmation: Confirmation;
}

/** Of one write. */
const zeros = Buffer.alloc(256 * 1024);

export class DiskWriter implements AsyncDisposable {
  readonly gathered: GatheredEvidence;
  readonly because: Extract<Decision, { allowed: true }>["because"];
  readonly #device: OpenBlockDevice;

  private constructor(
    device: OpenBlockDevice,
    gathered: GatheredEvidence,
    decision: Extract<Decision, { allowed: true }>,
  ) {
    this.#device = device;
    this.gathered = gathered;
    this.because = decision.because;
  }

  /** Rejects with `write-refused` and the guard's words, and as `openDisk`. */
  static async claim(world: HelperWorld, request: WriteRequest): Promise<DiskWriter> {
    const { open, claimed } = await claimOrLook(world, request);
    try {
      const gathered = await gatherEvidence(world, open, { ...request, claimed });
      const decision = mayWrite(gathered.evidence, request.confirmation);
      if (!decision.allowed) {
        const words = decision.refusals.map(({ says }) => says).join("; ");
        throw helperError("write-refused", `nothing is written to ${request.disk}: ${words}`);
      }
      return new DiskWriter(open.device, gathered, decision);
    } catch (error) {
      await open.device.close();
      throw error;
    }
  }

  async write({ atBytes, bytes }: Piece): Promise<void> {
    await this.#device.write(bytes, atBytes);
  }

  /** Zeros wherever a mark of a format can lie in a part of the disk, but for what begins in `kept`. */
  async wipe(part: { readonly startBytes: number; readonly sizeBytes: number }, kept: Piece) {
    const keptEnd = kept.atBytes + kept.bytes.length;
    for (const { atBytes, length } of scannedRegions(part.sizeBytes)) {
      const from = part.startBytes + atBytes;
      const to = from + length;
      if (from >= keptEnd || to <= kept.atBytes) await this.#zero(from, to);
      else {
        await this.#zero(from, kept.atBytes);
        await this.#zero(keptEnd, to);
      }
    }
  }

  flush(): Promise<void> {
    return this.#device.flush();
  }

  /** Takes the marks of `layout` away again, its own last: until then the work can be found. */
  async unmake(layout: DiskLayout, sizeBytes: number): Promise<void> {
    await this.wipe(layout.partition, layout.mark);
    await this.wipe({ startBytes: 0, sizeBytes }, layout.mark);
    await this.flush();
    await this.write({ ...layout.mark, bytes: Buffer.alloc(layout.mark.bytes.length) });
    await this.flush();
  }

  async #zero(from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += zeros.length) {
      await this.#device.write(zeros.subarray(0, Math.min(zeros.length, to - at)), at);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#device.close();
  }
}

/** For the guard to say no with better words than the kernel's, a disk that cannot be had is looked at all the same. */
async function claimOrLook(
  world: HelperWorld,
  request: WriteRequest,
): Promise<{ readonly open: OpenDisk; readonly claimed: boolean }> {
  try {
    const { device } = await openDisk(world, request, "claim");
    try {
      // What somebody wrote and the kernel holds back is counted as written only now.
      await device.flush();
      const view = viewDisk(world.system, request.disk);
      return { open: { device, view }, claimed: false };
    } catch (error) {
      await device.close();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return { open: await openDisk(world, request, "look"), claimed: true };
  }
}
