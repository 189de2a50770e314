/** A node whose disks are directories: each in its mount directory, with a passport that the node signed. And what is asked of such nodes. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ControlClient } from "#cli/control-client.ts";
import { type NodeIdentity, parseIdentity } from "#daemon/node-identity.ts";
import { formatPassport, type PassportPath, parsePassport } from "#disks/passport.ts";
import { DiskId } from "#model/disk-id.ts";
import { GroupName } from "#model/group-name.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { NodeNetwork } from "#platform/node/node-network.ts";

export interface DiskOptions {
  readonly group?: string;
  readonly revision?: number;
}

export function identityIn(dataDirectory: string): NodeIdentity {
  const identity = parseIdentity(readFileSync(join(dataDirectory, "identity.json"), "utf8"));
  if (identity === undefined) throw new Error("no identity");
  return identity;
}

/** A disk with these store paths that appears at once, as a mount does. */
export function makeDisk(
  directory: string,
  { id, signer }: NodeIdentity,
  disk: { readonly digit: string; readonly indexes: readonly number[] } & DiskOptions,
): string {
  const building = join(dirname(dirname(directory)), `building-${basename(directory)}`);
  const own = join(building, ".cairn-disk");
  mkdirSync(own, { recursive: true });
  const paths: PassportPath[] = disk.indexes.map((index) => ({
    index,
    id: undefined,
    directory: `store/M0${index}`,
  }));
  for (const path of paths) mkdirSync(join(building, path.directory), { recursive: true });
  const text = formatPassport(
    {
      diskId: DiskId(disk.digit.repeat(32)),
      revision: disk.revision ?? 1,
      node: { id, publicKey: signer.publicKey, name: "box" },
      group: GroupName(disk.group ?? "group1"),
      paths,
      history: [],
      rest: {},
    },
    signer,
  );
  for (const name of ["passport.json", "passport.copy.json"]) writeFileSync(join(own, name), text);
  moveDisk(building, directory);
  return directory;
}

/** Unplugged there, plugged in here. */
export function moveDisk(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  renameSync(from, to);
}

export function passportOf(directory: string) {
  return parsePassport(readFileSync(join(directory, ".cairn-disk", "passport.json"), "utf8"));
}

export function hasStateCopy(directory: string): boolean {
  return existsSync(join(directory, ".cairn-disk", "state.copy"));
}

/** Of the node with its data there. */
export function controlOf(dataDirectory: string): ControlClient {
  const path = join(dataDirectory, "cairn.sock");
  return new ControlClient({ network: new NodeNetwork(), clock: nodeClock, path });
}
