/** The text that scrapers read, to the letter, and what keeps it bounded. */
import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { parseOpenMetrics } from "../../support/open-metrics.ts";

function sample(): MetricRegistry {
  const registry = new MetricRegistry();
  registry.info({ name: "cairn_build", help: "The release that runs." }, { version: "1.2.3" });
  const requests = registry.counter({
    name: "gateway_requests",
    help: "Requests.",
    labels: ["method", "status"],
  });
  requests.with({ method: "GET", status: "2xx" }).add(3);
  requests.with({ status: "4xx", method: "GET" }).add();
  const sent = registry.counter({ name: "sent_bytes", help: "Sent.", unit: "bytes" });
  sent.with({}).add(0.5);
  const level = registry.gauge({ name: "level", help: 'A "level"\nof \\ things.' });
  level.with({}).set(-2);
  const waits = registry.histogram({
    name: "wait_seconds",
    help: "Waits.",
    unit: "seconds",
    labels: ["path"],
    buckets: [0.25, 1, 10],
  });
  for (const value of [0.25, 0.5, 11]) waits.with({ path: "0" }).observe(value);
  return registry;
}

test("OpenMetrics is written as its standard says", () => {
  expect(sample().render("openmetrics")).toBe(
    [
      "# TYPE cairn_build info",
      "# HELP cairn_build The release that runs.",
      'cairn_build_info{version="1.2.3"} 1',
      "# TYPE gateway_requests counter",
      "# HELP gateway_requests Requests.",
      'gateway_requests_total{method="GET",status="2xx"} 3',
      'gateway_requests_total{method="GET",status="4xx"} 1',
      "# TYPE sent_bytes counter",
      "# UNIT sent_bytes bytes",
      "# HELP sent_bytes Sent.",
      "sent_bytes_total 0.5",
      "# TYPE level gauge",
      '# HELP level A \\"level\\"\\nof \\\\ things.',
      "level -2",
      "# TYPE wait_seconds histogram",
      "# UNIT wait_seconds seconds",
      "# HELP wait_seconds Waits.",
      'wait_seconds_bucket{path="0",le="0.25"} 1',
      'wait_seconds_bucket{path="0",le="1.0"} 2',
      'wait_seconds_bucket{path="0",le="10.0"} 2',
      'wait_seconds_bucket{path="0",le="+Inf"} 3',
      'wait_seconds_sum{path="0"} 11.75',
      'wait_seconds_count{path="0"} 3',
      "# EOF",
      "",
    ].join("\n"),
  );
});

test("Prometheus's older format names the samples, and leaves quotes in help texts", () => {
  const lines = sample().render("prometheus").split("\n");
  expect(lines.slice(0, 5)).toEqual([
    "# HELP cairn_build_info The release that runs.",
    "# TYPE cairn_build_info gauge",
    'cairn_build_info{version="1.2.3"} 1',
    "# HELP gateway_requests_total Requests.",
    "# TYPE gateway_requests_total counter",
  ]);
  expect(lines).toContain('# HELP level A "level"\\nof \\\\ things.');
  expect(lines).toContain('wait_seconds_bucket{path="0",le="1"} 2');
  expect(lines).not.toContain("# EOF");
  expect(lines.at(-1)).toBe("");
});

test("a strict reader takes it back, whatever the labels hold", () => {
  const registry = sample();
  const odd = registry.gauge({ name: "odd", help: "Odd.", labels: ["name"] });
  const values = ['a"b', "a\\b", "a\nb", "a\\nb", "ü €", "", "}", 'x="y",', "\ud800", "a\u0001b"];
  for (const [at, value] of values.entries()) odd.with({ name: value }).set(at);
  odd.with({ name: "far" }).set(Number.POSITIVE_INFINITY);
  odd.with({ name: "nothing" }).set(Number.NaN);
  const family = parseOpenMetrics(registry.render("openmetrics")).get("odd");
  expect(family?.samples.map((one) => [one.labels.name, one.value])).toEqual([
    ...values.map((value, at) => [value.toWellFormed().replace("\u0001", " "), at]),
    ["far", Number.POSITIVE_INFINITY],
    ["nothing", Number.NaN],
  ]);
});

test("label sets beyond the limit share one, so that nobody can fill the memory", () => {
  const registry = new MetricRegistry();
  const hits = registry.counter({ name: "hits", help: "Hits.", labels: ["who"], maxSeries: 2 });
  for (let at = 0; at < 100; at += 1) hits.with({ who: `client ${at}` }).add();
  hits.with({ who: "client 0" }).add();
  const text = registry.render("openmetrics");
  expect(text.match(/^hits_total.*$/gm)).toEqual([
    'hits_total{who="client 0"} 2',
    'hits_total{who="client 1"} 1',
    'hits_total{who="other"} 98',
  ]);
});

test("a metric without labels is there before anybody counted, one with labels is not", () => {
  const registry = new MetricRegistry();
  registry.counter({ name: "plain", help: "Plain." });
  registry.counter({ name: "labelled", help: "Labelled.", labels: ["a"] });
  const text = registry.render("openmetrics");
  expect(text).toContain("plain_total 0\n");
  expect(text).not.toContain("labelled_total");
});

test("what is read off elsewhere is read before each rendering", () => {
  const registry = new MetricRegistry();
  const level = registry.gauge({ name: "level", help: "Level." }).with({});
  let reading = 7;
  registry.beforeRender(() => level.set(reading));
  expect(registry.render("openmetrics")).toContain("level 7\n");
  reading = 8;
  expect(registry.render("openmetrics")).toContain("level 8\n");
});

test("declarations that scrapers would refuse are refused here", () => {
  const registry = new MetricRegistry();
  registry.counter({ name: "taken", help: "x" });
  const wrong: (() => unknown)[] = [
    () => registry.gauge({ name: "taken", help: "x" }),
    () => registry.counter({ name: "requests_total", help: "x" }),
    () => registry.gauge({ name: "wait", help: "x", unit: "seconds" }),
    () => registry.gauge({ name: "Upper", help: "x" }),
    () => registry.gauge({ name: "label", help: "x", labels: ["a-b"] }),
    () => registry.histogram({ name: "h", help: "x", buckets: [1, 1] }),
    () => registry.histogram({ name: "h", help: "x", buckets: [1], labels: ["le"] }),
    () => registry.counter({ name: "falls", help: "x" }).with({}).add(-1),
  ];
  for (const task of wrong) expect(task).toThrow("assertion failed");
});
