/** Gathers all that speaks against writing to a disk, at the moment when it is asked for. */
import { AppError } from "#base/app-error.ts";
import type { BlankProof, Evidence, UnfinishedWork } from "#disks/guard/evidence.ts";
import { type DeviceScan, scanDevice } from "#disks/guard/signature-scan.ts";
import { type LsblkDevice, lsblkParameters, parseLsblk } from "#disks/probe/lsblk.ts";
import type { OpenDisk } from "#helper/disk-view.ts";
import { helperError, isMediumError } from "#helper/errors.ts";
import type { HelperWorld } from "#helper/helper-world.ts";

export interface EvidenceParts {
  /** Somebody else has it; then it is open for looking only. */
  readonly claimed: boolean;
  readonly blank: BlankProof | undefined;
  readonly unfinished: (scan: DeviceScan, evidence: Evidence) => UnfinishedWork | undefined;
}

export interface GatheredEvidence {
  readonly evidence: Evidence;
  readonly scan: DeviceScan;
}

const commandLimits = { deadlineMs: 20_000, maxOutputBytes: 256 * 1024 };
/** blkid found nothing; found several that contradict each other. */
const blkidNothing = 2;
const blkidSeveral = 8;
const maxFindings = 32;

export async function gatherEvidence(
  world: HelperWorld,
  { device, view }: OpenDisk,
  parts: EvidenceParts,
): Promise<GatheredEvidence> {
  const { disk } = view;
  const scan = await scanDevice(async (atBytes, length) => {
    const target = Buffer.alloc(length);
    try {
      return target.subarray(0, await device.read(target, atBytes));
    } catch (error) {
      if (!isMediumError(error)) throw error;
      throw helperError(
        "device-failed",
        `the disk does not give what is at byte ${atBytes}, so that it is not known what is on it: check its cable and power, and use another disk if that does not help`,
      );
    }
  }, disk.sizeBytes);
  const unknown = [...view.unknown];
  const listed = await askLsblk(world, disk.name, unknown);
  const own = listed.find(({ name }) => name === disk.name);
  const others = await askBlkid(world, disk.name, unknown);
  const findings = listed.flatMap((each) => [each.fileSystem, each.partitionTable]);
  const found = [...others, ...findings].filter((each) => each !== undefined);
  const evidence: Evidence = {
    device: {
      name: disk.name,
      sequence: view.sequence,
      model: own?.model ?? disk.model ?? "",
      serial: own?.serial ?? disk.serial ?? "",
      sizeBytes: disk.sizeBytes,
    },
    readOnly: disk.readOnly,
    mounts: view.mounts,
    holders: view.holders,
    swaps: view.swaps,
    system: view.system,
    claimed: parts.claimed,
    signatures: scan.signatures,
    otherFindings: [...new Set(found)].slice(0, maxFindings),
    partitions: disk.partitions.map(({ name }) => name),
    changedSectors: view.changedSectors,
    blank: parts.blank,
    unfinished: undefined,
    unknown,
  };
  return { evidence: { ...evidence, unfinished: parts.unfinished(scan, evidence) }, scan };
}

async function askLsblk(
  world: HelperWorld,
  name: string,
  unknown: string[],
): Promise<readonly LsblkDevice[]> {
  const end = await asked(world, ["lsblk", ...lsblkParameters(`/dev/${name}`)], unknown);
  return end === undefined ? [] : parseLsblk(end.stdout);
}

/** By its own probing of the disk, not by what it remembers. */
async function askBlkid(world: HelperWorld, name: string, unknown: string[]): Promise<string[]> {
  const end = await asked(world, ["blkid", "-p", "-o", "export", `/dev/${name}`], unknown);
  if (end === undefined || end.code === blkidNothing) return [];
  if (end.code === blkidSeveral) return ["several formats at once"];
  if (end.code !== 0) {
    unknown.push(`blkid failed: ${end.stderr.trim().slice(0, 200)}`);
    return [];
  }
  return [...end.stdout.matchAll(/^(?:TYPE|PTTYPE)=(.{1,100})$/gm)].flatMap(
    ([, type]) => type ?? [],
  );
}

/** Undefined where there is no such program: it is not needed. One that hangs tells of a disk that nothing should be done to. */
async function asked(
  world: HelperWorld,
  [program, ...parameters]: readonly [string, ...string[]],
  unknown: string[],
) {
  try {
    return await world.commands.run(program, parameters, commandLimits);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code !== "command-missing") unknown.push(error.message);
    return undefined;
  }
}
