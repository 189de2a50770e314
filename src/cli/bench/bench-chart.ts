/**
 * A benchmark as an SVG picture: for each step a group of bars, one a target, side by side for the rate, the 99th percentile and
 * the CPU. Steps of one operation and size share a scale, others have their own, since they differ a thousandfold; every bar
 * says its number. Text and lines follow the reader's light or dark scheme; the picture has no script and needs no font. Pure.
 */
import type { Figures, StepResult } from "#cli/bench/bench-result.ts";
import { stepName } from "#cli/bench/bench-step.ts";
import type { BenchTarget } from "#cli/bench/bench-target.ts";
import { shortNumber } from "#cli/bench/bench-words.ts";

export interface ChartFacts {
  readonly title: string;
  /** Small, below the title: the machine. */
  readonly subtitle: string;
  readonly targets: readonly BenchTarget[];
  readonly results: readonly StepResult[];
}

interface Panel {
  readonly heading: string;
  readonly value: (figures: Figures) => number | undefined;
}

const panels: readonly Panel[] = [
  { heading: "operations/s (more is better)", value: (one) => one.operationsPerSecond },
  { heading: "p99, ms (less is better)", value: (one) => one.p99Ms },
  {
    heading: "server CPU, µs an operation (less is better)",
    value: (one) => one.cpuMicrosPerOperation,
  },
];

/** Told apart on white and on black, also by most who see few colours. */
const colours = ["#2f7fd1", "#d9730d", "#2a9d5c", "#a55bd0", "#cf4560", "#12929e", "#8a7a1e"];
const rest = "#7d7d8c";

const margin = 16;
const labelWidth = 190;
const barRoom = 190;
const numberWidth = 70;
const panelWidth = barRoom + numberWidth;
const barHeight = 13;
const barGap = 3;
const groupGap = 12;
const width = margin * 2 + labelWidth + panels.length * panelWidth;
const legendLine = 20;

export function benchChart(facts: ChartFacts): string {
  const { targets, results } = facts;
  const legendTop = margin + 46;
  const headingsTop = legendTop + targets.length * legendLine + 14;
  const groupHeight = targets.length * (barHeight + barGap) + groupGap;
  const top = headingsTop + 12;
  const height = top + results.length * groupHeight + margin;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(facts.title)}">`,
    style(targets.length),
    `<rect class="ground" width="${width}" height="${height}"/>`,
    text({ x: margin, y: margin + 14, kind: "title", words: facts.title }),
    text({ x: margin, y: margin + 34, kind: "small", words: facts.subtitle }),
    ...legend(targets, legendTop),
    ...panels.map((panel, at) =>
      text({ x: panelLeft(at), y: headingsTop, kind: "small", words: panel.heading }),
    ),
    ...results.flatMap((result, at) => group({ ...facts, result, top: top + at * groupHeight })),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

function style(count: number): string {
  const fills = Array.from({ length: count }, (_, at) => `.t${at}{fill:${colourOf(at)}}`);
  return [
    "<style>",
    "text{font:12px system-ui,sans-serif;fill:#1f2328}",
    ".title{font-size:16px;font-weight:600}.small{font-size:11px;fill:#59636e}",
    ".ground{fill:#ffffff}.line{stroke:#d1d9e0}",
    ...fills,
    "@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.small{fill:#9198a1}.ground{fill:#0d1117}.line{stroke:#3d444d}}",
    "</style>",
  ].join("\n");
}

/** Which colour is which target, and what its figures mean. */
function legend(targets: readonly BenchTarget[], top: number): readonly string[] {
  return targets.flatMap(({ name, durability, fileSystem }, at) => {
    const y = top + at * legendLine;
    return [
      `<rect class="t${at}" x="${margin}" y="${y}" width="12" height="12" rx="2"/>`,
      text({
        x: margin + 20,
        y: y + 10,
        kind: "",
        words: `${name} (durability: ${durability}; file system: ${fileSystem})`,
      }),
    ];
  });
}

function group(
  place: ChartFacts & { readonly result: StepResult; readonly top: number },
): readonly string[] {
  const { result, results, targets, top } = place;
  const figures = targets.map(
    ({ name }) => result.targets.find(({ target }) => target === name)?.figures,
  );
  const middle = top + (targets.length * (barHeight + barGap)) / 2 + 4;
  const lineY = top - groupGap / 2;
  return [
    `<line class="line" x1="${margin}" x2="${width - margin}" y1="${lineY}" y2="${lineY}"/>`,
    text({ x: margin, y: middle, kind: "", words: stepName(result.step) }),
    ...panels.flatMap((panel, at) => {
      const most = scaleOf(panel, result, results);
      const values = figures.map((one) => (one === undefined ? undefined : panel.value(one)));
      return bars(values, { most, left: panelLeft(at), top });
    }),
  ];
}

/** The largest value among the steps that do the same to files of the same size. */
function scaleOf(panel: Panel, { step }: StepResult, results: readonly StepResult[]): number {
  const alike = results.filter(
    (one) => one.step.operation === step.operation && one.step.sizeBytes === step.sizeBytes,
  );
  const values = alike.flatMap(({ targets }) =>
    targets.flatMap(({ figures }) => (figures === undefined ? [] : (panel.value(figures) ?? []))),
  );
  return Math.max(0, ...values);
}

function bars(
  values: readonly (number | undefined)[],
  place: { readonly most: number; readonly left: number; readonly top: number },
): readonly string[] {
  const { most, left, top } = place;
  return values.flatMap((value, at) => {
    const y = top + at * (barHeight + barGap);
    const length = value === undefined || most === 0 ? 0 : (value / most) * barRoom;
    const bar = `<rect class="t${at}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`;
    const x = left + Math.round(length) + 5;
    return [bar, text({ x, y: y + 10, kind: "small", words: shortNumber(value) })];
  });
}

function panelLeft(at: number): number {
  return margin + labelWidth + at * panelWidth;
}

function colourOf(at: number): string {
  return colours[at] ?? rest;
}

interface Label {
  readonly x: number;
  readonly y: number;
  readonly kind: string;
  readonly words: string;
}

function text({ x, y, kind, words }: Label): string {
  const attribute = kind === "" ? "" : ` class="${kind}"`;
  return `<text x="${x}" y="${y}"${attribute}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replace(/[^\x20-\x7e\u00a0-\ufffd]/g, "?");
}
