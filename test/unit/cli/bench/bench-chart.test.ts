/** The picture. */
import { expect, test } from "vitest";
import { benchChart } from "#cli/bench/bench-chart.ts";
import { benchTarget, figures, stepResult } from "../../../support/bench-results.ts";

const targets = [benchTarget("cairn"), benchTarget('<c> & "d"', { durability: "none" })];
const names = targets.map(({ name }) => name);

function chart(...steps: readonly (readonly [string, number, number | undefined])[]): string {
  const results = steps.map(([step, one, other]) =>
    stepResult(step, {
      [names[0] as string]: figures({ operationsPerSecond: one }),
      [names[1] as string]:
        other === undefined ? undefined : figures({ operationsPerSecond: other }),
    }),
  );
  return benchChart({ title: "A & B", subtitle: "a machine", targets, results });
}

/** Lengths of the bars of the first panel. */
function bars(svg: string): readonly number[] {
  const found = svg.matchAll(/<rect class="t\d" x="206" y="\d+" width="([\d.]+)"/g);
  return [...found].map(([, length]) => Number(length));
}

test("bars of one operation and size share a scale, the longest fills it", () => {
  const svg = chart(["upload:4KiB:1", 50, 100], ["upload:4KiB:16", 200, 0], ["ping:1", 7, 7]);
  expect(bars(svg)).toEqual([47.5, 95, 190, 0, 190, 190]);
});

test("a target without a figure has no bar, and no number", () => {
  const svg = chart(["ping:1", 10, undefined]);
  expect(bars(svg)).toEqual([190, 0]);
  expect(svg).toContain(">-</text>");
});

test("it is well-formed, says what its figures mean, and has no script", () => {
  const svg = chart(["upload:4KiB:16", 1, 2]);
  expect(svg).toContain("&lt;c&gt; &amp; &quot;d&quot; (durability: none; file system: ext4");
  expect(svg).toContain("upload 4KiB x16");
  expect(svg).not.toContain("script");
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  expect(svg).toContain("prefers-color-scheme:dark");
  const opened = svg.match(/<(?:svg|style|text)\b/g)?.length;
  expect(svg.match(/<\/(?:svg|style|text)>/g)?.length).toBe(opened);
  expect(svg.match(/&(?!amp;|lt;|gt;|quot;)/)).toBeNull();
});

test("control characters of a name do not get in", () => {
  const odd = benchTarget("a\u0000b\u001b");
  const svg = benchChart({ title: "t", subtitle: "s", targets: [odd], results: [] });
  expect(svg).toContain("a?b?");
});
