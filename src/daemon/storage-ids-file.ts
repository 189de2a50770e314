/** The storage ids file of the settings, with the addresses of the host names in it. Main thread. */
import { AppError, describeError } from "#base/app-error.ts";
import type { Log } from "#base/log.ts";
import {
  parseStorageIds,
  settleStorageIds,
  storageHostNames,
  storageIdWarnings,
} from "#config/storage-ids.ts";
import { isIpv4 } from "#model/ip-address.ts";
import type { StorageIdEntry } from "#model/storage-id-line.ts";
import type { Host } from "#platform/host.ts";
import type { Network } from "#platform/network.ts";

export interface StorageIdsFileParts {
  readonly host: Pick<Host, "readText">;
  readonly network: Pick<Network, "resolve">;
  readonly log: Log;
}

/** Rejects with `config-invalid` where there is no such file, and `storage-ids-invalid` with every wrong line. */
export async function readStorageIdsFile(
  path: string,
  { host, network, log }: StorageIdsFileParts,
): Promise<readonly StorageIdEntry[]> {
  const text = host.readText(path);
  if (text === undefined) {
    throw new AppError("config-invalid", `tracker.storage_ids_file: there is no file ${path}`);
  }
  const entries = parseStorageIds(text, path);
  const resolved = new Map<string, string>();
  await Promise.all(
    storageHostNames(entries).map(async (name) => {
      const address = await addressOf(name, { network, log });
      if (address !== undefined) resolved.set(name, address);
    }),
  );
  const settled = settleStorageIds(entries, resolved, path);
  for (const problem of storageIdWarnings(settled)) log.warn("storage-ids", { problem });
  return settled;
}

/** IPv4 before IPv6, as most clients know nothing else. */
async function addressOf(
  name: string,
  { network, log }: Pick<StorageIdsFileParts, "network" | "log">,
): Promise<string | undefined> {
  try {
    const addresses = await network.resolve(name);
    return addresses.find(isIpv4) ?? addresses[0];
  } catch (error) {
    log.warn("host-name-unresolved", { name, why: describeError(error) });
    return undefined;
  }
}
