/** The process and the machine that it runs on, as the daemon sees them. */
export type SignalName = "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGUSR2";

export interface ProcessUsage {
  readonly residentBytes: number;
  /** CPU time spent so far, user and system, in seconds. */
  readonly cpuSeconds: number;
  /** Descriptors open now; undefined where the system does not tell. */
  readonly openDescriptors: number | undefined;
}

export interface Host {
  readonly processId: number;
  readonly hostname: string;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** True when a person reads our messages. */
  readonly interactive: boolean;
  /** Text for people and for the journal; never fails. */
  writeError(text: string): void;
  writeOutput(text: string): void;
  onSignal(name: SignalName, handler: () => void): void;
  /** Ends the process now. */
  exit(code: number): never;
  /** Ends the process even though a thread of it hangs in the kernel, which an ordinary exit would wait for. */
  killSelf(): void;
  usage(): ProcessUsage;
  /** The text of a file, or undefined where there is none. Throws `FileError` where it cannot be read. */
  readText(path: string): string | undefined;
  readBytes(path: string): Uint8Array | undefined;
  /** Names in a directory, sorted; empty where there is none. */
  listDirectory(path: string): readonly string[];
  /** Makes a directory and those above it. */
  makeDirectory(path: string): void;
  /** Replaces a file as a whole or not at all, for this user's eyes alone; it is on stable storage when this returns. Throws `FileError`. */
  replaceFile(path: string, content: string | Uint8Array): void;
  /** False where nothing was. Throws `FileError`. */
  removeFile(path: string): boolean;
  /** A file that is only appended to; lines are on their way to the disk at most a second later. */
  openAppend(path: string): AppendFile;
  /** Tells the service manager; does nothing where there is none. Must not block. */
  notify(state: string): void;
}

export interface AppendFile {
  write(text: string): void;
  /** Continues in a new file of the same name, after somebody moved the old one away. */
  reopen(): void;
  close(): void;
}
