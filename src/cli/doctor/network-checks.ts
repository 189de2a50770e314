/** The daemon, its ports, and the trackers that it is to reach. */
import { describeError, hasCode } from "#base/app-error.ts";
import type { ControlClient } from "#cli/control-client.ts";
import type { Finding } from "#cli/doctor/finding.ts";
import type { FastdfsClient } from "#client/fastdfs-client.ts";
import type { Config } from "#config/schema.ts";
import { type NodeStatus, status } from "#control/operations/system.ts";
import { formatEndpoint, parseEndpoint } from "#model/endpoint.ts";
import type { Network } from "#platform/network.ts";

export interface DaemonFinding {
  readonly finding: Finding;
  /** Undefined when no daemon answers. */
  readonly status: NodeStatus | undefined;
}

export async function checkDaemon(
  client: ControlClient,
  signal: AbortSignal,
): Promise<DaemonFinding> {
  const check = "daemon";
  try {
    const found = await client.ask(status, {}, signal);
    const finding = `version ${found.version} is ${found.state}`;
    if (found.problems.length === 0) {
      return { finding: { check, verdict: "good", finding }, status: found };
    }
    const advice = found.problems.join(" ");
    return { finding: { check, verdict: "warning", finding, advice }, status: found };
  } catch (error) {
    signal.throwIfAborted();
    if (!hasCode(error, "daemon-unreachable")) {
      return {
        finding: { check, verdict: "bad", finding: describeError(error) },
        status: undefined,
      };
    }
    const finding = `none answers at ${client.path}`;
    return { finding: { check, verdict: "unknown", finding }, status: undefined };
  }
}

/** Each port of each role is served by our daemon, or free. */
export async function checkPorts(
  network: Network,
  config: Config,
  daemon: NodeStatus | undefined,
): Promise<Finding[]> {
  const { node, tracker, storage, gateway } = config;
  const ports = { tracker: tracker.port, storage: storage.port, gateway: gateway.port };
  const served = new Set(
    (daemon?.roles ?? []).flatMap((role) =>
      role.endpoints.map((endpoint) => parseEndpoint(endpoint)?.port),
    ),
  );
  const findings: Finding[] = [];
  for (const role of node.roles) {
    const port = ports[role];
    if (port === 0) continue;
    const check = `${role} port`;
    if (served.has(port)) {
      findings.push({ check, verdict: "good", finding: `${port} is served by our daemon` });
      continue;
    }
    for (const address of node.bind)
      findings.push(await probePort(network, check, { address, port }));
  }
  return findings;
}

async function probePort(
  network: Network,
  check: string,
  where: { readonly address: string; readonly port: number },
): Promise<Finding> {
  const name = formatEndpoint(where);
  try {
    const listener = await network.listen({ ...where, backlog: 1 }, (one) => one.destroy());
    await listener.close();
    return { check, verdict: "good", finding: `${name} is free` };
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code;
    const finding =
      code === "EADDRINUSE" ? `${name} is in use` : `${name}: ${describeError(error)}`;
    const advice = portAdvice(code, where.port);
    return { check, verdict: "bad", finding, advice };
  }
}

function portAdvice(code: unknown, port: number): string {
  switch (code) {
    case "EADDRINUSE":
      return `another program listens there (see: ss -ltnp 'sport = :${port}'); end it or choose another port`;
    case "EACCES":
      return "ports below 1024 need the capability CAP_NET_BIND_SERVICE; choose a higher one";
    case "EADDRNOTAVAIL":
      return "this machine has no such address: correct node.bind";
    default:
      return "choose another address or port";
  }
}

/** Each tracker that the storage, or somebody with --tracker, is to use. */
export async function checkTrackers(
  client: FastdfsClient,
  signal: AbortSignal,
): Promise<Finding[]> {
  const trackers = await client.trackerStatus({ signal });
  return trackers.map(({ tracker, reachable, roundTripMs, problem }) => {
    const check = "tracker";
    const name = formatEndpoint(tracker);
    if (reachable) {
      const time = roundTripMs === undefined ? "" : ` within ${roundTripMs.toFixed(1)} ms`;
      return { check, verdict: "good", finding: `${name} answers${time}` };
    }
    return {
      check,
      verdict: "bad",
      finding: `${name} does not answer: ${problem}`,
      advice: "check its address in storage.trackers, whether it runs, and firewalls in between",
    };
  });
}
