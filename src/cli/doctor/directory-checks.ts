/** Where files are to be: there, writable, on a file system that keeps what it was given, with room. */
import { describeError } from "#base/app-error.ts";
import type { Finding, Verdict } from "#cli/doctor/finding.ts";
import { readableSize } from "#cli/render/units.ts";
import type { Config } from "#config/schema.ts";
import type { FileSystemFacts, LocalFiles } from "#platform/local-files.ts";

interface Directory {
  readonly check: string;
  readonly path: string;
  /** Made at start where it is missing. */
  readonly isMade: boolean;
  /** Free space that uploads leave, in bytes of a file system of so many; absent where nothing is uploaded. */
  readonly reserve?: (totalBytes: number) => number;
}

const fewInodes = 10_000;
const spareBytes = 64 * 1024 * 1024;

const unfitTypes: ReadonlyMap<string, string> = new Map([
  ["tmpfs", "it is memory: everything is gone after a restart"],
  ["ramfs", "it is memory: everything is gone after a restart"],
  ["overlay", "it is a container's own layer: everything is gone with the container"],
  ["vfat", "it takes no file of 4 GiB and loses files at a power cut"],
  ["exfat", "it loses files at a power cut"],
  ["nfs", "a server behind the network decides what a flush is worth"],
  ["nfs4", "a server behind the network decides what a flush is worth"],
  ["cifs", "a server behind the network decides what a flush is worth"],
  ["smb3", "a server behind the network decides what a flush is worth"],
]);

/** The data directory, each store path, and whether two of them share a file system. */
export async function checkDirectories(files: LocalFiles, config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  const devices = new Map<number, string>();
  for (const directory of directoriesOf(config)) {
    const facts = await factsOf(files, directory);
    if ("finding" in facts) {
      findings.push(facts);
      continue;
    }
    findings.push(await judge(files, directory, facts));
    if (!directory.check.startsWith("store path")) continue;
    const other = devices.get(facts.device);
    if (other !== undefined) findings.push(sharedDisk(directory.check, other));
    devices.set(facts.device, directory.check);
  }
  return findings;
}

function directoriesOf(config: Config): readonly Directory[] {
  const { node, storage, tracker } = config;
  const data: Directory = {
    check: "data directory",
    path: node.dataDir,
    isMade: true,
  };
  if (!node.roles.includes("storage")) return [data];
  const { reservedSpace } = tracker;
  const reserve = (totalBytes: number): number =>
    reservedSpace.kind === "bytes"
      ? reservedSpace.bytes
      : Math.floor((totalBytes * reservedSpace.percent) / 100);
  const paths = storage.paths.map(({ directory, readonly }, index) => ({
    check: `store path ${index}`,
    path: directory,
    isMade: directory.startsWith(`${node.dataDir}/`),
    ...(readonly ? {} : { reserve }),
  }));
  return [data, ...paths];
}

async function factsOf(
  files: LocalFiles,
  directory: Directory,
): Promise<FileSystemFacts | Finding> {
  const { check, path, isMade } = directory;
  try {
    const there = await files.stat(path);
    if (there !== undefined && there.kind !== "directory") {
      const advice = "move it away, or name a directory in the settings";
      return { check, verdict: "bad", finding: `${path} is no directory`, advice };
    }
    if (there === undefined && !isMade) {
      const advice =
        "is its disk mounted? A store path outside of the data directory is never made by itself";
      return { check, verdict: "bad", finding: `${path} is not there`, advice };
    }
    return await files.fileSystemOf(path);
  } catch (error) {
    const advice = "look at the permissions of the directories above it";
    return { check, verdict: "bad", finding: describeError(error), advice };
  }
}

async function judge(
  files: LocalFiles,
  directory: Directory,
  facts: FileSystemFacts,
): Promise<Finding> {
  const { check, path } = directory;
  const there = (await files.stat(path)) !== undefined;
  const { freeBytes, totalBytes, type } = facts;
  const name = type === "" ? "a file system of unknown type" : type;
  const space = `${readableSize(freeBytes)} of ${readableSize(totalBytes)} free`;
  const finding = `${path} on ${name}, ${space}${there ? "" : "; it will be made at start"}`;
  const answer = (verdict: Verdict, advice: string): Finding => ({
    check,
    verdict,
    finding,
    advice,
  });
  if (there) {
    try {
      await files.probeWrite(path);
    } catch (error) {
      return answer("bad", `it cannot be written: ${describeError(error)}`);
    }
  }
  const reserve = directory.reserve?.(totalBytes);
  if (reserve !== undefined && freeBytes <= reserve) {
    return answer(
      "bad",
      `uploads leave ${readableSize(reserve)} free (tracker.reserved_space): there is no room for any`,
    );
  }
  const why =
    unfitTypes.get(type) ??
    (type.startsWith("fuse") ? "a program decides what a flush is worth" : undefined);
  if (why !== undefined) return answer("warning", `${why}; use ext4, xfs or btrfs on a disk`);
  if (facts.freeInodes !== undefined && facts.freeInodes < fewInodes) {
    return answer("warning", `only ${facts.freeInodes} more files can be made on it`);
  }
  if (reserve !== undefined && freeBytes - reserve < spareBytes) {
    return answer("warning", "there is hardly any room left above tracker.reserved_space");
  }
  return { check, verdict: "good", finding };
}

function sharedDisk(check: string, other: string): Finding {
  return {
    check,
    verdict: "warning",
    finding: `it lies on the same file system as ${other}`,
    advice: "two store paths on one disk give neither space nor speed; one is enough",
  };
}
