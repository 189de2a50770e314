/**
 * Goal: whatever a source does, and however often its records are delivered again, also over crashes of the receiver, both end with the
 * same names and bytes. Method: random changes at one engine; its binlog is sent to another one by the rules of senders (present
 * content, what is gone is skipped), each time from a random earlier place, with power cuts in between.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type BinlogEntry, decodeEntry } from "#filestore/binlog/entry.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import {
  commit,
  openEngine,
  put,
  readBack,
  runSteps,
  viewOf,
} from "../../../../support/engine-fixture.ts";
import { ManualClock } from "../../../../support/manual-clock.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";
import { readableBinlog, remove, replicate, splice } from "../../../../support/replica-stage.ts";

const directory = "/disk";

const change = fc.record({
  kind: fc.constantFrom(
    ...(["create", "appender", "slave", "append", "modify", "truncate", "remove"] as const),
    ...(["metadata", "regenerate", "link", "send", "send-again", "cut"] as const),
  ),
  which: fc.nat(50),
  size: fc.nat(40),
});
type Step = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

/** Between two deliveries: the peer has neither heard of the new name nor of its end. */
const regeneratedAndRemoved: Step[] = [
  { kind: "appender", which: 0, size: 0 },
  { kind: "send-again", which: 0, size: 0 },
  { kind: "regenerate", which: 0, size: 0 },
  { kind: "remove", which: 21, size: 0 },
];

/** Undefined where the file is not there any more. */
function present(engine: StorePathEngine, name: string): Buffer | undefined {
  try {
    return readBack(engine, name);
  } catch {
    return undefined;
  }
}

function deliver(from: StorePathEngine, to: StorePathEngine, entry: BinlogEntry): void {
  const { name, timestamp } = entry;
  const content = present(from, name);
  if (entry.kind === "delete") {
    if (content === undefined) remove(to, name, timestamp);
    return;
  }
  const removeOld = (oldName: string): void => {
    if (present(from, oldName) === undefined) remove(to, oldName, timestamp);
  };
  if (content === undefined) {
    // Its new name is gone as well.
    if (entry.kind === "rename") removeOld(entry.oldName);
    return;
  }
  const whole = (mode: "create" | "replace"): string =>
    replicate(to, { name, content, timestamp, mode });
  if (entry.kind === "create") whole("create");
  else if (entry.kind === "update") whole("replace");
  else if (entry.kind === "append" || entry.kind === "modify") {
    const { kind, offset, length } = entry;
    if (content.length < offset + length) return;
    const bytes = content.toString("latin1", offset, offset + length);
    const outcome = splice(to, kind, { name, offset, content: bytes, timestamp });
    if (outcome === "missing" || outcome === "differs") whole("replace");
  } else if (entry.kind === "truncate") {
    const { oldSize, newSize } = entry;
    const prepared = to.replication.changes.truncate({ name, oldSize, newSize, timestamp });
    const outcome = commit(to, prepared);
    if (outcome === "missing" || outcome === "differs") whole("replace");
  } else if (entry.kind === "rename") {
    const names = { name, source: entry.oldName, timestamp };
    const outcome = commit(to, runSteps(to.replication.changes.rename(names)));
    if (outcome === "missing" || outcome === "differs") {
      whole("create");
      removeOld(entry.oldName);
    }
  } else if (entry.kind === "link") {
    const names = { name, source: entry.target ?? "", timestamp };
    const outcome = commit(to, to.replication.changes.link(names));
    if (outcome === "missing" || outcome === "differs") whole("create");
  }
}

function perform(engine: StorePathEngine, names: string[], step: Step): void {
  const { kind, which, size } = step;
  const name = names[which % Math.max(1, names.length)] ?? "";
  const content = "abcdefghij".repeat(4).slice(0, size);
  const isAppender = name.endsWith(".log");
  try {
    if (kind === "create") names.push(put(engine, { kind: "normal", extension: "txt" }, content));
    else if (kind === "appender") {
      names.push(put(engine, { kind: "appender", extension: "log" }, content));
    } else if (kind === "slave") {
      names.push(
        put(engine, { kind: "slave", master: name, prefix: `_${size}`, extension: "s" }, content),
      );
    } else if (kind === "append" && isAppender) put(engine, { kind, name }, content);
    else if (kind === "modify" && isAppender)
      put(engine, { kind, name, offset: size % 5 }, content);
    else if (kind === "truncate" && isAppender) commit(engine, engine.prepareTruncate(name, size));
    else if (kind === "remove") commit(engine, engine.prepareRemove(name));
    else if (kind === "metadata") {
      const text = Buffer.from(size % 4 === 0 ? "" : `a\x02${content}`);
      commit(engine, engine.prepareMetadata(name, "overwrite", text));
    } else if (kind === "regenerate" && isAppender) {
      names.push(commit(engine, runSteps(engine.regenerate(name))));
    } else if (kind === "link") {
      const link = { source: name, extension: "txt", master: "", prefix: "" };
      names.push(commit(engine, runSteps(engine.link(link))));
    }
  } catch (error) {
    // What does not go: the file is gone, the slave is there, and such.
    expect(String((error as { readonly code?: string }).code)).toMatch(/^file-/);
  }
}

test("records that are delivered in order, and again, end in equal files", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), fc.boolean(), (steps, flushed) => {
      const clock = new ManualClock();
      const settings = { durability: flushed ? "flushed" : "relaxed" } as const;
      const [one, two] = [new MemoryFiles(directory), new MemoryFiles(directory)];
      const source = openEngine({ files: one, directory, clock, settings });
      const open = (): StorePathEngine =>
        openEngine({ files: two, directory, clock, settings, seed: 9 });
      let replica = open();
      const names: string[] = [];
      const send = (from: number): void => {
        const records = readableBinlog(source).split("\n").slice(0, -1);
        for (const line of records.slice(Math.min(from, records.length))) {
          const entry = decodeEntry(line);
          if (entry !== undefined) deliver(source, replica, entry);
        }
      };
      let sent = 0;
      for (const step of steps) {
        clock.advance(700);
        one.nowSeconds = Math.floor(clock.nowMs() / 1000);
        two.nowSeconds = one.nowSeconds;
        if (step.kind === "send") {
          send(sent);
          sent = readableBinlog(source).split("\n").length - 1;
        } else if (step.kind === "send-again") send(Math.min(sent, step.which));
        else if (step.kind === "cut") {
          if (flushed) two.powerCut();
          else replica.close();
          replica = open();
        } else perform(source, names, step);
      }
      send(0);
      expect(viewOf(two, directory).files).toEqual(viewOf(one, directory).files);
      expect(viewOf(two, directory).staged).toEqual([]);
    }),
    { numRuns: 60, examples: [[regeneratedAndRemoved, false]] },
  );
}, 60_000);
