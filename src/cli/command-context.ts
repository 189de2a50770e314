/** What a running command works with: its arguments, the world, where it prints, and the servers that the options name. */
import { resolve } from "node:path/posix";
import { describeError } from "#base/app-error.ts";
import type { CliParts, CliWorld, ConfigRequest } from "#cli/cli-world.ts";
import type { CommandGroup } from "#cli/command.ts";
import { ControlClient } from "#cli/control-client.ts";
import type { Output } from "#cli/output.ts";
import { type ParsedArguments, usageError } from "#cli/parse-arguments.ts";
import { chooseTrackers } from "#cli/trackers.ts";
import { FastdfsClient } from "#client/fastdfs-client.ts";
import type { LoadedConfig } from "#config/load-config.ts";
import type { Endpoint } from "#model/endpoint.ts";

export interface ContextParts {
  readonly arguments: ParsedArguments;
  readonly world: CliWorld;
  readonly parts: CliParts;
  readonly output: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** All of them, for help and completion. */
  readonly groups: readonly CommandGroup[];
}

export class CommandContext {
  readonly arguments: ParsedArguments;
  readonly world: CliWorld;
  readonly parts: CliParts;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly groups: readonly CommandGroup[];
  #client: FastdfsClient | undefined;

  constructor(parts: ContextParts) {
    this.arguments = parts.arguments;
    this.world = parts.world;
    this.parts = parts.parts;
    this.output = parts.output;
    this.signal = parts.signal;
    this.groups = parts.groups;
  }

  /** The `at`th argument, which the command's declaration requires. */
  positional(at: number): string {
    const text = this.arguments.positionals[at];
    if (text === undefined) throw usageError("an argument is missing");
    return text;
  }

  /** Absolute; relative paths start from the working directory. */
  path(text: string): string {
    return resolve(this.world.workingDirectory, text);
  }

  get configRequest(): ConfigRequest {
    const fromEnvironment = this.world.environment.CAIRN_CONFIG;
    const file = this.arguments.value("config") ?? (fromEnvironment || undefined);
    return { file, settings: this.arguments.values("set") };
  }

  /** The settings here, or undefined with a warning when they are not valid: only defaults are taken from them. */
  configForDefaults(): LoadedConfig | undefined {
    try {
      return this.parts.loadConfig(this.configRequest);
    } catch (error) {
      this.output.warn(`the settings are not used: ${describeError(error)}`);
      return undefined;
    }
  }

  /** The trackers to ask; throws `usage` for addresses that are none. */
  trackers(): readonly Endpoint[] {
    return chooseTrackers({
      options: this.arguments.values("tracker"),
      variable: this.world.environment.CAIRN_TRACKERS,
      config: () => this.configForDefaults()?.config,
    });
  }

  /** One client for the whole command. */
  client(): FastdfsClient {
    const { network, clock } = this.world;
    this.#client ??= new FastdfsClient({ trackers: this.trackers(), network, clock });
    return this.#client;
  }

  controlClient(): ControlClient {
    const { network, clock, environment } = this.world;
    const named = this.arguments.value("socket") ?? (environment.CAIRN_SOCKET || undefined);
    const path = named === undefined ? this.#configuredSocket() : this.path(named);
    return new ControlClient({ network, clock, path });
  }

  /** Asks the person before something is lost; throws `usage` where nobody can be asked. */
  async confirm(question: string): Promise<boolean> {
    if (this.arguments.has("yes")) return true;
    const { terminal } = this.world;
    if (!terminal.inputIsTerminal || !terminal.errorIsTerminal) {
      throw usageError(`${question} Nobody can be asked here: say --yes`);
    }
    const answer = await terminal.ask(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  }

  close(): void {
    this.#client?.close();
  }

  #configuredSocket(): string {
    const config = this.configForDefaults()?.config;
    return config?.node.controlSocket ?? this.path("data/cairn.sock");
  }
}
