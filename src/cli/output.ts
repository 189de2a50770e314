/** Data to standard output, messages to standard error: text for people, or one JSON value for programs. */
import { AppError, describeError } from "#base/app-error.ts";
import { type Style, styleFor } from "#cli/render/style.ts";
import type { Terminal } from "#platform/terminal.ts";

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** For data. */
  readonly style: Style;
  /** For messages. */
  readonly messageStyle: Style;
  readonly #terminal: Terminal;

  constructor(terminal: Terminal, options: OutputOptions) {
    this.json = options.json;
    this.quiet = options.quiet;
    this.#terminal = terminal;
    this.style = styleFor(terminal.outputIsTerminal, options.environment);
    this.messageStyle = styleFor(terminal.errorIsTerminal, options.environment);
  }

  /** Whether a line that changes is of use on standard error. */
  get showsProgress(): boolean {
    return this.#terminal.errorIsTerminal && !this.quiet && !this.json;
  }

  async lines(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.#terminal.writeOutput(`${lines.join("\n")}\n`);
  }

  async value(value: unknown): Promise<void> {
    await this.#terminal.writeOutput(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** What is good to know; not with `--quiet`. */
  note(text: string): void {
    if (!this.quiet) this.#terminal.writeError(`${printable(text)}\n`);
  }

  warn(text: string): void {
    const mark = this.messageStyle.warning("warning:");
    this.#terminal.writeError(`cairn: ${mark} ${printable(text)}\n`);
  }

  error(error: unknown): void {
    const mark = this.messageStyle.bad("error:");
    this.#terminal.writeError(`cairn: ${mark} ${printable(errorText(error))}\n`);
  }
}

/** What went wrong, for people: our own messages say it all, others come with what caused them. */
export function errorText(error: unknown): string {
  return error instanceof AppError ? error.message : describeError(error);
}

/** As programs get it. */
export function errorValue(error: unknown): { readonly code: string; readonly message: string } {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return { code: typeof code === "string" ? code : "internal-error", message: errorText(error) };
}

/** Control characters that came from elsewhere must not steer a person's terminal; line ends and tabs stay. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "?");
}
