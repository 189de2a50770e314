/**
 * A strict reader of OpenMetrics 1.0 texts, written from the grammar of the standard and not from our writer: what it
 * takes, a scraper takes. Throws with the offending line.
 */

export interface OpenMetricsSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface OpenMetricsFamily {
  readonly name: string;
  type: string;
  unit: string;
  help: string;
  readonly samples: OpenMetricsSample[];
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: ["_total", "_created"],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count", "_created"],
  info: ["_info"],
  unknown: [""],
};

const metadataLine = /^# (TYPE|UNIT|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/;
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$/;
const numberForm = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Inf|NaN)$/;

export function parseOpenMetrics(text: string): ReadonlyMap<string, OpenMetricsFamily> {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error("the text does not end with a line feed");
  if (lines.pop() !== "# EOF") throw new Error("the text does not end with # EOF");
  const families = new Map<string, OpenMetricsFamily>();
  let family: OpenMetricsFamily | undefined;
  const seen = new Set<string>();
  for (const line of lines) {
    const metadata = metadataLine.exec(line);
    if (metadata !== null) {
      const name = metadata[2] ?? "";
      if (family?.name !== name) {
        if (families.has(name)) throw new Error(`a second family of this name: ${line}`);
        family = { name, type: "unknown", unit: "", help: "", samples: [] };
        families.set(name, family);
      }
      if (family.samples.length > 0) throw new Error(`metadata behind samples: ${line}`);
      addMetadata(family, line);
      continue;
    }
    if (family === undefined) throw new Error(`a sample before any metadata: ${line}`);
    const sample = parseSample(line);
    const allowed = (suffixes[family.type] ?? []).map((suffix) => family?.name + suffix);
    if (!allowed.includes(sample.name)) throw new Error(`a sample of another family: ${line}`);
    const key = `${sample.name}${JSON.stringify(sample.labels)}`;
    if (seen.has(key)) throw new Error(`the same sample twice: ${line}`);
    seen.add(key);
    family.samples.push(sample);
  }
  for (const one of families.values()) checkFamily(one);
  return families;
}

function addMetadata(family: OpenMetricsFamily, line: string): void {
  const [, kind = "", , rest = ""] = metadataLine.exec(line) ?? [];
  if (kind === "TYPE") {
    if (!(rest in suffixes)) throw new Error(`an unknown type: ${line}`);
    family.type = rest;
  } else if (kind === "UNIT") {
    if (!family.name.endsWith(`_${rest}`)) throw new Error(`the name lacks its unit: ${line}`);
    family.unit = rest;
  } else {
    family.help = unescapeText(rest, line);
  }
}

function parseSample(line: string): OpenMetricsSample {
  const match = sampleLine.exec(line);
  const [, name = "", labels = "", value = ""] = match ?? [];
  if (match === null || !numberForm.test(value)) throw new Error(`no sample: ${line}`);
  return { name, labels: parseLabels(labels, line), value: readNumber(value) };
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const body = text.slice(1, -1);
  let at = 0;
  while (at < body.length) {
    const match = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)"(,|$)/.exec(body.slice(at));
    if (match === null) throw new Error(`malformed labels: ${line}`);
    const [whole, name = "", value = ""] = match;
    if (name in labels) throw new Error(`a label twice: ${line}`);
    labels[name] = unescapeText(value, line);
    at += whole.length;
  }
  return labels;
}

function unescapeText(text: string, line: string): string {
  if (/(?<!\\)(?:\\\\)*"/.test(text)) throw new Error(`an unescaped quote: ${line}`);
  return text.replace(/\\(.)/g, (_, mark: string) => (mark === "n" ? "\n" : mark));
}

function readNumber(text: string): number {
  if (text.endsWith("Inf")) {
    return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return text === "NaN" ? Number.NaN : Number(text);
}

function checkFamily({ name, type, samples }: OpenMetricsFamily): void {
  if (type === "counter" && samples.some(({ value }) => !(value >= 0))) {
    throw new Error(`${name}: a counter below zero`);
  }
  if (type !== "histogram") return;
  let last = { le: Number.NEGATIVE_INFINITY, value: 0 };
  for (const sample of samples) {
    if (sample.name === `${name}_bucket`) {
      const le = readNumber(sample.labels.le ?? "");
      if (le <= last.le || sample.value < last.value) throw new Error(`${name}: buckets fall`);
      last = { le, value: sample.value };
    } else if (sample.name === `${name}_count`) {
      if (last.le !== Number.POSITIVE_INFINITY || last.value !== sample.value) {
        throw new Error(`${name}: the last bucket is not the count`);
      }
      last = { le: Number.NEGATIVE_INFINITY, value: 0 };
    }
  }
}
