/**
 * The daemon's side of the root helper: one connection, opened when it is needed and again when it was lost, on which several verbs may be
 * under way. Main thread.
 */
import { AppError } from "#base/app-error.ts";
import { readShape, type Shape } from "#base/schema.ts";
import { LineSplitter } from "#control/control-wire.ts";
import {
  helperLimits,
  helperVerbs,
  type Progress,
  parseHelperReply,
  type VerbInput,
  type VerbName,
  type VerbResult,
} from "#disks/helper-protocol.ts";
import type { Children } from "#platform/children.ts";
import type { Clock, Timer } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";

/** A way to the helper: a socket, or a child of ours. */
export interface HelperLine {
  onReceive: (bytes: Uint8Array) => void;
  /** Called once. */
  onClose: (why: string) => void;
  write(text: string): void;
  close(): void;
}

export type OpenHelperLine = () => Promise<HelperLine>;

export interface AskOptions {
  /** Without any sign of it for so long it counts as hanging; it goes on nevertheless. */
  readonly silenceMs: number;
  readonly progress?: (progress: Progress) => void;
}

interface Question {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly progress: (progress: Progress) => void;
  readonly silenceMs: number;
  timer: Timer;
}

const connectTimeoutMs = 5000;

export class HelperClient {
  readonly #open: OpenHelperLine;
  readonly #clock: Clock;
  readonly #questions = new Map<number, Question>();
  #line: Promise<HelperLine> | undefined;
  #lastId = 0;

  constructor(open: OpenHelperLine, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  /** Rejects with `helper-unreachable`, `helper-silent`, or what the helper refused with. */
  async ask<V extends VerbName>(
    verb: V,
    input: VerbInput<V>,
    options: AskOptions,
  ): Promise<VerbResult<V>> {
    const line = await this.#connected();
    this.#lastId += 1;
    const id = this.#lastId;
    const result = await new Promise<unknown>((resolve, reject) => {
      const { silenceMs, progress = () => {} } = options;
      const timer = this.#clock.after(silenceMs, () => this.#silent(id));
      this.#questions.set(id, { resolve, reject, progress, silenceMs, timer });
      line.write(`${JSON.stringify({ id, verb, ...input })}\n`);
    });
    const shape = helperVerbs[verb].result as unknown as Shape<VerbResult<V>>;
    return readShape(shape, result, { what: verb, surplus: "drop" });
  }

  /** What is under way is not waited for. */
  close(): void {
    const line = this.#line;
    this.#line = undefined;
    line?.then(
      (each) => each.close(),
      () => {},
    );
    this.#failAll("the connection to the helper was closed");
  }

  #connected(): Promise<HelperLine> {
    this.#line ??= this.#connect();
    return this.#line;
  }

  async #connect(): Promise<HelperLine> {
    try {
      const line = await this.#open();
      const lines = new LineSplitter(helperLimits.maxReplyBytes);
      line.onReceive = (bytes) => this.#receive(line, lines, bytes);
      line.onClose = (why) => {
        this.#line = undefined;
        this.#failAll(why);
      };
      return line;
    } catch (error) {
      this.#line = undefined;
      throw unreachable(error instanceof Error ? error.message : String(error));
    }
  }

  #receive(line: HelperLine, lines: LineSplitter, bytes: Uint8Array): void {
    try {
      for (const each of lines.push(bytes)) this.#answer(each);
    } catch (error) {
      this.#line = undefined;
      line.close();
      this.#failAll(error instanceof Error ? error.message : String(error));
    }
  }

  #answer(text: string): void {
    const reply = parseHelperReply(text);
    const question = this.#questions.get(reply.id);
    if (question === undefined) return;
    question.timer.cancel();
    if ("progress" in reply) {
      question.timer = this.#clock.after(question.silenceMs, () => this.#silent(reply.id));
      question.progress(reply.progress);
      return;
    }
    this.#questions.delete(reply.id);
    if (reply.ok) question.resolve(reply.result);
    else question.reject(new AppError(reply.code, reply.message));
  }

  #silent(id: number): void {
    const question = this.#questions.get(id);
    this.#questions.delete(id);
    question?.reject(
      new AppError(
        "helper-silent",
        "the helper does not answer: a disk may hang; look at the log of cairn-helper",
      ),
    );
  }

  #failAll(why: string): void {
    const questions = [...this.#questions.values()];
    this.#questions.clear();
    for (const { timer, reject } of questions) {
      timer.cancel();
      reject(unreachable(why));
    }
  }
}

function unreachable(why: string): AppError {
  return new AppError(
    "helper-unreachable",
    `the helper that may touch disks cannot be asked (${why}): is cairn-helper.socket enabled?`,
  );
}

/** The helper behind a Unix socket, as systemd starts it. */
export function helperAtSocket(network: Network, path: string): OpenHelperLine {
  return async () => {
    const connection = await network.connectPath({ path, timeoutMs: connectTimeoutMs });
    const line: HelperLine = {
      onReceive: () => {},
      onClose: () => {},
      write: (text) => connection.write(Buffer.from(text)),
      close: () => connection.destroy(),
    };
    connection.onReceive = (bytes) => line.onReceive(bytes);
    connection.onEnd = () => connection.end();
    connection.onClose = (error) => line.onClose(error?.message ?? "it closed the connection");
    return line;
  };
}

/** A helper of our own, where the daemon is root itself. */
export function helperAsChild(
  children: Children,
  directories: { readonly state: string; readonly mounts: string },
): OpenHelperLine {
  const { state, mounts } = directories;
  return async () => {
    const child = children.startSelf([
      ...["helper", "--stdio", "--state-directory", state],
      ...["--mount-directory", mounts],
    ]);
    const line: HelperLine = {
      onReceive: () => {},
      onClose: () => {},
      write: (text) => child.write(text),
      close: () => child.abandon(),
    };
    child.onOutput = (bytes) => line.onReceive(bytes);
    child.onEnd = (why) => line.onClose(why);
    return line;
  };
}
