/** Peers' changes, for tests that interrupt them at every call; see `engine-operations.ts`. */
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { commit } from "./engine-fixture.ts";
import type { EngineOperation } from "./engine-operations.ts";
import { peerName, peerTime, remove, rename, replicate, splice } from "./replica-stage.ts";

const content = "a file of a peer";
const name = peerName(content);
const appender = peerName("", { kind: "appender" });
const nothing = (): readonly string[] => [];

function creates(what: string, pieces?: number): EngineOperation {
  const file = { name, content, ...(pieces === undefined ? {} : { pieces }) };
  const run = (engine: StorePathEngine): unknown => replicate(engine, file);
  return { name: what, isUnstaged: pieces === undefined, prepare: nothing, run };
}

/** `from`, where it is there first. */
function changes(
  what: string,
  from: { readonly name: string; readonly content: string } | undefined,
  run: (engine: StorePathEngine) => unknown,
): EngineOperation {
  const prepare = (engine: StorePathEngine): readonly string[] => {
    if (from !== undefined) replicate(engine, from);
    return [];
  };
  return { name: what, prepare, run };
}

const changed = { name: appender, content: "0123456789" };
const whole = { name, content };

export const replicaOperations: readonly EngineOperation[] = [
  creates("a peer's file"),
  creates("a peer's file in pieces", 3),
  changes("a peer's appender file", undefined, (engine) => replicate(engine, changed)),
  changes("a peer's metadata", whole, (engine) =>
    replicate(engine, { name: `${name}-m`, content: "colour\x02red" }),
  ),
  changes("a peer's replacement", changed, (engine) =>
    replicate(engine, { name: appender, content: "another one", mode: "replace" }),
  ),
  changes("a peer's append", changed, (engine) =>
    splice(engine, "append", { name: appender, offset: 10, content: "more" }),
  ),
  changes("a peer's modification", changed, (engine) =>
    splice(engine, "modify", { name: appender, offset: 3, content: "XYZ" }),
  ),
  changes("a peer's truncation", changed, (engine) => {
    const sizes = { name: appender, oldSize: 10, newSize: 4, timestamp: peerTime };
    return commit(engine, engine.replication.changes.truncate(sizes));
  }),
  changes("a peer's removal", whole, (engine) => remove(engine, name)),
  changes("a peer's rename", { name: appender, content }, (engine) =>
    rename(engine, name, appender),
  ),
  changes("a peer's link", whole, (engine) => {
    const names = { name: peerName(content, { number: 5 }), source: name, timestamp: peerTime };
    return commit(engine, engine.replication.changes.link(names));
  }),
];
