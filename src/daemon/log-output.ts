/** Where log records go: lines on standard error, in the form that suits who reads there; the level can change at run time. */
import { type LogLevel, type LogRecord, type LogSink, levelPasses } from "#base/log.ts";
import { formatLogLine, type LineOptions, type LogFormat } from "#base/log-format.ts";
import type { Clock } from "#platform/clock.ts";
import type { Host } from "#platform/host.ts";

export class LogOutput {
  readonly #host: Host;
  readonly #clock: Clock;
  readonly #options: LineOptions;
  level: LogLevel;

  constructor(
    host: Host,
    clock: Clock,
    settings: { readonly level: LogLevel; readonly format: LogFormat | "auto" },
  ) {
    this.#host = host;
    this.#clock = clock;
    this.level = settings.level;
    const journal = host.environment.JOURNAL_STREAM !== undefined;
    const automatic = host.interactive && !journal ? "pretty" : "logfmt";
    this.#options = {
      format: settings.format === "auto" ? automatic : settings.format,
      journal,
      colour: host.interactive && host.environment.NO_COLOR === undefined,
    };
  }

  readonly sink: LogSink = (record: LogRecord) => {
    if (!levelPasses(record.level, this.level)) return;
    this.#host.writeError(formatLogLine(record, this.#clock.nowMs(), this.#options));
  };
}
