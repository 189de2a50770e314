/** A payload on its way from one connection to another: all of it, in order, without more in memory than was not taken yet. */
import { expect, test } from "vitest";
import type { ByteFlow, ByteSink } from "#net/byte-flow.ts";
import { FlowSource } from "#net/flow-source.ts";

/** Brings chunks of one buffer, which is used again for each, as a socket's is. */
class Flow implements ByteFlow {
  readonly length: number;
  readonly #chunks: readonly string[];
  readonly #shared = Buffer.alloc(16);
  #sink: ByteSink | undefined;
  #at = 0;
  #done: () => void = () => {};
  #broken: (error: Error) => void = () => {};

  constructor(chunks: readonly string[], length = chunks.join("").length) {
    this.#chunks = chunks;
    this.length = length;
  }

  get brought(): number {
    return this.#at;
  }

  get #isWhole(): boolean {
    return this.length === this.#chunks.join("").length;
  }

  drainTo(sink: ByteSink): Promise<void> {
    this.#sink = sink;
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#broken = reject;
      if (this.length === 0) resolve();
      this.resume();
    });
  }

  resume(): void {
    const chunk = this.#chunks[this.#at];
    if (chunk === undefined) return;
    this.#at += 1;
    const view = this.#shared.subarray(0, chunk.length);
    view.write(chunk);
    const goOn = this.#sink?.write(view);
    if (this.#at === this.#chunks.length && this.#isWhole) this.#done();
    else if (goOn === true) this.resume();
  }

  /** As if that had been all. */
  end(): void {
    this.#done();
  }

  fail(error: Error): void {
    this.#broken(error);
  }
}

function taken(flow: Flow): { source: FlowSource; ends: boolean[] } {
  const ends: boolean[] = [];
  return { source: new FlowSource(flow, (isWhole) => ends.push(isWhole)), ends };
}

async function nextText(source: FlowSource): Promise<string | undefined> {
  const piece = await source.next();
  return piece === undefined ? undefined : Buffer.from(piece.bytes).toString();
}

test("all comes in order, one chunk ahead of whoever takes it", async () => {
  const flow = new Flow(["one", "two", "three", "four"]);
  const { source, ends } = taken(flow);
  expect(source.length).toBe(15);
  expect(flow.brought).toBe(0);
  expect(await nextText(source)).toBe("one");
  await new Promise((resolve) => setImmediate(resolve));
  expect(flow.brought).toBe(2);
  expect(await nextText(source)).toBe("two");
  expect(await nextText(source)).toBe("three");
  expect(await nextText(source)).toBe("four");
  expect(ends).toEqual([]);
  expect(await nextText(source)).toBeUndefined();
  expect(ends).toEqual([true]);
  source.close();
  expect(ends).toEqual([true]);
});

test("whoever has taken all of it need not ask for more", async () => {
  const { source, ends } = taken(new Flow(["all"]));
  expect(await nextText(source)).toBe("all");
  source.close();
  expect(ends).toEqual([true]);
});

test("nothing at all is whole", async () => {
  const { source, ends } = taken(new Flow([]));
  expect(await nextText(source)).toBeUndefined();
  expect(ends).toEqual([true]);
});

test("what breaks off, or is not wanted any more, ends as not whole", async () => {
  const flow = new Flow(["one"], 6);
  const { source, ends } = taken(flow);
  expect(await nextText(source)).toBe("one");
  const next = nextText(source);
  flow.fail(new Error("the peer has gone"));
  await expect(next).rejects.toThrow("the peer has gone");
  expect(ends).toEqual([false]);
  await expect(nextText(source)).rejects.toThrow("the peer has gone");

  const given = taken(new Flow(["one", "two"]));
  expect(await nextText(given.source)).toBe("one");
  given.source.close();
  expect(given.ends).toEqual([false]);
  expect(await nextText(given.source)).toBeUndefined();

  const short = new Flow(["one"], 6);
  const less = taken(short);
  expect(await nextText(less.source)).toBe("one");
  short.end();
  await expect(nextText(less.source)).rejects.toMatchObject({ code: "flow-broken" });

  const never = taken(new Flow(["one"]));
  never.source.close();
  expect(never.ends).toEqual([false]);
});
