/**
 * Structured logging: a constant event name and data. Levels: `error` someone must act; `warn` we acted; `notice` a state
 * changed; `info` at most once a minute; `debug` off by default. Nothing at info or above on a request's path.
 */
export type LogLevel = "error" | "warn" | "notice" | "info" | "debug";

/** Values that a log line may carry. Bytes, secrets and whole requests are not among them. */
export type LogData = Readonly<Record<string, string | number | boolean | undefined>>;

export interface LogRecord {
  readonly level: LogLevel;
  /** Which part speaks, such as `storage` or `filestore`. */
  readonly area: string;
  readonly event: string;
  readonly data: LogData;
}

/** Where log records end up: stderr in the daemon, an array in tests. Must not throw. */
export type LogSink = (record: LogRecord) => void;

const order: Readonly<Record<LogLevel, number>> = {
  error: 0,
  warn: 1,
  notice: 2,
  info: 3,
  debug: 4,
};

/** True when a record of `level` passes where `limit` is the most talkative level wanted. */
export function levelPasses(level: LogLevel, limit: LogLevel): boolean {
  return order[level] <= order[limit];
}

export class Log {
  readonly #area: string;
  readonly #sink: LogSink;

  constructor(area: string, sink: LogSink) {
    this.#area = area;
    this.#sink = sink;
  }

  /** The same sink under another area. */
  for(area: string): Log {
    return new Log(area, this.#sink);
  }

  error(event: string, data: LogData = {}): void {
    this.#sink({ level: "error", area: this.#area, event, data });
  }
  warn(event: string, data: LogData = {}): void {
    this.#sink({ level: "warn", area: this.#area, event, data });
  }
  notice(event: string, data: LogData = {}): void {
    this.#sink({ level: "notice", area: this.#area, event, data });
  }
  info(event: string, data: LogData = {}): void {
    this.#sink({ level: "info", area: this.#area, event, data });
  }
  debug(event: string, data: LogData = {}): void {
    this.#sink({ level: "debug", area: this.#area, event, data });
  }
}

/** For promises whose failure changes nothing for anybody: says why, and leaves a trace at debug. */
export function ignore(promise: Promise<unknown>, log: Log, why: string): void {
  promise.catch((error: unknown) => log.debug("ignored-failure", { why, error: String(error) }));
}
