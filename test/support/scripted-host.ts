/** A process and machine that a test writes the script of: files and environment come from it, and what is written is kept. */
import type { AppendFile, Host, ProcessUsage, SignalName } from "#platform/host.ts";

export class ScriptedHost implements Host {
  readonly processId = 42;
  readonly hostname = "box";
  workingDirectory = "/work";
  environment: Record<string, string | undefined> = {};
  interactive = false;
  /** By path. */
  readonly files = new Map<string, string>();
  readonly madeDirectories: string[] = [];
  /** What the service manager was told. */
  readonly notices: string[] = [];
  /** How the process was ended, where it was. */
  ended: number | "killed" | undefined;
  errors = "";
  output = "";
  resources: ProcessUsage = { residentBytes: 1000, cpuSeconds: 1.5, openDescriptors: 20 };
  readonly #handlers = new Map<SignalName, (() => void)[]>();

  writeError(text: string): void {
    this.errors += text;
  }

  writeOutput(text: string): void {
    this.output += text;
  }

  onSignal(name: SignalName, handler: () => void): void {
    this.#handlers.set(name, [...(this.#handlers.get(name) ?? []), handler]);
  }

  /** As the system would send it. */
  signal(name: SignalName): void {
    for (const handler of this.#handlers.get(name) ?? []) handler();
  }

  exit(code: number): never {
    this.ended = code;
    throw new Error(`the process ended with ${code}`);
  }

  killSelf(): void {
    this.ended = "killed";
  }

  usage(): ProcessUsage {
    return this.resources;
  }

  readText(path: string): string | undefined {
    return this.files.get(path);
  }

  readBytes(path: string): Uint8Array | undefined {
    const text = this.files.get(path);
    return text === undefined ? undefined : Buffer.from(text);
  }

  listDirectory(path: string): readonly string[] {
    const inside = [...this.files.keys()].filter((each) => each.startsWith(`${path}/`));
    return inside.map((each) => each.slice(path.length + 1)).sort();
  }

  makeDirectory(path: string): void {
    this.madeDirectories.push(path);
  }

  replaceFile(path: string, content: string | Uint8Array): void {
    this.files.set(
      path,
      typeof content === "string" ? content : Buffer.from(content).toString("latin1"),
    );
  }

  removeFile(path: string): boolean {
    return this.files.delete(path);
  }

  openAppend(path: string): AppendFile {
    return {
      write: (text) => this.files.set(path, (this.files.get(path) ?? "") + text),
      reopen: () => {},
      close: () => {},
    };
  }

  notify(state: string): void {
    this.notices.push(state);
  }
}
