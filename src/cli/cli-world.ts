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

/** Something damaged on a store path that no node serves. */
export interface DamagedPlace {
  /** `HH/HH/base`, of a part of a trunk file `HH/HH/base@offset`. */
  readonly place: string;
  readonly damage:
    | ("size" | "content" | "changed-silently" | "unreadable")
    | ("slot-content" | "slot-header");
  readonly sizeBytes: number;
  readonly crc32: number | undefined;
  /** Of a packed file, where it is known. */
  readonly name: string | undefined;
}

export interface DirectoryTally {
  readonly files: number;
  readonly bytes: number;
  readonly good: number;
  readonly unknown: number;
  readonly damaged: number;
  readonly unreadable: number;
  readonly unsteady: number;
  readonly foreign: number;
  readonly closedDirectories: number;
}

export interface DirectoryProgress {
  readonly directories: number;
  readonly directoriesTotal: number;
  readonly tally: DirectoryTally;
}

/** What reading all of a store path that no node serves has found. */
export interface DirectoryReport {
  readonly data: string;
  readonly tally: DirectoryTally;
  readonly damaged: readonly DamagedPlace[];
  readonly strange: readonly DamagedPlace[];
  /** Whether names of packed files could be compared with a binlog. */
  readonly names: "all" | "part" | "none";
}

/** How the root helper is started. */
export interface HelperCommandOptions {
  /** Over standard input and output; else on `listen`, or on the socket that systemd passed. */
  readonly stdio: boolean;
  readonly listen: string | undefined;
  readonly mountDirectory: string;
  readonly stateDirectory: string;
  readonly owner: string | undefined;
}

/** What the command line delegates to parts that it may not know. */
export interface CliParts {
  readonly version: string;
  /** Runs the daemon until it is told to stop; resolves to the exit code. */
  serve(request: ConfigRequest): Promise<number>;
  /** Looks at disks for the daemon until its standard input ends, or says what a package knows of them; resolves to the exit code. */
  probe(packageName: string | undefined): Promise<number>;
  /** Reads a foreign disk for the daemon, and stores its files; resolves to the exit code. */
  importFiles(): Promise<number>;
  /** Touches disks for the daemon until nobody wants it any more; resolves to the exit code. */
  helper(options: HelperCommandOptions): Promise<number>;
  /** Reads all of a store path that no node serves, in steps. Throws `store-path-unfit` and `FileError`. */
  scrubDirectory(directory: string): Generator<DirectoryProgress, DirectoryReport>;
  /** The settings as a daemon would load them here. Throws `config-invalid` or `config-missing`. */
  loadConfig(request: ConfigRequest): LoadedConfig;
}
