/** Metrics of the halves of a mirror. */
import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { HalfMetrics } from "#daemon/half-metrics.ts";

test("both halves share a metric, and are told apart by a label", () => {
  const registry = new MetricRegistry();
  const halves = new HalfMetrics(registry);
  for (const [at, half] of (["first", "second"] as const).entries()) {
    const metrics = halves.of(half);
    const free = metrics.gauge({ name: "free", help: "Room.", labels: ["path"] });
    const rounds = metrics.counter({ name: "rounds", help: "Rounds." });
    metrics.beforeRender(() => free.with({ path: "0" }).set(at + 1));
    rounds.with({}).add(at + 3);
  }
  const lines = registry.render("openmetrics").split("\n");
  expect(lines.filter((line) => !line.startsWith("#") && line !== "")).toEqual([
    'free{half="first",path="0"} 1',
    'free{half="second",path="0"} 2',
    'rounds_total{half="first"} 3',
    'rounds_total{half="second"} 4',
  ]);
});
