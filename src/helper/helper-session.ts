/**
 * One conversation: lines come in, verbs run, lines go out. Whoever sends nonsense is told so; one whose lines are too long is cut off. What
 * changes a disk runs to its end also when nobody waits for the answer any more.
 */
import { AppError, describeError } from "#base/app-error.ts";
import { LineSplitter } from "#control/control-wire.ts";
import {
  type HelperReply,
  type HelperRequest,
  helperLimits,
  parseHelperRequest,
} from "#disks/helper-protocol.ts";
import { helperError } from "#helper/errors.ts";
import { HelperMemory } from "#helper/helper-memory.ts";
import type { HelperWorld } from "#helper/helper-world.ts";
import type { Verb, VerbCall } from "#helper/verb-call.ts";
import { verbTable } from "#helper/verb-table.ts";
import { WorkNotes } from "#helper/work-notes.ts";
import { WriteProtection } from "#helper/write-protection.ts";
import { FileError } from "#platform/files.ts";

/** Both ends of a stream, as a socket or a pair of pipes has them. */
export interface LineStream {
  write(text: string): void;
  /** Text that the other side has not taken yet. */
  readonly unsentBytes: number;
  end(): void;
}

/** What all sessions of a helper share. */
export interface HelperParts {
  readonly world: HelperWorld;
  readonly memory: HelperMemory;
  readonly notes: WorkNotes;
  readonly protection: WriteProtection;
}

export function helperParts(world: HelperWorld): HelperParts {
  return {
    world,
    memory: new HelperMemory(world.clock, world.random),
    notes: new WorkNotes(world.files, world.settings.stateDirectory),
    protection: new WriteProtection(world),
  };
}

export class HelperSession {
  readonly #stream: LineStream;
  readonly #parts: HelperParts;
  readonly #lines = new LineSplitter(helperLimits.maxRequestBytes);
  readonly #gone = new AbortController();
  #underWay = 0;
  #idle: () => void = () => {};

  constructor(stream: LineStream, parts: HelperParts) {
    this.#stream = stream;
    this.#parts = parts;
  }

  /** What came in. */
  receive(bytes: Uint8Array): void {
    if (this.#gone.signal.aborted) return;
    try {
      for (const line of this.#lines.push(bytes)) this.#take(line);
    } catch (error) {
      this.#fail(0, error);
      this.close();
      this.#stream.end();
    }
  }

  /** The other side is gone: readings end, and nothing is answered any more. */
  close(): void {
    this.#gone.abort(helperError("device-busy", "whoever asked is gone"));
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #take(line: string): void {
    let request: HelperRequest;
    try {
      request = parseHelperRequest(line);
    } catch (error) {
      const id = error instanceof AppError ? error.details.id : undefined;
      this.#fail(typeof id === "number" && Number.isSafeInteger(id) ? id : 0, error);
      return;
    }
    if (this.#underWay >= helperLimits.maxUnderWay) {
      const words = `${helperLimits.maxUnderWay} requests are under way: wait for an answer`;
      this.#fail(request.id, helperError("too-many-requests", words));
      return;
    }
    this.#underWay += 1;
    this.#run(request).then(
      (result) => this.#finish(() => this.#send({ id: request.id, ok: true, result })),
      (error: unknown) => this.#finish(() => this.#fail(request.id, error)),
    );
  }

  async #run({ id, verb, input }: HelperRequest): Promise<unknown> {
    const { world } = this.#parts;
    const call: VerbCall = {
      ...this.#parts,
      signal: this.#gone.signal,
      progress: (progress) => this.#send({ id, progress }),
    };
    if (verb !== "identify" && verb !== "smart") {
      world.log.notice("verb", { verb, disk: diskOf(input) });
    }
    // Sound because the table pairs each verb with its input.
    const run = verbTable[verb] as Verb<typeof verb> as (
      input: unknown,
      call: VerbCall,
    ) => Promise<unknown>;
    return await run(input, call);
  }

  #finish(answer: () => void): void {
    this.#underWay -= 1;
    answer();
    if (this.#underWay === 0) this.#idle();
  }

  #fail(id: number, error: unknown): void {
    const { log } = this.#parts.world;
    const isKnown = error instanceof AppError || error instanceof FileError;
    const why = describeError(error);
    if (isKnown) log.notice("verb-refused", { why });
    else log.error("verb-failed", { why, stack: error instanceof Error ? error.stack : undefined });
    const code = isKnown && error instanceof AppError ? error.code : "device-failed";
    const message = isKnown ? why : "the helper failed; its log says why";
    this.#send({ id, ok: false, code, message: message.slice(0, 4000) });
  }

  #send(reply: HelperReply): void {
    if (this.#gone.signal.aborted) return;
    if (this.#stream.unsentBytes > helperLimits.maxUnsentBytes) {
      this.close();
      this.#stream.end();
      return;
    }
    this.#stream.write(`${JSON.stringify(reply)}\n`);
  }
}

function diskOf(input: object): string | undefined {
  for (const key of ["disk", "device", "diskId"]) {
    const value = (input as Readonly<Record<string, unknown>>)[key];
    if (typeof value === "string") return value;
  }
  return undefined;
}
