/**
 * One line for each request of a client, in the original's format (protocol §5.4):
 * `[time] address action filename status milliseconds requestBytes replyBytes`. The time is UTC, as in our other logs; the
 * original writes the local one, which summer time repeats for an hour a year.
 */
import type { Clock } from "#platform/clock.ts";

export type AccessAction =
  | "upload"
  | "download"
  | "delete"
  | "get_metadata"
  | "set_metadata"
  | "query"
  | "append"
  | "modify"
  | "truncate"
  | "rename"
  | "link";

export interface AccessRecord {
  readonly peer: string;
  readonly action: AccessAction;
  /** `group/name`, or `old=>new` for a rename. */
  readonly file: string;
  readonly status: number;
  readonly startedMs: number;
  readonly requestBytes: number;
  readonly replyBytes: number;
}

export class AccessLog {
  readonly #clock: Clock;
  readonly #write: (line: string) => void;

  constructor(clock: Clock, write: (line: string) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  add(record: AccessRecord): void {
    const elapsed = Math.max(0, this.#clock.monotonicMs() - record.startedMs);
    const time = new Date(this.#clock.nowMs()).toISOString().slice(0, 19).replace("T", " ");
    this.#write(
      `[${time}] ${record.peer} ${record.action} ${printable(record.file)} ${record.status} ` +
        `${Math.round(elapsed)} ${record.requestBytes} ${record.replyBytes}\n`,
    );
  }
}

/** A foreign name must not forge a line. */
function printable(name: string): string {
  let text = "";
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0;
    text += code <= 0x20 || code === 0x7f ? "?" : character;
  }
  return text;
}
