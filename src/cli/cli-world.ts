/**
 * All that the command line sees of the outside. `main.ts` passes the real one in, tests one of their own; nothing below
 * `src/cli` reaches for the process.
 */
import type { LoadedConfig } from "#config/load-config.ts";
import type { Clock } from "#platform/clock.ts";
import type { LocalFiles } from "#platform/local-files.ts";
import type { Machine } from "#platform/machine.ts";
import type { Network } from "#platform/network.ts";
import type { Terminal } from "#platform/terminal.ts";

export interface CliWorld {
  /** Without the program's own name. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly workingDirectory: string;
  readonly terminal: Terminal;
  readonly files: LocalFiles;
  readonly machine: Machine;
  readonly network: Network;
  readonly clock: Clock;
}

export interface ConfigRequest {
  /** The file of `--config`; undefined looks in the usual places. */
  readonly file: string | undefined;
  /** The values of `--set`. */
  readonly settings: readonly string[];
}

/** What the command line delegates to parts that it may not know. */
export interface CliParts {
  readonly version: string;
  /** Runs the daemon until it is told to stop; resolves to the exit code. */
  serve(request: ConfigRequest): Promise<number>;
  /** The settings as a daemon would load them here. Throws `config-invalid` or `config-missing`. */
  loadConfig(request: ConfigRequest): LoadedConfig;
}
