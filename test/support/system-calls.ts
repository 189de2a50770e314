/** What a running process asks of the kernel, in order: `strace` attached to all its threads for a while. */
import { type ChildProcess, spawn } from "node:child_process";
import { programPath } from "./needs.ts";
import { until } from "./settled.ts";

export interface SystemCall {
  readonly name: string;
  /** Arguments as strace prints them, with the paths of descriptors. */
  readonly text: string;
  /** What it returned, or that it failed. */
  readonly result: string;
  /** Lines of the trace: a call happened before another one for certain where it ended before that one began. */
  readonly began: number;
  readonly ended: number;
}

/** Of what calls read and write, so many bytes are shown. */
const shownBytes = 160;

const attachLimitMs = 10_000;

export class CallTrace {
  readonly #child: ChildProcess;
  #output = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
    });
  }

  /** Resolves once every thread that runs is followed. */
  static async attach(
    pid: number,
    names: readonly string[],
    shown = shownBytes,
  ): Promise<CallTrace> {
    const what = ["-f", "-y", "-s", String(shown), "-e", `trace=${names.join(",")}`];
    const words = [...what, "-p", String(pid)];
    const child = spawn(programPath("strace") ?? "strace", words, {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const trace = new CallTrace(child);
    await until(() => trace.#output.includes("attached"), "strace is attached", attachLimitMs);
    // It names the threads one by one; those of a node are there within an instant.
    await new Promise((resolve) => setTimeout(resolve, 300));
    return trace;
  }

  /** Detaches, and gives the calls by when they returned. */
  async calls(): Promise<readonly SystemCall[]> {
    // What a call did can be seen before strace has heard of its return.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGINT");
    await ended;
    return parseCalls(this.#output);
  }
}

/** Lines of `strace -f`: `[pid 12] name(args) = result`, or begun in one line and resumed in another. Pure. */
export function parseCalls(output: string): readonly SystemCall[] {
  const begun = new Map<string, { readonly text: string; readonly line: number }>();
  const calls: SystemCall[] = [];
  for (const [number, line] of output.split("\n").entries()) {
    const found = /^(?:\[pid\s+(\d+)\] )?(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)$/.exec(line);
    if (found === null) continue;
    const [, pid = "main", resumed, started, rest = ""] = found;
    if (started !== undefined && rest.endsWith("<unfinished ...>")) {
      const text = rest.replace(/\s*<unfinished \.\.\.>$/, "");
      begun.set(pid, { text, line: number });
      continue;
    }
    const start = resumed === undefined ? undefined : begun.get(pid);
    const whole = `${start?.text ?? ""}${rest}`;
    // What returned after others were shown is set in columns.
    const end = /^(.*)\)\s+= (.*)$/.exec(whole);
    if (end === null) continue;
    const [, text = "", result = ""] = end;
    calls.push({
      name: started ?? resumed ?? "",
      text,
      result: result.trim(),
      began: start?.line ?? number,
      ended: number,
    });
  }
  return calls;
}
