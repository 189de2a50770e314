/** What a scraper's Accept header asks for. */
import { expect, test } from "vitest";
import { chooseMetricsFormat } from "#gateway/metrics-format.ts";

test("OpenMetrics is for whoever takes it", () => {
  const takers = [
    undefined,
    "",
    "*/*",
    "application/openmetrics-text",
    "application/*",
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "Application/OpenMetrics-Text; q=0.9, text/plain; q=0.1",
    "text/html, */*;q=0.5",
  ];
  expect(takers.filter((accept) => chooseMetricsFormat(accept) !== "openmetrics")).toEqual([]);
});

test("whoever prefers the older format, or knows no other, gets that", () => {
  const others = [
    "text/plain",
    "text/plain;version=0.0.4;q=1,*/*;q=0.1",
    "text/*",
    "application/openmetrics-text;q=0, */*",
    "application/openmetrics-text;q=0.2, text/plain;q=0.9",
    "application/openmetrics-text;q=nonsense, text/plain",
  ];
  expect(others.filter((accept) => chooseMetricsFormat(accept) !== "prometheus")).toEqual([]);
});
