/**
 * Which of two addresses of a server somebody is told: the second where it is of the asker's own network type, else the first
 * (protocol §9.6). Pure.
 */

/** `outer` includes every IPv6 address. */
export type AddressType = "10" | "172" | "192" | "outer";

export function addressType(address: string): AddressType {
  if (address.startsWith("10.")) return "10";
  if (address.startsWith("192.168.")) return "192";
  if (!address.startsWith("172.")) return "outer";
  const second = Number(address.slice(4, address.indexOf(".", 4)));
  return second >= 16 && second <= 31 ? "172" : "outer";
}

/** `addresses` holds one or two; with one there is no choice. */
export function addressFor(addresses: readonly string[], requesterAddress: string): string {
  const [first = "", second] = addresses;
  if (second === undefined) return first;
  return addressType(requesterAddress) === addressType(second) ? second : first;
}
