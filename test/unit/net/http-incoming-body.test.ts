/** A request's payload between Node's stream and the sink of its taker. */
import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { netError } from "#net/errors.ts";
import { IncomingBody } from "#net/http-incoming-body.ts";
import { turns } from "../../support/settled.ts";

/** What Node's stream does that matters here: it flows while somebody listens and nobody paused it. */
class FakeStream extends EventEmitter {
  complete = false;
  destroyed = false;
  paused = false;

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  give(text: string): void {
    this.emit("data", Buffer.from(text));
  }

  end(): void {
    this.complete = true;
    this.emit("end");
    this.emit("close");
  }
}

interface Fixture {
  readonly stream: FakeStream;
  readonly body: IncomingBody;
  readonly asked: string[];
  readonly received: string[];
  goOn: boolean;
}

function make(length: number | undefined, waits = false): Fixture {
  const stream = new FakeStream();
  const asked: string[] = [];
  const body = new IncomingBody(stream, {
    length,
    onFirstRead: waits ? () => asked.push("continue") : undefined,
    onBytes: () => {},
  });
  return { stream, body, asked, received: [], goOn: true };
}

function drain(fixture: Fixture): Promise<string> {
  const sink = {
    write(chunk: Uint8Array): boolean {
      fixture.received.push(Buffer.from(chunk).toString());
      return fixture.goOn;
    },
  };
  return fixture.body.drainTo(sink).then(
    () => "done",
    (error: { code: string }) => error.code,
  );
}

test("bytes go to the sink, which slows the stream down", async () => {
  const fixture = make(undefined);
  const { stream, body, received } = fixture;
  const outcome = drain(fixture);
  fixture.goOn = false;
  stream.give("a");
  expect([stream.paused, body.awaited]).toEqual([true, false]);
  body.resume();
  expect([stream.paused, body.awaited]).toEqual([false, true]);
  stream.give("b");
  stream.end();
  expect([await outcome, received, body.receivedBytes]).toEqual(["done", ["a", "b"], 2]);
  expect(body.needsClose).toBe(false);
});

test("a client that waits is told to go on by the first taker only", async () => {
  const fixture = make(5, true);
  expect([fixture.asked, fixture.body.needsClose]).toEqual([[], true]);
  const outcome = drain(fixture);
  expect(await drain(fixture)).toBe("flow-broken");
  fixture.stream.end();
  expect([await outcome, fixture.asked]).toEqual(["done", ["continue"]]);
});

test("a stream that breaks is told once, and nothing comes after", async () => {
  for (const how of ["close", "error"] as const) {
    const fixture = make(10);
    const outcome = drain(fixture);
    fixture.stream.emit(how, new Error("reset"));
    fixture.stream.emit("error", new Error("again"));
    fixture.stream.give("late");
    expect([await outcome, fixture.received]).toEqual(["flow-broken", []]);
  }
});

test("a stream that is gone before anybody takes it is broken", async () => {
  const fixture = make(10);
  fixture.stream.destroyed = true;
  expect(await drain(fixture)).toBe("flow-broken");
});

test("the taker of an abandoned or failed payload gets no more", async () => {
  const abandoned = make(10);
  const outcome = drain(abandoned);
  abandoned.body.abandon();
  abandoned.stream.give("late");
  expect([await outcome, abandoned.received]).toEqual(["flow-broken", []]);
  const slow = make(10);
  const failure = drain(slow);
  slow.body.fail(netError("peer-silent", "too slow"));
  expect(await failure).toBe("peer-silent");
  const untouched = make(10);
  untouched.body.abandon();
  expect(await drain(untouched)).toBe("flow-broken");
  await turns();
});

test("what nobody took costs the connection only where it is large or of unknown length", () => {
  const needsClose = (length: number | undefined, complete: boolean): boolean => {
    const { body, stream } = make(length);
    stream.complete = complete;
    return body.needsClose;
  };
  expect([0, 65_536, 65_537, undefined].map((length) => needsClose(length, false))).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(needsClose(undefined, true)).toBe(false);
});

test("the memory of a chunk goes as soon as the sink is done with it, and nobody else's", async () => {
  const stream = new FakeStream();
  const options = { length: undefined, onFirstRead: undefined, onBytes: () => {} };
  const body = new IncomingBody(stream, options);
  const seen: number[] = [];
  const draining = body.drainTo({ write: (chunk) => seen.push(chunk.length) > 0 });
  const whole = new Uint8Array(65_536);
  const part = new Uint8Array(65_536).subarray(0, 60_000);
  const shared = new Uint8Array(new SharedArrayBuffer(65_536));
  const small = new Uint8Array(100);
  for (const chunk of [whole, part, shared, small]) stream.emit("data", chunk);
  expect(seen).toEqual([65_536, 60_000, 65_536, 100]);
  expect([whole, part, shared, small].map(({ length }) => length)).toEqual([
    0, 60_000, 65_536, 100,
  ]);
  stream.end();
  await draining;
  expect(body.receivedBytes).toBe(65_536 + 60_000 + 65_536 + 100);
});
