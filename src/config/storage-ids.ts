/**
 * The storage ids file (protocol §9.6): which number, group, addresses and read-write mode each storage of a cluster has.
 * Parsing keeps host names as they are written; `settleStorageIds` puts their addresses in and checks what needs them.
 * Pure.
 */
import { canonicalAddress, parseAddressBytes } from "#config/address-bytes.ts";
import { type ConfigProblem, configError, type Reading } from "#config/errors.ts";
import { isHostName } from "#config/host-name.ts";
import { formatEndpoint } from "#model/endpoint.ts";
import { isIpAddress } from "#model/ip-address.ts";
import { parseStorageIdLine, type StorageIdEntry } from "#model/storage-id-line.ts";

/** An entry and the line that it comes from, for messages. */
export interface NumberedStorageId extends StorageIdEntry {
  readonly line: number;
}

/** More storages than any known cluster has; keeps a wrong file from filling memory. */
export const maxStorageIdEntries = 65_536;
/** C FastDFS refuses shorter addresses, so a cluster with C nodes cannot use them. */
const shortestAddressForC = 8;

/**
 * Reads the text of a storage ids file, in the order of its lines. Throws `AppError("storage-ids-invalid")` that lists
 * every wrong line. `fileName` is for messages.
 */
export function parseStorageIds(text: string, fileName: string): readonly NumberedStorageId[] {
  const entries: NumberedStorageId[] = [];
  const problems: ConfigProblem[] = [];
  for (const [index, lineText] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    const written = lineText.trim();
    if (written === "" || written.startsWith("#")) continue;
    const line = index + 1;
    const entry = parseStorageIdLine(written);
    const message = typeof entry === "string" ? entry : wrongHost(entry);
    if (message !== undefined) problems.push({ source: fileName, line, key: "", message });
    else if (typeof entry !== "string") entries.push(canonical(entry, line));
    if (entries.length > maxStorageIdEntries) {
      problems.push({
        source: fileName,
        line,
        key: "",
        message: `more than ${maxStorageIdEntries} storages`,
      });
      break;
    }
  }
  if (entries.length === 0 && problems.length === 0) {
    const message = "no storage in it; write at least one line: id, group, address";
    problems.push({ source: fileName, line: undefined, key: "", message });
  }
  problems.push(...duplicates(entries, fileName));
  if (problems.length > 0) throw configError("storage-ids-invalid", problems);
  return entries;
}

/** The host names in `entries`, each once, for the caller to resolve. */
export function storageHostNames(entries: readonly StorageIdEntry[]): readonly string[] {
  return [
    ...new Set(entries.flatMap((entry) => entry.addresses).filter((host) => !isIpAddress(host))),
  ];
}

/**
 * Puts addresses in the place of host names, an outer address second, and sorts the storages by id as text. `resolved`
 * gives the address of each name. Throws `AppError("storage-ids-invalid")` for a name without address, two addresses
 * of one type, and an address and port that two storages share.
 */
export function settleStorageIds(
  entries: readonly NumberedStorageId[],
  resolved: ReadonlyMap<string, string>,
  fileName: string,
): readonly NumberedStorageId[] {
  const settled: NumberedStorageId[] = [];
  const problems: ConfigProblem[] = [];
  for (const entry of entries) {
    const addresses = settleAddresses(entry.addresses, resolved);
    if ("value" in addresses) settled.push({ ...entry, addresses: addresses.value });
    else problems.push({ source: fileName, line: entry.line, key: "", message: addresses.problem });
  }
  problems.push(...duplicates(settled, fileName));
  if (problems.length > 0) throw configError("storage-ids-invalid", problems);
  return settled.sort((one, other) => (one.id < other.id ? -1 : 1));
}

/**
 * The address of `entry` that a requester at `requesterAddress` is given: the second one where its type is that of the
 * requester's address, else the first.
 */
export function addressForRequester(entry: StorageIdEntry, requesterAddress: string): string {
  const [first = "", second] = entry.addresses;
  if (second === undefined) return first;
  return addressType(requesterAddress) === addressType(second) ? second : first;
}

/** Sentences about addresses that C FastDFS cannot read, for warnings. */
export function storageIdWarnings(entries: readonly NumberedStorageId[]): readonly string[] {
  return entries.flatMap((entry) =>
    entry.addresses
      .filter((address) => address.length < shortestAddressForC)
      .map(
        (address) =>
          `line ${entry.line}: C FastDFS nodes refuse an address of fewer than ${shortestAddressForC} characters: ${address}`,
      ),
  );
}

function wrongHost(entry: StorageIdEntry): string | undefined {
  const wrong = entry.addresses.find((host) => !isIpAddress(host) && !isHostName(host));
  return wrong === undefined ? undefined : `"${wrong}" is neither an IP address nor a host name`;
}

function canonical(entry: StorageIdEntry, line: number): NumberedStorageId {
  return { ...entry, addresses: entry.addresses.map(canonicalAddress), line };
}

function settleAddresses(
  hosts: readonly string[],
  resolved: ReadonlyMap<string, string>,
): Reading<readonly string[]> {
  const addresses = hosts.map((host) =>
    canonicalAddress(isIpAddress(host) ? host : (resolved.get(host) ?? "")),
  );
  const nameless = hosts.find((_, at) => !isIpAddress(addresses[at] ?? ""));
  if (nameless !== undefined) return { problem: `the host name "${nameless}" has no address` };
  const [first = "", second] = addresses;
  if (second === undefined) return { value: addresses };
  if (addressType(first) === addressType(second)) {
    const types =
      "an inner and an outer one, or inner ones of two networks (10.*, 172.16-31.*, 192.168.*)";
    return { problem: `${first} and ${second} are of one type; two addresses must be ${types}` };
  }
  return { value: addressType(first) === "outer" ? [second, first] : addresses };
}

/** The four types of addresses that decide which of two a requester is given. */
function addressType(text: string): "10" | "172" | "192" | "outer" {
  const bytes = parseAddressBytes(text);
  const [first = 0, second = 0] = bytes?.length === 4 ? bytes : [];
  if (first === 10) return "10";
  if (first === 172 && second >= 16 && second <= 31) return "172";
  if (first === 192 && second === 168) return "192";
  return "outer";
}

function duplicates(
  entries: readonly NumberedStorageId[],
  fileName: string,
): readonly ConfigProblem[] {
  const seen = new Map<string, number>();
  const problems: ConfigProblem[] = [];
  for (const { id, addresses, port, line } of entries) {
    const places = new Set(addresses.map((address) => formatEndpoint({ address, port })));
    for (const what of [`the id ${id}`, ...places]) {
      const before = seen.get(what);
      if (before === undefined) seen.set(what, line);
      else
        problems.push({
          source: fileName,
          line,
          key: "",
          message: `${what} stands in line ${before} already`,
        });
    }
  }
  return problems;
}
