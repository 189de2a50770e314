/**
 * Finds disks of nodes that hang on the machine and are not mounted: file systems that carry Cairn's label and are looked into by the root
 * helper, once a plugging, without a bit of them being changed. What carries another label is nobody's business here. Main thread.
 */
import { describeError, hasCode } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import {
  fileSystems,
  type VerbInput,
  type VerbName,
  type VerbResult,
} from "#disks/helper-protocol.ts";
import { choosePassport, type Passport } from "#disks/passport.ts";
import type { DiskFinder, SeenDisk } from "#disks/seen-disk.ts";
import type { DiskFacts, MountFacts, SignatureFacts } from "#model/disk-facts.ts";
import { isDiskId } from "#model/disk-id.ts";

/** Without a sign of the helper for so long, the disk is left for the next look. */
const inspectSilenceMs = 30_000;
const mountSilenceMs = 60_000;
/** As provisioning names file systems. */
const labelPrefix = "cairn-";

export interface AskHelper {
  ask<V extends VerbName>(
    verb: V,
    input: VerbInput<V>,
    options: { readonly silenceMs: number },
  ): Promise<VerbResult<V>>;
}

export interface DeviceDisksParts {
  readonly helper: AskHelper;
  readonly disks: () => readonly DiskFacts[];
  /** As which disk of the node the file system of this number is remembered. */
  readonly remembered: (uuid: string) => Passport | undefined;
  readonly log: Log;
}

/** A file system that may be one of a node's. */
interface Candidate {
  readonly place: string;
  readonly device: string;
  readonly sequence: number;
  readonly uuid: string;
}

export class DeviceDisks implements DiskFinder {
  readonly #parts: DeviceDisksParts;
  /** By place: what was found in this plugging. */
  readonly #inspected = new Map<string, SeenDisk["passport"] | undefined>();
  #isIncomplete = false;
  /** By place: where it was mounted by us in this plugging. */
  readonly #mounted = new Map<string, string>();

  constructor(parts: DeviceDisksParts) {
    this.#parts = parts;
  }

  /** Changes whenever `find` may find something else. */
  get stamp(): string {
    return [...this.#places()].join(" ");
  }

  get isIncomplete(): boolean {
    return this.#isIncomplete;
  }

  /** What is mounted there, from `source`, is a disk that was pulled: its memory may still answer. */
  isGone(directory: string, source: string | undefined): boolean {
    const places = this.#places();
    if (places.size === 0) return false;
    for (const [place, mounted] of this.#mounted) {
      if (mounted === directory) return !places.has(place);
    }
    const device = /^\/dev\/([a-z0-9]+)$/.exec(source ?? "")?.[1];
    return device !== undefined && ![...places].some((place) => place.startsWith(`${device}#`));
  }

  async find(): Promise<readonly SeenDisk[]> {
    const candidates = this.#candidates();
    const places = new Set(candidates.map(({ place }) => place));
    for (const place of this.#inspected.keys()) {
      if (!places.has(place)) this.#inspected.delete(place);
    }
    this.#isIncomplete = false;
    const found: SeenDisk[] = [];
    for (const candidate of candidates) {
      const { place, device, uuid } = candidate;
      const seen = await this.#inspect(candidate);
      // Its passport may be in its journal alone, which mounting replays: what is found then counts.
      const known = seen?.kind === "genuine" ? undefined : this.#parts.remembered(uuid);
      const isLookedInto = this.#inspected.has(place);
      const passport =
        known !== undefined && isLookedInto
          ? ({ kind: "genuine", passport: known } as const)
          : seen;
      if (passport === undefined) continue;
      found.push({ place, name: `/dev/${device}`, mountPoint: undefined, passport });
    }
    return found;
  }

  /** Rejects with what the helper says. */
  async mount({ place, passport: found }: SeenDisk, readOnly = false): Promise<string> {
    const candidate = this.#candidates().find((each) => each.place === place);
    if (candidate === undefined || found.kind !== "genuine") {
      throw new Error(`${place} has gone, or carries no passport`);
    }
    const { device, sequence, uuid } = candidate;
    const { diskId, node } = found.passport;
    const { directory } = await this.#parts.helper.ask(
      "mount",
      { device, sequence, uuid, diskId, nodeId: node.id, ...(readOnly ? { readOnly } : {}) },
      { silenceMs: mountSilenceMs },
    );
    this.#forget(directory);
    this.#mounted.set(place, directory);
    return directory;
  }

  /** Nothing of the disk is used any more: what is mounted there goes, so that it may come back. Rejects with what the helper says. */
  async release(directory: string): Promise<void> {
    const diskId = directory.slice(directory.lastIndexOf("/") + 1);
    if (!isDiskId(diskId)) return;
    try {
      await this.#parts.helper.ask("unmount", { diskId }, { silenceMs: mountSilenceMs });
    } catch (error) {
      // Somebody was quicker, such as a person who pulled it.
      if (!hasCode(error, "not-mounted")) throw error;
    }
    this.#forget(directory);
  }

  /** Nothing of an earlier plugging is mounted there any more. */
  #forget(directory: string): void {
    for (const [place, mounted] of this.#mounted) {
      if (mounted === directory) this.#mounted.delete(place);
    }
  }

  /** All devices and partitions of this moment, each with its plugging. */
  #places(): ReadonlySet<string> {
    return new Set(
      this.#parts
        .disks()
        .flatMap(({ name, sequence, partitions }) =>
          [name, ...partitions.map((part) => part.name)].map((each) => placeOf(each, sequence)),
        ),
    );
  }

  #candidates(): readonly Candidate[] {
    return this.#parts
      .disks()
      .filter(({ ofSystem }) => !ofSystem)
      .flatMap((disk) => [
        ...candidateOf(disk, disk.name, disk),
        ...disk.partitions.flatMap((part) => candidateOf(disk, part.name, part)),
      ])
      .filter(({ place }) => !this.#mounted.has(place));
  }

  async #inspect({
    place,
    device,
    sequence,
  }: Candidate): Promise<SeenDisk["passport"] | undefined> {
    if (this.#inspected.has(place)) return this.#inspected.get(place);
    let passports: readonly string[];
    try {
      const options = { silenceMs: inspectSilenceMs };
      ({ passports } = await this.#parts.helper.ask("inspect", { device, sequence }, options));
    } catch (error) {
      // Somebody else may have had it open, or was looking into it as well.
      this.#isIncomplete = true;
      this.#parts.log.warn("disk-not-inspected", { disk: device, why: describeError(error) });
      return undefined;
    }
    const passport = judged(passports);
    this.#inspected.set(place, passport);
    return passport;
  }
}

function placeOf(device: string, sequence: number | undefined): string {
  return `${device}#${sequence ?? ""}`;
}

function candidateOf(
  { sequence }: DiskFacts,
  device: string,
  {
    signatures,
    mounts,
  }: { readonly signatures: readonly SignatureFacts[]; readonly mounts: readonly MountFacts[] },
): readonly Candidate[] {
  const own = signatures.find(
    ({ type, label }) =>
      fileSystems.some((each) => each === type) && label?.startsWith(labelPrefix) === true,
  );
  if (own?.uuid === undefined || sequence === undefined || mounts.length > 0) return [];
  return [{ place: placeOf(device, sequence), device, sequence, uuid: own.uuid }];
}

function judged(texts: readonly string[]): SeenDisk["passport"] | undefined {
  try {
    const passport = choosePassport(texts);
    return passport === undefined ? undefined : { kind: "genuine", passport };
  } catch (error) {
    return { kind: "unreadable", why: describeError(error) };
  }
}
