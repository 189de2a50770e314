/**
 * Makes a disk one of Cairn's, goes on with such a work, or undoes it. What happens on the disk: its own mark, old marks wiped, the
 * partition table, the file system; then it is mounted and gets its passport. Killed at any point it can go on or be undone.
 */
import { posix } from "node:path";
import type { Confirmation } from "#disks/guard/evidence.ts";
import type { VerbInput, VerbResult } from "#disks/helper-protocol.ts";
import { partitionName } from "#disks/helper-protocol.ts";
import { type Passport, parsePassport } from "#disks/passport.ts";
import { type DiskLayout, dataPartition, layoutOf } from "#disks/provision/layout.ts";
import { openDisk, viewDisk } from "#helper/disk-view.ts";
import { DiskWriter } from "#helper/disk-writer.ts";
import { helperError } from "#helper/errors.ts";
import { mountAt, placeOf, unmountPlace } from "#helper/mount-places.ts";
import {
  announcePartition,
  format,
  mountNew,
  requireFileSystem,
  writePassport,
} from "#helper/provision-steps.ts";
import type { Verb, VerbCall } from "#helper/verb-call.ts";
import type { WorkNote } from "#helper/work-notes.ts";
import { DiskId } from "#model/disk-id.ts";

type Input = VerbInput<"provision">;

/** How far the whole is when a step begins, of 1000. Formatting takes longest. */
const steps = {
  checking: 0,
  wiping: 100,
  partitioning: 250,
  formatting: 300,
  mounting: 900,
  naming: 950,
} as const;

export const provision: Verb<"provision"> = async (input, call) => {
  using _turn = call.memory.occupy(input.disk);
  const work = new Provisioning(input, call);
  return input.action === "undo" ? await work.undo() : await work.make();
};

class Provisioning {
  readonly #input: Input;
  readonly #call: VerbCall;
  readonly #place: string;
  /** Where it is mounted until it has its passport. */
  readonly #making: string;
  /** A work that was given up for this one. */
  #superseded: string | undefined;

  constructor(input: Input, call: VerbCall) {
    this.#input = input;
    this.#call = call;
    const { diskId } = input.plan;
    this.#place = placeOf(call.world, diskId);
    this.#making = posix.join(call.world.settings.stateDirectory, "make", diskId);
  }

