/** How log records become lines: for the journal, for a person, for a machine. Pure. */
import type { LogData, LogLevel, LogRecord } from "#base/log.ts";

export type LogFormat = "logfmt" | "json" | "pretty";

/** syslog's numbers, which the journal understands as `<N>` in front of a line. */
const priorities: Readonly<Record<LogLevel, number>> = {
  error: 3,
  warn: 4,
  notice: 5,
  info: 6,
  debug: 7,
};

const colours: Readonly<Record<LogLevel, string>> = {
  error: "\u001b[31m",
  warn: "\u001b[33m",
  notice: "\u001b[32m",
  info: "",
  debug: "\u001b[2m",
};
const plain = "\u001b[0m";

export interface LineOptions {
  readonly format: LogFormat;
  /** The journal adds the time by itself and reads the priority from the line. */
  readonly journal: boolean;
  readonly colour: boolean;
}

/** One line with its line end. */
export function formatLogLine(record: LogRecord, nowMs: number, options: LineOptions): string {
  const time = new Date(nowMs).toISOString();
  const { level, area, event, data } = record;
  if (options.format === "json") {
    return `${JSON.stringify({ time, level, area, event, ...data })}\n`;
  }
  if (options.format === "pretty") {
    const colour = options.colour ? colours[level] : "";
    const end = colour === "" ? "" : plain;
    const name = level.toUpperCase().padEnd(6);
    return `${time.slice(11, 23)} ${colour}${name}${end} ${area}: ${event}${fields(data)}\n`;
  }
  const head = options.journal ? `<${priorities[level]}>` : `time=${time} level=${level} `;
  return `${head}area=${area} event=${event}${fields(data)}\n`;
}

function fields(data: LogData): string {
  let text = "";
  for (const [name, value] of Object.entries(data)) {
    if (value !== undefined) text += ` ${name}=${quoted(value)}`;
  }
  return text;
}

/** Foreign text must not break a line or forge a field. */
function quoted(value: string | number | boolean): string {
  const text = String(value);
  return /^[\w./:@+,%-]+$/.test(text) ? text : JSON.stringify(text);
}
