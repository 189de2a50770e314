/** Textual IP addresses: which of the two kinds a text is, without touching the network (protocol §1.4). */

/** Longest IPv6 text: eight groups, or six groups and a dotted quad. */
export const maxAddressLength = 45;

/** True for four decimal numbers 0 … 255 without leading zeros. */
export function isIpv4(text: string): boolean {
  if (text.length < 7 || text.length > 15) return false;
  let parts = 1;
  let value = -1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x2e) {
      if (value < 0) return false;
      parts += 1;
      value = -1;
      continue;
    }
    const digit = code - 0x30;
    if (digit < 0 || digit > 9 || value === 0) return false;
    value = value < 0 ? digit : value * 10 + digit;
    if (value > 255) return false;
  }
  return parts === 4 && value >= 0;
}

/** True for the forms of RFC 4291, with `::` and a trailing dotted quad, without zone and brackets. */
export function isIpv6(text: string): boolean {
  if (text.length < 2 || text.length > maxAddressLength) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.map((half, at) => countGroups(half, at === halves.length - 1));
  const [head, tail] = groups;
  if (head === undefined) return false;
  if (halves.length === 1) return head === 8;
  return tail !== undefined && head + tail <= 7;
}

export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

/** How many 16-bit groups `half` writes, or undefined when it is malformed. */
function countGroups(half: string, last: boolean): number | undefined {
  if (half === "") return 0;
  const parts = half.split(":");
  let groups = 0;
  for (const [at, part] of parts.entries()) {
    if (isHexGroup(part)) groups += 1;
    else if (last && at === parts.length - 1 && isIpv4(part)) groups += 2;
    else return undefined;
  }
  return groups;
}

function isHexGroup(part: string): boolean {
  if (part.length === 0 || part.length > 4) return false;
  for (let at = 0; at < part.length; at += 1) {
    const code = part.charCodeAt(at) | 0x20;
    const digit = part.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9) && !(code >= 0x61 && code <= 0x66)) return false;
  }
  return true;
}
