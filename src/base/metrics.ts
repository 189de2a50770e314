/**
 * Counters, gauges and histograms, and their text for scrapers: OpenMetrics 1.0, or Prometheus's older text format. A
 * registry is made once and passed around; a metric is declared beside what it counts. The number of label sets of a metric
 * is bounded: what comes beyond goes to one set whose labels all say `other`, so that no client can fill our memory. Pure.
 */
import { assert, present } from "#base/assert.ts";

export type MetricsFormat = "openmetrics" | "prometheus";

export const metricsContentType: Readonly<Record<MetricsFormat, string>> = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
};

export interface MetricDeclaration<Label extends string> {
  /** Without `_total`, `_bucket`, `_info`; ends with `_<unit>` where there is a unit. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  /** Base units only, such as `seconds` and `bytes`. */
  readonly unit?: string;
  readonly labels?: readonly Label[];
  /** Most label sets that are kept apart. */
  readonly maxSeries?: number;
}

export interface HistogramDeclaration<Label extends string> extends MetricDeclaration<Label> {
  /** Upper bounds, rising, without infinity. */
  readonly buckets: readonly number[];
}

export interface CounterSeries {
  /** Adds `amount`, at least 0; 1 without it. */
  add(amount?: number): void;
  readonly value: number;
}

export interface GaugeSeries {
  set(value: number): void;
  add(amount: number): void;
  readonly value: number;
}

export interface HistogramSeries {
  observe(value: number): void;
}

/** A metric with its label sets; `with` gives the one with these values, which callers on a hot path keep. */
export interface Metric<Label extends string, Series> {
  with(labels: Readonly<Record<Label, string>>): Series;
}

type Kind = "counter" | "gauge" | "histogram" | "info";

const defaultMaxSeries = 200;
const maxLabelValueLength = 200;
const labelSeparator = "\u0001";
const overflowLabel = "other";
const reservedSuffix = /_(?:total|created|count|sum|bucket|gcount|gsum|info)$/;

export class MetricRegistry {
  readonly #families = new Map<string, Family>();
  readonly #collectors: (() => void)[] = [];

  counter<Label extends string = never>(
    declaration: MetricDeclaration<Label>,
  ): Metric<Label, CounterSeries> {
    return this.#declare("counter", declaration, () => new Tally());
  }

  gauge<Label extends string = never>(
    declaration: MetricDeclaration<Label>,
  ): Metric<Label, GaugeSeries> {
    return this.#declare("gauge", declaration, () => new Level());
  }

  histogram<Label extends string = never>(
    declaration: HistogramDeclaration<Label>,
  ): Metric<Label, HistogramSeries> {
    const { buckets } = declaration;
    assert(
      !declaration.labels?.some((label) => label === "le"),
      "a histogram's label may not be le",
    );
    assert(
      buckets.every(
        (bound, at) => Number.isFinite(bound) && bound > (buckets[at - 1] ?? -Infinity),
      ),
      `buckets of ${declaration.name} rise`,
    );
    return this.#declare("histogram", declaration, () => new Distribution(buckets));
  }

  /** Facts that do not change while the process runs, such as its version; `name` without `_info`. */
  info(
    declaration: { readonly name: string; readonly help: string },
    facts: Readonly<Record<string, string>>,
  ): void {
    const labels = Object.keys(facts);
    this.#declare("info", { ...declaration, labels }, () => new Level())
      .with(facts)
      .set(1);
  }

  /** `task` runs before every rendering, to set gauges that nobody sets in between. Must be quick. */
  beforeRender(task: () => void): void {
    this.#collectors.push(task);
  }

