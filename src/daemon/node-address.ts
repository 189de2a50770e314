/** Which of the machine's addresses a node announces when its settings leave it open. Pure. */
import { isIpv4 } from "#model/ip-address.ts";
import type { NetworkAddress } from "#platform/network.ts";

const loopback = "127.0.0.1";
/** Interfaces of containers and tunnels are not where clients are. */
const virtualInterface = /^(?:docker|br-|veth|virbr|cni|flannel|tun|tap|wg)/;

/**
 * A given address is taken as it is. Else: the address listened on if it is a single one, else the first IPv4 address of a
 * real interface, else loopback, which serves this machine alone.
 */
export function chooseNodeAddress(
  configured: string,
  bind: readonly string[],
  addresses: readonly NetworkAddress[],
): string {
  if (configured !== "auto") return configured;
  const only = bind.length === 1 ? bind[0] : undefined;
  if (only !== undefined && isIpv4(only) && only !== "0.0.0.0") return only;
  const usable = addresses.filter(
    (each) => each.family === 4 && !each.internal && !each.address.startsWith("169.254."),
  );
  const real = usable.find((each) => !virtualInterface.test(each.interfaceName));
  return (real ?? usable[0])?.address ?? loopback;
}
