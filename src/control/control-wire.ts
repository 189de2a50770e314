/**
 * The conversation over the control socket: one JSON value a line, UTF-8. A request is `{id, operation, input}`, its reply
 * `{id, ok: true, output}` or `{id, ok: false, error: {code, message, details}}`. Replies come in any order. Pure.
 */
import { AppError } from "#base/app-error.ts";
import { flag, optional, readShape, record, type Shape, text, wholeNumber } from "#base/schema.ts";
import { controlError } from "#control/errors.ts";

/** Requests are small; replies hold at most every setting, or every storage of a cluster. */
export const maxRequestBytes = 64 * 1024;
export const maxReplyBytes = 16 * 1024 * 1024;

export interface ControlRequest {
  /** Comes back in the reply; the caller's choice. */
  readonly id: number;
  readonly operation: string;
  readonly input: unknown;
}

export interface ControlFailure {
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
}

export type ControlReply =
  | { readonly id: number; readonly ok: true; readonly output: unknown }
  | { readonly id: number; readonly ok: false; readonly error: ControlFailure };

/** With its line end. */
export function encodeMessage(message: ControlRequest | ControlReply): Buffer {
  return Buffer.from(`${JSON.stringify(message)}\n`);
}

const anything: Shape<unknown> = {
  says: "anything",
  optional: true,
  read: (value) => value,
};

const requestShape = record({
  id: wholeNumber(),
  operation: text({ maxLength: 100 }),
  input: anything,
});

const replyShape = record({
  id: wholeNumber(),
  ok: flag(),
  output: anything,
  error: optional(
    record({
      code: text({ maxLength: 100 }),
      message: text({ maxLength: 65_536 }),
      details: anything,
    }),
  ),
});

/** Throws `control-malformed`. An input that is left out is an empty record. */
export function parseRequest(line: string): ControlRequest {
  const { id, operation, input } = parseLine(line, requestShape, "refuse");
  return { id, operation, input: input ?? {} };
}

/** Throws `control-malformed`. */
export function parseReply(line: string): ControlReply {
  const { id, ok, output, error } = parseLine(line, replyShape, "drop");
  if (ok) return { id, ok, output };
  if (error === undefined) throw controlError("control-malformed", "a failure without an error");
  return { id, ok, error };
}

/** What the caller gets to know of an error. The inner ones stay in the log. */
export function failureOf(error: unknown): ControlFailure {
  if (!(error instanceof AppError)) {
    return { code: "internal-error", message: "the daemon failed; its log says why" };
  }
  const { code, message, details } = error;
  return Object.keys(details).length === 0 ? { code, message } : { code, message, details };
}

function parseLine<T>(line: string, shape: Shape<T>, surplus: "refuse" | "drop"): T {
  try {
    const value: unknown = JSON.parse(line);
    return readShape(shape, value, { what: "message", surplus });
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof AppError)) throw error;
    throw controlError("control-malformed", `not understood: ${error.message}`, error);
  }
}

const lineFeed = 0x0a;

/** Cuts received bytes into lines. */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #held = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that `chunk` completes, without line ends; empty ones are left out. Throws `control-malformed` at a long one. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(lineFeed, start);
      const part = chunk.subarray(start, end < 0 ? chunk.length : end);
      this.#held += part.length;
      if (this.#held > this.#maxBytes) {
        throw controlError("control-malformed", `a line is longer than ${this.#maxBytes} bytes`);
      }
      if (part.length > 0) this.#parts.push(Buffer.from(part));
      if (end < 0) return lines;
      const line = Buffer.concat(this.#parts).toString("utf8").trim();
      this.#parts = [];
      this.#held = 0;
      if (line !== "") lines.push(line);
      start = end + 1;
    }
  }
}
