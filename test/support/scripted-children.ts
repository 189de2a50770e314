/** Children that a test plays the part of: what was written to them is kept, what they say and how they end is the test's. */
import type { Child, Children } from "#platform/children.ts";

export class ScriptedChild implements Child {
  readonly processId: number;
  /** The program, with its parameters. */
  readonly words: readonly string[];
  readonly written: string[] = [];
  isAbandoned = false;
  onOutput: (bytes: Uint8Array) => void = () => {};
  onEnd: (why: string) => void = () => {};
  /** Told at each text that is written to it. */
  onWrite: (text: string) => void = () => {};

  constructor(processId: number, words: readonly string[]) {
    this.processId = processId;
    this.words = words;
  }

  write(text: string): void {
    this.written.push(text);
    this.onWrite(text);
  }

  abandon(): void {
    this.isAbandoned = true;
  }

  say(text: string): void {
    if (!this.isAbandoned) this.onOutput(Buffer.from(text));
  }

  end(why: string): void {
    if (!this.isAbandoned) this.onEnd(why);
  }
}

export class ScriptedChildren implements Children {
  readonly started: ScriptedChild[] = [];
  /** Told of each child as it is started. */
  onStart: (child: ScriptedChild) => void = () => {};

  start(program: string, parameters: readonly string[]): Child {
    return this.#add([program, ...parameters]);
  }

  startSelf(parameters: readonly string[]): Child {
    return this.#add(["self", ...parameters]);
  }

  /** The latest. */
  get last(): ScriptedChild {
    const child = this.started.at(-1);
    if (child === undefined) throw new Error("no child was started");
    return child;
  }

  #add(words: readonly string[]): Child {
    const child = new ScriptedChild(1000 + this.started.length, words);
    this.started.push(child);
    this.onStart(child);
    return child;
  }
}
