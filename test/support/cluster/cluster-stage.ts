/** A cluster on hosts of its own, a client beside it, and everything taken away at the end. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formatEndpoint } from "#model/endpoint.ts";
import { ClusterNode, type ClusterNodeOptions, pause } from "./cluster-node.ts";
import { hasFile, judge, type Verdict } from "./judge.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { ClusterNetwork } from "./network.ts";

const loadClient = fileURLToPath(new URL("load-client.ts", import.meta.url));

export type NodePlan = Pick<ClusterNodeOptions, "host" | "roles" | "group"> &
  Partial<Pick<ClusterNodeOptions, "settings" | "storePaths" | "ipv6">> & {
    /** It is started by the test, and not part of the judgement before. */
    readonly later?: boolean;
  };

export class ClusterStage {
  readonly network: ClusterNetwork;
  readonly nodes: readonly ClusterNode[];
  readonly directory: string;
  #client: ChildProcess | undefined;
  readonly #removed = new Set<ClusterNode>();

  private constructor(plans: readonly NodePlan[]) {
    this.directory = mkdtempSync(join(tmpdir(), "cairn-cluster-"));
    this.network = ClusterNetwork.make(["client", ...plans.map(({ host }) => host)]);
    const trackers = plans.filter(({ roles }) => roles.includes("tracker"));
    this.nodes = plans.map(
      (plan) =>
        new ClusterNode({
          ...plan,
          network: this.network,
          directory: this.directory,
          trackers: trackers.map(({ host }) => host),
        }),
    );
  }

  static async start(plans: readonly NodePlan[]): Promise<ClusterStage> {
    const stage = new ClusterStage(plans);
    try {
      const now = plans.filter(({ later }) => later !== true).map(({ host }) => stage.node(host));
      await Promise.all(now.map((node) => node.start()));
      return stage;
    } catch (error) {
      await stage.end();
      throw error;
    }
  }

  node(name: string): ClusterNode {
    const node = this.nodes.find((each) => each.name === name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  }

  get manifest(): Manifest {
    return readManifest(join(this.directory, "manifest"));
  }

  verdict(): Verdict {
    const members = this.nodes.filter((node) => node.wasStarted && !this.#removed.has(node));
    return judge(this.manifest, members);
  }

  /** Clients begin to store, read and delete; ends with `stopLoad`. */
  startLoad(how: {
    readonly seed: number;
    readonly connections: number;
    readonly pauseMs: number;
  }): void {
    const { namespace } = this.network.host("client");
    const trackers = this.nodes
      .filter(({ options }) => options.roles.includes("tracker"))
      .map(({ address }) => formatEndpoint({ address, port: 22122 }));
    const numbers = [how.seed, how.connections, how.pauseMs].map(String);
    const words = [process.execPath, loadClient, join(this.directory, "manifest"), ...numbers];
    this.#client = spawn("ip", ["netns", "exec", namespace, ...words, ...trackers], {
      stdio: ["pipe", "inherit", "inherit"],
    });
  }

  async stopLoad(): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    this.#client = undefined;
    const ended = new Promise((resolve) => client.once("exit", resolve));
    client.stdin?.end();
    const limit = pause(60_000).then(() => client.kill("SIGKILL"));
    await Promise.race([ended, limit]);
  }

  /** The node is no member any more: what lies on it does not count. */
  leaveOut(name: string): void {
    this.#removed.add(this.node(name));
  }

  /** Resolves when the node has all that its group has stored until now. Rejects when the time is over. */
  async filled(node: ClusterNode, limitMs: number): Promise<void> {
    const { group } = node.options;
    const now = [...this.manifest.files].filter(
      ([id, { state }]) => state === "stored" && id.startsWith(`${group}/`),
    );
    const until = performance.now() + limitMs;
    for (;;) {
      const { files } = this.manifest;
      const wanted = now.filter(([id]) => files.get(id)?.state === "stored");
      const missing = wanted.filter(([id]) => !hasFile(node, id));
      if (missing.length === 0) return;
      if (performance.now() > until) {
        throw new Error(`${node.name} still lacks ${missing.length} files, as ${missing[0]?.[0]}`);
      }
      await pause(500);
    }
  }

  /** Resolves with the last verdict once there is nothing to complain about, or the time is over. */
  async converge(limitMs: number): Promise<Verdict> {
    const until = performance.now() + limitMs;
    for (;;) {
      const verdict = this.verdict();
      if (verdict.problems.length === 0 || performance.now() > until) return verdict;
      await pause(500);
    }
  }

  /** The end of what a node wrote, for messages of failures. */
  log(name: string): string {
    return readFileSync(join(this.directory, `${name}.log`), "utf8").slice(-4000);
  }

  async end(): Promise<void> {
    await this.stopLoad();
    for (const node of this.nodes) node.resume();
    await Promise.all(this.nodes.map((node) => node.kill()));
    this.network.remove();
    if (process.env.CAIRN_KEEP === undefined)
      rmSync(this.directory, { recursive: true, force: true });
  }
}
