/** What the gateway counts. */
import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { GatewayMetrics } from "#gateway/gateway-metrics.ts";
import { parseOpenMetrics } from "../../support/open-metrics.ts";

const record = {
  method: "GET",
  target: "/",
  remoteAddress: "127.0.0.1",
  status: 200,
  receivedBytes: 3,
  sentBytes: 5,
  durationMs: 30,
  complete: true,
};

test("requests are counted by method and class, bytes and times are added up", () => {
  const registry = new MetricRegistry();
  const metrics = new GatewayMetrics(registry);
  metrics.count(record);
  metrics.count({ ...record, status: 404 });
  metrics.count({ ...record, method: "PROPFIND", status: 405, complete: false });
  const families = parseOpenMetrics(registry.render("openmetrics"));
  const values = (name: string): unknown[] =>
    (families.get(name)?.samples ?? []).map(({ labels, value }) => [
      ...Object.values(labels),
      value,
    ]);
  expect(values("gateway_requests")).toEqual([
    ["GET", "2xx", 1],
    ["GET", "4xx", 1],
    ["other", "4xx", 1],
  ]);
  expect([values("gateway_received_bytes"), values("gateway_sent_bytes")]).toEqual([[[9]], [[15]]]);
  expect(values("gateway_replies_broken")).toEqual([[1]]);
  expect(values("gateway_request_duration_seconds")).toContainEqual(["GET", "0.05", 2]);
});

test("connections are read off the server, across a restart of the role", () => {
  const registry = new MetricRegistry();
  const metrics = new GatewayMetrics(registry);
  const first = { connectionCount: 2, refusedCount: 5 };
  metrics.watch(first);
  expect(registry.render("prometheus")).toMatch(/gateway_connections 2\n[\s\S]*refused_total 5\n/);
  first.refusedCount = 6;
  metrics.watch({ connectionCount: 1, refusedCount: 1 });
  expect(registry.render("prometheus")).toMatch(/gateway_connections 1\n[\s\S]*refused_total 7\n/);
});
