/** Programs of the system whose ends a test writes: by name and parameters, or missing. Every run is kept. */
import {
  type CommandEnd,
  type CommandOptions,
  type Commands,
  commandError,
} from "#platform/commands.ts";

export interface CommandCall {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly options: CommandOptions;
}

type Answer = (call: CommandCall) => Partial<CommandEnd> | Promise<Partial<CommandEnd>>;

export class ScriptedCommands implements Commands {
  readonly calls: CommandCall[] = [];
  readonly #answers = new Map<string, Answer>();

  /** What `program` prints from now on, or how it fails (the function throws). */
  answer(program: string, answer: Answer | Partial<CommandEnd>): this {
    this.#answers.set(program, typeof answer === "function" ? answer : () => answer);
    return this;
  }

  /** `smartctl -a /dev/sda`, a line a call. */
  get lines(): readonly string[] {
    return this.calls.map(({ program, parameters }) => [program, ...parameters].join(" "));
  }

  async run(
    program: string,
    parameters: readonly string[],
    options: CommandOptions,
  ): Promise<CommandEnd> {
    const call = { program, parameters, options };
    this.calls.push(call);
    const answer = this.#answers.get(program);
    if (answer === undefined) {
      throw commandError("command-missing", `there is no program ${program} in this test`);
    }
    return { code: 0, stdout: "", stderr: "", ...(await answer(call)) };
  }
}
