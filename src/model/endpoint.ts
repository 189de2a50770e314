/**
 * Address and port, and their joint text `address:port`, in which an IPv6 address stands in brackets (protocol §1.4). One
 * server may have several addresses: `ip[,ip2]:port`. Parsing is strict about ports and lenient about host names.
 */
import { isIpAddress, isIpv6 } from "#model/ip-address.ts";

export interface Endpoint {
  /** IPv4 or IPv6 text without brackets, or a host name where people write it. */
  readonly address: string;
  /** 1 … 65535. */
  readonly port: number;
}

/** A server that is reached under one port at one or more addresses. */
export interface ServerEndpoint {
  readonly addresses: readonly string[];
  readonly port: number;
}

/** On the wire: `[v6]:port`. */
export const maxEndpointLength = 52;
/** On the wire: `ip,ip2:port`. */
export const maxServerEndpointLength = 100;
export const maxAddressesPerServer = 2;

/** `10.9.0.2:23000`, `[fe80::2]:23000`. */
export function formatEndpoint(endpoint: Endpoint): string {
  const { address, port } = endpoint;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Reads what `formatEndpoint` writes; with `defaultPort` the port may be missing. Undefined when it is no such text. */
export function parseEndpoint(text: string, defaultPort?: number): Endpoint | undefined {
  const server = parseServerEndpoint(text, defaultPort);
  const address = server?.addresses[0];
  if (server === undefined || address === undefined || server.addresses.length > 1)
    return undefined;
  return { address, port: server.port };
}

/** `10.0.0.1,59.1.2.3:23000`; brackets as soon as one address is IPv6: `[2001:db8::3,10.0.0.1]:23000`. */
export function formatServerEndpoint(endpoint: ServerEndpoint): string {
  const addresses = endpoint.addresses.join(",");
  return addresses.includes(":")
    ? `[${addresses}]:${endpoint.port}`
    : `${addresses}:${endpoint.port}`;
}

/**
 * Reads what `formatServerEndpoint` writes, also with brackets around a first address only (`[v6],v4:port`). With
 * `defaultPort` the port may be missing, and a bare IPv6 address needs no brackets. Undefined when it is no such text.
 */
export function parseServerEndpoint(
  text: string,
  defaultPort?: number,
): ServerEndpoint | undefined {
  if (text.length > maxServerEndpointLength) return undefined;
  const { list, portText } = splitPort(text);
  const port = portText === undefined ? defaultPort : parsePort(portText);
  if (port === undefined) return undefined;
  const addresses = list.split(",").map(withoutBrackets);
  if (addresses.length > maxAddressesPerServer || !addresses.every(isHost)) return undefined;
  return { addresses, port };
}

/** A decimal port 1 … 65535, or undefined. */
export function parsePort(text: string): number | undefined {
  if (text.length === 0 || text.length > 5) return undefined;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value >= 1 && value <= 65535 ? value : undefined;
}

function splitPort(text: string): { readonly list: string; readonly portText: string | undefined } {
  const closing = text.lastIndexOf("]");
  const colon = text.lastIndexOf(":");
  const bare = closing < 0 && text.split(",").some(isIpv6);
  if (colon < 0 || colon < closing || bare) return { list: text, portText: undefined };
  return { list: text.slice(0, colon), portText: text.slice(colon + 1) };
}

/** The brackets may enclose one address, or begin in front of the first and end behind the last. */
function withoutBrackets(text: string): string {
  const start = text.startsWith("[") ? 1 : 0;
  return text.slice(start, text.endsWith("]") ? -1 : undefined);
}

/** An IP address, or letters, digits, dots and hyphens. */
function isHost(text: string): boolean {
  if (isIpAddress(text)) return true;
  if (text.length === 0 || text.length > 64) return false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
    const digit = code >= 0x30 && code <= 0x39;
    if (!letter && !digit && code !== 0x2d && code !== 0x2e && code !== 0x5f) return false;
  }
  return true;
}
