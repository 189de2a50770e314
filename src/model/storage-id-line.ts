/**
 * One storage in a storage ids file, or in the reply of FETCH_STORAGE_IDS: `id group ip[,ip2][:port] [rw=mode]`, with blanks or
 * tabs between the columns (protocol §2.4/69, §9.6). Names are not resolved and addresses not put in order here.
 */
import {
  formatServerEndpoint,
  maxServerEndpointLength,
  parseServerEndpoint,
  type ServerEndpoint,
} from "#model/endpoint.ts";
import { type GroupName, isGroupName } from "#model/group-name.ts";
import { isStorageId, numericStorageId, type StorageId } from "#model/storage-id.ts";
import {
  parseReadWriteMode,
  type ReadWriteMode,
  readWriteMode,
  readWriteModeName,
} from "#model/storage-status.ts";

export interface StorageIdEntry extends ServerEndpoint {
  /** A number in decimal. */
  readonly id: StorageId;
  readonly group: GroupName;
  readonly mode: ReadWriteMode;
}

export const defaultStoragePort = 23000;
const maxLineLength = 256;

/** Without line end. `mode` is left out where it is `both`, as C does. */
export function formatStorageIdLine(entry: StorageIdEntry): string {
  const columns = `${entry.id} ${entry.group} ${formatServerEndpoint(entry)}`;
  if (entry.mode === readWriteMode.both) return columns;
  return `${columns} rw=${readWriteModeName(entry.mode)}`;
}

/** The entry, or what is wrong with the line, for people. */
export function parseStorageIdLine(line: string): StorageIdEntry | string {
  if (line.length > maxLineLength) return `the line is longer than ${maxLineLength} characters`;
  const [id, group, server, option, ...surplus] = columnsOf(line);
  if (id === undefined || group === undefined || server === undefined) {
    return "a line has the columns: id, group, address with optional port, and optionally rw=…";
  }
  if (numericStorageId(id) === undefined || !isStorageId(id)) {
    return `"${id}" is not a storage id: use a number from 1 to 16777215 without leading zeros`;
  }
  if (!isGroupName(group)) return `"${group}" is not a group name: use 1 to 16 letters and digits`;
  const endpoint = parseServerEndpoint(server, defaultStoragePort);
  if (endpoint === undefined) {
    return `"${server}" is not an address with optional port (at most ${maxServerEndpointLength} characters)`;
  }
  const mode = option === undefined ? readWriteMode.both : parseOption(option);
  if (mode === undefined || surplus.length > 0) {
    return `"${surplus[0] ?? option}" is not understood: only rw=none, rw=read, rw=write or rw=both may follow the address`;
  }
  return { id, group, addresses: endpoint.addresses, port: endpoint.port, mode };
}

function columnsOf(line: string): readonly string[] {
  return line
    .replaceAll("\t", " ")
    .split(" ")
    .filter((column) => column !== "");
}

function parseOption(option: string): ReadWriteMode | undefined {
  const [key = "", value = ""] = option.split("=", 2);
  return key.toLowerCase() === "rw" ? parseReadWriteMode(value) : undefined;
}