  async make(): Promise<VerbResult<"provision">> {
    const { world, notes } = this.#call;
    const { plan } = this.#input;
    const passport = this.#passport();
    await this.#releaseOwn();
    this.#tell("checking");
    const writer = await this.#claim();
    let layout: DiskLayout;
    let note: WorkNote;
    {
      await using open = writer;
      ({ layout, note } = this.#planned(open));
      if (note.stage === "wiping") note = await this.#divide(open, layout, note);
    }
    const { disk: name, sequence } = this.#input;
    // From here on the disk is not claimed, since mkfs claims its partition. It stays open, and so stays itself.
    const { device } = await openDisk(world, { disk: name, sequence }, "look");
    await using _device = device;
    await using partition = await announcePartition(world, { name, sequence }, layout);
    if (note.stage === "formatting") {
      this.#tell("formatting");
      await format(world, partition, { layout, type: plan.fileSystem });
      notes.save({ ...note, stage: "formatted" });
    } else await requireFileSystem(world, partition, layout);
    const { fileSystem: type } = plan;
    this.#tell("mounting");
    await mountNew(world, partition, { type, directory: this.#making });
    this.#tell("naming");
    await writePassport(world, this.#making, passport);
    // What a journal alone says is not seen by who looks without replaying it; and nobody sees the disk before it is whole.
    await unmountPlace(world, this.#making);
    world.files.removeDirectory(this.#making);
    await mountNew(world, partition, { type, directory: this.#place });
    notes.remove(plan.diskId);
    return { directory: this.#place };
  }

  async undo(): Promise<VerbResult<"provision">> {
    const { world, notes } = this.#call;
    const { diskId } = this.#input.plan;
    if (notes.find(diskId) === undefined) throw nothingUnfinished();
    await this.#releaseOwn();
    {
      await using writer = await this.#claim();
      if (writer.because !== "unfinished") throw nothingUnfinished();
      const { layout, note } = this.#planned(writer);
      // Who goes on instead after an interruption has to begin from the begin.
      notes.save({ ...note, stage: "wiping" });
      this.#tell("wiping");
      await writer.unmake(layout, writer.gathered.evidence.device.sizeBytes);
    }
    const { commands } = world;
    const limits = { deadlineMs: 20_000, maxOutputBytes: 4096 };
    // The kernel forgets the partition by itself when the disk is away for a moment.
    await commands.run("partx", ["--delete", `/dev/${this.#input.disk}`], limits).catch(() => {});
    notes.remove(diskId);
    return {};
  }

  /** What an earlier run mounted, and nothing else, is unmounted: whoever writes to a disk claims all of it. */
  async #releaseOwn(): Promise<void> {
    if (this.#input.action === "begin") return;
    const { world } = this.#call;
    for (const place of [this.#making, this.#place]) {
      const mount = mountAt(world, place);
      if (mount === undefined) continue;
      const { disk } = viewDisk(world.system, this.#input.disk);
      const own = partitionName(disk.name, dataPartition);
      const part = disk.partitions.find(({ name }) => name === own);
      const isOwn = mount.source === `/dev/${own}` || mount.deviceNumber === part?.deviceNumber;
      if (part !== undefined && isOwn) await unmountPlace(world, place);
    }
  }

  #claim(): Promise<DiskWriter> {
    const { world, memory, notes } = this.#call;
    const { disk, sequence, action, token, typed, plan } = this.#input;
    const confirmation: Confirmation = {
      firstStep: memory.take(token),
      typed,
      nowMs: world.clock.monotonicMs(),
    };
    return DiskWriter.claim(world, {
      disk,
      sequence,
      confirmation,
      blank: memory.reading(disk)?.proof,
      unfinished: (scan, evidence) => {
        const found = notes.unfinished(scan, evidence);
        // A new work begins with a new yes.
        if (action === "begin") this.#superseded = found?.diskId;
        return action !== "begin" && found?.diskId === plan.diskId ? found : undefined;
      },
    });
  }

  #planned(writer: DiskWriter): { readonly layout: DiskLayout; readonly note: WorkNote } {
    const { world, notes } = this.#call;
    const { plan, disk } = this.#input;
    const { evidence, scan } = writer.gathered;
    const { model, serial, sizeBytes } = evidence.device;
    const sectorBytes = viewDisk(world.system, disk).disk.logicalSectorBytes;
    const before = writer.because === "unfinished" ? notes.find(plan.diskId) : undefined;
    const note: WorkNote = before ?? {
      version: 1,
      ...plan,
      ...{ model, serial, sizeBytes, sectorBytes, stage: "wiping" },
      signatures: evidence.signatures.map(({ type, atBytes }) => ({ type, atBytes })),
      otherFindings: evidence.otherFindings,
      partitions: scan.partitions.map(({ startBytes, sizeBytes }) => ({ startBytes, sizeBytes })),
    };
    const { fileSystem } = note;
    const layout = layoutOf(
      { diskId: DiskId(plan.diskId), fileSystem },
      { sizeBytes, sectorBytes: note.sectorBytes },
    );
    return { layout, note };
  }

  /** From whatever the disk was to an empty partition. */
  async #divide(writer: DiskWriter, layout: DiskLayout, note: WorkNote): Promise<WorkNote> {
    const { notes } = this.#call;
    const { sizeBytes } = writer.gathered.evidence.device;
    notes.save(note);
    if (this.#superseded !== undefined && this.#superseded !== note.diskId) {
      notes.remove(this.#superseded);
    }
    this.#tell("wiping");
    await writer.write(layout.mark);
    await writer.flush();
    for (const part of [layout.partition, ...note.partitions]) await writer.wipe(part, layout.mark);
    await writer.wipe({ startBytes: 0, sizeBytes }, layout.mark);
    await writer.flush();
    this.#tell("partitioning");
    for (const piece of layout.table) await writer.write(piece);
    await writer.flush();
    const next: WorkNote = { ...note, stage: "formatting" };
    notes.save(next);
    return next;
  }

  #passport(): { readonly passport: Passport; readonly text: string } {
    const { passport: text, plan } = this.#input;
    if (text === undefined) {
      throw helperError("passport-refused", "a disk needs a passport from the node that gets it");
    }
    const passport = parsePassport(text);
    if (passport.diskId !== plan.diskId) {
      throw helperError("passport-refused", "the passport is that of another disk");
    }
    return { passport, text };
  }

  #tell(step: keyof typeof steps): void {
    this.#call.progress({ step, permille: steps[step] });
  }
}

function nothingUnfinished(): Error {
  return helperError(
    "nothing-unfinished",
    "nothing on this disk was begun and not ended by Cairn: there is nothing to undo",
  );
}
