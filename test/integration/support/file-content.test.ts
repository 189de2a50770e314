/** Goal: files in memory are what plain copies would be, and what was flushed is what was there. Method: random changes of both. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { FileContent } from "../../support/file-content.ts";

const change = fc.oneof(
  fc.record({ kind: fc.constant("write"), at: fc.nat(40), size: fc.nat(30), byte: fc.nat(255) }),
  fc.record({ kind: fc.constant("truncate"), size: fc.nat(60) }),
  fc.record({ kind: fc.constant("flush") }),
  fc.record({ kind: fc.constant("flushed"), which: fc.nat(3) }),
  fc.record({ kind: fc.constant("settle") }),
  fc.record({ kind: fc.constant("drop"), evicted: fc.boolean() }),
);

/** As plain as can be. */
class PlainContent {
  now: Buffer = Buffer.alloc(0);
  durable: Buffer = Buffer.alloc(0);
  /** What a flush brings to stable storage. */
  pending: Buffer = Buffer.alloc(0);

  write(bytes: Buffer, at: number): void {
    const size = Math.max(this.now.length, at + bytes.length);
    this.now = resized(this.now, size);
    this.pending = resized(this.pending, size);
    bytes.copy(this.now, at);
    bytes.copy(this.pending, at);
  }

  truncate(size: number): void {
    this.now = resized(this.now, size);
    this.pending = resized(this.pending, size);
  }

  drop(evicted: boolean): void {
    if (evicted) this.now = resized(this.durable, this.now.length);
    this.pending = evicted ? this.now : this.durable;
  }
}

function resized(bytes: Buffer, size: number): Buffer {
  const changed = Buffer.alloc(size);
  bytes.copy(changed);
  return changed;
}

test("what is there now, and what is on stable storage, are as if every change made a copy", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const content = new FileContent();
      const plain = new PlainContent();
      const flushes: { readonly end: () => void; readonly snapshot: Buffer; order: number }[] = [];
      let ended = -1;
      for (const [order, each] of changes.entries()) {
        if (each.kind === "write" && "byte" in each) {
          const bytes = Buffer.alloc(each.size, each.byte);
          content.write(bytes, each.at);
          plain.write(bytes, each.at);
        } else if (each.kind === "truncate" && "size" in each) {
          content.truncate(each.size);
          plain.truncate(each.size);
        } else if (each.kind === "flush") {
          flushes.push({ end: content.beginFlush(), snapshot: plain.pending, order });
        } else if ("which" in each) {
          const [flush] = flushes.splice(each.which % Math.max(1, flushes.length), 1);
          flush?.end();
          if (flush !== undefined && flush.order > ended) {
            ended = flush.order;
            plain.durable = flush.snapshot;
          }
        } else if ("evicted" in each) {
          // What was under way when it failed has failed as well.
          flushes.length = 0;
          if (!content.isDurable) plain.drop(each.evicted);
          content.drop(each.evicted);
        } else {
          content.settle(content.durableBytes());
          plain.now = plain.durable;
          plain.pending = plain.durable;
          flushes.length = 0;
        }
        expect(content.size).toBe(plain.now.length);
        expect(content.bytes.equals(plain.now)).toBe(true);
        expect(content.durableBytes().equals(plain.durable)).toBe(true);
        if (content.isDurable) expect(plain.now.equals(plain.durable)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