  render(format: MetricsFormat): string {
    for (const collect of this.#collectors) collect();
    const lines: string[] = [];
    for (const family of this.#families.values()) family.render(format, lines);
    if (format === "openmetrics") lines.push("# EOF");
    return `${lines.join("\n")}\n`;
  }

  #declare<Label extends string, S extends Series>(
    kind: Kind,
    declaration: MetricDeclaration<Label>,
    make: () => S,
  ): Metric<Label, S> {
    const { name, unit } = declaration;
    assert(/^[a-z_][a-z0-9_]*$/.test(name), `${name} is a metric name`);
    assert(!reservedSuffix.test(name), `${name} ends with no reserved suffix`);
    assert(unit === undefined || name.endsWith(`_${unit}`), `${name} ends with its unit ${unit}`);
    assert(!this.#families.has(name), `${name} is declared once`);
    const family = new Family(kind, declaration, make);
    this.#families.set(name, family);
    return {
      // `make` is the only source of the family's series.
      with: (labels) => family.with(labels) as S,
    };
  }
}

/** What the lines of one label set have in common. */
interface SampleFrame {
  readonly name: string;
  /** Without braces. */
  readonly labels: string;
  readonly format: MetricsFormat;
}

/** One label set of a metric, which writes its own sample lines. */
interface Series {
  render(sample: SampleFrame): readonly string[];
}

class Family {
  readonly #kind: Kind;
  readonly #declaration: MetricDeclaration<string>;
  readonly #make: () => Series;
  readonly #series = new Map<string, Series>();

  constructor(kind: Kind, declaration: MetricDeclaration<string>, make: () => Series) {
    this.#kind = kind;
    this.#declaration = declaration;
    this.#make = make;
    for (const label of this.#labels) {
      assert(
        /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) && !label.startsWith("__"),
        `${label} is a label`,
      );
    }
    // A metric without labels has its one value from the start.
    if (this.#labels.length === 0) this.with({});
  }

  get #labels(): readonly string[] {
    return this.#declaration.labels ?? [];
  }

  with(labels: Readonly<Record<string, string>>): Series {
    const names = this.#labels;
    const values = names.map((name) => cleanLabelValue(present(labels[name], `label ${name}`)));
    const known = this.#series.get(values.join(labelSeparator));
    if (known !== undefined) return known;
    const max = this.#declaration.maxSeries ?? defaultMaxSeries;
    const kept = this.#series.size < max ? values : names.map(() => overflowLabel);
    return this.#seriesOf(kept.join(labelSeparator));
  }

  #seriesOf(key: string): Series {
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series = this.#make();
    this.#series.set(key, series);
    return series;
  }

  render(format: MetricsFormat, lines: string[]): void {
    const { name, unit, help } = this.#declaration;
    const kind = this.#kind;
    if (format === "openmetrics") {
      lines.push(`# TYPE ${name} ${kind}`);
      if (unit !== undefined) lines.push(`# UNIT ${name} ${unit}`);
      lines.push(`# HELP ${name} ${escapeQuoted(help)}`);
    } else {
      const family = `${name}${suffixOf(kind)}`;
      lines.push(`# HELP ${family} ${escapeHelp(help)}`);
      lines.push(`# TYPE ${family} ${kind === "info" ? "gauge" : kind}`);
    }
    const sample = `${name}${suffixOf(kind)}`;
    for (const [key, series] of this.#series) {
      lines.push(...series.render({ name: sample, labels: this.#labelText(key), format }));
    }
  }

  #labelText(key: string): string {
    const values = key.split(labelSeparator);
    return this.#labels.map((name, at) => `${name}="${escapeQuoted(values[at] ?? "")}"`).join(",");
  }
}

class Tally implements CounterSeries, Series {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  add(amount = 1): void {
    assert(amount >= 0, "a counter only rises");
    this.#value += amount;
  }

  render({ name, labels }: SampleFrame): readonly string[] {
    return [`${name}${inBraces(labels)} ${numberText(this.#value)}`];
  }
}

class Level implements GaugeSeries, Series {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  set(value: number): void {
    this.#value = value;
  }

  add(amount: number): void {
    this.#value += amount;
  }

  render({ name, labels }: SampleFrame): readonly string[] {
    return [`${name}${inBraces(labels)} ${numberText(this.#value)}`];
  }
}

class Distribution implements HistogramSeries, Series {
  readonly #bounds: readonly number[];
  /** Not cumulative; the last one is what lies above every bound. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const found = this.#bounds.findIndex((bound) => value <= bound);
    const at = found < 0 ? this.#bounds.length : found;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  render({ name, labels, format }: SampleFrame): readonly string[] {
    const lines: string[] = [];
    const before = labels === "" ? "" : `${labels},`;
    let total = 0;
    for (const [at, count] of this.#counts.entries()) {
      total += count;
      const bound = boundText(this.#bounds[at] ?? Infinity, format);
      lines.push(`${name}_bucket{${before}le="${bound}"} ${total}`);
    }
    lines.push(`${name}_sum${inBraces(labels)} ${numberText(this.#sum)}`);
    lines.push(`${name}_count${inBraces(labels)} ${total}`);
    return lines;
  }
}

function suffixOf(kind: Kind): string {
  if (kind === "counter") return "_total";
  return kind === "info" ? "_info" : "";
}

function inBraces(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

/** OpenMetrics wants bounds as floats, `1.0`, so that two exposers write the same text. */
function boundText(bound: number, format: MetricsFormat): string {
  const text = numberText(bound);
  return format === "openmetrics" && /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** Bounded and well-formed Unicode, without the character that separates values in keys. */
function cleanLabelValue(value: string): string {
  return value.slice(0, maxLabelValueLength).replaceAll(labelSeparator, " ").toWellFormed();
}

function escapeQuoted(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

/** Prometheus's older format leaves quotes in help texts alone. */
function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
