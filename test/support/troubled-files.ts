/** `Files` that stop or fail at a chosen call, so that a test can try every call of an operation in turn. */
import { FileError, type Files } from "#platform/files.ts";

/** What a process that was killed would have thrown, if it could. Nobody catches it. */
export class Stopped extends Error {
  constructor() {
    super("the process was killed here");
    this.name = "Stopped";
  }
}

export type Trouble =
  | { readonly kind: "none" }
  /** Nothing happens any more from this call on; a write that it hits is half done. */
  | { readonly kind: "stop"; readonly atCall: number }
  /** This one call fails. */
  | { readonly kind: "fail"; readonly atCall: number; readonly code: string };

/** Calls that only look: nothing is lost by stopping before them, and they cannot run out of room. */
const looks: readonly string[] = [
  ...["stat", "statDescriptor", "list", "readLink", "space", "claim", "isRotational", "mounting"],
];
const calls: readonly (keyof Files)[] = [
  ...["open", "close", "read", "readOnce", "write", "truncate", "flush", "flushDirectory"],
  ...["setModified", "rename", "remove", "removeDirectory", "makeDirectory", "makeLink", "expand"],
  "makeHardLink",
] as readonly (keyof Files)[];

export class TroubledFiles {
  /** To be given to the engine. */
  readonly files: Files;
  /** Calls since `arm`. */
  count = 0;
  /** What was called since `arm`, for messages. */
  readonly trace: string[] = [];
  #trouble: Trouble = { kind: "none" };

  constructor(inner: Files) {
    this.files = Object.create(inner) as Files;
    const methods = inner as unknown as Record<string, (...values: unknown[]) => unknown>;
    for (const name of [...calls, ...looks]) {
      const call = methods[name]?.bind(inner);
      if (call === undefined) throw new Error(`Files has no ${name}`);
      const around = (...values: unknown[]): unknown => this.#run(name, call, values);
      Object.defineProperty(this.files, name, { value: around });
    }
  }

  /** Counts from here on. */
  arm(trouble: Trouble): void {
    this.#trouble = trouble;
    this.count = 0;
    this.trace.length = 0;
  }

  #run(name: string, call: (...values: unknown[]) => unknown, values: unknown[]): unknown {
    if (looks.includes(name)) return call(...values);
    const trouble = this.#trouble;
    this.count += 1;
    this.trace.push(name);
    if (trouble.kind === "stop" && this.count >= trouble.atCall) {
      const bytes = values[1];
      if (this.count === trouble.atCall && name === "write" && bytes instanceof Uint8Array) {
        call(values[0], bytes.subarray(0, Math.floor(bytes.length / 2)), values[2]);
      }
      throw new Stopped();
    }
    // A close that fails has closed all the same.
    if (trouble.kind === "fail" && this.count === trouble.atCall && name !== "close") {
      throw new FileError(trouble.code, `${trouble.code}: injected into ${name}`);
    }
    return call(...values);
  }
}
