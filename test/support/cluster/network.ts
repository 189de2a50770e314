/**
 * Several hosts on one machine: a network namespace each, joined by a bridge in a namespace of its own, so that nothing of the
 * machine's own network is touched. Links are cut in one direction or both, lose packets, or are slow. Needs root, iproute2 and nft.
 * There is no delay of single packets, because the kernels that this runs on have no `netem`; the simulation has it.
 */
import { execFileSync } from "node:child_process";
import { program, root } from "../needs.ts";

export const clusterNeeds = [
  root(),
  program("ip", { apt: "iproute2" }),
  program("tc", { apt: "iproute2" }),
  program("nft", { apt: "nftables" }),
  program("faketime", { apt: "faketime" }),
];

let networks = 0;
const networks4 = "10.77.0.0/24, 192.168.77.0/24";

export interface Host {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  /** Of another network on the same card, which is not cut with the first one. */
  readonly second: string;
  readonly ipv6: string;
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "pipe"], timeout: 10_000 });
}

export class ClusterNetwork {
  readonly #prefix: string;
  readonly #hosts = new Map<string, Host>();

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** One host a name, in 10.77.0.0/24, 192.168.77.0/24 and fd77::/64, in this order from 11 on. Take it down with `remove`. */
  static make(names: readonly string[]): ClusterNetwork {
    networks += 1;
    const network = new ClusterNetwork(`cairn${process.pid}-${networks}`);
    try {
      network.#build(names);
      return network;
    } catch (error) {
      network.remove();
      throw error;
    }
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host;
  }

  /** Packets from one host to the other vanish; those the other way pass. */
  cut(from: string, to: string): void {
    this.#nft(from, `add rule inet test out ip daddr ${this.host(to).address} drop`);
  }

  /** Both directions, with everybody. */
  isolate(name: string): void {
    this.#nft(name, `add rule inet test out ip daddr { ${networks4} } drop`);
    this.#nft(name, `add rule inet test in ip saddr { ${networks4} } drop`);
    this.#nft(name, "add rule inet test out ip6 daddr fd77::/64 drop");
    this.#nft(name, "add rule inet test in ip6 saddr fd77::/64 drop");
  }

  /** So many of a hundred packets that the host sends are lost. */
  lose(name: string, percent: number): void {
    this.#nft(name, `add rule inet test out numgen random mod 100 < ${percent} drop`);
  }

  /** What the host sends passes at this rate, and waits meanwhile. */
  slow(name: string, megabitsPerSecond: number): void {
    const { namespace } = this.host(name);
    const rate = `${megabitsPerSecond}mbit`;
    const shape = ["tbf", "rate", rate, "burst", "256kb", "latency", "400ms"];
    run(
      "ip",
      "netns",
      "exec",
      namespace,
      "tc",
      "qdisc",
      "replace",
      "dev",
      "eth0",
      "root",
      ...shape,
    );
  }

  /** All links are well again. */
  heal(): void {
    for (const { name, namespace } of this.#hosts.values()) {
      this.#nft(name, "flush chain inet test out");
      this.#nft(name, "flush chain inet test in");
      try {
        run("ip", "netns", "exec", namespace, "tc", "qdisc", "del", "dev", "eth0", "root");
      } catch {
        // It was not slow.
      }
    }
  }

  /** The host is reached under another address from now on. Its connections break. */
  changeAddress(name: string, address: string): void {
    const host = this.host(name);
    const { namespace, address: before } = host;
    run("ip", "-n", namespace, "address", "del", `${before}/24`, "dev", "eth0");
    run("ip", "-n", namespace, "address", "add", `${address}/24`, "dev", "eth0");
    this.#hosts.set(name, { ...host, address });
  }

  /** End the processes in it first. */
  remove(): void {
    for (const namespace of [...this.hosts.map((host) => host.namespace), this.#switch]) {
      try {
        run("ip", "netns", "del", namespace);
      } catch {
        // It was never made.
      }
    }
    this.#hosts.clear();
  }

  get #switch(): string {
    return `${this.#prefix}-switch`;
  }

  #build(names: readonly string[]): void {
    run("ip", "netns", "add", this.#switch);
    run("ip", "-n", this.#switch, "link", "add", "br0", "type", "bridge");
    run("ip", "-n", this.#switch, "link", "set", "br0", "up");
    for (const [index, name] of names.entries()) {
      const namespace = `${this.#prefix}-${name}`;
      const address = `10.77.0.${11 + index}`;
      const second = `192.168.77.${11 + index}`;
      const ipv6 = `fd77::${11 + index}`;
      run("ip", "netns", "add", namespace);
      this.#hosts.set(name, { name, namespace, address, second, ipv6 });
      const port = `p${index}`;
      const peer = ["peer", "name", "eth0", "netns", namespace];
      run("ip", "-n", this.#switch, "link", "add", port, "type", "veth", ...peer);
      run("ip", "-n", this.#switch, "link", "set", port, "master", "br0", "up");
      run("ip", "-n", namespace, "address", "add", `${address}/24`, "dev", "eth0");
      run("ip", "-n", namespace, "address", "add", `${second}/24`, "dev", "eth0");
      run("ip", "-n", namespace, "address", "add", `${ipv6}/64`, "dev", "eth0", "nodad");
      run("ip", "-n", namespace, "link", "set", "eth0", "up");
      run("ip", "-n", namespace, "link", "set", "lo", "up");
      this.#nft(name, "add table inet test");
      this.#nft(name, "add chain inet test out { type filter hook output priority 0; }");
      this.#nft(name, "add chain inet test in { type filter hook input priority 0; }");
    }
  }

  #nft(name: string, rule: string): void {
    run("ip", "netns", "exec", this.host(name).namespace, "nft", rule);
  }
}
