/** QEMU's monitor: one JSON object a line, a question at a time, and events in between. */
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface QmpEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

interface Reply {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

const answerLimitMs = 120_000;

export class Qmp implements Disposable {
  readonly events: QmpEvent[] = [];
  readonly #socket: Socket;
  readonly #waiting: ((reply: Reply) => void)[] = [];
  #rest = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8").on("data", (text: string) => this.#take(text));
    const gone = { error: { class: "Gone", desc: "the emulator has ended" } };
    socket.on("close", () => {
      for (const answer of this.#waiting.splice(0)) answer(gone);
    });
    // What is under way is told by "close".
    socket.on("error", () => {});
  }

  /** QEMU may not listen yet. */
  static async connect(path: string, limitMs: number): Promise<Qmp> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      try {
        const qmp = new Qmp(await connected(path));
        await qmp.ask("qmp_capabilities");
        return qmp;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await pause(50);
      }
    }
  }

  /** Rejects with what QEMU says against it. */
  async ask(command: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const reply = await new Promise<Reply>((resolve) => {
      const limit = { error: { class: "Late", desc: "no answer in time" } };
      const timer = setTimeout(() => resolve(limit), answerLimitMs);
      this.#waiting.push((each) => {
        clearTimeout(timer);
        resolve(each);
      });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: parameters })}\n`);
    });
    if (reply.error !== undefined) throw new Error(`QEMU, ${command}: ${reply.error.desc}`);
    return reply.return;
  }

  /** The first event from the `since`th on that fits. */
  async event(
    fits: (event: QmpEvent) => boolean,
    { since = 0, limitMs }: { readonly since?: number; readonly limitMs: number },
  ): Promise<QmpEvent> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const found = this.events.slice(since).find(fits);
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error("QEMU did not tell it in time");
      await pause(20);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const value = JSON.parse(line) as QmpEvent & Reply;
      if (value.event !== undefined) this.events.push(value);
      else if (value.return !== undefined || value.error !== undefined) {
        this.#waiting.shift()?.(value);
      }
    }
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}
