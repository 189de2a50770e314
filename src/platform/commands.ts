/**
 * Other people's programs, each a short-lived child process: never through a shell, never without a deadline. Whoever calls them passes
 * arguments that it has checked; what they print is foreign text, and bounded.
 */
import { AppError } from "#base/app-error.ts";

export interface CommandOptions {
  /** After so many milliseconds it is ended, first politely; one that the kernel holds is left behind. */
  readonly deadlineMs: number;
  /** More on either output ends it. */
  readonly maxOutputBytes: number;
  /** Given to its standard input. */
  readonly input?: string;
  readonly signal?: AbortSignal;
}

export interface CommandEnd {
  /** Undefined where a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Commands {
  /**
   * Runs `program`, a name to be looked for in the system's directories or an absolute path. Resolves however the program judges
   * its own work (`code`); rejects with `AppError`: `command-missing` where there is no such program, `command-hung` at
   * the deadline (and at most two seconds after it, while it is ended), `command-output-too-large`, `command-not-started`; and with the
   * signal's reason.
   */
  run(program: string, parameters: readonly string[], options: CommandOptions): Promise<CommandEnd>;
}

export type CommandErrorCode =
  | "command-missing"
  | "command-hung"
  | "command-output-too-large"
  /** The system had no room for another process, or the parameters were too long. */
  | "command-not-started";

/** `details` say of which program, and of one that hung whether it was `abandoned` in the kernel. */
export function commandError(
  code: CommandErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): AppError<CommandErrorCode> {
  return new AppError(code, message, { details });
}
