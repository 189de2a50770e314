/**
 * Why a tracker does not take this storage, in words for who has to mend it (protocol §2.4/70, 81, §9.6): the status says nothing, and
 * the tracker's table of storage ids, which it has told, nearly everything. Pure.
 */
import { formatServerEndpoint } from "#model/endpoint.ts";
import { defaultStoragePort, type StorageIdEntry } from "#model/storage-id-line.ts";
import { wireStatus } from "#protocol/wire-status.ts";

export interface RefusedStorage {
  readonly group: string;
  /** As the tracker sees it. */
  readonly address: string;
  readonly port: number;
  /** `storage.server_id`; empty where the tracker finds it by the address. */
  readonly serverId: string;
}

/** `ids` is undefined where the tracker has no storage ids. Undefined where nobody can tell. */
export function refusalInWords(
  status: number,
  storage: RefusedStorage,
  ids: readonly StorageIdEntry[] | undefined,
): string | undefined {
  if (status === wireStatus.invalid) return unfit;
  if (status !== wireStatus.notFound) return undefined;
  return (ids === undefined ? undefined : missingInTable(storage, ids)) ?? unknownTracker;
}

const unfit =
  "what this storage says does not fit to the others of its group: they have the same storage.subdir_count and no more store paths than it has, and the same storage.port unless id_type_in_filename is id; the tracker's log may say which of these";
const unknownTracker =
  "it does not find itself among the trackers that this storage knows: name it in storage.trackers by an address at which it listens";

function missingInTable(
  { group, address, port, serverId }: RefusedStorage,
  ids: readonly StorageIdEntry[],
): string | undefined {
  const place = formatServerEndpoint({ addresses: [address], port });
  const named = ids.find(({ id }) => id === serverId);
  if (serverId !== "" && named === undefined) {
    return `its storage ids have no number ${serverId} (storage.server_id): ${addLine(`${serverId} ${group} ${place}`)}, or correct the number`;
  }
  if (named !== undefined && named.group !== group) {
    return `its storage ids have ${serverId} in ${named.group}, and this storage is of ${group}: correct storage.group, storage.server_id or that line`;
  }
  const here = ids.filter(({ addresses }) => addresses.includes(address));
  const same = here.find((entry) => entry.port === port);
  if (same?.group === group) return undefined;
  if (same !== undefined) {
    return `its storage ids have ${place} in ${same.group}, and this storage is of ${group}: correct storage.group or that line`;
  }
  const [other] = here.filter((entry) => entry.group === group);
  if (other !== undefined) {
    return `its storage ids have ${other.id} with port ${other.port}, and this storage is at ${place}: correct that line, where no port means ${defaultStoragePort}, or storage.port`;
  }
  const todo = addLine(`${serverId === "" ? "NUMBER" : serverId} ${group} ${place}`);
  return `its storage ids have no storage of ${group} at ${place}: ${todo}, or say with storage.server_id which number this storage has`;
}

function addLine(line: string): string {
  return `add a line such as "${line}" at every tracker of the cluster, and start these again`;
}
