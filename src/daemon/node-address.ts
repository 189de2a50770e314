/** Which of the machine's addresses a node announces when its settings leave it open. Pure. */
import { isIpv4 } from "#model/ip-address.ts";
import type { NetworkAddress } from "#platform/network.ts";

const everyIpv4 = "0.0.0.0";
const everyIpv6 = "::";
const ownMachine = /^(?:127\.|::1$)/;
/** Nobody beyond the own wire reaches these. */
const linkLocal = /^(?:169\.254\.|fe[89ab])/i;
/** Interfaces of containers and tunnels are not where clients are. */
const virtualInterface = /^(?:docker|br-|veth|virbr|cni|flannel|tun|tap|wg)/;

/**
 * A given address is taken as it is. Else one that is listened on: IPv4 before IPv6, since most clients know nothing else, where it listens
 * everywhere that of a real interface, and loopback, which serves this machine alone, where there is nothing else.
 */
export function chooseNodeAddress(
  configured: string,
  bind: readonly string[],
  addresses: readonly NetworkAddress[],
): string {
  if (configured !== "auto") return configured;
  const everywhere = [everyIpv4, everyIpv6].filter((every) => bind.includes(every));
  const named = bind.filter((address) => !everywhere.includes(address));
  const candidates = [
    ...(bind.includes(everyIpv4) ? interfaceAddresses(4, addresses) : []),
    ...named.filter(isIpv4),
    ...(bind.includes(everyIpv6) ? interfaceAddresses(6, addresses) : []),
    ...named,
  ];
  const reachable = candidates.find((address) => !ownMachine.test(address));
  return reachable ?? candidates[0] ?? (bind.includes(everyIpv4) ? "127.0.0.1" : "::1");
}

/** Those of real interfaces first. */
function interfaceAddresses(family: 4 | 6, addresses: readonly NetworkAddress[]): string[] {
  const usable = addresses.filter(
    (each) => each.family === family && !each.internal && !linkLocal.test(each.address),
  );
  const isReal = (each: NetworkAddress): boolean => !virtualInterface.test(each.interfaceName);
  const real = usable.filter(isReal);
  return [...real, ...usable.filter((each) => !isReal(each))].map(({ address }) => address);
}
