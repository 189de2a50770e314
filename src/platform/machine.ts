/** The machine as `cairn doctor` looks at it. */

export interface OpenFilesLimit {
  /** What this process may have open; undefined where there is no limit. */
  readonly soft: number | undefined;
  /** What it may raise that to. */
  readonly hard: number | undefined;
}

export interface Machine {
  /** Of Node: `26.10.0`. */
  readonly runtimeVersion: string;
  /** `Linux 6.12.5 x64`. */
  readonly system: string;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  /** Undefined where the system does not tell. */
  openFilesLimit(): Promise<OpenFilesLimit | undefined>;
  /** Whether the system's clock is kept by a time server; undefined where nobody says. */
  clockIsSynchronized(): Promise<boolean | undefined>;
}
